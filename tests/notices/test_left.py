"""The letter that says that a held mail has left, and the report to the ordering body with its table of results."""

from __future__ import annotations

import csv
from dataclasses import replace
from io import StringIO

import pytest

from gateway.languages import Words
from gateway.links import Links
from gateway.notices.compose import Composers
from gateway.notices.left import LeftLetters
from gateway.notices.report import SHOWN_RECIPIENTS
from gateway.notices.results_csv import MAX_ROWS, guarded, results
from gateway.policy.demands import Language
from gateway.spool.lifecycle import State
from gateway.spool.notice import NoticeKind
from tests.memory_spool import NOON, SENDER, MemorySpool, decision_for, hold
from tests.notices.conftest import notice, read_back, text
from tests.notices.test_leaving import BOSS, with_states
from tests.notices.test_words import TOKYO

OUT = ("sato@example.com", "suzuki@example.net")
SENT, FAILED, STOPPED = State.DELIVERED, State.BOUNCED, State.CANCELLED


@pytest.fixture
def letters(links: Links, composers: Composers) -> LeftLetters:
    return LeftLetters(links, composers)


@pytest.mark.parametrize("part", ["plain", "html"])
@pytest.mark.parametrize(
    ("states", "subject", "said"),
    [
        ((SENT, SENT), "【送信完了】テニス教室のお知らせ", "保留していたメールを送信しました。"),
        ((SENT, FAILED), "【送信完了・一部届かず】テニス教室のお知らせ", "一部の宛先に届きませんでした。"),
        ((FAILED, FAILED), "【届きませんでした】テニス教室のお知らせ", "どの宛先にも届きませんでした。"),
        ((SENT, STOPPED), "【送信完了】テニス教室のお知らせ", "取り消した1件の宛先には送信していません。"),
    ],
)
def test_the_sender_is_told_that_it_left(
    spool: MemorySpool,
    letters: LeftLetters,
    links: Links,
    part: str,
    states: tuple[State, State],
    subject: str,
    said: str,
) -> None:
    message = with_states(hold(spool, "Q1", OUT), *states)
    mail = read_back(letters.left(message, notice(NoticeKind.LEFT), None))
    assert mail["Subject"] == subject
    assert mail["Auto-Submitted"] == "auto-generated"
    told = text(mail, part)
    assert said in told
    assert all(address in told for address in OUT)
    assert links.url("Q1", SENDER) in told


def test_who_cancelled_everything_is_not_told_that_nothing_left(
    spool: MemorySpool, letters: LeftLetters
) -> None:
    message = with_states(hold(spool, "Q1", OUT), STOPPED, STOPPED)
    assert letters.left(message, notice(NoticeKind.LEFT), None) is None


@pytest.mark.parametrize(
    ("states", "incident", "said", "unsaid"),
    [
        ((SENT, SENT), False, "No incident:", "did not reach"),
        ((SENT, FAILED), False, "It did not reach 1 recipient.", "No incident:"),
        ((SENT, SENT), True, "Incident: since Fri 20 Nov, 12:00", "No incident:"),
    ],
)
def test_a_report_says_whether_something_went_wrong(
    spool: MemorySpool,
    composers: Composers,
    links: Links,
    states: tuple[State, State],
    incident: bool,
    said: str,
    unsaid: str,
) -> None:
    decision = decision_for((0, 0), language=Language.EN)
    message = with_states(hold(spool, "Q1", OUT, decision=decision), *states)
    asked = replace(notice(NoticeKind.REPORT, to=BOSS), incident=NOON if incident else None)
    for part in ("plain", "html"):
        told = text(read_back(composers.report(message, asked, None)), part)
        assert said in told
        assert unsaid not in told
        assert links.incident_url("Q1", BOSS) in told
        assert "Account: clerk" in told
        assert message.decision.digest in told


def test_a_large_report_brings_every_result_as_a_table(spool: MemorySpool, composers: Composers) -> None:
    people = [f"p{number}@example.com" for number in range(SHOWN_RECIPIENTS + 1)]
    message = with_states(
        hold(spool, "Q1", people), *[SENT] * (len(people) - 1), FAILED, reply="=cmd|'/c x'!A1"
    )
    mail = read_back(composers.report(message, notice(NoticeKind.REPORT, to=BOSS), None))
    [attached] = mail.iter_attachments()
    assert attached.get_filename() == "results-Q1.csv"
    octets = attached.get_content()
    lines = [*csv.reader(StringIO(str(octets).removeprefix("\ufeff")))]
    assert lines[0] == ["番号", "メールアドレス", "内部・外部", "結果", "日時", "受信側サーバーの応答"]
    assert [line[1] for line in lines[1:]] == people
    assert lines[1][3:5] == ["送信済み", "2026-11-20 12:00:00+09:00"]
    assert lines[-1][3] == "届きませんでした"
    assert lines[-1][5] == "'=cmd|'/c x'!A1"
    assert "results-Q1.csv" in text(mail)


def test_a_small_report_has_no_table(spool: MemorySpool, composers: Composers) -> None:
    message = with_states(hold(spool, "Q1", OUT), SENT, SENT)
    mail = read_back(composers.report(message, notice(NoticeKind.REPORT, to=BOSS), None))
    assert [*mail.iter_attachments()] == []


def test_the_table_is_bounded(spool: MemorySpool) -> None:
    message = with_states(hold(spool, "Q1", OUT), SENT, SENT)
    many = replace(message, recipients=message.recipients[:1] * (MAX_ROWS + 5))
    assert results(many, Words("en", TOKYO)).octets.count(b"\r\n") == MAX_ROWS + 1


@pytest.mark.parametrize("cell", ["=1+1", "+81", "-2", "@SUM(A1)", "\t=1", " =1", "＝1"])
def test_no_cell_is_a_formula(cell: str) -> None:
    assert guarded(cell) == f"'{cell}"
    assert guarded("sato@example.com") == "sato@example.com"
