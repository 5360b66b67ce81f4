"""The reference of all keys, generated from the models: editors, `sekisho policy docs` and docs/policy.md show the same. Pure.

Every key says what it means in English and Japanese (`parts.told`). In a page, a table stands between `<!-- keys: Model -->`
and `<!-- end -->`, and `<!-- keys: * -->` takes the tables of all models that have no place of their own; everything outside
is written by hand and stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gateway.policy.cases import Case
from gateway.policy.demands import Language
from gateway.policy.schema import PolicyFile

BOTH = (Language.EN, Language.JA)

_ROOTS = (PolicyFile, Case)
_MARKED = re.compile(r"<!-- keys: (\*|\w+) -->\n.*?<!-- end -->", re.DOTALL)
_HEADS = {Language.EN: "meaning", Language.JA: "意味"}
_REQUIRED = {Language.EN: "required", Language.JA: "必須"}
_KEY = {Language.EN: "key", Language.JA: "キー"}


def models() -> dict[str, type[BaseModel]]:
    """Return every model that policy files and cases are made of, by name, a model before those that stand in it."""
    found: dict[str, type[BaseModel]] = {}
    for root in _ROOTS:
        _collect(root, found)
    return found


def _collect(model: type[BaseModel], found: dict[str, type[BaseModel]]) -> None:
    if model.__name__ in found:
        return
    found[model.__name__] = model
    for field in model.model_fields.values():
        for below in _models_in(field.annotation):
            _collect(below, found)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def keys(model: type[BaseModel]) -> list[tuple[str, FieldInfo]]:
    """Return the keys of a model as files write them."""
    return [(field.alias or name, field) for name, field in model.model_fields.items()]


def told_in(field: FieldInfo, language: Language) -> str:
    """Return what a key means; empty where nobody said it in that language."""
    english, _, japanese = (field.description or "").partition("\n")
    return japanese if language is Language.JA else english


def table(model: type[BaseModel], languages: tuple[Language, ...] = BOTH) -> str:
    """Return the keys of a model as a Markdown table."""
    heads = [_KEY[languages[0]], *(_HEADS[language] for language in languages)]
    lines = [_row(heads), _row(["---"] * len(heads))]
    lines += [
        _row([f"`{key}`", *(_cell(field, language) for language in languages)]) for key, field in keys(model)
    ]
    return "\n".join(lines)


def _cell(field: FieldInfo, language: Language) -> str:
    said = told_in(field, language)
    if field.is_required() and _REQUIRED[language] not in said:
        said += f"; {_REQUIRED[language]}" if language is Language.EN else f"({_REQUIRED[language]})"
    return re.sub(r"(?<!\\)\|", r"\\|", said)


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def places() -> dict[str, list[str]]:
    """Return for each model where it stands, such as `rules: when: attachments`."""
    found: dict[str, list[str]] = {}
    for name, model in models().items():
        for key, field in keys(model):
            for below in _models_in(field.annotation):
                found.setdefault(below.__name__, []).append(f"{name}.{key}")
    return found


def reference(language: Language) -> str:
    """Return the whole reference in one language, as a page of its own."""
    title = {Language.EN: "Policy reference", Language.JA: "ポリシーのキー一覧"}[language]
    return "\n\n".join([f"# {title}", *_sections(list(models()), (language,), "##")]) + "\n"


def _sections(names: list[str], languages: tuple[Language, ...], level: str) -> Iterator[str]:
    known, where = models(), places()
    for name in names:
        stands = f" ({', '.join(f'`{place}`' for place in where[name])})" if name in where else ""
        yield f"{level} {name}{stands}"
        yield table(known[name], languages)


def filled(page: str) -> str:
    """Return the page with its tables as they have to be; raises ValueError for a model that does not exist."""
    known = models()
    named = [match[1] for match in _MARKED.finditer(page)]
    left = [name for name in known if name not in named]

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        if name != "*" and name not in known:
            raise ValueError(f"no part of a policy is called {name}")
        text = "\n\n".join(_sections(left, BOTH, "###")) if name == "*" else table(known[name])
        return f"<!-- keys: {name} -->\n{text}\n<!-- end -->"

    if left and "*" not in named:
        raise ValueError(f"the page has no place for {', '.join(left)}: write <!-- keys: * -->")
    return _MARKED.sub(fill, page)
