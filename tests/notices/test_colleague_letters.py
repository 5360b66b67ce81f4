"""The letter with a colleague's link, and what the sender hears when a colleague stopped the mail."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.links import Links
from gateway.notices.colleagues import ColleagueLetters
from gateway.notices.compose import Composers
from gateway.policy.demands import Language
from gateway.spool.lifecycle import State
from gateway.spool.notice import Notice, NoticeKind
from gateway.spool.values import Stored
from tests.memory_spool import NOON, SENDER
from tests.notices.conftest import read_back, text
from tests.notices.test_asking import RAW, message
from tests.spool.asking import CHIEF, approval


@pytest.fixture
def letters(links: Links, composers: Composers) -> ColleagueLetters:
    return ColleagueLetters(links, composers)


def about(state: State = State.HELD, language: Language = Language.JA) -> Stored:
    """Return a mail to two outside, and to one inside who has it."""
    held = message(approval(CHIEF), state=state, language=language)
    inside = replace(
        held.recipients[0],
        index=2,
        external=False,
        state=State.DELIVERED,
        address=held.envelope.recipients[0],
    )
    envelope = replace(held.envelope, recipients=(*held.envelope.recipients, inside.address))
    decision = replace(held.decision, assigned=(0, 0, 1), colleagues_may_stop=True, colleagues_by_letter=True)
    return replace(held, envelope=envelope, decision=decision, recipients=(*held.recipients, inside))


def told(letters: ColleagueLetters, mail: Stored, index: int = 2) -> str | None:
    row = Notice(7, NoticeKind.COLLEAGUE, "Q1", "r2@sports.example.jp", (index,), NOON)
    found = letters.colleague(mail, row, RAW)
    return None if found is None else text(read_back(found))


def test_the_letter_has_the_link_and_shows_nobody(letters: ColleagueLetters, links: Links) -> None:
    said = told(letters, about())
    assert said is not None
    assert links.colleague_url("Q1", 2) in said
    assert "ご案内" in said
    assert "外部の宛先(2件)" in said
    assert "r0@example.com" not in said
    assert "SECRET-OF-THE" not in said


@pytest.mark.parametrize("state", [State.CANCELLED, State.DELIVERED, State.ACTIVE])
def test_there_is_none_where_nothing_can_be_stopped(letters: ColleagueLetters, state: State) -> None:
    assert told(letters, about(state)) is None


def test_there_is_none_for_who_may_not(letters: ColleagueLetters) -> None:
    assert told(letters, about(), 0) is None


def test_the_sender_hears_who_and_why(letters: ColleagueLetters) -> None:
    row = Notice(
        7, NoticeKind.STOPPED, "Q1", SENDER, (0, 1), NOON, "r2@sports.example.jp\n宛先が\u202e違います"
    )
    found = read_back(letters.stopped(about(State.CANCELLED), row, RAW))
    assert found["Subject"] == "[内部の受信者が停止] ご案内"
    said = text(found)
    for part in ("r2@sports.example.jp", "宛先が\N{REPLACEMENT CHARACTER}違います", "r0@example.com"):
        assert part in said
    assert letters.stopped(about(), row, RAW) is None  # nobody of them is cancelled
