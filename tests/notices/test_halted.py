"""The letters about mail that somebody else stopped or froze, that was frozen too long, or that has a wrong recipient."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.links import Links
from gateway.notices.compose import Composers
from gateway.notices.halted import HaltLetters
from gateway.spool.halt_contract import Freeze
from gateway.spool.lifecycle import State
from gateway.spool.notice import NoticeKind
from tests.memory_spool import NOON, SENDER, MemorySpool, hold
from tests.notices.conftest import notice, read_back, text
from tests.notices.test_leaving import with_states

OUT = ("sato@example.com", "suzuki@example.net")
GONE = State.CANCELLED


@pytest.fixture
def letters(links: Links, composers: Composers) -> HaltLetters:
    return HaltLetters(links, composers)


@pytest.mark.parametrize("part", ["plain", "html"])
@pytest.mark.parametrize(
    ("kind", "actor", "subject", "said"),
    [
        (
            NoticeKind.STOPPED_BY_TEAM,
            "aoki<b>",
            "【同僚が止めました】テニス教室のお知らせ",
            ["このメールを止めました"],
        ),
        (
            NoticeKind.STOPPED_BY_TEAM,
            "",
            "【同僚が止めました】テニス教室のお知らせ",
            ["ほかの担当者 がこのメールを止めました"],
        ),
        (
            NoticeKind.FROZEN_TOO_LONG,
            "",
            "【凍結の期限切れ・送信しません】テニス教室のお知らせ",
            ["期限までに解除されませんでした"],
        ),
        (
            NoticeKind.CORRECTED,
            "tanaka@example.co.jp",
            "【送り直してください】テニス教室のお知らせ",
            ["tanaka@example.co.jp", "取り消しました"],
        ),
    ],
)
def test_what_happened_and_what_to_do(
    spool: MemorySpool,
    letters: HaltLetters,
    links: Links,
    part: str,
    kind: NoticeKind,
    actor: str,
    subject: str,
    said: list[str],
) -> None:
    message = with_states(hold(spool, "Q1", OUT), GONE, State.DELIVERED)
    about = replace(notice(kind), actor=actor, recipients=(0,))
    mail = read_back(letters.by_kind()[kind](message, about, None))
    assert mail["Subject"] == subject
    assert mail["Auto-Submitted"] == "auto-generated"
    told = text(mail, part)
    assert all(each in told for each in said), told
    assert OUT[0] in told
    assert OUT[1] not in told
    assert "<b>" not in told or part == "plain"
    assert links.url("Q1", SENDER) in told


def test_a_freeze_is_told_with_its_end_and_not_after_it(spool: MemorySpool, letters: HaltLetters) -> None:
    message = hold(spool, "Q1", OUT)
    frozen = replace(message, frozen=Freeze(NOON, NOON + timedelta(days=10), "admin", "root", "確認します"))
    about = replace(notice(NoticeKind.FROZEN), actor="root", recipients=(0, 1))
    told = text(read_back(letters.frozen(frozen, about, None)), "plain")
    assert "root がこのメールを凍結しました" in told
    assert "理由：確認します" in told
    assert "11月30日" in told
    assert letters.frozen(message, about, None) is None


def test_nothing_is_told_of_what_was_not_cancelled(spool: MemorySpool, letters: HaltLetters) -> None:
    message = hold(spool, "Q1", OUT)
    for kind in (NoticeKind.STOPPED_BY_TEAM, NoticeKind.FROZEN_TOO_LONG, NoticeKind.CORRECTED):
        assert letters.by_kind()[kind](message, replace(notice(kind), recipients=(0,)), None) is None
