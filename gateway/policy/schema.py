"""The shape of a policy file: every key there is, its type and its default. docs/policy.md lists them; a test compares.

These models hold what one file says. What only shows when all files are together is checked in load.py.
"""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from gateway.policy import values
from gateway.policy.decision import Text
from gateway.policy.values import Part, shorthand
from gateway.yaml_source import Hinted

Whom = Literal["external", "all", "matching"]


class Bilingual(Part):
    """A sentence for people. One text, or one language, stands for both."""

    model_config = shorthand(None)

    ja: values.Sentence | None = None
    en: values.Sentence | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_text(cls, value: object) -> object:
        return {"ja": value, "en": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _at_least_one(self) -> Self:
        if self.ja is None and self.en is None:
            raise Hinted("a text is missing", "write {ja: …, en: …} or one text")
        return self

    def text(self) -> Text:
        return Text(ja=self.ja or self.en or "", en=self.en or self.ja or "")


class Range(Part):
    """How many: both bounds are included."""

    at_least: values.Count | None = None
    at_most: values.Count | None = None

    @model_validator(mode="after")
    def _possible(self) -> Self:
        _check_range(self.at_least, self.at_most)
        return self


class SizeRange(Part):
    """How large: both bounds are included."""

    at_least: values.Octets | None = None
    at_most: values.Octets | None = None

    @model_validator(mode="after")
    def _possible(self) -> Self:
        _check_range(self.at_least, self.at_most)
        return self


class Attachments(Part):
    """How many attachments there are whose name and size fit."""

    at_least: values.Count | None = None
    at_most: values.Count | None = None
    name: values.Globs | None = None
    size: SizeRange | None = None

    @model_validator(mode="after")
    def _possible(self) -> Self:
        counted = self.at_least is not None or self.at_most is not None
        if counted or (self.name is None and self.size is None):
            _check_range(self.at_least, self.at_most)
        return self


class TextMatch(Part):
    """What a text must hold: any of the plain texts or patterns of a list; `contains` and `matches` both."""

    contains: values.Sentences | None = None
    matches: values.Regexes | None = None

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if self.contains is None and self.matches is None:
            raise Hinted("nothing to look for", "write contains: or matches:")
        return self


class Condition(Part):
    """What a mail must be like. All keys must hold (AND); of a list, any one item (OR)."""

    external: Range | None = None
    internal: Range | None = None
    visible_external: Range | None = None
    sender: values.PeoplePatterns | None = None
    sender_in: values.Names | None = None
    recipient: values.PeoplePatterns | None = None
    circle: values.Names | None = None
    attachments: Attachments | None = None
    subject: TextMatch | None = None
    header: dict[values.FieldName, TextMatch] | None = None
    size: SizeRange | None = None
    null_sender: values.Flag | None = None

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if not self.model_fields_set or self.header == {}:
            raise Hinted("no condition stands here", "leave the key out, or write a condition")
        return self


class Hold(Part):
    """Leave not before `window` has passed."""

    model_config = shorthand("window")

    window: values.Window
    for_: Whom = Field("external", alias="for")
    waive: Literal["sender", "nobody"] = "sender"

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        return {"window": value} if isinstance(value, str | int) else value


class Recipients(Part):
    """How the recipients of a copy are shown."""

    model_config = shorthand("form")

    form: Literal["bcc", "individual"]
    internal: Literal["hide", "keep"] = "hide"
    for_: Whom = Field("external", alias="for")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        return {"form": value} if isinstance(value, str) else value


class Action(Part):
    """What the rule asks for. Everything here is added to what other rules ask for."""

    hold: Hold | None = None
    recipients: Recipients | None = None
    refuse: Bilingual | None = None
    tag: dict[values.TagName, values.TagValue] | None = None
    notify: values.Persons | None = None

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if not self.model_fields_set or self.tag == {}:
            raise Hinted("the rule asks for nothing", "write hold, recipients, refuse, tag or notify")
        return self


class Rule(Part):
    """One rule: when it applies, and what it then asks for."""

    id: values.RuleId
    reason: Bilingual
    when: Condition | None = None
    unless: Condition | None = None
    then: Action


class ToField(Part):
    """The To line of a hiding copy: `sender`, or an empty group with a name (RFC 5322 3.4)."""

    model_config = shorthand(None, {"const": "sender"})

    group: values.Name | None = None

    @model_validator(mode="before")
    @classmethod
    def _sender(cls, value: object) -> object:
        if isinstance(value, str) and value != "sender":
            raise Hinted(f"not a To line: {value!r}", "write sender, or {group: a name}")
        return {} if value == "sender" else value


class Organisation(Part):
    """Whose gateway this is. Stands in exactly one file."""

    name: values.Name
    internal: values.Domains
    language: Literal["ja", "en"] = "ja"
    to_line: ToField = ToField()


class Group(Part):
    """People who send."""

    senders: values.PeoplePatterns


class PolicyFile(Part):
    """One file of `policies/`."""

    version: Literal[1]
    organisation: Organisation | None = None
    circles: dict[values.Name, values.Addresses] = Field(default_factory=dict)
    groups: dict[values.Name, Group] = Field(default_factory=dict)
    rules: tuple[Rule, ...] = ()


def _check_range(at_least: int | None, at_most: int | None) -> None:
    if at_least is None and at_most is None:
        raise Hinted("no bound stands here", "write at_least: or at_most:")
    if at_least is not None and at_most is not None and at_least > at_most:
        raise Hinted(f"can never match: at_least {at_least} is above at_most {at_most}", "exchange the two")


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a policy file, for editors."""
    schema: dict[str, Any] = _without_null(PolicyFile.model_json_schema(by_alias=True))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Sekisho policy file",
    }


def _without_null(schema: Any) -> Any:
    """Take out what models need and files must not have: null, and defaults that are models."""
    if isinstance(schema, list):
        return [_without_null(item) for item in schema if item != {"type": "null"}]
    if not isinstance(schema, dict):
        return schema
    out = {key: _without_null(value) for key, value in schema.items() if (key, value) != ("default", None)}
    if list(out.get("anyOf", ())) and len(out["anyOf"]) == 1:
        out |= out.pop("anyOf")[0]
    if isinstance(out.get("default"), dict):
        del out["default"]
    return out
