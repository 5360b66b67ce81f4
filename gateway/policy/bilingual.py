"""What people read, in a policy file: Japanese, English, or one text for both."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from gateway.policy import values
from gateway.policy.demands import Text
from gateway.policy.parts import Part, shorthand, told
from gateway.yaml_source import Hinted


class InBoth(Part):
    """Something for people in two languages. One text, or one language, stands for both."""

    model_config = shorthand()

    ja: str | None = None
    en: str | None = None

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


class Bilingual(InBoth):
    """A sentence for people. One text, or one language, stands for both."""

    ja: values.Sentence | None = told("日本語の文", "the text in Japanese")
    en: values.Sentence | None = told("英語の文", "the text in English")
