"""The small values that policy files are made of: durations, sizes, counts, sentences, names, patterns for people.

Each knows how people write it, what is wrong with it in words they understand, and its JSON Schema for editors.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, BeforeValidator, Field, Strict, WithJsonSchema

from gateway.detect.kinds import KINDS
from gateway.policy.people import read_address, read_domain, read_pattern
from gateway.policy.text_match import pattern
from gateway.units import parse_duration, parse_size
from gateway.yaml_source import Hinted, nearest

MAX_WINDOW = timedelta(days=30)  # a mail held longer is a mistake in the file
MAX_COUNT = 1_000_000  # no mail has more recipients or attachments
MAX_SENTENCE = 300  # characters; a refusal must fit the lines of an SMTP reply
# Top-level domains that no registry gives out (RFC 6762 appendix G, RFC 2606, RFC 8375): closed networks use them.
PRIVATE_TOPS = frozenset({"corp", "home", "internal", "intranet", "lan", "local", "private", "test"})
MAX_COPIES = 20  # addresses in one list of copies or reports: each is a mail more for every mail

_FIELD_NAME = re.compile(r"[!-9;-~]{1,76}")  # RFC 5322 3.6.8: printable, no colon
_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")  # of rules and of next hops
_STRING = {"type": "string"}


def _window(value: object) -> timedelta:
    window = parse_duration(value)
    if not timedelta(0) < window <= MAX_WINDOW:
        raise Hinted(
            f"a window of {value} cannot be kept", "write more than 0s and at most 30d, for example 10m"
        )
    return window


def _sentence(text: str) -> str:
    if not text.strip() or len(text) > MAX_SENTENCE or not text.isprintable():
        raise Hinted("not one line of text", f"write 1 to {MAX_SENTENCE} characters without line breaks")
    return text.strip()


def read_name(text: str) -> str:
    """Return a name as it is written; raises `Hinted`."""
    if not text.strip() or len(text) > 64 or not text.isprintable():
        raise Hinted(f"not a name: {text!r}", "write 1 to 64 characters")
    return text


def _rule_id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise Hinted(
            f"not a rule id: {text!r}", "write a-z, 0-9 and -, at most 64, for example hide-recipients"
        )
    return text


def _field_name(text: str) -> str:
    if not _FIELD_NAME.fullmatch(text):
        raise Hinted(
            f"not the name of a header field: {text!r}", "for example X-Department, without the colon"
        )
    return text


def _pattern(text: str) -> str:
    try:
        pattern(text)
    except ValueError as error:
        raise Hinted(str(error), "contains: looks for plain text") from None
    return text


def _glob(text: str) -> str:
    if not 0 < len(text) <= 200 or "/" in text:
        raise Hinted(f"not a pattern for a file name: {text!r}", 'for example "*.xlsx"')
    return text


def _kind(text: str) -> str:
    if text not in KINDS:
        raise Hinted(f"no kind of file is called {text!r}", nearest(text, sorted(KINDS)))
    return text


def _inside(text: str) -> str:
    """Return a domain that may be inside; a whole top-level domain may be only where nobody else's can lie below it."""
    domain = read_domain(text)
    top = domain.removeprefix(".")
    if "." not in top and domain != top and top not in PRIVATE_TOPS:
        hint = "write the domains that are yours, for example .city.example.lg.jp"
        raise Hinted(f"{text!r} takes in everybody under .{top}: nobody there would be external", hint)
    return domain


def _route_name(text: str) -> str:
    if not _ID.fullmatch(text):
        raise Hinted(f"not the name of a next hop: {text!r}", "write a-z, 0-9 and -, at most 64")
    return text


def _reported(text: str) -> str:
    return read_address(text) if "@" in text else read_name(text)


def _few(addresses: tuple[str, ...]) -> tuple[str, ...]:
    if len(addresses) > MAX_COPIES:
        raise Hinted(f"{len(addresses)} addresses in one list", f"write at most {MAX_COPIES}")
    return addresses


def _one_or_many(value: object) -> object:
    """Take a single text for a list of one; an empty list is refused."""
    if isinstance(value, list) and not value:
        raise Hinted("the list is empty and matches nothing", "leave the key out, or write at least one")
    return [value] if isinstance(value, str) else value


def one_or_list(item: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of one such item or a list of them."""
    return {"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]}


def words_schema(words: Any) -> WithJsonSchema:
    """Return the JSON Schema of one of these words (a Literal) or a list of them."""
    return WithJsonSchema(one_or_list({"enum": list(get_args(words))}))


Window = Annotated[
    timedelta, BeforeValidator(_window), WithJsonSchema({**_STRING, "pattern": r"^(\d{1,6}[smhd])+$"})
]
Octets = Annotated[
    int,
    BeforeValidator(parse_size),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 0}, {**_STRING, "pattern": r"^\d+ ?([KMG]iB)?$"}]}
    ),
]
Count = Annotated[int, Strict(), Field(ge=0, le=MAX_COUNT)]
Flag = Annotated[bool, Strict()]
Sentence = Annotated[str, AfterValidator(_sentence)]
Name = Annotated[str, AfterValidator(read_name)]
RuleId = Annotated[str, AfterValidator(_rule_id)]
FieldName = Annotated[str, AfterValidator(_field_name)]

FEW_OR_ONE = WithJsonSchema(one_or_list(_STRING))
OneOrMany = BeforeValidator(_one_or_many)
_OneKind: dict[str, Any] = {"enum": sorted(KINDS)}
Names = Annotated[tuple[Name, ...], OneOrMany, FEW_OR_ONE]
Sentences = Annotated[tuple[Sentence, ...], OneOrMany, FEW_OR_ONE]
Regexes = Annotated[tuple[Annotated[str, AfterValidator(_pattern)], ...], OneOrMany, FEW_OR_ONE]
Glob = Annotated[str, AfterValidator(_glob)]
Globs = Annotated[tuple[Glob, ...], OneOrMany, FEW_OR_ONE]
FileKind = Annotated[str, AfterValidator(_kind), WithJsonSchema(_OneKind)]
FileKinds = Annotated[tuple[FileKind, ...], OneOrMany, WithJsonSchema(one_or_list(_OneKind))]
PeoplePatterns = Annotated[tuple[Annotated[str, AfterValidator(read_pattern)], ...], OneOrMany, FEW_OR_ONE]
Addresses = Annotated[tuple[Annotated[str, AfterValidator(read_address)], ...], OneOrMany, FEW_OR_ONE]
Domains = Annotated[tuple[Annotated[str, AfterValidator(_inside)], ...], OneOrMany, FEW_OR_ONE]
RouteName = Annotated[str, AfterValidator(_route_name)]
Copies = Annotated[
    tuple[Annotated[str, AfterValidator(read_address)], ...], OneOrMany, AfterValidator(_few), FEW_OR_ONE
]
Reported = Annotated[
    tuple[Annotated[str, AfterValidator(_reported)], ...], OneOrMany, AfterValidator(_few), FEW_OR_ONE
]
