"""Read YAML that people write: plain data with the place of every value, and every problem at once.

The only home of pyyaml. What surprises people in YAML is taken out: `no`, `on`, `10:00`, `1_000` and dates
stay text; only null, true, false and plain decimal integers are read as such. Duplicate keys, aliases,
anchors, merge keys and tags are errors. Size, depth and number of values are bounded.
Reads no file itself: callers hand over text and the name to show.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, RootModel, ValidationError

MAX_CHARACTERS = 1 << 20  # one file; ten thousand addresses fit, and pyyaml reads it within seconds
MAX_VALUES = 50_000  # values and keys in one file
MAX_DEPTH = 20  # levels of nesting; the deepest documented key stands at six

Path = tuple[str | int, ...]
Place = tuple[int, int]
Model = TypeVar("Model", bound=BaseModel)

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_QUOTE_IT = {
    "@": 'put the value in quotes: "@example.jp"',
    "*": 'put a value that begins with * in quotes: "*.xlsx"',
    "`": "put the value in quotes",
    "%": "put the value in quotes",
    "\\t": "indent with spaces, not with tabs",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to correct. `where` is the path of keys, such as `rules[2].when`; lines and columns from 1."""

    file: str
    line: int
    column: int
    where: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        where = f"{self.where}: " if self.where else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.file}:{self.line}:{self.column}: {where}{self.message}{hint}"


class Problems(Exception):  # noqa: N818 - it carries many, and is printed to people as such
    """Everything wrong with one or several files, in the order of the files and their lines."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.file, p.line, p.column, p.where, p.message)))
        super().__init__(str(self))

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class Hinted(ValueError):  # noqa: N818 - a ValueError with one thing more
    """A ValueError for validators that know what to write instead."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Document:
    """One file as plain data (dict, list, str, int, bool, None) and where each key and value stands in it."""

    file: str
    data: Any
    values: dict[Path, Place] = field(default_factory=dict, repr=False)
    keys: dict[Path, Place] = field(default_factory=dict, repr=False)

    def position(self, path: Path) -> Place:
        """Return (line, column) of the value at `path`, or of the nearest thing around it."""
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, (1, 1))

    def key_position(self, path: Path) -> Place:
        """Return (line, column) of the key that ends `path`; falls back to `position`."""
        return self.keys.get(path) or self.position(path)

    def problem(self, path: Path, message: str, hint: str = "") -> Problem:
        """Build the problem that stands at `path`."""
        line, column = self.position(path)
        return Problem(self.file, line, column, show_path(path), message, hint)


def show_path(path: Path) -> str:
    """Write a path the way people read it: `rules[2].when.external`."""
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).lstrip(".")


def load(text: str, file: str) -> Document:
    """Read one YAML document; raises `Problems`. An empty file has `data` None."""
    if len(text) > MAX_CHARACTERS:
        raise Problems([Problem(file, 1, 1, "", f"the file is longer than {MAX_CHARACTERS} characters")])
    reader = _Reader(Document(file, None), yaml.parse(text.removeprefix("\ufeff"), Loader=yaml.SafeLoader))
    try:
        document = reader.document()
    except yaml.YAMLError as error:
        raise Problems([*reader.problems, _syntax_problem(error, text, file)]) from None
    if reader.problems:
        raise Problems(reader.problems)
    return document


class _Reader:
    """Builds plain data from parser events; keeps going after a mistake that does not spoil the rest."""

    def __init__(self, document: Document, events: Iterator[yaml.Event]) -> None:
        self._document = document
        self._events = events
        self._count = 0
        self.problems: list[Problem] = []

    def document(self) -> Document:
        data = None
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._complain(
                        event, (), "a second document begins here", "one document per file: remove ---"
                    )
                    break
            elif isinstance(event, yaml.NodeEvent):
                data = self._value(event, ())
        return Document(self._document.file, data, self._document.values, self._document.keys)

    def _value(self, event: yaml.Event, path: Path, key_at: Place | None = None) -> Any:
        self._bound(event, path)
        self._refuse_fancy(event, path)
        scalar = isinstance(event, yaml.ScalarEvent)
        self._document.values[path] = _place(event) if scalar or key_at is None else key_at
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path)
        return _resolve(event) if isinstance(event, yaml.ScalarEvent) else None

    def _mapping(self, path: Path) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._key(event, path)
            here = (*path, key)
            if key in out:
                first = self._document.keys[here][0]
                self._complain(event, here, f"the key {key!r} stands here twice", f"first in line {first}")
                self._skip(next(self._events))
                continue
            self._document.keys[here] = _place(event)
            out[key] = self._value(next(self._events), here, _place(event))
        return out

    def _key(self, event: yaml.Event, path: Path) -> str:
        self._bound(event, path)
        self._refuse_fancy(event, path)
        if not isinstance(event, yaml.ScalarEvent):
            self._complain(event, path, "a key must be plain text")
            self._skip(event)
            return f"({len(self.problems)})"
        if event.value == "<<" and event.implicit[0]:
            self._complain(event, path, "merge keys (<<) are not read here", "write the keys out")
        return str(event.value)

    def _sequence(self, path: Path) -> list[Any]:
        out: list[Any] = []
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            out.append(self._value(event, (*path, len(out))))
        return out

    def _skip(self, event: yaml.Event) -> None:
        depth = 0
        while True:
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth <= 0:
                return
            event = next(self._events)

    def _bound(self, event: yaml.Event, path: Path) -> None:
        self._count += 1
        if self._count > MAX_VALUES or len(path) > MAX_DEPTH:
            many = (
                f"more than {MAX_VALUES} values"
                if self._count > MAX_VALUES
                else f"more than {MAX_DEPTH} levels"
            )
            self._complain(event, path[:MAX_DEPTH], f"the file has {many}")
            raise Problems(self.problems)

    def _refuse_fancy(self, event: yaml.Event, path: Path) -> None:
        if isinstance(event, yaml.AliasEvent):
            self._complain(
                event,
                path,
                f"aliases (*{event.anchor}) are not read here",
                'write the value out, or quote "*…"',
            )
            return
        if getattr(event, "anchor", None) is not None:
            self._complain(
                event, path, "anchors (&) are not read here", "write the value out where it is needed"
            )
        if getattr(event, "tag", None) is not None:
            self._complain(event, path, "tags (!) are not read here", "put text that begins with ! in quotes")

    def _complain(self, event: yaml.Event, path: Path, message: str, hint: str = "") -> None:
        line, column = _place(event)
        self.problems.append(Problem(self._document.file, line, column, show_path(path), message, hint))


def _place(event: yaml.Event) -> Place:
    mark = event.start_mark
    if mark is None:  # pyyaml sets it on every event that comes from text
        return 1, 1
    return mark.line + 1, mark.column + 1


def _resolve(event: yaml.ScalarEvent) -> str | int | bool | None:
    text = str(event.value)
    if not event.implicit[0]:
        return text  # quoted, or a block: always text
    if text in _WORDS:
        return _WORDS[text]
    return int(text) if _INTEGER.fullmatch(text) else text


def _syntax_problem(error: yaml.YAMLError, text: str, file: str) -> Problem:
    message = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read"
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is not None:
        hint = next((hint for sign, hint in _QUOTE_IT.items() if f"'{sign}'" in str(message)), "")
        if not hint and text.splitlines()[mark.line : mark.line + 1]:
            hint = _QUOTE_IT["*"] if "alias" in str(getattr(error, "context", "")) else ""
        return Problem(file, mark.line + 1, mark.column + 1, "", f"not YAML: {message}", hint)
    before = text[: getattr(error, "position", 0)]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return Problem(file, line, column, "", f"not YAML: {message}", "remove control characters; save as UTF-8")


def validate(model: type[Model], document: Document) -> Model:
    """Return the document as `model`; raises `Problems` with everything that does not fit."""
    data = {} if document.data is None else document.data
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise Problems([_from_pydantic(model, document, dict(e)) for e in error.errors()]) from None


def _from_pydantic(model: type[BaseModel], document: Document, error: dict[str, Any]) -> Problem:
    path = _real_path(document.data, error["loc"], error["type"])
    message, hint = _explain(model, path, error)
    place = document.key_position(path) if error["type"] == "extra_forbidden" else document.position(path)
    return Problem(document.file, *place, show_path(path), message, hint)


def _real_path(data: Any, loc: Path, kind: str) -> Path:
    """Drop from pydantic's location what does not stand in the file: names of union branches, validators."""
    path: list[str | int] = []
    for number, step in enumerate(loc):
        named = isinstance(data, dict) and step in data
        if named or (isinstance(data, list) and isinstance(step, int) and step < len(data)):
            data = data[step]
        elif not (kind == "missing" and number == len(loc) - 1):
            continue
        path.append(step)
    return tuple(path)


def _explain(model: type[BaseModel], path: Path, error: dict[str, Any]) -> tuple[str, str]:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return f"unknown key {path[-1]!r}" if path else "unknown key", nearest(
            str(path[-1]), _keys_at(model, path[:-1])
        )
    if kind == "missing":
        return "this key is required and missing", ""
    if kind == "value_error":
        cause = context.get("error")
        return str(cause), getattr(cause, "hint", "")
    if kind == "literal_error":
        choices = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        choices = choices or [str(context.get("expected", ""))]
        return f"must be {' or '.join(choices)}", nearest(str(error.get("input")), choices, offer_all=False)
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return "keys and values are expected here", ""
    if kind in ("bool_type", "bool_parsing"):
        return "true or false is expected here", ""
    if kind == "string_type" and isinstance(error.get("input"), int | bool):
        return "text is expected here", "put the value in quotes"
    return str(error["msg"]), ""


def nearest(word: str, known: Sequence[str], *, offer_all: bool = True) -> str:
    """Write the hint for a word nobody knows: the most similar known one, or all of them."""
    close = difflib.get_close_matches(word.casefold(), known, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known here: {', '.join(sorted(known))}" if known and offer_all else ""


def _keys_at(model: type[BaseModel], path: Path) -> list[str]:
    kind: Any = model
    for step in path:
        kind = _below(kind, step)
    kind = _as_model(kind)
    return [f.alias or name for name, f in kind.model_fields.items()] if kind is not None else []


def _below(kind: Any, step: str | int) -> Any:
    """Return the type of what stands under `step` in a value of type `kind`; None where that is not known."""
    model = _as_model(kind)
    if model is not None and issubclass(model, RootModel):
        return _below(model.model_fields["root"].annotation, step)
    if model is not None and isinstance(step, str):
        names = {f.alias or name: f for name, f in model.model_fields.items()}
        return names[step].annotation if step in names else None
    for branch in _branches(kind):
        arguments = get_args(branch)
        if arguments and get_origin(branch) in (dict, list, tuple, set, frozenset):
            return arguments[1] if get_origin(branch) is dict else arguments[0]
    return None


def _as_model(kind: Any) -> type[BaseModel] | None:
    return next((b for b in _branches(kind) if isinstance(b, type) and issubclass(b, BaseModel)), None)


def _branches(kind: Any) -> list[Any]:
    if get_origin(kind) in (Union, UnionType):
        return [b for argument in get_args(kind) for b in _branches(argument)]
    return _branches(get_args(kind)[0]) if hasattr(kind, "__metadata__") else [kind]
