"""The letters: who gets one, what it says, and whom a request to delete never names."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from zoneinfo import ZoneInfo

import pytest

from gateway.incidents.contract import Answer, Asking, Data, Report
from gateway.incidents.door import Incidents
from gateway.links import Links
from gateway.notices.compose import Composers
from gateway.notices.incident_letters import IncidentLetters
from gateway.notices.worker import NoticeWorker
from gateway.policy.demands import Language
from gateway.spool.sql import SqlSpool
from gateway.spool.values import NewMessage
from tests.incidents.cases import (
    CLERK,
    LATER,
    OFFICER,
    OFFICIAL,
    WARD,
    WHOSE,
    account,
    opened,
    several,
)
from tests.notices.conftest import AUTHOR, read_back, text
from tests.spool.conftest import STORES
from tests.spool.mails import SENDER
from tests.spool.sharing import deliver

TOKYO = ZoneInfo("Asia/Tokyo")
LINKS = Links(b"x" * 32, "https://sekisho.example.jp", timedelta(days=7), lambda: LATER)


def worker(spool: SqlSpool, incidents: Incidents, now: datetime = LATER) -> NoticeWorker:
    own = Composers(LINKS, TOKYO, AUTHOR)
    letters = IncidentLetters(LINKS, own, incidents.read, incidents.duty.verdict, lambda: now)
    composers = {**own.by_kind(), **letters.by_kind()}
    return NoticeWorker(spool, composers, own, lambda: now, AUTHOR.hostname, lambda: None)


async def written(spool: SqlSpool, incidents: Incidents, now: datetime = LATER) -> dict[str, bytes]:
    """Write what waits, and return our own mails by recipient."""
    await worker(spool, incidents, now).run_once()
    found: dict[str, bytes] = {}
    for claim in await spool.claim(now, 100, timedelta(minutes=5)):
        (to,) = claim.message.envelope.recipients
        assert claim.message.envelope.sender is None
        assert claim.message.from_gateway
        found[str(to)] = await spool.raw(claim.message.queue_id)
    return found


def everything(octets: bytes) -> str:
    """Return all that a reader can find in a mail: its header section as it stands, and both texts."""
    mail = read_back(octets)
    assert isinstance(mail, EmailMessage)
    return octets.decode("ascii") + text(mail) + text(mail, "html")


async def test_those_who_have_to_know_get_one_letter_each(spool: SqlSpool, incidents: Incidents) -> None:
    queue_id = await opened(spool, incidents, persons=120)
    found = await written(spool, incidents)
    assert set(found) == {OFFICER, WARD}
    mail = read_back(found[WARD])
    said = text(mail)
    assert str(mail["subject"]) == "【誤送信の報告】教室のお知らせ"
    assert "取り違えました" in said
    assert "本人の数: 120人" in said
    assert "本人の数が100人を超える（個人情報保護法第68条第1項、施行規則第43条第4号）" in said
    assert "速報: 2026年4月3日(金)、遅くとも2026年4月5日(日)まで（おおむね3～5日以内）" in said
    assert "確報: 2026年4月30日(木)まで" in said
    assert "期限は目安です。最終判断は個人情報保護担当が行います。" in said
    assert "r0@example.com" in said
    assert LINKS.incident_url(queue_id, WARD) in said
    assert LINKS.incident_url(queue_id, OFFICER) not in said  # each has a link of their own
    assert f"https://sekisho.example.jp/incidents/{queue_id}" in text(mail, "html")
    assert await written(spool, incidents) == {}  # once


async def test_without_grounds_it_says_so(spool: SqlSpool, incidents: Incidents) -> None:
    await opened(spool, incidents)
    said = text(read_back((await written(spool, incidents))[OFFICER]))
    assert "報告が必要な事態には当たらない見込みです" in said
    assert "速報" not in said


async def test_a_request_names_its_reader_and_nobody_else(spool: SqlSpool, incidents: Incidents) -> None:
    queue_id = await opened(spool, incidents, gone=3)
    await written(spool, incidents)
    await incidents.ask(queue_id, Asking((1, 2, 3), "ご迷惑をおかけします。\n担当 山田"), OFFICIAL, LATER)
    found = await written(spool, incidents)
    assert set(found) == {"r1@example.com", "r2@example.com", "r3@example.com"}
    for to, octets in found.items():
        seen = everything(octets)
        index = int(to[1])
        assert str(read_back(octets)["to"]) == to
        assert LINKS.deletion_url(queue_id, index) in seen
        others = {f"r{number}@" for number in range(4)} - {f"r{index}@"}
        assert not [other for other in others if other in seen]
        assert OFFICER not in seen
        assert WARD not in seen
        assert "担当 山田" in seen
        assert str(SENDER) in seen
        assert "取り違え" not in seen  # what was told inside stays inside
        assert read_back(octets)["auto-submitted"] == "auto-generated"


async def test_a_reminder_says_that_it_is_one_and_none_goes_after_an_answer(
    spool: SqlSpool, incidents: Incidents
) -> None:
    queue_id = await opened(spool, incidents)
    await incidents.ask(queue_id, Asking((1, 2)), OFFICIAL, LATER)
    first = await written(spool, incidents)
    assert "あらためて" not in everything(first["r1@example.com"])
    await incidents.remind(queue_id, (1, 2), OFFICIAL, LATER)
    await incidents.answer(queue_id, 2, Answer.DELETED, "", LATER)  # between the press and the letter
    again = await written(spool, incidents)
    assert set(again) == {"r1@example.com"}
    assert "あらためて" in everything(again["r1@example.com"])


async def test_a_clock_is_told_of_until_the_report_is_handed_in(
    spool: SqlSpool, incidents: Incidents
) -> None:
    queue_id = await opened(spool, incidents, persons=101)
    await written(spool, incidents)
    due = (await incidents.get(queue_id)).remind_at
    assert due is not None
    await incidents.remind_due(due)
    found = await written(spool, incidents, due)
    assert set(found) == {OFFICER}
    assert str(read_back(found[OFFICER])["subject"]) == "【報告期限が近づいています】教室のお知らせ"
    await incidents.remind_due(due + timedelta(days=1))
    for report in Report:
        await incidents.handed_in(queue_id, report, OFFICIAL, due)
    assert await written(spool, incidents, due + timedelta(days=1)) == {}


async def test_hostile_words_lay_out_nothing(spool: SqlSpool, incidents: Incidents) -> None:
    queue_id = await spool.accept(
        replace(several(0, 2), subject="<b>x</b>\r\nBcc: evil@example.net\u202e", raw=b"\r\nx\r\n")
    )
    await deliver(spool)
    story = replace(
        account(), description="<script>\r\n.\r\nTo: x\u202egpj", data=frozenset({Data.SENSITIVE})
    )
    await incidents.open(await spool.get(queue_id), WHOSE, story, CLERK, LATER)
    await incidents.ask(queue_id, Asking((1,), "<i>\u202e</i>\n\n\nx"), CLERK, LATER)
    for octets in (await written(spool, incidents)).values():
        mail = read_back(octets)
        assert mail["bcc"] is None
        assert "<script>" not in text(mail, "html")
        assert "<b>x" not in text(mail, "html")
        assert "<i>" not in text(mail, "html")
        assert "\u202e" not in text(mail) + str(mail["subject"])


@pytest.mark.parametrize("where", STORES[:1], indirect=True)
async def test_both_languages_are_whole(spool: SqlSpool, incidents: Incidents) -> None:
    new: NewMessage = several(0, 2)
    queue_id = await spool.accept(replace(new, decision=replace(new.decision, language=Language.EN)))
    await deliver(spool)
    await incidents.open(await spool.get(queue_id), WHOSE, account(persons=None), CLERK, LATER)
    await incidents.ask(queue_id, Asking((1,)), CLERK, LATER)
    found = await written(spool, incidents)
    assert "counted as if it were" in text(read_back(found[OFFICER]))
    assert "please tell us on this page" in text(read_back(found["r1@example.com"]))
