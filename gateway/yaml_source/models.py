"""Plain data to pydantic models, with pydantic's findings put into our words and at their places."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, RootModel, ValidationError

from gateway.yaml_source.places import Document, Path, Problem, Problems, show_path

MAX_KEYS_TOLD = 14  # keys in one hint where none of them is near
_FULL_WIDTH = "\uff1a\u3000"  # colon and blank, as Japanese input writes them

Model = TypeVar("Model", bound=BaseModel)


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
        return _unknown_key(model, path)
    if kind == "missing":
        return "this key is required and missing", ""
    if kind == "value_error":
        cause = context.get("error")
        return str(cause), getattr(cause, "hint", "")
    if kind in ("literal_error", "enum"):
        choices = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        choices = choices or [str(context.get("expected", ""))]
        return f"must be {' or '.join(choices)}", nearest(str(error.get("input")), choices, offer_all=False)
    if kind in ("model_type", "dict_type", "model_attributes_type"):
        return "keys and values are expected here", _few_keys(model, path)
    if kind in ("tuple_type", "list_type"):
        return "a list is expected here", ""
    if kind == "greater_than_equal":
        return f"must be at least {context['ge']}", ""
    if kind in ("bool_type", "bool_parsing"):
        return "true or false is expected here", ""
    if kind in ("int_type", "int_parsing", "int_from_float"):
        return "a whole number is expected here", "write it in half-width digits without quotes: 10"
    if kind == "string_type" and isinstance(error.get("input"), int | bool):
        return "text is expected here", "put the value in quotes"
    return str(error["msg"]), ""


def _unknown_key(model: type[BaseModel], path: Path) -> tuple[str, str]:
    if not path:
        return "unknown key", ""
    key = str(path[-1])
    if any(sign in key for sign in _FULL_WIDTH):
        return (
            f"unknown key {key!r}",
            "it holds full-width signs (全角); write : and blanks in half width (半角)",
        )
    return f"unknown key {key!r}", nearest(key, _keys_at(model, path[:-1]))


def _few_keys(model: type[BaseModel], path: Path) -> str:
    """Write the hint where a value stands instead of keys, unless there are too many of them to help."""
    keys = _keys_at(model, path)
    return f"known here: {', '.join(sorted(keys))}" if 0 < len(keys) <= MAX_KEYS_TOLD else ""


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
    kind = _as_model(kind) or _as_model(_below(kind, 0))  # a list of one may be written without its brackets
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
