"""Text to plain data with places. The only home of pyyaml: its parser's events, and none of its guesses.

Keeps going after a mistake that does not spoil the rest, so that people see all of them at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from gateway.yaml_source.places import Document, Path, Place, Problem, Problems, show_path

MAX_CHARACTERS = 1 << 20  # one file; ten thousand addresses fit, and pyyaml reads it within seconds
MAX_VALUES = 50_000  # values and keys in one file
MAX_DEPTH = 20  # levels of nesting; the deepest documented key stands at six

_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NO_KEY = ("expected ':'", "mapping values are not allowed")  # what PyYAML says of a key without its colon
_QUOTE_IT = {
    "@": 'put the value in quotes: "@example.jp"',
    "*": 'put a value that begins with * in quotes: "*.xlsx"',
    "`": "put the value in quotes",
    "%": "put the value in quotes",
    "\\t": "indent with spaces, not with tabs",
}


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
        if not hint and any(sign in str(message) for sign in _NO_KEY):
            hint = (
                "behind a key stand a half-width colon (半角) and a blank, before it half-width blanks only"
            )
        return Problem(file, mark.line + 1, mark.column + 1, "", f"not YAML: {message}", hint)
    before = text[: getattr(error, "position", 0)]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return Problem(file, line, column, "", f"not YAML: {message}", "remove control characters; save as UTF-8")
