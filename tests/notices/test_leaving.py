"""Notices about dropped recipients and finished mailings; and none that tells of a copy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.message.address import parse_path
from gateway.notices.compose import Composers
from gateway.notices.report import SHOWN_RECIPIENTS
from gateway.policy.demands import Language
from gateway.spool.lifecycle import State
from gateway.spool.notice import NoticeKind
from gateway.spool.values import Stored
from tests.memory_spool import NOON, SENDER, MemorySpool, decision_for, hold
from tests.notices.conftest import notice, read_back, text

OUT = ("sato@example.com", "suzuki@example.net")
BOSS = "boss@sports.example.jp"
PARTS = ("plain", "html")


def with_states(message: Stored, *states: State, reply: str = "") -> Stored:
    rows = tuple(
        replace(row, state=state, due_at=None, reply=reply, changed_at=NOON)
        for row, state in zip(message.recipients, states, strict=True)
    )
    return replace(message, recipients=rows)


def with_copy(message: Stored) -> Stored:
    """Make the last recipient a copy."""
    return replace(message, decision=replace(message.decision, copied=1))


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    ("dropped", "said"),
    [((0,), "ほかの宛先には影響しません。"), ((0, 1), "このメールは、だれにも送信されません。")],
)
def test_the_sender_is_told_who_does_not_get_it(
    spool: MemorySpool, composers: Composers, part: str, dropped: tuple[int, ...], said: str
) -> None:
    message = with_states(hold(spool, "Q1", OUT), State.CANCELLED, State.QUEUED)
    asked = notice(NoticeKind.DROPPED, recipients=dropped)
    mail = read_back(composers.dropped(message, asked, spool.bodies["Q1"]))
    assert mail["Subject"] == "【一部送信なし】テニス教室のお知らせ"
    told = text(mail, part)
    assert said in told
    assert OUT[0] in told
    assert ("suzuki" in told) is (1 in dropped)
    assert "SECRET" not in told


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("language", list(Language))
def test_a_report_tells_what_became_of_everybody(
    spool: MemorySpool, composers: Composers, part: str, language: Language
) -> None:
    decision = decision_for((0, 0, 1), language=language)
    message = with_states(
        hold(spool, "Q1", OUT, ["boss@sports.example.jp"], decision=decision),
        State.BOUNCED,
        State.DELIVERED,
        State.CANCELLED,
        reply="550 no <such> user",
    )
    asked = notice(NoticeKind.REPORT, to="audit@city.example.lg.jp", recipients=(0, 1, 2))
    told = text(read_back(composers.report(message, asked, spool.bodies["Q1"])), part)
    words = ("送信済み", "届きませんでした") if language is Language.JA else ("Sent", "Not delivered")
    for expected in (*words, *OUT, "テニス教室のお知らせ", SENDER, "d1", decision.reasons[0].rule):
        assert expected in told
    assert "550 no" in told
    assert "<such>" not in told or part == "plain"
    assert "SECRET" not in told


def test_both_kinds_have_their_composer(composers: Composers) -> None:
    assert {NoticeKind.DROPPED, NoticeKind.REPORT} <= set(composers.by_kind())


def test_a_report_goes_inside_only(spool: MemorySpool, composers: Composers) -> None:
    message = with_states(hold(spool, "Q1", OUT), State.DELIVERED, State.DELIVERED)
    assert composers.report(message, notice(NoticeKind.REPORT, to="x@example.org"), None) is None


def test_a_long_report_shows_first_what_went_wrong(spool: MemorySpool, composers: Composers) -> None:
    people = [f"p{number}@example.com" for number in range(SHOWN_RECIPIENTS + 50)]
    message = hold(spool, "Q1", people)
    message = with_states(message, *[State.DELIVERED] * (len(people) - 1), State.BOUNCED)
    told = text(read_back(composers.report(message, notice(NoticeKind.REPORT, to=BOSS), None)))
    assert people[-1] in told
    assert told.count("@example.com") == SHOWN_RECIPIENTS
    assert "50" in told


@pytest.mark.parametrize("part", PARTS)
def test_no_notice_tells_of_a_copy(spool: MemorySpool, composers: Composers, part: str) -> None:
    message = with_copy(hold(spool, "Q1", [*OUT, "boss@example.org"]))
    raw = spool.bodies["Q1"].replace(b",\r\n boss@example.org", b"")
    held = composers.hold(message, notice(), raw)
    ended = with_states(message, *[State.CANCELLED] * 3)
    notices = [
        held,
        composers.copy(message, notice(NoticeKind.COPY, to=BOSS), raw),
        composers.cancelled(ended, notice(NoticeKind.CANCELLED, recipients=(0, 1, 2)), raw),
        composers.dropped(ended, notice(NoticeKind.DROPPED, recipients=(0, 1)), raw),
        composers.report(ended, notice(NoticeKind.REPORT, to=BOSS), raw),
    ]
    for octets in notices:
        told = text(read_back(octets), part)
        assert OUT[0] in told
        assert "example.org" not in told
    assert parse_path("boss@example.org") in message.envelope.recipients
