"""The page of one mail says what is true to whom it may, and its verbs do what acting allows; the text is opened by right or
for a reason that is written down first."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise

import httpx
import pytest
import sqlalchemy as sa

from gateway.console.mail.safe_html import HEADERS
from gateway.languages import LANGUAGES
from gateway.policy.decision import Outcome
from gateway.policy.demands import Confirmation, Demands, Form
from gateway.spool.lifecycle import Reason, State
from gateway.spool.sql import SqlSpool
from gateway.spool.values import SYSTEM
from gateway.store.schema import events
from tests.console.browser import read
from tests.console.conftest import HandClock
from tests.console.mail.conftest import (
    ADMIN,
    AUDITOR,
    CHIEF,
    CLERK,
    COLLEAGUE,
    ORDERING,
    STRANGER,
    Browser,
    SignIn,
    copied,
    letter,
)
from tests.spool.asking import approval
from tests.spool.mails import T0, WINDOW

HTML = (
    b"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=iso-2022-jp\r\n\r\n"
    b"\x1b$B%F%K%9\x1b(B <b>PLAIN</b>\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    b"<p>HTML <script>alert(1)</script><a href='https://evil.example/'>click</a>"
    b"<img src='https://track.example/p.gif' alt=pixel></p>\r\n--b--\r\n"
)


async def kinds(spool: SqlSpool, kind: str) -> list[tuple[str, str, str]]:
    query = sa.select(events.c.actor_kind, events.c.actor_name, events.c.detail).where(events.c.kind == kind)
    rows = await spool.database.readers.run(lambda queries: queries.connection.execute(query).all())
    return [(str(row[0]), str(row[1]), str(row[2])) for row in rows]


def frame_of(page: httpx.Response) -> str:
    (found,) = [a for tag, a in read(page).tags if tag == "iframe"]
    assert found["sandbox"] == ""
    return found["src"]


async def test_the_sender_sees_all_of_it(spool: SqlSpool, sign_in: SignIn) -> None:
    queue_id = await spool.accept(letter(body=HTML))
    async with sign_in(CLERK) as browser:
        page = await browser.get(f"/held/{queue_id}")
        text = read(page).text
        for expected in (
            "このメールは送信を保留しています",
            "sato@example.com",
            "受信者どうしのアドレスは見えません。",
            "テニス <b>PLAIN</b>",
            "sato@example.com に届く内容です。",
            "どの規則が何を求めたか",
            "外部宛てのメールです",
            "10分保留します。",
            "これまでの経過",
            "誤送信を報告",
            "2件すべて取り消す",
        ):
            assert expected in text, expected
        assert "HTML click" not in text
        assert f'href="/incidents/new?mail={queue_id}"' in page.text


@pytest.mark.parametrize("login", [STRANGER, CHIEF])
async def test_a_mail_of_others_is_not_there(spool: SqlSpool, sign_in: SignIn, login: str) -> None:
    queue_id = await spool.accept(letter())
    async with sign_in(login) as browser:
        for path in (f"/held/{queue_id}", f"/held/{queue_id}/text", "/held/NOSUCHMAIL0000"):
            assert (await browser.get(path)).status_code == 404, path
        for verb in ("cancel", "release", "confirm", "take-back", "lock", "unlock"):
            answer = await browser.post("/held", f"/held/{queue_id}/{verb}", ("which", "all"))
            assert answer.status_code == (404 if login == STRANGER else 403), verb
    assert (await spool.get(queue_id)).recipients[0].state is State.HELD


async def test_who_has_no_such_pages_gets_none(spool: SqlSpool, sign_in: SignIn) -> None:
    queue_id = await spool.accept(letter())
    for login in (AUDITOR, ORDERING):
        async with sign_in(login) as browser:
            assert (await browser.get(f"/held/{queue_id}")).status_code == 403
    async with sign_in(ORDERING) as browser:
        assert (await browser.get(f"/held/{queue_id}/text")).status_code == 403


async def test_a_form_without_its_seal_does_nothing(spool: SqlSpool, sign_in: SignIn) -> None:
    queue_id = await spool.accept(letter())
    async with sign_in(CLERK) as browser:
        answer = await browser.post_raw(f"/held/{queue_id}/cancel", ("which", "all"), ("seal", "x"))
        assert answer.status_code == 403
    assert (await spool.get(queue_id)).recipients[0].state is State.HELD


async def test_the_sender_cancels_one_and_lets_one_go(spool: SqlSpool, sign_in: SignIn) -> None:
    queue_id = await spool.accept(letter())
    async with sign_in(CLERK) as browser:
        here = f"/held/{queue_id}"
        ticked = ("which", "ticked")
        answer = await browser.post(here, f"{here}/cancel", ticked, ("recipient", "0"))
        assert "1件を取り消しました。" in await browser.told(answer)
        answer = await browser.post(here, f"{here}/release", ("which", "all"))
        assert "保留を解除しました" in await browser.told(answer)
    states = [row.state for row in (await spool.get(queue_id)).recipients]
    assert states == [State.CANCELLED, State.QUEUED]
    assert [(kind, name) for kind, name, _ in await kinds(spool, "cancelled")] == [("sender", CLERK)]


async def test_an_answer_for_one_mail_says_nothing_of_another(spool: SqlSpool, sign_in: SignIn) -> None:
    first, second = await spool.accept(letter()), await spool.accept(letter())
    async with sign_in(CLERK) as browser:
        answer = await browser.post(f"/held/{first}", f"/held/{first}/cancel", ("which", "all"))
        carried = answer.headers["location"].partition("?")[2]
        assert "取り消しました" not in await browser.text(f"/held/{second}?{carried}")


async def test_an_administrator_stops_but_neither_sends_nor_reads(spool: SqlSpool, sign_in: SignIn) -> None:
    queue_id = await spool.accept(letter())
    async with sign_in(ADMIN) as browser:
        here = f"/held/{queue_id}"
        page = await browser.get(here)
        assert "本文です。" not in page.text
        assert "理由を記録して本文を開く" in page.text
        assert "/release" not in page.text
        assert (await browser.post(here, f"{here}/release", ("which", "all"))).status_code == 403
        assert "2件を取り消しました。" in await browser.told(
            await browser.post(here, f"{here}/cancel", ("which", "all"))
        )
    assert [(kind, name) for kind, name, _ in await kinds(spool, "cancelled")] == [("admin", ADMIN)]


@pytest.mark.parametrize("login", [ADMIN, AUDITOR])
async def test_a_reason_is_written_down_before_the_text_is_shown(
    spool: SqlSpool, sign_in: SignIn, login: str
) -> None:
    queue_id = await spool.accept(letter(body=HTML))
    async with sign_in(login) as browser:
        here = f"/held/{queue_id}/text"
        asked = await browser.get(here)
        assert "PLAIN" not in asked.text
        empty = await browser.post(here, here, ("because", "  "))
        assert empty.status_code == 422
        assert "本文を開く理由を入力してください。" in empty.text
        assert "PLAIN" not in empty.text
        opened = await browser.post(here, here, ("because", "住民からの問い合わせ"))
        assert "PLAIN" in opened.text
        ((kind, name, detail),) = await kinds(spool, "body-opened")
        assert (kind, name) == ("admin" if login == ADMIN else "auditor", login)
        assert "問い合わせ" in detail or "\\u554f" in detail
        assert "HTML" in (await browser.get(frame_of(opened))).text
    assert len(await kinds(spool, "body-opened")) == 1


async def test_the_frame_is_a_page_that_can_do_nothing(spool: SqlSpool, sign_in: SignIn) -> None:
    queue_id = await spool.accept(letter(body=HTML))
    async with sign_in(CLERK) as browser:
        page = await browser.get(f"/held/{queue_id}")
        assert page.headers["content-security-policy"].endswith("; frame-src 'self'")
        framed = await browser.get(frame_of(page))
        for name, value in HEADERS.items():
            assert framed.headers[name] == value
        assert framed.headers["cache-control"] == "no-store"
        assert "<script" not in framed.text
        assert "click</u>" in framed.text
        assert "[https://evil.example/]" in framed.text
        assert "track.example" not in framed.text


async def test_a_ticket_is_good_for_its_session_its_mail_and_some_minutes(
    spool: SqlSpool, sign_in: SignIn, clock: HandClock
) -> None:
    queue_id, other = await spool.accept(letter(body=HTML)), await spool.accept(letter(body=HTML))
    async with sign_in(CLERK) as browser:
        address = frame_of(await browser.get(f"/held/{queue_id}"))
        for bad in (address.replace(queue_id, other), address[:-3], f"/held/{queue_id}/html"):
            assert "HTML" not in (await browser.get(bad)).text, bad
        async with sign_in(COLLEAGUE) as colleague:
            assert "HTML" not in (await colleague.get(address)).text
        clock.now += timedelta(minutes=16)
        assert "再読み込み" in (await browser.get(address)).text


async def test_copies_that_a_rule_asked_for_are_not_told(spool: SqlSpool, sign_in: SignIn) -> None:
    queue_id = await spool.accept(copied(letter("sato@example.com"), "supervisor@city.example.lg.jp"))
    async with sign_in(CLERK) as browser:
        assert "supervisor" not in (await browser.get(f"/held/{queue_id}")).text
        assert "supervisor" not in (await browser.get(f"/held/{queue_id}?copy=1")).text
    async with sign_in(ADMIN) as browser:
        assert "supervisor" in (await browser.get(f"/held/{queue_id}")).text


async def test_what_waits_for_ticks_is_ticked_one_by_one(spool: SqlSpool, sign_in: SignIn) -> None:
    asks = Confirmation("tick", "both", timedelta(hours=4), "cancel")
    outcome = Outcome(True, Demands(window=WINDOW, confirm=frozenset({asks})), rules=("tick",))
    body = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\nContent-Type: text/csv\r\n"
        b"Content-Disposition: attachment; filename=list.csv\r\n\r\n1\r\n--b--\r\n"
    )
    queue_id = await spool.accept(letter(body=body, outcome=outcome))
    async with sign_in(CLERK) as browser:
        here = f"/held/{queue_id}"
        assert "list.csv" in await browser.text(here)
        first = await browser.post(here, f"{here}/confirm", ("recipient", "0"))
        assert "添付ファイル1件にチェックがありません。" in await browser.told(first)
        done = await browser.post(
            here, f"{here}/confirm", ("recipient", "0"), ("recipient", "1"), ("file", "0")
        )
        assert "チェックがありません" not in await browser.told(done)
    assert all(row.due_at is not None for row in (await spool.get(queue_id)).recipients)


async def test_an_approver_reads_decides_and_says_why(spool: SqlSpool, sign_in: SignIn) -> None:
    outcome = Outcome(True, Demands(approvals=frozenset({approval(CHIEF)})), rules=("bulk",))
    first, second = [await spool.accept(letter(outcome=outcome)) for _ in range(2)]
    async with sign_in(CHIEF) as browser:
        text = await browser.text(f"/held/{first}")
        for expected in ("本文です。", "あなたの承認を待っているメールがあります", "1名の承認が必要です。"):
            assert expected in text
        here = f"/held/{first}"
        assert "差し戻す理由を書いてください" in await browser.told(
            await browser.post(here, f"{here}/reject", ("comment", ""))
        )
        answer = await browser.post(here, f"{here}/reject", ("comment", "宛先が違います"))
        assert "差し戻しました" in await browser.told(answer)
        there = f"/held/{second}"
        await browser.told(await browser.post(there, f"{there}/approve", ("comment", "")))
    assert [(await spool.get(each)).recipients[0].state for each in (first, second)] == [
        State.CANCELLED,
        State.QUEUED,
    ]


async def test_an_original_that_is_gone_is_said(spool: SqlSpool, sign_in: SignIn) -> None:
    queue_id = await spool.accept(letter())
    await spool.cancel(queue_id, None, SYSTEM, Reason.BY_SENDER, T0)
    assert await spool.ageing.purge(T0 + timedelta(days=90), timedelta(days=1), timedelta(days=9_999), 10)
    async with sign_in(CLERK) as browser:
        assert "元のメールを読み出せない" in await browser.text(f"/held/{queue_id}")


async def test_hostile_content_stays_text(
    spool: SqlSpool, sign_in: SignIn, corpus: list[tuple[str, bytes]]
) -> None:
    hostile = '"><script>alert(1)</script>'
    name = b"%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E%E2%80%AEgpj.exe"
    body = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n" + hostile.encode() + b"\r\n--b\r\n"
        b"Content-Disposition: attachment; filename*=utf-8''" + name + b"\r\n\r\n1\r\n--b--\r\n"
    )
    queue_id = await spool.accept(letter(subject=hostile, body=body))
    async with sign_in(CLERK) as browser:
        await assert_calm(browser, f"/held/{queue_id}")
        assert hostile in read(await browser.get(f"/held/{queue_id}")).text
        for _, raw in corpus[::40]:
            head, _, rest = raw.partition(b"\r\n\r\n")
            kind = re.search(rb"^content-type:(?:.*)(?:\r\n[ \t].*)*", head, re.IGNORECASE | re.MULTILINE)
            coded = re.search(rb"^content-transfer-encoding:.*", head, re.IGNORECASE | re.MULTILINE)
            fields = b"\r\n".join([each[0] for each in (kind, coded) if each])
            queue_id = await spool.accept(letter(body=(fields + b"\r\n" if fields else b"") + b"\r\n" + rest))
            await assert_calm(browser, f"/held/{queue_id}")


async def assert_calm(browser: Browser, path: str) -> None:
    page = await browser.get(path)
    assert page.status_code == 200
    for tag, attributes in read(page).tags:
        assert tag not in ("img", "object", "embed", "style", "base"), tag
        assert tag != "script" or attributes["src"].startswith("/static/")
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
    assert "\u202e" not in page.text


@pytest.mark.parametrize("language", LANGUAGES)
async def test_headings_are_in_order_and_controls_have_names(
    spool: SqlSpool, sign_in: SignIn, language: str
) -> None:
    queue_id = await spool.accept(letter(body=HTML))
    async with sign_in(CLERK) as browser:
        sheet = read(await browser.get(f"/held/{queue_id}?lang={language}"))
        headings = [int(tag[1]) for tag, _ in sheet.tags if re.fullmatch("h[1-6]", tag)]
        assert headings[0] == 1
        assert headings.count(1) == 1
        assert all(after - before <= 1 for before, after in pairwise(headings))
        ids = [a["id"] for _, a in sheet.tags if "id" in a]
        assert len(ids) == len(set(ids))


async def test_thirty_recipients_are_a_small_page(spool: SqlSpool, sign_in: SignIn) -> None:
    queue_id = await spool.accept(letter(*[f"citizen-{n}@example.com" for n in range(30)], body=HTML))
    async with sign_in(CLERK) as browser:
        assert len((await browser.get(f"/held/{queue_id}")).content) < 20_000


async def test_a_team_mate_acts_as_a_colleague(spool: SqlSpool, sign_in: SignIn) -> None:
    queue_id = await spool.accept(letter())
    async with sign_in(COLLEAGUE) as browser:
        here = f"/held/{queue_id}"
        assert "本文です。" in await browser.text(here)
        await browser.told(await browser.post(here, f"{here}/cancel", ("which", "all")))
    assert [(kind, name) for kind, name, _ in await kinds(spool, "cancelled")] == [("colleague", COLLEAGUE)]


async def test_the_form_is_what_the_rule_says(spool: SqlSpool, sign_in: SignIn) -> None:
    reasoned = Outcome(True, Demands(window=WINDOW, reasoned=WINDOW, form=Form.BCC), rules=("window",))
    queue_id = await spool.accept(letter(outcome=reasoned))
    async with sign_in(CLERK) as browser:
        here = f"/held/{queue_id}"
        assert "理由" in await browser.told(await browser.post(here, f"{here}/release", ("which", "all")))
        answer = await browser.post(
            here, f"{here}/release", ("which", "all"), ("because", "本日が締め切りのため")
        )
        assert "保留を解除しました" in await browser.told(answer)
        assert "本日が締め切りのため" in await browser.text(here)
