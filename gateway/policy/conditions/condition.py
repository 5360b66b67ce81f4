"""`when` and `unless`: the keys of all families in one model, and how they become one test."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from gateway.policy.conditions import (
    attachments,
    content,
    counts,
    domains,
    history,
    people,
    ppap,
    text,
    time,
    wording,
)
from gateway.policy.conditions.attachments import AttachmentKeys
from gateway.policy.conditions.content import ContentKeys
from gateway.policy.conditions.context import Context, Need, Test
from gateway.policy.conditions.counts import CountKeys
from gateway.policy.conditions.domains import DomainKeys
from gateway.policy.conditions.history import HistoryKeys
from gateway.policy.conditions.people import PeopleKeys
from gateway.policy.conditions.ppap import PpapKeys
from gateway.policy.conditions.text import TextKeys
from gateway.policy.conditions.time import TimeKeys
from gateway.policy.conditions.wording import WordingKeys
from gateway.yaml_source import Hinted


class Condition(
    TimeKeys,
    WordingKeys,
    ContentKeys,
    PpapKeys,
    HistoryKeys,
    TextKeys,
    AttachmentKeys,
    DomainKeys,
    PeopleKeys,
    CountKeys,
):
    """What a mail must be like. All keys must hold (AND); of a list, any one item (OR)."""

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if not self.model_fields_set or self.header == {}:
            raise Hinted("no condition stands here", "leave the key out, or write a condition")
        return self


def build(condition: Condition, context: Context, *, in_doubt: bool) -> Test:
    """Return the test that all keys of the condition hold (AND), cheap ones first."""
    tests = (
        *counts.tests(condition, context, in_doubt),
        *time.tests(condition, context, in_doubt),
        *people.tests(condition, context, in_doubt),
        *domains.tests(condition, context, in_doubt),
        *attachments.tests(condition, context, in_doubt),
        *history.tests(condition, context, in_doubt),
        *text.tests(condition, context, in_doubt),
        *content.tests(condition, context, in_doubt),
        *ppap.tests(condition, context, in_doubt),
        *wording.tests(condition, context, in_doubt),
    )
    if len(tests) == 1:
        return tests[0]
    return lambda mail: all(test(mail) for test in tests)


def needs(condition: Condition) -> Need:
    """Return what has to be looked up before the condition can be tested."""
    return (
        attachments.needs(condition)
        | content.needs(condition)
        | ppap.needs(condition)
        | wording.needs(condition)
        | domains.needs(condition)
        | history.needs(condition)
    )


def asks_for_words(condition: Condition) -> bool:
    """Tell whether only the words of the mail itself can answer: header fields and texts, which no record of facts holds."""
    # Whether a mail replies stands in a header field, and is recorded only where somebody looked for the earlier mail.
    in_fields = condition.replies is not None or text.asks_for_words(condition)
    return in_fields or wording.asks_for_words(condition)
