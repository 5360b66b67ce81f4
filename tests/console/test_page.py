"""The page shows the truth, in either language, and nothing a stranger chose gets out of its place."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from gateway.console.pages import ROOM
from gateway.console.static_files import StaticFiles
from gateway.languages import LANGUAGES
from gateway.links import Links
from gateway.policy.decision import Outcome
from gateway.policy.demands import Demands, Form, Language
from gateway.spool.lifecycle import State
from tests.console.browser import press, read
from tests.console.conftest import HandClock
from tests.memory_spool import NOON, SENDER, WINDOW, MemorySpool, decision_for, hold, mail

SCRIPT = StaticFiles(ROOM / "static").address("countdown.js")
OUT = ("sato@example.com", "suzuki@example.net", "tanaka@example.com")


async def get(
    client: httpx.AsyncClient, links: Links, queue_id: str = "Q1", query: str = ""
) -> httpx.Response:
    return await client.get(links.url(queue_id, SENDER) + query)


async def test_it_shows_what_is_held(client: httpx.AsyncClient, spool: MemorySpool, links: Links) -> None:
    hold(spool, "Q1", OUT, ["boss@sports.example.jp"])
    page = await get(client, links)
    assert page.status_code == 200
    text = read(page).text
    for expected in (
        "このメールは送信を保留しています",
        "何もしなければ、11月20日(金) 12:10 に送信します。",
        "あと 9分",
        "テニス教室のお知らせ",
        "名簿.csv",
        "外部の宛先が2件以上見えます",
        *OUT,
        "boss@sports.example.jp",
        "受信者どうしのアドレスは見えません。",
    ):
        assert expected in text
    assert read(page).boxes == ["0", "1", "2", "3"]


async def test_a_mail_to_one_person_asks_for_no_ticks(
    client: httpx.AsyncClient, spool: MemorySpool, links: Links
) -> None:
    hold(spool, "Q1", OUT[:1])
    page = read(await get(client, links))
    assert page.boxes == []
    assert "このメールを取り消す" in page.text
    assert "このメールを今すぐ送る" in page.text
    assert "件すべて" not in page.text


async def test_what_recipients_see_is_what_leaves(
    client: httpx.AsyncClient, spool: MemorySpool, links: Links
) -> None:
    hold(spool, "Q1", OUT)
    _, seen = read(await get(client, links)).text.split("受信者に見える宛先(To):")
    assert seen.split()[0] == SENDER


async def test_no_body_text_and_no_attachment_text(
    client: httpx.AsyncClient, spool: MemorySpool, links: Links
) -> None:
    hold(spool, "Q1", OUT)
    assert "SECRET-OF" not in (await get(client, links)).text


async def test_the_language_is_the_message_s_and_can_be_switched(
    client: httpx.AsyncClient, spool: MemorySpool, links: Links
) -> None:
    hold(spool, "Q1", OUT, decision=decision_for((0, 0, 0), language=Language.EN))
    assert 'lang="en"' in (await get(client, links)).text
    japanese = await get(client, links, query="?lang=ja")
    assert "保留しています" in japanese.text
    assert read(japanese).action.endswith("/cancel?lang=ja")
    assert 'lang="en"' in (await get(client, links, query="?lang=xx")).text


@pytest.mark.parametrize(
    ("states", "heading"),
    [
        ((State.HELD, State.DELIVERED, State.CANCELLED), "This mail is being held"),
        ((State.ACTIVE, State.DELIVERED, State.CANCELLED), "This mail is being sent"),
        ((State.DEFERRED, State.BOUNCED, State.CANCELLED), "This mail is being sent"),
        ((State.CANCELLED, State.CANCELLED, State.CANCELLED), "This mail was cancelled"),
        ((State.DELIVERED, State.BOUNCED, State.CANCELLED), "This mail did not reach everybody"),
        ((State.DELIVERED, State.CANCELLED, State.CANCELLED), "This mail was sent to some"),
        ((State.DELIVERED, State.DELIVERED, State.DELIVERED), "This mail was sent "),
    ],
)
async def test_the_heading_says_how_things_stand(
    client: httpx.AsyncClient,
    spool: MemorySpool,
    links: Links,
    states: tuple[State, ...],
    heading: str,
) -> None:
    hold(spool, "Q1", OUT)
    for index, state in enumerate(states):
        if state is not State.HELD:
            spool.set_state("Q1", index, state)
    assert heading in read(await get(client, links, query="?lang=en")).text


async def test_only_what_can_be_stopped_gets_a_box(
    client: httpx.AsyncClient, spool: MemorySpool, links: Links
) -> None:
    hold(spool, "Q1", OUT)
    spool.set_state("Q1", 0, State.ACTIVE)
    spool.set_state("Q1", 2, State.DEFERRED)
    page = await get(client, links)
    assert read(page).boxes == ["1", "2"]
    assert "送信中(取り消し不可)" in page.text


async def test_nothing_to_press_when_all_is_over(
    client: httpx.AsyncClient, spool: MemorySpool, links: Links
) -> None:
    hold(spool, "Q1", OUT)
    for index in range(3):
        spool.set_state("Q1", index, State.DELIVERED)
    sheet = read(await get(client, links))
    assert (sheet.boxes, [b for b in sheet.buttons if b.get("class") != "hidden"]) == ([], [])
    assert "取り消せる宛先はありません。" in sheet.text


async def test_a_firm_window_cannot_be_waived_and_the_page_says_so(
    client: httpx.AsyncClient, spool: MemorySpool, links: Links
) -> None:
    firm = Outcome(True, Demands(window=WINDOW, firm=WINDOW, form=Form.BCC))
    hold(spool, "Q1", OUT, decision=decision_for((0, 0, 0), (firm,)))
    page = await get(client, links)
    assert "/release" not in page.text
    assert "「今すぐ送る」ことができません" in page.text


async def test_a_window_partly_firm_says_until_when(
    client: httpx.AsyncClient, spool: MemorySpool, links: Links
) -> None:
    partly = Outcome(True, Demands(window=WINDOW, firm=timedelta(minutes=5), form=Form.BCC))
    hold(spool, "Q1", OUT, decision=decision_for((0, 0, 0), (partly,)))
    page = await get(client, links)
    assert "/release" in page.text
    assert "12:05 より前には送信できない宛先があります" in page.text


HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


async def test_a_hostile_subject_and_names_stay_text(
    client: httpx.AsyncClient, spool: MemorySpool, links: Links
) -> None:
    raw = mail("x", OUT).replace(b"%E5%90%8D%E7%B0%BF", b"%3Cscript%3Ealert(2)%3C%2Fscript%3E%22%E2%80%AEgpj")
    hold(spool, "Q1", OUT, subject=HOSTILE, raw=raw)
    page = await get(client, links)
    tags = read(page).tags
    assert [a for t, a in tags if t == "script"] == [{"src": SCRIPT, "defer": ""}]
    assert not [t for t, _ in tags if t == "img"]
    assert "\u202e" not in page.text
    assert HOSTILE in read(page).text


async def test_a_hostile_answer_is_not_shown(
    client: httpx.AsyncClient, spool: MemorySpool, links: Links
) -> None:
    hold(spool, "Q1", OUT)
    page = await get(client, links, query="?answer=%3Cscript%3E&lang=%22%3E%3Cscript%3E")
    assert page.status_code == 200
    assert len([t for t, _ in read(page).tags if t == "script"]) == 1
    assert 'class="answer' not in page.text


async def test_an_unreadable_original_still_shows_and_can_be_cancelled(
    client: httpx.AsyncClient, spool: MemorySpool, links: Links
) -> None:
    hold(spool, "Q1", OUT)
    del spool.bodies["Q1"]
    page = await get(client, links)
    assert page.status_code == 200
    assert "元のメールを読み出せないため" in page.text
    assert read(page).boxes == ["0", "1", "2"]


async def test_a_thousand_recipients_are_folded_but_all_there(
    client: httpx.AsyncClient, spool: MemorySpool, links: Links
) -> None:
    hold(spool, "Q1", [f"citizen-{n}@example.com" for n in range(1000)])
    sheet = read(await get(client, links))
    assert len(sheet.boxes) == 1000
    assert "1000件すべて取り消す" in sheet.text
    assert ("details", {}) in sheet.tags  # not open


async def test_very_many_recipients_are_cut_and_counted(
    client: httpx.AsyncClient, spool: MemorySpool, links: Links
) -> None:
    hold(spool, "Q1", [f"citizen-{n}@example.com" for n in range(2100)])
    sheet = read(await get(client, links))
    assert len(sheet.boxes) == 2000
    assert "ほか 100件" in sheet.text
    assert "2100件すべて取り消す" in sheet.text


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_control_has_a_name_and_the_page_a_language(
    client: httpx.AsyncClient, spool: MemorySpool, links: Links, language: str
) -> None:
    hold(spool, "Q1", OUT)
    page = await get(client, links, query=f"?lang={language}")
    sheet = read(page)
    assert ("html", {"lang": language}) in sheet.tags
    assert page.text.count("<label><input") == page.text.count('type="checkbox"') == 3
    assert [tag for tag, _ in sheet.tags].count("h1") == 1
    assert not [
        attrs for _, attrs in sheet.tags if "style" in attrs or any(a.startswith("on") for a in attrs)
    ]


async def test_a_forged_link_and_an_unknown_message_look_the_same(
    client: httpx.AsyncClient, spool: MemorySpool, links: Links
) -> None:
    hold(spool, "Q1", OUT)
    forged = await client.get(links.url("Q1", SENDER)[:-3] + "xxx")
    unknown = await get(client, links, "Q2")
    assert (forged.status_code, unknown.status_code) == (404, 404)
    assert forged.text == unknown.text
    assert "Q1" not in forged.text


async def test_a_forged_host_comes_back_nowhere(
    client: httpx.AsyncClient, spool: MemorySpool, links: Links
) -> None:
    hold(spool, "Q1", OUT)
    forged = {"host": "evil.example", "x-forwarded-host": "evil.example", "x-forwarded-proto": "gopher"}
    url = links.url("Q1", SENDER)
    for address in (
        "/",
        "/static",
        "/static/",
        "/healthz/",
        "/m/x",
        "/m/x/",
        url,
        url + "/",
        url + "/cancel/",
    ):
        for method in ("GET", "POST"):
            answer = await client.request(method, address, headers=forged)
            assert "evil.example" not in answer.text + str(answer.headers), address
            assert "gopher" not in str(answer.headers)


async def test_an_expired_link_says_so(
    client: httpx.AsyncClient, spool: MemorySpool, links: Links, clock: HandClock
) -> None:
    hold(spool, "Q1", OUT)
    url = links.url("Q1", SENDER)
    clock.now += timedelta(days=8)
    page = await client.get(url)
    assert page.status_code == 410
    assert "有効期限が切れています" in page.text
    assert SENDER not in page.text


async def test_a_store_that_is_down_is_said_without_details(
    client: httpx.AsyncClient, spool: MemorySpool, links: Links
) -> None:
    hold(spool, "Q1", OUT)
    spool.down = True
    page = await get(client, links)
    assert page.status_code == 503
    assert "ただいま処理できません" in page.text
    assert "disk" not in page.text


async def test_a_bug_is_said_without_details(
    client: httpx.AsyncClient, spool: MemorySpool, links: Links
) -> None:
    message = hold(spool, "Q1", OUT)
    spool.messages["Q1"] = replace(message, decision=replace(message.decision, assigned=()))
    page = await get(client, links)
    assert page.status_code == 500
    assert "エラーが発生しました" in page.text
    assert "IndexError" not in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


async def test_the_time_left_is_gone_at_the_due_moment(
    client: httpx.AsyncClient, spool: MemorySpool, links: Links, clock: HandClock
) -> None:
    hold(spool, "Q1", OUT)
    clock.now = NOON + WINDOW
    assert "data-left" not in (await get(client, links)).text


async def test_no_log_event_holds_a_link_or_content(
    client: httpx.AsyncClient,
    spool: MemorySpool,
    links: Links,
    events: list[MutableMapping[str, Any]],
) -> None:
    hold(spool, "Q1", OUT)
    await press(client, await get(client, links), "cancel", "all")
    (event,) = events
    assert (event["event"], event["queue_id"], event["done"]) == ("cancelled-by-sender", "Q1", 3)
    assert "/m/" not in str(events)
    assert "テニス" not in str(events)


async def test_states_are_read_after_the_preview(
    client: httpx.AsyncClient, spool: MemorySpool, links: Links, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(spool, "Q1", OUT)
    read_body = spool.raw

    async def raw(queue_id: str) -> bytes:
        spool.set_state("Q1", 0, State.DELIVERED)  # it leaves while the preview is made
        return await read_body(queue_id)

    monkeypatch.setattr(spool, "raw", raw)
    assert read(await get(client, links)).boxes == ["1", "2"]


async def test_a_mail_whose_record_cannot_be_read_is_shown(
    client: httpx.AsyncClient, spool: MemorySpool, links: Links
) -> None:
    """As the store gives it: placeholders for addresses and demands, true states."""
    never = timedelta(days=36_500)
    outcome = Outcome(external=True, demands=Demands(window=never, firm=never, form=Form.BCC))
    message = hold(spool, "Q1", ("unreadable@invalid",), decision=decision_for((0,), (outcome,)))
    spool.messages["Q1"] = replace(message, unreadable=True)
    page = await client.get(links.url("Q1", SENDER))
    assert page.status_code == 200
    text = read(page).text
    assert "このメールの記録を読み取れません。" in text
    assert "SECRET" not in text
    cancelling = [each for each in read(page).buttons if "/cancel" in each.get("formaction", "/cancel")]
    assert [button["value"] for button in cancelling if "value" in button] == ["ticked", "all"]
