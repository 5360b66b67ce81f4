"""The small values that policy files are made of: durations, sizes, counts, sentences, names, patterns for people.

Each knows how people write it, what is wrong with it in words they understand, and its JSON Schema for editors.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Strict,
    Tag,
    WithJsonSchema,
    model_validator,
)

from gateway.detect.kinds import KINDS
from gateway.policy.people import read_address, read_domain, read_pattern
from gateway.policy.text_match import pattern
from gateway.units import parse_duration, parse_size
from gateway.yaml_source import Hinted, nearest

MAX_WINDOW = timedelta(days=30)  # a mail held longer is a mistake in the file
MAX_COUNT = 1_000_000  # no mail has more recipients or attachments
MAX_SENTENCE = 300  # characters; a refusal must fit the lines of an SMTP reply
MAX_TAG = 200  # characters of a tag's value: one header line without folding (RFC 5322 2.1.1 allows 998)
# Top-level domains that no registry gives out (RFC 6762 appendix G, RFC 2606, RFC 8375): closed networks use them.
PRIVATE_TOPS = frozenset({"corp", "home", "internal", "intranet", "lan", "local", "private", "test"})

MAX_PARAGRAPHS = 4_000  # characters of a text under a mail
MAX_PARAGRAPH_LINE = (
    200  # characters of a line of it: below the 998 octets of RFC 5322 2.1.1 in every charset
)
MAX_HTML = 16_000  # characters of its HTML
MAX_COPIES = 20  # addresses in one list of copies or reports: each is a mail more for every mail

_ROUTE_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_WHOLE_PAGE = re.compile(r"</?(?:html|head|body|script)\b|<!--", re.IGNORECASE)
_TAG_NAME = re.compile(r"X-[A-Za-z0-9](?:[A-Za-z0-9-]{0,60}[A-Za-z0-9])?", re.IGNORECASE)
_FIELD_NAME = re.compile(r"[!-9;-~]{1,76}")  # RFC 5322 3.6.8: printable, no colon
_RULE_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
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


def _name(text: str) -> str:
    if not text.strip() or len(text) > 64 or not text.isprintable():
        raise Hinted(f"not a name: {text!r}", "write 1 to 64 characters")
    return text


def _rule_id(text: str) -> str:
    if not _RULE_ID.fullmatch(text):
        raise Hinted(
            f"not a rule id: {text!r}", "write a-z, 0-9 and -, at most 64, for example hide-recipients"
        )
    return text


def _tag_name(text: str) -> str:
    if not _TAG_NAME.fullmatch(text) or text.casefold().startswith("x-sekisho"):
        raise Hinted(
            f"not a header field a tag may set: {text!r}", "write X- and letters, digits or -; not X-Sekisho…"
        )
    return text


def _tag_value(text: str) -> str:
    if not text.strip() or len(text) > MAX_TAG or not (text.isascii() and text.isprintable()):
        raise Hinted("not a value for a header field", f"write 1 to {MAX_TAG} ASCII characters")
    return text.strip()


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


def _person(text: str) -> str:
    return text if text == "sender" else read_address(text)


def _when_told(moments: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    if not moments:
        raise Hinted("nobody is named", "leave the key out, or write {sender: [hold, left]}")
    for person, when in moments.items():
        if person != "sender" and "left" in when:
            hint = "write report_to: for people who want to know what became of a mail"
            raise Hinted(f"only the sender can be told that a mail left, not {person}", hint)
    return moments


def _inside(text: str) -> str:
    """Return a domain that may be inside; a whole top-level domain may be only where nobody else's can lie below it."""
    domain = read_domain(text)
    top = domain.removeprefix(".")
    if "." not in top and domain != top and top not in PRIVATE_TOPS:
        hint = "write the domains that are yours, for example .city.example.lg.jp"
        raise Hinted(f"{text!r} takes in everybody under .{top}: nobody there would be external", hint)
    return domain


def _route_name(text: str) -> str:
    if not _ROUTE_NAME.fullmatch(text):
        raise Hinted(f"not the name of a next hop: {text!r}", "write a-z, 0-9 and -, at most 64")
    return text


def _disclaimer_name(text: str) -> str:
    if ":" in text:
        raise Hinted(f"not a name: {text!r}", "write it without a colon; the language has a key of its own")
    return _name(text)


def _paragraphs(text: str) -> str:
    lines = [line.rstrip() for line in text.strip("\n").split("\n")]
    clean = all(line.isprintable() and len(line) <= MAX_PARAGRAPH_LINE for line in lines)
    if not text.strip() or len(text) > MAX_PARAGRAPHS or not clean:
        hint = f"write at most {MAX_PARAGRAPHS} characters in lines of at most {MAX_PARAGRAPH_LINE}, without tabs"
        raise Hinted("not a text that can stand under a mail", hint)
    return "\n".join(lines)


def _html(text: str) -> str:
    clean = all(sign.isprintable() or sign in "\n\t" for sign in text)
    if not text.strip() or len(text) > MAX_HTML or not clean or _WHOLE_PAGE.search(text):
        hint = f"write at most {MAX_HTML} characters such as <p>…</p>, without body, script or comments"
        raise Hinted("not a piece of HTML that can stand in a mail", hint)
    return text.strip()


def _reported(text: str) -> str:
    return read_address(text) if "@" in text else _name(text)


def _few(addresses: tuple[str, ...]) -> tuple[str, ...]:
    if len(addresses) > MAX_COPIES:
        raise Hinted(f"{len(addresses)} addresses in one list", f"write at most {MAX_COPIES}")
    return addresses


def one_or_many(value: object) -> object:
    """Take a single text for a list of one; an empty list is refused."""
    if isinstance(value, list) and not value:
        raise Hinted("the list is empty and matches nothing", "leave the key out, or write at least one")
    return [value] if isinstance(value, str) else value


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
Name = Annotated[str, AfterValidator(_name)]
RuleId = Annotated[str, AfterValidator(_rule_id)]
TagName = Annotated[str, AfterValidator(_tag_name)]
TagValue = Annotated[str, AfterValidator(_tag_value)]
FieldName = Annotated[str, AfterValidator(_field_name)]

FEW_OR_ONE = WithJsonSchema({"anyOf": [_STRING, {"type": "array", "items": _STRING, "minItems": 1}]})
OneOrMany = BeforeValidator(one_or_many)
_OneKind: dict[str, Any] = {"enum": sorted(KINDS)}
_Kinds = WithJsonSchema({"anyOf": [_OneKind, {"type": "array", "items": _OneKind, "minItems": 1}]})
Names = Annotated[tuple[Name, ...], OneOrMany, FEW_OR_ONE]
Sentences = Annotated[tuple[Sentence, ...], OneOrMany, FEW_OR_ONE]
Regexes = Annotated[tuple[Annotated[str, AfterValidator(_pattern)], ...], OneOrMany, FEW_OR_ONE]
Glob = Annotated[str, AfterValidator(_glob)]
Globs = Annotated[tuple[Glob, ...], OneOrMany, FEW_OR_ONE]
FileKind = Annotated[str, AfterValidator(_kind), WithJsonSchema(_OneKind)]
FileKinds = Annotated[tuple[FileKind, ...], OneOrMany, _Kinds]
PeoplePatterns = Annotated[tuple[Annotated[str, AfterValidator(read_pattern)], ...], OneOrMany, FEW_OR_ONE]
Addresses = Annotated[tuple[Annotated[str, AfterValidator(read_address)], ...], OneOrMany, FEW_OR_ONE]
Domains = Annotated[tuple[Annotated[str, AfterValidator(_inside)], ...], OneOrMany, FEW_OR_ONE]
RouteName = Annotated[str, AfterValidator(_route_name)]
DisclaimerName = Annotated[str, AfterValidator(_disclaimer_name)]
Paragraphs = Annotated[str, AfterValidator(_paragraphs)]
Html = Annotated[str, AfterValidator(_html)]
Copies = Annotated[
    tuple[Annotated[str, AfterValidator(read_address)], ...], OneOrMany, AfterValidator(_few), FEW_OR_ONE
]
Reported = Annotated[
    tuple[Annotated[str, AfterValidator(_reported)], ...], OneOrMany, AfterValidator(_few), FEW_OR_ONE
]
Persons = Annotated[tuple[Annotated[str, AfterValidator(_person)], ...], OneOrMany, FEW_OR_ONE]
Moment = Literal["hold", "left"]
_Moments = Annotated[tuple[Moment, ...], OneOrMany]
_OneMoment: dict[str, Any] = {"enum": list(get_args(Moment))}
_MOMENTS_SCHEMA = {"anyOf": [_OneMoment, {"type": "array", "items": _OneMoment, "minItems": 1}]}
Told = Annotated[
    Annotated[Persons, Tag("people")]
    | Annotated[
        dict[Annotated[str, AfterValidator(_person)], _Moments], AfterValidator(_when_told), Tag("moments")
    ],
    Discriminator(lambda value: "moments" if isinstance(value, dict) else "people"),
    WithJsonSchema(
        {
            "anyOf": [
                _STRING,
                {"type": "array", "items": _STRING, "minItems": 1},
                {"type": "object", "additionalProperties": _MOMENTS_SCHEMA, "minProperties": 1},
            ]
        }
    ),
]
"""Who is told, and of what: of a hold where nothing else is said."""


def words_schema(words: Any) -> WithJsonSchema:
    """Return the JSON Schema of one of these words (a Literal) or a list of them."""
    item = {"enum": list(get_args(words))}
    return WithJsonSchema({"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]})


class Part(BaseModel):
    """Whatever stands in braces in a policy file: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def shorthand(short: dict[str, Any] | None = None) -> ConfigDict:
    """Return the settings of a part that may also be written as something else: as text, or as `short` says."""

    def widen(schema: dict[str, Any]) -> None:
        long_form = dict(schema)
        schema.clear()
        schema["anyOf"] = [short or _STRING, long_form]

    return ConfigDict(json_schema_extra=widen)


def _widen(schema: dict[str, Any], part: type[Short]) -> None:
    """Let a part's schema be either the value of its short key or the whole."""
    long_form = dict(schema)
    schema.clear()
    schema["anyOf"] = [long_form["properties"][part.short], long_form]


class Short(Part):
    """A part that may be written as the value of one of its keys: `hold: 10m` is `hold: {window: 10m}`."""

    short: ClassVar[str]
    model_config = ConfigDict(json_schema_extra=_widen)

    @model_validator(mode="before")
    @classmethod
    def _in_full(cls, value: object) -> object:
        return {cls.short: value} if isinstance(value, str | int | list) else value


def told(ja: str, en: str, default: Any = None, alias: str | None = None) -> Any:
    """Return a key's field with what it means in both languages: for editors, `sekisho policy docs` and docs/policy.md."""
    return Field(default, alias=alias, description=f"{en}\n{ja}")
