"""Conditions on the text of the header section: the subject, and any field by its name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Self

from pydantic import model_validator

from gateway.message.text import decode_header
from gateway.policy import values
from gateway.policy.conditions.context import Context, Test, certain
from gateway.policy.mail import Mail
from gateway.policy.parts import Part, told
from gateway.policy.text_match import Folded, contains, fold, pattern
from gateway.yaml_source import Hinted

MAX_FIELDS = 100  # fields of one name that a `header` condition reads; more are in doubt


class TextMatch(Part):
    """What a text must hold: any of the plain texts or patterns of a list; `contains` and `matches` both."""

    contains: values.Sentences | None = told(
        "このいずれかの文字列を含む", "one of these texts stands somewhere in it"
    )
    matches: values.Regexes | None = told(
        "このいずれかの正規表現に合う(先頭の百万文字まで。非常に大きな型では少なくなる。それより長い文は不明として扱う)",
        "one of these patterns fits somewhere in it (first million characters, fewer for very large patterns; a longer text "
        "is in doubt, so it fits a `when` and no `unless`)",
    )

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if self.contains is None and self.matches is None:
            raise Hinted("nothing to look for", "write contains: or matches:")
        return self


class TextKeys(Part):
    """Keys that ask for text in header fields."""

    subject: TextMatch | None = told("件名", "the decoded subject fits")
    header: dict[values.FieldName, TextMatch] | None = told(
        "`{X-Mailer: {contains: batch}}`: その名前のヘッダー欄。複数の名前は「かつ」",
        "`{X-Mailer: {contains: batch}}`: a field of that name fits; several names are AND",
    )


def tests(keys: TextKeys, _context: Context, in_doubt: bool) -> Iterator[Test]:
    """Yield a test per key."""
    if keys.subject is not None:
        yield _subject(keys.subject, in_doubt)
    for name, match in (keys.header or {}).items():
        yield _header(name, match, in_doubt)


def text_test(asked: TextMatch, in_doubt: bool) -> Callable[[Folded], bool]:
    """Return the test of one text."""
    plain = [contains(text) for text in asked.contains or ()]
    patterns = [pattern(text) for text in asked.matches or ()]

    def test(text: Folded) -> bool:
        if plain and not any(certain(fits(text), in_doubt) for fits in plain):
            return False
        return not patterns or any(certain(fits(text), in_doubt) for fits in patterns)

    return test


def _subject(asked: TextMatch, in_doubt: bool) -> Test:
    fits = text_test(asked, in_doubt)
    return lambda mail: fits(mail.subject)


def _header(name: str, asked: TextMatch, in_doubt: bool) -> Test:
    fits = text_test(asked, in_doubt)

    def test(mail: Mail) -> bool:
        if mail.facts.recorded:
            return in_doubt
        fields = mail.facts.header.all(name)
        if in_doubt and len(fields) > MAX_FIELDS:
            return True
        return any(fits(fold(decode_header(field.value))) for field in fields[:MAX_FIELDS])

    return test


def asks_for_words(keys: TextKeys) -> bool:
    """Tell whether a key asks for header fields; the subject is recorded."""
    return keys.header is not None
