"""Conditions on the words of a mail: plain texts, patterns and named lists of keywords in subject, body and attachments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Self

from pydantic import model_validator

from gateway.policy import values
from gateway.policy.conditions.certainty import all_of, any_of, asked
from gateway.policy.conditions.context import Context, Need, Test
from gateway.policy.conditions.things import EVERYWHERE, Place, Places, unread_of
from gateway.policy.mail import Mail
from gateway.policy.parts import Part, told
from gateway.policy.text_match import Folded, TextTest, contains, pattern
from gateway.yaml_source import Hinted


class Wording(Part):
    """What one of the texts of a mail must hold: of each key any item, and of all keys that are there."""

    contains: values.Sentences | None = told(
        "このいずれかの文字列を含む", "one of these texts stands somewhere in it"
    )
    matches: values.Regexes | None = told(
        "このいずれかの正規表現に合う", "one of these patterns fits somewhere in it"
    )
    keywords: values.Names | None = told(
        "`keywords` に定義したリストの語のいずれかを含む",
        "a word of one of these lists, which `keywords:` of a policy file defines, stands somewhere in it",
    )
    in_: Places = told(
        "探す場所: `subject`(件名)、`body`(本文)、`attachments`(添付)。既定は全部",
        "where: `subject`, `body`, `attachments`; everywhere if it is not said",
        EVERYWHERE,
        alias="in",
    )
    certain: values.Flag = told(
        "`true`: 読めたものだけで判断。読めないものは `unread` で",
        "`true`: only what could be read counts; rules for the rest ask for `unread`",
        False,
    )

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if self.contains is None and self.matches is None and self.keywords is None:
            raise Hinted("nothing to look for", "write contains:, matches: or keywords:")
        return self


class WordingKeys(Part):
    """Keys that ask for words in the whole mail."""

    text: Wording | None = told(
        "件名・本文・添付の文章", "a text of the mail fits: the subject, the body, the text of an attachment"
    )


def tests(keys: WordingKeys, context: Context, in_doubt: bool) -> Iterator[Test]:
    """Yield a test per key."""
    if keys.text is not None:
        yield _wording(keys.text, context, in_doubt)


def needs(keys: WordingKeys) -> Need:
    """Return what has to be looked up: the content, but for conditions on the subject alone."""
    return Need.CONTENT if asks_for_words(keys) else Need.NOTHING


def asks_for_words(keys: WordingKeys) -> bool:
    """Tell whether a key asks for texts that no record holds; the subject is recorded."""
    return keys.text is not None and set(keys.text.in_) != {"subject"}


def _wording(wanted: Wording, context: Context, in_doubt: bool) -> Test:
    words = [word for name in wanted.keywords or () for word in context.keywords[name]]
    groups = [
        [contains(text) for text in wanted.contains or ()],
        [pattern(text) for text in wanted.matches or ()],
        [contains(word) for word in words],
    ]
    fits = _all_groups([group for group in groups if group])

    def answer(mail: Mail) -> bool | None:
        return any_of(found for place in wanted.in_ for found in _in_place(mail, place, fits, wanted.certain))

    return asked(True, answer, in_doubt)


def _all_groups(groups: list[list[TextTest]]) -> TextTest:
    return lambda text: all_of(any_of(test(text) for test in group) for group in groups)


def _in_place(mail: Mail, place: Place, fits: TextTest, certain: bool) -> Iterator[bool | None]:
    """Yield the answer of every text of a place, and None where there may be one that nobody could read."""
    if place == "subject":
        yield fits(mail.subject)
        return
    content = mail.facts.evidence.content
    if content is None or mail.facts.recorded:
        if (
            not certain or mail.facts.recorded
        ):  # a record holds no texts: what was read then cannot be told now
            yield None
        return
    for text in mail.texts(place):
        yield _known(fits, text, certain)
    if not certain and (any(unread_of(content, place)) or place in content.cut):
        yield None


def _known(fits: Callable[[Folded], bool | None], text: Folded, certain: bool) -> bool | None:
    found = fits(text)
    return bool(found) if certain else found
