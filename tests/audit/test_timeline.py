"""The story of one mail in words: every kind and reason has some, nothing in it is unbounded or lays out the page."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.audit import timeline as story
from gateway.audit import wording
from gateway.audit.log import EventLog
from gateway.audit.timeline import timeline
from gateway.languages import Words
from gateway.spool.lifecycle import Kind, Reason

JA, EN = (Words(language, ZoneInfo("Asia/Tokyo")) for language in ("ja", "en"))


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_words(kind: Kind) -> None:
    assert wording.what(kind, JA) != kind.value
    assert wording.what(kind, EN) not in (wording.what(kind, JA), kind.value) or kind is Kind.DELIVERED


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_words(reason: Reason) -> None:
    assert reason.value in wording._reasons(JA)


def test_a_story_says_who_did_what_and_why(state: Path, history: tuple[str, str]) -> None:
    with EventLog(state) as log:
        told = timeline(log, history[0], JA)
    assert told is not None
    assert [moment.what for moment in told.moments[:2]] == ["メールを受け付け", "送信を取り消し"]
    cancelled = told.moments[1]
    assert (cancelled.who, cancelled.why) == ("送信者 clerk", "送信者の操作")
    assert len(cancelled.recipients) == 1
    assert "\x1b" not in told.subject


def test_a_mail_that_the_log_does_not_know_has_none(state: Path, history: object) -> None:
    with EventLog(state) as log:
        assert timeline(log, "nobody", JA) is None


def test_a_long_story_is_cut_and_says_so(
    state: Path, history: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(story, "MOMENTS", 1)
    with EventLog(state) as log:
        told = timeline(log, history[0], EN)
    assert told is not None
    assert (len(told.moments), told.more) == (1, True)
