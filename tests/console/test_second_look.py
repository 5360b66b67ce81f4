"""The pages of a second look, over the real spool: what each person sees, and what their buttons do."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import httpx
import pytest

from gateway.console.app import create_app
from gateway.links import LinkInvalid, Links
from gateway.policy.demands import Approval, Confirmation
from gateway.spool.attendance import Absence
from gateway.spool.lifecycle import State
from gateway.spool.second_look import COMMENT
from gateway.spool.sql import SqlSpool, open_spool
from gateway.spool.values import Actor, NewMessage
from tests.console.conftest import ORIGIN, SECRET, HandClock
from tests.memory_spool import mail as octets
from tests.spool.asking import CHIEF, DEPUTY, HOUR, approval, asking, confirmation
from tests.spool.conftest import MASTER
from tests.spool.mails import MINUTE, SENDER, T0

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def clock() -> HandClock:
    return HandClock(T0 + MINUTE)


@pytest.fixture
async def spool(tmp_path: Path, clock: HandClock) -> AsyncIterator[SqlSpool]:
    opened = open_spool(tmp_path / "state", MASTER, serve=True, clock=clock)
    yield opened
    await opened.close()


@pytest.fixture
def links(clock: HandClock) -> Links:
    return Links(SECRET, ORIGIN, timedelta(days=7), clock)


@pytest.fixture
async def client(spool: SqlSpool, links: Links, clock: HandClock) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(spool, links, clock, ZoneInfo("Asia/Tokyo"), "mx.sports.example.jp", checks={})
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, follow_redirects=True) as client:
        yield client


def held(*demands: Approval | Confirmation, **more: timedelta) -> NewMessage:
    """Return a mail to two outside, with one attachment."""
    new = asking(*demands, **more)  # type: ignore[arg-type]
    return replace(new, raw=octets("教室のお知らせ", ["r0@example.com", "r1@example.com"]))


def page_of(url: str) -> str:
    return url.removeprefix(ORIGIN)


async def press(client: httpx.AsyncClient, page: str, verb: str, *fields: tuple[str, str]) -> httpx.Response:
    shown = await client.get(page)
    seal = re.search(r'name="seal" value="([^"]+)"', shown.text)
    assert seal is not None
    return await post(client, page, verb, ("seal", seal[1]), *fields)


async def post(client: httpx.AsyncClient, page: str, verb: str, *fields: tuple[str, str]) -> httpx.Response:
    return await client.post(f"{page}/{verb}", content=urlencode(fields), headers=FORM)


async def states(spool: SqlSpool, queue_id: str) -> list[State]:
    return [row.state for row in (await spool.get(queue_id)).recipients]


async def test_an_approver_sees_the_mail_what_is_asked_and_until_when(
    client: httpx.AsyncClient, spool: SqlSpool, links: Links
) -> None:
    queue_id = await spool.accept(held(approval(CHIEF, DEPUTY, at_least=2)))
    page = page_of(links.approval_url(queue_id, CHIEF))
    answer = await client.get(page)
    text = html.unescape(answer.text)
    for told in (
        "あなたの承認を待っているメールがあります",
        "教室のお知らせ",
        str(SENDER),
        "r0@example.com",
        "名簿.csv",
        "あと2人の承認が必要です。",
        f"承認できる人: {CHIEF}, {DEPUTY}",
        "期限は 4月1日(水) 22:00 です。 期限を過ぎると、送信を取り消します。",
    ):
        assert told in text
    assert "SECRET-OF-THE" not in text
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert await states(spool, queue_id) == [State.HELD, State.HELD]


async def test_the_text_is_behind_a_button_for_who_may_decide_now(
    client: httpx.AsyncClient, spool: SqlSpool, links: Links
) -> None:
    queue_id = await spool.accept(held(approval(CHIEF, DEPUTY)))
    page = page_of(links.approval_url(queue_id, CHIEF))
    assert "SECRET-OF-THE" not in (await client.get(page)).text
    assert str((await client.get(f"{page}/text?lang=en")).url).endswith(f"{page}?lang=en")
    assert (await post(client, page, "text", ("seal", "forged"))).status_code == 403
    answer = await press(client, page, "text", ("comment", "half a <thought>"))
    assert "SECRET-OF-THE" in answer.text
    assert "half a &lt;thought&gt;</textarea>" in answer.text
    assert await states(spool, queue_id) == [State.HELD, State.HELD]
    await press(client, page, "approve", ("comment", ""))
    seal = links.seal(page.removeprefix("/a/"), {"form": 1})
    late = await post(client, page, "text", ("seal", seal))
    assert (late.status_code, "SECRET-OF-THE" in late.text) == (409, False)


async def test_opening_a_link_decides_nothing(
    client: httpx.AsyncClient, spool: SqlSpool, links: Links
) -> None:
    queue_id = await spool.accept(held(approval(CHIEF)))
    page = page_of(links.approval_url(queue_id, CHIEF))
    for verb in ("approve", "reject"):
        assert (await client.get(f"{page}/{verb}")).status_code == 405
        assert (await client.head(f"{page}/{verb}")).status_code == 405
    await client.head(page)
    assert await states(spool, queue_id) == [State.HELD, State.HELD]


async def test_two_approvers_and_then_it_leaves(
    client: httpx.AsyncClient, spool: SqlSpool, links: Links
) -> None:
    queue_id = await spool.accept(held(approval(CHIEF, DEPUTY, at_least=2)))
    chief, deputy = (page_of(links.approval_url(queue_id, person)) for person in (CHIEF, DEPUTY))
    seal = re.search(r'name="seal" value="([^"]+)"', (await client.get(chief)).text)
    assert seal is not None
    assert "あと1人の承認が必要です" in (await press(client, chief, "approve", ("comment", "よい"))).text
    again = await client.get(chief)
    assert "このメールは、あなたの判断を待っていません" in again.text
    assert "<button" not in again.text
    twice = await post(client, chief, "approve", ("seal", seal[1]))  # from another window that is still open
    assert "すでに承認済みです" in twice.text
    assert await states(spool, queue_id) == [State.HELD, State.HELD]
    seen = html.unescape((await client.get(deputy)).text)
    assert f"{CHIEF} が 4月1日(水) 18:01 に承認: よい" in seen
    assert "承認しました" in (await press(client, deputy, "approve")).text
    assert await states(spool, queue_id) == [State.QUEUED, State.QUEUED]


async def test_a_rejection_with_its_reason(client: httpx.AsyncClient, spool: SqlSpool, links: Links) -> None:
    queue_id = await spool.accept(held(approval(CHIEF)))
    page = page_of(links.approval_url(queue_id, CHIEF))
    answer = await press(client, page, "reject", ("comment", "<b>宛先違い</b>"))
    assert "このメールを差し戻しました" in answer.text
    assert "&lt;b&gt;宛先違い&lt;/b&gt;" in answer.text
    assert await states(spool, queue_id) == [State.CANCELLED, State.CANCELLED]


async def test_a_rejection_needs_its_reason_and_an_approval_none(
    client: httpx.AsyncClient, spool: SqlSpool, links: Links
) -> None:
    queue_id = await spool.accept(held(approval(CHIEF)))
    page = page_of(links.approval_url(queue_id, CHIEF))
    answer = await press(client, page, "reject", ("comment", "  "))
    assert "差し戻す理由を書いてください。" in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert await states(spool, queue_id) == [State.HELD, State.HELD]
    assert "差し戻す理由を書いてください。" not in (await client.get(page)).text
    await press(client, page, "approve", ("comment", ""))
    assert await states(spool, queue_id) == [State.QUEUED, State.QUEUED]


async def test_the_page_says_what_happens_at_every_deadline_and_who_is_away(
    client: httpx.AsyncClient, spool: SqlSpool, links: Links
) -> None:
    away = Absence(CHIEF, T0 - HOUR, T0 + 48 * HOUR, "出張")
    await spool.absences.say(away, Actor("approver", CHIEF), T0)
    wanted = replace(approval(CHIEF, "other@sports.example.jp", later=(HOUR, DEPUTY)), remind=(30 * MINUTE,))
    queue_id = await spool.accept(held(wanted))
    text = html.unescape((await client.get(page_of(links.approval_url(queue_id, CHIEF)))).text)
    for told in (
        f"{CHIEF} は 4月3日(金) 18:00 まで不在です。 出張",
        "いま承認できる人: other@sports.example.jp",
        "4月1日(水) 18:30 に、まだ承認していない人へもう一度お知らせします。",
        f"4月1日(水) 19:00 までに承認がない場合、{DEPUTY} にも依頼します。",
        "4月1日(水) 22:00 までに決まらない場合は取り消され、送信者に知らせます。",
        ">承認する</button>",
    ):
        assert told in text


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ((), 403),
        ((("seal", "forged"),), 403),
    ],
)
async def test_a_form_that_is_not_ours_decides_nothing(
    client: httpx.AsyncClient, spool: SqlSpool, links: Links, fields: tuple[tuple[str, str], ...], status: int
) -> None:
    queue_id = await spool.accept(held(approval(CHIEF)))
    page = page_of(links.approval_url(queue_id, CHIEF))
    assert (await post(client, page, "approve", *fields)).status_code == status
    assert await states(spool, queue_id) == [State.HELD, State.HELD]


async def test_a_comment_has_a_bound(client: httpx.AsyncClient, spool: SqlSpool, links: Links) -> None:
    queue_id = await spool.accept(held(approval(CHIEF)))
    page = page_of(links.approval_url(queue_id, CHIEF))
    assert (await press(client, page, "approve", ("comment", "x" * (COMMENT + 1)))).status_code == 400
    assert await states(spool, queue_id) == [State.HELD, State.HELD]


async def test_the_seal_of_one_approver_is_no_seal_for_another(
    client: httpx.AsyncClient, spool: SqlSpool, links: Links
) -> None:
    queue_id = await spool.accept(held(approval(CHIEF, DEPUTY, at_least=2)))
    chief, deputy = (page_of(links.approval_url(queue_id, person)) for person in (CHIEF, DEPUTY))
    seal = re.search(r'name="seal" value="([^"]+)"', (await client.get(chief)).text)
    assert seal is not None
    assert (await post(client, deputy, "approve", ("seal", seal[1]))).status_code == 403


@pytest.mark.parametrize("person", [str(SENDER), "stranger@example.com", DEPUTY])
async def test_a_link_gives_no_more_than_the_policy(
    client: httpx.AsyncClient, spool: SqlSpool, links: Links, person: str
) -> None:
    """A link for somebody who may not decide (now) shows no button, and a form of theirs is refused by the spool."""
    queue_id = await spool.accept(held(approval(CHIEF, later=(HOUR, DEPUTY))))
    page = page_of(links.approval_url(queue_id, person))
    assert "<button" not in (await client.get(page)).text
    token = page.rpartition("/")[2]
    answer = await post(client, page, "approve", ("seal", links.seal(token, {"form": 1})))
    assert 'class="answer warning"' in answer.text
    assert await states(spool, queue_id) == [State.HELD, State.HELD]


def test_the_two_kinds_of_links_do_not_open_each_other(links: Links) -> None:
    asked = links.approval_url("Q1", CHIEF).rpartition("/")[2]
    own = links.url("Q1", CHIEF).rpartition("/")[2]
    assert links.read_approval(asked) == links.read(own)
    for read, token in ((links.read, asked), (links.read_approval, own)):
        with pytest.raises(LinkInvalid):
            read(token)


async def test_the_sender_ticks_recipients_and_files(
    client: httpx.AsyncClient, spool: SqlSpool, links: Links
) -> None:
    queue_id = await spool.accept(held(confirmation("both")))
    page = page_of(links.url(queue_id, str(SENDER)))
    text = html.unescape((await client.get(page)).text)
    assert "次のことが済むまで送信しません。" in text
    assert "何もしなければ" not in text
    assert text.count('type="checkbox" name="file"') == 1
    answer = await press(client, page, "confirm", ("recipient", "0"))
    assert "添付ファイル1件にチェックがありません" in answer.text
    assert await states(spool, queue_id) == [State.HELD, State.HELD]
    assert 'value="0" checked' in (await client.get(page)).text
    answer = await press(client, page, "confirm", ("recipient", "0"), ("file", "0"))
    assert "1件の宛先を確認しました" in answer.text
    assert await states(spool, queue_id) == [State.QUEUED, State.HELD]
    await press(client, page, "confirm", ("recipient", "1"))
    assert await states(spool, queue_id) == [State.QUEUED, State.QUEUED]


@pytest.mark.parametrize("ticked", ["x", "-1", "99999999"])
async def test_ticks_that_our_page_cannot_send(
    client: httpx.AsyncClient, spool: SqlSpool, links: Links, ticked: str
) -> None:
    queue_id = await spool.accept(held(confirmation("both")))
    page = page_of(links.url(queue_id, str(SENDER)))
    assert (await press(client, page, "confirm", ("recipient", ticked))).status_code == 400


async def test_send_now_says_what_it_cannot_leave_out(
    client: httpx.AsyncClient, spool: SqlSpool, links: Links, clock: HandClock
) -> None:
    queue_id = await spool.accept(held(approval(CHIEF), window=10 * MINUTE))
    page = page_of(links.url(queue_id, str(SENDER)))
    answer = await press(client, page, "release", ("which", "all"))
    assert "2件は確認または承認を待っています。これは省略できません" in answer.text
    assert await states(spool, queue_id) == [State.HELD, State.HELD]
    await spool.consents.approve(queue_id, None, CHIEF, _approver(), "", clock())
    assert await states(spool, queue_id) == [State.QUEUED, State.QUEUED]


async def test_a_window_that_takes_a_reason(client: httpx.AsyncClient, spool: SqlSpool, links: Links) -> None:
    queue_id = await spool.accept(held(window=10 * MINUTE, reasoned=10 * MINUTE))
    page = page_of(links.url(queue_id, str(SENDER)))
    answer = await press(client, page, "release", ("which", "all"), ("because", " "))
    assert "理由を書いてください" in answer.text
    assert await states(spool, queue_id) == [State.HELD, State.HELD]
    await press(client, page, "release", ("which", "all"), ("because", "至急"))
    assert await states(spool, queue_id) == [State.QUEUED, State.QUEUED]


async def test_the_pages_speak_english(client: httpx.AsyncClient, spool: SqlSpool, links: Links) -> None:
    queue_id = await spool.accept(held(approval(CHIEF)))
    text = (await client.get(page_of(links.approval_url(queue_id, CHIEF)) + "?lang=en")).text
    assert "A mail waits for your approval" in text
    assert "1 approval is missing." in text


def _approver() -> Actor:
    return Actor("approver", CHIEF)
