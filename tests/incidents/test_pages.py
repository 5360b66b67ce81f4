"""The journey of a clerk and of those who follow: from the button to the closed incident, and who may come how far."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

import pytest
from docx import Document

from gateway.incidents.contract import Answer, Asking, Report
from gateway.incidents.door import Duty, Incidents
from gateway.spool.lifecycle import State
from gateway.spool.notice import NoticeKind
from gateway.spool.sql import SqlSpool
from tests.console.browser import read
from tests.incidents.cases import (
    CLERK,
    LATER,
    OFFICER,
    WARD,
    WHOSE,
    account,
    left,
    letters,
    opened,
    ordering,
    several,
)
from tests.incidents.pages import LINKS, OTHER, Now, browser, form_of, press, send
from tests.spool.conftest import STORES
from tests.spool.mails import SENDER
from tests.spool.sharing import copied_to, sent

pytestmark = pytest.mark.parametrize("where", STORES[:1], indirect=True)  # the verbs are tested on both
TOLD: dict[str, str | list[str]] = {
    "what": "wrong-recipients",
    "recipient": ["1"],
    "known_day": "2026-04-01",
    "known_time": "18:30",
    "persons": "120",
    "data": ["name", "mail-address"],
    "description": "名簿を間違えました",
}


@pytest.fixture
def clock() -> Now:
    return Now()


@pytest.fixture
def incidents(spool: SqlSpool) -> Incidents:
    return Incidents(spool.database, Duty(officers=(OFFICER,)), ordering)


async def test_from_the_button_to_the_end(spool: SqlSpool, incidents: Incidents, clock: Now) -> None:
    queue_id = await left(spool)
    async with browser(spool, incidents, clock, str(SENDER)) as clerk:
        page = await clerk.get(f"/incidents/new?mail={queue_id}")
        said = read(page).text
        assert "最後のボタンを押すまで、何も行われません。" in said
        assert OFFICER in said
        assert "checked" not in page.text.split('name="recipient"')[1].split(">")[0]
        assert await incidents.find(queue_id) is None  # looking changes nothing
        page = await press(clerk, page, f"/incidents/new?mail={queue_id}", **TOLD)
        said = read(page).text
        assert "止められる送信はすべて止めました。" in said
        assert "本人の数が100人を超える" in said
        assert "名簿を間違えました" in said
        assert "誤送信の報告" in said  # the timeline tells of it
        assert clock.rung == 1
        again = await clerk.get(f"/incidents/new?mail={queue_id}")
        assert again.headers["location"] == f"/incidents/{queue_id}"
        page = await press(clerk, page, f"/incidents/{queue_id}/note", text="電話しました")
        assert "電話しました" in read(page).text
        page = await press(
            clerk, page, f"/incidents/{queue_id}/ask", recipient=["1", "2"], paragraph="担当 山田", every="3"
        )
        assert "1人に1通ずつ送りました" in read(page).text
        assert "/close" not in page.text  # that is for others to decide
        listed = read(await clerk.get("/incidents")).text
        assert "2件中 0件回答" in listed
    assert [notice.recipients for notice in await letters(spool, NoticeKind.DELETION)] == [(1,), (2,)]
    await incidents.answer(queue_id, 1, Answer.DELETED, "<b>はい</b>", LATER)
    async with browser(spool, incidents, clock, WARD) as ward:
        page = await ward.get(f"/incidents/{queue_id}")
        assert "<b>はい" not in page.text
        assert "「削除しました」との回答" in read(page).text
        page = await press(ward, page, f"/incidents/{queue_id}/remind", again=["1", "2"])
        assert "再度のお願いを送りました" in read(page).text
        page = await press(ward, page, f"/incidents/{queue_id}/reported", report="preliminary")
        assert "提出済みと記録しました" in read(page).text
        page = await press(ward, page, f"/incidents/{queue_id}/close", text="全員に確認")
        assert "この件を終了しました" in read(page).text
        page = await press(ward, page, f"/incidents/{queue_id}/reopen", text="もう1件")
        assert "この件を再開しました" in read(page).text
    found = await incidents.get(queue_id)
    assert [report for report, _ in found.reported] == [Report.PRELIMINARY]
    assert found.opener == CLERK


async def test_what_is_wrong_is_said_and_nothing_is_done(
    spool: SqlSpool, incidents: Incidents, clock: Now
) -> None:
    queue_id = await left(spool)
    path = f"/incidents/new?mail={queue_id}"
    wrong: tuple[tuple[str, str, str], ...] = (
        ("what", "", "何が起きたかを選んでください"),
        ("known_day", "x", "日付と時刻を入力してください"),
        ("known_day", "2027-01-01", "未来の日時"),
        ("known_day", "2020-01-01", "未来の日時"),
        ("persons", "-1", "数字で入力してください"),
        ("persons", "٣", "数字で入力してください"),
        ("persons", "9999999999", "数字で入力してください"),
    )
    async with browser(spool, incidents, clock, str(SENDER)) as clerk:
        page = await clerk.get(path)
        for name, value, sentence in wrong:
            answer = await send(
                clerk, path, {**form_of(page, "/incidents/new"), **TOLD, name: value, "persons": "7"}
                if name != "persons" else {**form_of(page, "/incidents/new"), **TOLD, name: value},
            )  # fmt: skip
            assert answer.status_code == 422
            assert sentence in read(answer).text
            assert "名簿を間違えました" in answer.text  # what was typed is still there
        for odd in (
            {"recipient": ["99"]},
            {"recipient": ["x"]},
            {"data": ["sql"]},
            {"description": "x" * 2_001},
        ):
            fields = {**form_of(page, "/incidents/new"), **TOLD, **odd}
            assert (await send(clerk, path, fields)).status_code == 400
    assert await incidents.find(queue_id) is None
    assert (await spool.get(queue_id)).recipients[0].state is State.HELD


@pytest.mark.parametrize(
    ("person", "list_", "see", "handle"),
    [
        ("", 303, 303, 401),
        (str(SENDER), 200, 200, 403),
        (OFFICER, 200, 200, 303),
        (WARD, 200, 200, 303),
        ("library@city.example.lg.jp", 200, 404, 404),
        (OTHER, 200, 404, 403),
        ("boss@example.jp", 403, 403, 403),
        ("audit@example.jp", 403, 403, 403),
    ],
)
async def test_who_may_come_how_far(
    spool: SqlSpool, incidents: Incidents, clock: Now, person: str, list_: int, see: int, handle: int
) -> None:
    queue_id = await left(spool)
    message = await spool.get(queue_id)
    await incidents.open(message, await spool.lists.whose(queue_id), account(), CLERK, LATER)
    async with browser(spool, incidents, clock, person) as client:
        assert (await client.get("/incidents")).status_code == list_
        assert (await client.get(f"/incidents/{queue_id}")).status_code == see
        assert (await client.get(f"/incidents/{queue_id}/draft.docx")).status_code == see
        assert (await client.get("/incidents/3K7Q")).status_code in (404, 303, 403)
        seal = LINKS.seal(f"key of {person}", {"form": 1})
        answer = await send(client, f"/incidents/{queue_id}/close", {"seal": seal, "text": "x"})
        assert answer.status_code == handle
        if see == 404:
            assert queue_id not in (await client.get("/incidents")).text
            new = await client.get(f"/incidents/new?mail={queue_id}")
            assert new.status_code == 404
    assert (await incidents.get(queue_id)).open is (handle != 303)


async def test_forms_of_others_do_nothing(spool: SqlSpool, incidents: Incidents, clock: Now) -> None:
    queue_id = await opened(spool, incidents)
    path = f"/incidents/{queue_id}/note"
    async with browser(spool, incidents, clock, OFFICER) as client:
        good = form_of(await client.get(f"/incidents/{queue_id}"), "/note")
        for fields, site in (
            ({"text": "x"}, "same-origin"),
            ({**good, "seal": LINKS.seal("key of somebody", {"form": 1}), "text": "x"}, "same-origin"),
            ({**good, "text": "x"}, "cross-site"),
        ):
            assert (await send(client, path, dict(fields), site)).status_code == 403
        forged = await client.get(f"/incidents/{queue_id}?said=x.y")
        assert forged.status_code == 200
        replayed = LINKS.seal(f"key of {OFFICER}", {"did": "closed-now", "about": "ANOTHER"})
        assert "終了しました" not in (await client.get(f"/incidents/{queue_id}?said={replayed}")).text
        assert len((await incidents.get(queue_id)).notes) == 1
        empty = await send(client, path, {**good, "text": "  "})
        assert "内容を入力してください" in (await client.get(empty.headers["location"])).text
        assert (await send(client, path, {**good, "text": "x" * 2_001})).status_code == 400


async def test_the_draft_is_a_document_with_what_is_known(
    spool: SqlSpool, incidents: Incidents, clock: Now
) -> None:
    queue_id = await opened(spool, incidents, persons=None)
    await incidents.ask(queue_id, Asking((1,)), CLERK, LATER)
    async with browser(spool, incidents, clock, OFFICER) as client:
        answer = await client.get(f"/incidents/{queue_id}/draft.docx")
    assert answer.headers["content-type"].endswith("wordprocessingml.document")
    assert answer.headers["cache-control"] == "no-store"
    document = Document(BytesIO(answer.content))
    text = "\n".join(each.text for each in document.paragraphs)
    for title in (
        "概要",
        "項目",
        "本人の数",
        "原因",
        "二次被害",
        "本人への対応",
        "公表",
        "再発防止",
        "その他",
    ):
        assert title in text
    assert text.count("【要記入】") >= 6
    assert "取り違えました" in text
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    assert "r1@example.com" in cells


async def test_of_own_letters_and_unknown_mail_there_is_nothing_to_report(
    spool: SqlSpool, incidents: Incidents, clock: Now
) -> None:
    async with browser(spool, incidents, clock, OFFICER) as client:
        for mail in ("", "3K7Q", "x" * 65, "../x"):
            assert (await client.get("/incidents/new", params={"mail": mail})).status_code == 404
        assert (await client.get("/incidents?after=forged")).status_code == 400


async def test_in_both_languages(spool: SqlSpool, incidents: Incidents, clock: Now) -> None:
    queue_id = await opened(spool, incidents, persons=None)
    clock.now = LATER + timedelta(days=40)
    async with browser(spool, incidents, clock, OFFICER) as client:
        page = read(await client.get(f"/incidents/{queue_id}?lang=en")).text
        assert "Send the request to those who are ticked" in page
        assert "counted as if it were" in page
        assert "誤送信" not in page
        assert len((await client.get(f"/incidents/{queue_id}")).content) < 40_000


async def test_all_are_asked_by_typing_how_many(spool: SqlSpool, incidents: Incidents, clock: Now) -> None:
    queue_id = await opened(spool, incidents, gone=4)  # nobody is named: everybody who has it, 1 to 4
    await incidents.ask(queue_id, Asking((2,)), CLERK, LATER)
    path = f"/incidents/{queue_id}/ask"
    async with browser(spool, incidents, clock, WARD) as ward:
        page = await ward.get(f"/incidents/{queue_id}")
        assert "全員（3通）に送りますか" in read(page).text
        assert "1件の宛先には届いていないため" in read(page).text
        for count in ("", "4", "x"):
            answer = await press(ward, page, path, all="1", count=count, every="0")
            assert "一致しません" in read(answer).text
        assert len(await letters(spool, NoticeKind.DELETION)) == 1
        answer = await press(ward, page, path, all="1", count="3", every="0")
        assert "1人に1通ずつ送りました" in read(answer).text
        assert "全員に削除のお願いを送る" not in read(answer).text
    told = [notice.recipients for notice in await letters(spool, NoticeKind.DELETION)]
    assert told == [(2,), (1,), (3,), (4,)]


async def test_a_copy_that_a_rule_asked_for_is_told_to_who_reads_the_log(
    spool: SqlSpool, incidents: Incidents, clock: Now
) -> None:
    """Its sender sees the incident and never the copy (decision 0054): not in the story, not in the draft."""
    queue_id = await sent(spool, copied_to(several(0, 3)))
    message = await spool.get(queue_id)
    assert await incidents.open(message, WHOSE, account(1), CLERK, LATER)
    copy = str(message.recipients[2].address)
    for person, hears in ((str(SENDER), False), (OFFICER, True)):
        async with browser(spool, incidents, clock, person) as client:
            page = await client.get(f"/incidents/{queue_id}")
            assert (page.status_code, copy in page.text) == (200, hears)
            draft = await client.get(f"/incidents/{queue_id}/draft.docx")
            said = "".join(
                cell.text
                for table in Document(BytesIO(draft.content)).tables
                for row in table.rows
                for cell in row.cells
            )
            assert hears or copy not in said
