"""The parts of a policy file: what stands in braces, the short forms it may be written in, and what its keys mean."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Part(BaseModel):
    """Whatever stands in braces in a policy file: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def shorthand(short: dict[str, Any] | None = None) -> ConfigDict:
    """Return the settings of a part that may also be written as something else: as text, or as `short` says."""

    def widen(schema: dict[str, Any]) -> None:
        long_form = dict(schema)
        schema.clear()
        schema["anyOf"] = [short or {"type": "string"}, long_form]

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
