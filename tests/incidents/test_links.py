"""The two links: whoever holds one does just that, for that mail and person; forged, foreign and old ones do nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.incidents.contract import Answer, Asking
from gateway.incidents.door import Incidents
from gateway.message.gather import gather
from gateway.spool.lifecycle import State
from gateway.spool.notice import NoticeKind
from gateway.spool.sql import SqlSpool
from gateway.spool.values import Actor
from tests.console.browser import read
from tests.incidents.cases import LATER, OFFICER, OFFICIAL, WARD, left, letters, opened
from tests.incidents.pages import LINKS, ORIGIN, Now, browser, form_of, press, send
from tests.incidents.test_pages import TOLD
from tests.spool.conftest import STORES
from tests.spool.mails import SENDER
from tests.spool.test_colleagues import stoppable

pytestmark = pytest.mark.parametrize("where", STORES[:1], indirect=True)  # the verbs are tested on both


@pytest.fixture
def clock() -> Now:
    return Now()


def path(url: str) -> str:
    return url.removeprefix(ORIGIN)


async def test_the_ordering_body_reports_without_an_account(
    spool: SqlSpool, incidents: Incidents, clock: Now
) -> None:
    queue_id = await left(spool)
    link = path(LINKS.incident_url(queue_id, WARD))
    async with browser(spool, incidents, clock) as client:
        page = await client.get(link)
        assert f"{WARD} として報告します" in read(page).text
        assert str(SENDER) in page.text
        head = await client.head(link)
        assert (head.status_code, await incidents.find(queue_id)) == (200, None)
        answer = await press(client, page, link, **TOLD)
        assert "このメールは誤送信として報告されています" in read(answer).text
        assert "名簿を間違えました" in read(answer).text
        assert clock.rung == 1
    found = await incidents.get(queue_id)
    assert found.opener == Actor("ordering-body", WARD)
    assert found.account.wrong == (1,)
    assert {each.to for each in await letters(spool, NoticeKind.INCIDENT)} == {OFFICER, WARD, str(SENDER)}


async def test_the_sender_reports_by_a_link_as_the_sender(
    spool: SqlSpool, incidents: Incidents, clock: Now
) -> None:
    queue_id = await left(spool)
    link = path(LINKS.incident_url(queue_id, str(SENDER)))
    async with browser(spool, incidents, clock) as client:
        wrong = {**form_of(await client.get(link), link), **TOLD, "what": ""}
        refused = await send(client, link, wrong)
        assert (refused.status_code, await incidents.find(queue_id)) == (422, None)
        await press(client, await client.get(link), link, **{**TOLD, "recipient": []})
    found = await incidents.get(queue_id)
    assert found.opener == Actor("sender", str(SENDER))
    assert (await spool.get(queue_id)).recipients[0].state is State.CANCELLED  # as all of them


async def test_a_report_link_opens_nothing_else(spool: SqlSpool, incidents: Incidents, clock: Now) -> None:
    queue_id, other = await left(spool), await left(spool)
    mine, theirs = (LINKS.incident_url(each, WARD).rpartition("/")[2] for each in (queue_id, other))
    async with browser(spool, incidents, clock) as client:
        for address in (f"/m/{mine}", f"/a/{mine}", f"/r/{mine}", f"/d/{mine}", f"/i/{mine[:-2]}xx"):
            assert (await client.get(address)).status_code == 404
        forged = {**form_of(await client.get(f"/i/{mine}"), mine), **TOLD}
        assert (await send(client, f"/i/{theirs}", forged)).status_code == 403  # sealed for another link
        assert (await send(client, f"/i/{mine}", forged, "cross-site")).status_code == 403
        assert (await send(client, f"/i/{mine}", dict(TOLD))).status_code == 403
        gone = LINKS.incident_url("3K7Q", WARD)
        assert (await client.get(path(gone))).status_code == 404
    assert await incidents.find(queue_id) is None
    assert await incidents.find(other) is None


async def test_a_citizen_answers_on_a_phone(spool: SqlSpool, incidents: Incidents, clock: Now) -> None:
    queue_id = await opened(spool, incidents)
    await incidents.ask(queue_id, Asking((1,)), OFFICIAL, LATER)
    link = path(LINKS.deletion_url(queue_id, 1))
    async with browser(spool, incidents, clock) as client:
        page = await client.get(link)
        sheet = read(page)
        assert [button["value"] for button in sheet.buttons] == ["deleted", "not-opened"]
        assert "r1@" not in page.text
        assert "r2@" not in page.text
        assert "取り違え" not in page.text
        assert len(page.content) < 8_000
        await client.head(link)
        request = await incidents.request(queue_id, 1)
        assert request is not None
        assert request.answer is None  # looking is no answer
        page = await press(client, page, link, answer="not-opened", comment="届いていません")
        assert "「開いていません、または届いていません」とのご回答" in read(page).text
        page = await press(client, page, link, answer="deleted")
        assert "「削除しました」とのご回答" in read(page).text
        assert "訂正は1回まで" in read(page).text
        assert not read(page).buttons
        late = await send(
            client, link, {"seal": LINKS.seal(link.rpartition("/")[2], {"form": 1}), "answer": "not-opened"}
        )
        assert late.status_code == 200  # the page, which says that no more is taken
    request = await incidents.request(queue_id, 1)
    assert request is not None
    assert (request.answer, request.answers) == (Answer.DELETED, 2)


async def test_an_answer_is_for_that_recipient_of_that_mail(
    spool: SqlSpool, incidents: Incidents, clock: Now
) -> None:
    queue_id = await opened(spool, incidents)
    await incidents.ask(queue_id, Asking((1,)), OFFICIAL, LATER)
    one, two = (LINKS.deletion_url(queue_id, number).rpartition("/")[2] for number in (1, 2))
    async with browser(spool, incidents, clock) as client:
        form = form_of(await client.get(f"/r/{one}"), one)
        assert (await client.get(f"/r/{two}")).status_code == 410  # nobody was asked
        for fields in (
            {"answer": "deleted"},
            {**form, "answer": "something"},
            {**form},
            {**form, "answer": "deleted", "comment": "x" * 401},
        ):
            assert (await send(client, f"/r/{one}", dict(fields))).status_code in (400, 403)
        assert (await send(client, f"/r/{two}", {**form, "answer": "deleted"})).status_code == 410
        assert (
            await send(client, f"/r/{one}", {**form, "answer": "deleted", "x": "y" * 70_000})
        ).status_code == 413
        for token in (f"{one[:-3]}AAA", "", "x", LINKS.share_url(queue_id, 1).rpartition("/")[2]):
            assert (await client.get(f"/r/{token}")).status_code == 404
    request = await incidents.request(queue_id, 1)
    assert request is not None
    assert request.answer is None


async def test_strangers_are_not_told_of_administrators(
    spool: SqlSpool, incidents: Incidents, clock: Now
) -> None:
    async with browser(spool, incidents, clock) as client:
        page = await client.get("/r/x.y?lang=en")
    assert "administrator" not in page.text
    assert page.headers["x-robots-tag"] == "noindex, nofollow"


async def test_links_live_as_long_as_the_incident(spool: SqlSpool, incidents: Incidents, clock: Now) -> None:
    queue_id = await opened(spool, incidents)
    await incidents.ask(queue_id, Asking((1,)), OFFICIAL, LATER)
    link, report = path(LINKS.deletion_url(queue_id, 1)), path(LINKS.incident_url(queue_id, WARD))
    async with browser(spool, incidents, clock) as client:
        clock.now = LATER + timedelta(days=300)
        assert (await client.get(link)).status_code == 200
        assert (await client.get(report)).status_code == 200
        await incidents.close(queue_id, "x", OFFICIAL, clock.now)
        assert "に終了しました" in read(await client.get(report)).text
        await incidents.purge(clock.now + timedelta(days=400), timedelta(days=366))
        assert (await client.get(link)).status_code == 410


async def test_a_colleague_reports_as_one_and_hears_of_no_blind_copy(
    spool: SqlSpool, incidents: Incidents, clock: Now
) -> None:
    """The page that stops the rest counts those outside and names nobody; its link to the report names nobody more."""
    new = stoppable(outside=2, inside=1)
    raw = b"From: clerk@sports.example.jp\r\nTo: r0@example.com\r\nBcc: r1@example.com\r\n\r\nhello\r\n"
    queue_id = await spool.accept(replace(new, raw=raw, facts=gather(new.envelope, raw)))
    link = path(LINKS.incident_url(queue_id, "r2@example.com"))
    async with browser(spool, incidents, clock) as client:
        page = await client.get(link)
        assert "r0@example.com" in page.text
        assert "r1@example.com" not in page.text
        hidden = await send(client, link, {**form_of(page, link), **TOLD, "recipient": ["1"]})
        assert (hidden.status_code, await incidents.find(queue_id)) == (400, None)
        answer = await press(client, page, link, **{**TOLD, "recipient": []})
        assert "r1@example.com" not in answer.text
    found = await incidents.get(queue_id)
    assert found.opener == Actor("colleague", "r2@example.com")
    assert {row.index for row in (await spool.get(queue_id)).recipients if row.state is State.CANCELLED} == {
        0,
        1,
        2,
    }
