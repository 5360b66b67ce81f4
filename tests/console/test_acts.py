"""Pressing a button: it does what it says, only what it says, only from our own page; and the answer is the truth."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from gateway import metrics, rule_effects
from gateway.links import Links
from gateway.metrics import RULE_MAILS
from gateway.policy.decision import Outcome
from gateway.policy.demands import Demands, Form
from gateway.spool.lifecycle import Reason, State
from gateway.spool.values import Actor
from tests.console.browser import press, read
from tests.console.conftest import ORIGIN, HandClock
from tests.memory_spool import SENDER, WINDOW, MemorySpool, decision_for, hold

OUT = ("sato@example.com", "suzuki@example.net", "tanaka@example.com")


def states(spool: MemorySpool, queue_id: str = "Q1") -> list[State]:
    return [row.state for row in spool.messages[queue_id].recipients]


@pytest.fixture
async def page(client: httpx.AsyncClient, spool: MemorySpool, links: Links) -> httpx.Response:
    hold(spool, "Q1", OUT)
    hold(spool, "Q2", OUT)
    return await client.get(links.url("Q1", SENDER))


async def test_cancel_all(client: httpx.AsyncClient, spool: MemorySpool, page: httpx.Response) -> None:
    after = await press(client, page, "cancel", "all")
    assert states(spool) == [State.CANCELLED] * 3
    assert states(spool, "Q2") == [State.HELD] * 3
    assert spool.acts == [("cancel", Actor("sender", SENDER), Reason.BY_SENDER)]
    assert "3件を取り消しました。" in read(after).text
    assert "このメールは取り消しました" in read(after).text


async def test_what_was_cancelled_is_counted(
    client: httpx.AsyncClient, spool: MemorySpool, page: httpx.Response
) -> None:
    name, labels = "sekisho_recipients_cancelled_total", {"reason": "by-sender"}
    before = metrics.REGISTRY.get_sample_value(name, labels) or 0
    spool.set_state("Q1", 0, State.DELIVERED)
    await press(client, page, "cancel", "all")
    assert metrics.REGISTRY.get_sample_value(name, labels) == before + 2


async def test_cancel_the_ticked(client: httpx.AsyncClient, spool: MemorySpool, page: httpx.Response) -> None:
    after = await press(client, page, "cancel", "ticked", (0, 2))
    assert states(spool) == [State.CANCELLED, State.HELD, State.CANCELLED]
    assert "2件を取り消しました。" in read(after).text
    assert read(after).boxes == ["1"]


async def test_nothing_ticked_is_not_everything(
    client: httpx.AsyncClient, spool: MemorySpool, page: httpx.Response
) -> None:
    after = await press(client, page, "cancel", "ticked")
    assert states(spool) == [State.HELD] * 3
    assert spool.acts == []
    assert "宛先が選ばれていません。" in read(after).text


async def test_enter_in_the_form_presses_the_button_that_does_nothing_unticked(page: httpx.Response) -> None:
    first = read(page).buttons[0]
    assert first["value"] == "ticked"
    assert "formaction" not in first


async def test_too_late_is_said(client: httpx.AsyncClient, spool: MemorySpool, page: httpx.Response) -> None:
    spool.set_state("Q1", 0, State.DELIVERED)  # between the page and the button
    spool.set_state("Q1", 1, State.ACTIVE)
    after = await press(client, page, "cancel", "all")
    text = read(after).text
    assert "1件を取り消しました。" in text
    assert "1件は間に合わず、送信されました。" in text
    assert "1件は送信中のため、取り消せませんでした。" in text
    assert 'role="alert"' in after.text
    assert states(spool) == [State.DELIVERED, State.ACTIVE, State.CANCELLED]


async def test_a_cancel_that_may_come_too_late_says_so(
    client: httpx.AsyncClient, spool: MemorySpool, page: httpx.Response
) -> None:
    """The next hop never answered an earlier attempt: nobody knows whether it has the mail."""
    spool.no_answer("Q1", 0)
    after = await press(client, page, "cancel", "all")
    text = read(after).text
    assert "2件を取り消しました。" in text
    assert "1件は取り消しましたが、すでに届いている可能性があります。" in text
    assert 'role="alert"' in after.text
    assert "取り消しましたが、すでに届いている可能性があります" in text.replace("1件は取り消しましたが", "")
    assert "どの宛先にも送信していません。" not in text


async def test_the_list_tells_who_may_have_it(
    client: httpx.AsyncClient, spool: MemorySpool, links: Links
) -> None:
    hold(spool, "Q1", OUT)
    spool.no_answer("Q1", 0)
    text = read(await client.get(links.url("Q1", SENDER) + "?lang=en")).text
    assert "Waiting to be sent again (may have arrived already)" in text


async def test_who_was_never_held_is_no_alarm(
    client: httpx.AsyncClient, spool: MemorySpool, links: Links
) -> None:
    """A colleague's copy leaves at once: that a cancel for all did not stop it is as intended."""
    hold(spool, "Q1", OUT, inside=("kato@sports.example.jp",))
    page = await client.get(links.url("Q1", SENDER))
    spool.set_state("Q1", 3, State.DELIVERED)
    after = await press(client, page, "cancel", "all")
    text = read(after).text
    assert "3件を取り消しました。" in text
    assert "内部の1件には、保留の対象ではないため、受付後すぐに送信しています。" in text
    assert "間に合わず" not in text
    assert 'role="alert"' not in after.text


async def test_pressing_twice_says_so(
    client: httpx.AsyncClient, spool: MemorySpool, page: httpx.Response
) -> None:
    await press(client, page, "cancel", "all")
    after = await press(client, page, "cancel", "all")
    assert "3件はすでに取り消されています。" in read(after).text
    assert "を取り消しました。" not in read(after).text.replace("このメールは取り消しました", "")


async def test_release(client: httpx.AsyncClient, spool: MemorySpool, page: httpx.Response) -> None:
    after = await press(client, page, "release", "all")
    assert states(spool) == [State.QUEUED] * 3
    assert "3件の保留を解除しました。" in read(after).text


async def test_what_the_sender_decides_is_counted_for_the_rules_that_held(
    client: httpx.AsyncClient, page: httpx.Response
) -> None:
    rule_effects.in_force({})  # what other tests counted goes with the rules
    rule_effects.in_force({"cancel-window": True, "hide-recipients": False})
    await press(client, page, "release", "ticked", (1,))
    await press(client, page, "cancel", "all")
    counted = {
        (s.labels["rule"], s.labels["effect"]): s.value for f in RULE_MAILS.collect() for s in f.samples
    }
    rule_effects.in_force({})
    assert {
        key: value for key, value in counted.items() if key[0] in ("cancel-window", "hide-recipients")
    } == {
        ("cancel-window", "waived"): 1,
        ("cancel-window", "cancelled"): 1,
    }


async def test_release_the_ticked(
    client: httpx.AsyncClient, spool: MemorySpool, page: httpx.Response
) -> None:
    await press(client, page, "release", "ticked", (1,))
    assert states(spool) == [State.HELD, State.QUEUED, State.HELD]


async def test_a_release_that_comes_too_late_or_after_a_cancel(
    client: httpx.AsyncClient, spool: MemorySpool, page: httpx.Response
) -> None:
    spool.set_state("Q1", 0, State.DELIVERED)
    spool.set_state("Q1", 1, State.CANCELLED)
    after = await press(client, page, "release", "all")
    text = read(after).text
    assert "1件の保留を解除しました。" in text
    assert "1件はすでに送信が始まっています。" in text
    assert "1件はすでに取り消されています。" in text


async def test_the_firm_part_stays(
    client: httpx.AsyncClient, spool: MemorySpool, links: Links, clock: HandClock
) -> None:
    partly = Outcome(True, Demands(window=WINDOW, firm=timedelta(minutes=5), form=Form.BCC))
    hold(spool, "Q1", OUT, decision=decision_for((0, 0, 0), (partly,)))
    after = await press(client, await client.get(links.url("Q1", SENDER)), "release", "all")
    assert states(spool) == [State.HELD] * 3
    text = read(after).text
    assert "3件は規則により、まだ送信できません。" in text
    assert "何もしなければ、11月20日(金) 12:05 に送信します。" in text
    assert "「今すぐ送る」ことができません" in text


async def test_the_chosen_language_is_kept(
    client: httpx.AsyncClient, spool: MemorySpool, links: Links
) -> None:
    hold(spool, "Q1", OUT)
    page = await client.get(links.url("Q1", SENDER) + "?lang=en")
    assert "Cancelled for 3 recipients." in read(await press(client, page, "cancel", "all")).text


async def test_a_scanner_that_follows_every_link_changes_nothing(
    client: httpx.AsyncClient, spool: MemorySpool, links: Links
) -> None:
    hold(spool, "Q1", OUT)
    url = links.url("Q1", SENDER)
    for method in ("GET", "HEAD", "OPTIONS"):
        for path in ("", "/cancel", "/release", "/cancel?which=all", "/release?which=all"):
            response = await client.request(method, url + path)
            assert response.status_code == (200 if path == "" and method != "OPTIONS" else 405)
    assert states(spool) == [State.HELD] * 3
    assert spool.acts == []


async def test_an_answer_cannot_be_moved_to_another_mail(
    client: httpx.AsyncClient, spool: MemorySpool, links: Links, page: httpx.Response
) -> None:
    after = await press(client, page, "cancel", "all")
    elsewhere = await client.get(links.url("Q2", SENDER) + f"?{after.url.query.decode()}")
    assert elsewhere.status_code == 200
    assert "取り消しました。" not in elsewhere.text


async def post(
    client: httpx.AsyncClient, page: httpx.Response, headers: dict[str, str], **changed: str
) -> httpx.Response:
    sheet = read(page)
    fields = {**sheet.fields, "which": "all", **changed}
    return await client.post(sheet.action, data=fields, headers=headers)


@pytest.mark.parametrize(
    ("headers", "accepted"),
    [
        ({}, True),  # an old browser over plain HTTP says nothing
        ({"Origin": "null"}, True),  # what Referrer-Policy: no-referrer makes of it
        ({"Origin": ORIGIN}, True),
        ({"Origin": ORIGIN.upper()}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, True),
        ({"Origin": "https://evil.example.com"}, False),
        ({"Origin": f"{ORIGIN}.evil.example.com"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "null"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": ORIGIN}, False),
    ],
)
async def test_only_our_own_page_may_post(
    client: httpx.AsyncClient,
    spool: MemorySpool,
    page: httpx.Response,
    headers: dict[str, str],
    accepted: bool,
) -> None:
    response = await post(client, page, headers)
    assert response.status_code == (303 if accepted else 403)
    assert (states(spool) == [State.CANCELLED] * 3) is accepted


@pytest.mark.parametrize("seal", ["", "x", "W10.x.y"])
async def test_without_the_seal_nothing_happens(
    client: httpx.AsyncClient, spool: MemorySpool, page: httpx.Response, seal: str
) -> None:
    response = await post(client, page, {}, seal=seal)
    assert response.status_code == 403
    assert "何も変更していません" in response.text
    assert spool.acts == []


async def test_the_seal_of_another_page_or_of_an_answer_is_no_seal(
    client: httpx.AsyncClient, spool: MemorySpool, links: Links, page: httpx.Response
) -> None:
    other = read(await client.get(links.url("Q2", SENDER))).fields["seal"]
    assert (await post(client, page, {}, seal=other)).status_code == 403
    answer = links.seal(page.url.path.rpartition("/")[2], {"act": "cancel", "none": 1})
    assert (await post(client, page, {}, seal=answer)).status_code == 403
    assert spool.acts == []


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"which": "everything"}, 400),
        ({"which": ""}, 400),
        ({"which": "ticked", "recipient": "-1"}, 400),
        ({"which": "ticked", "recipient": "1e3"}, 400),
        ({"which": "ticked", "recipient": "9" * 7}, 400),
        ({"which": "ticked", "recipient": "\u0661"}, 400),
    ],
)
async def test_a_form_that_our_page_cannot_send(
    client: httpx.AsyncClient,
    spool: MemorySpool,
    page: httpx.Response,
    fields: dict[str, str],
    status: int,
) -> None:
    assert (await post(client, page, {}, **fields)).status_code == status
    assert spool.acts == []


async def test_forms_are_bounded_and_of_one_kind(
    client: httpx.AsyncClient, spool: MemorySpool, page: httpx.Response
) -> None:
    action, kind = read(page).action, {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await client.post(action, content=b"a" * (3 << 20), headers=kind)).status_code == 413
    assert (await client.post(action, content=b"a&" * 200_000, headers=kind)).status_code == 400
    assert (await client.post(action, content=b"\xff", headers=kind)).status_code == 400
    assert (await client.post(action, files={"seal": b"x"})).status_code == 415
    assert (await client.post(action, json={"which": "all"})).status_code == 415
    assert spool.acts == []


async def test_an_expired_or_forged_link_does_nothing(
    client: httpx.AsyncClient, spool: MemorySpool, page: httpx.Response, clock: HandClock
) -> None:
    sheet = read(page)
    forged = sheet.action.replace("/cancel", "x/cancel")
    assert (await client.post(forged, data={**sheet.fields, "which": "all"})).status_code == 404
    clock.now += timedelta(days=8)
    assert (await post(client, page, {})).status_code == 410
    assert spool.acts == []


async def test_a_store_that_is_down_says_that_nothing_changed(
    client: httpx.AsyncClient, spool: MemorySpool, page: httpx.Response
) -> None:
    spool.down = True
    response = await post(client, page, {})
    assert response.status_code == 503
    assert "何も変更していません" in response.text


async def test_the_page_and_its_answers_tell_of_no_copy(
    client: httpx.AsyncClient, spool: MemorySpool, links: Links
) -> None:
    message = hold(spool, "Q3", (*OUT, "boss@example.org"))
    copied = replace(message, decision=replace(message.decision, copied=1))
    spool.messages["Q3"] = copied
    spool.bodies["Q3"] = spool.bodies["Q3"].replace(b",\r\n boss@example.org", b"")
    page = await client.get(links.url("Q3", SENDER))
    assert OUT[0] in read(page).text
    assert "boss@example.org" not in page.text
    assert read(page).boxes == ["0", "1", "2"]
    after = await press(client, page, "cancel", "all")
    assert "3件を取り消しました。" in read(after).text
    assert "boss@example.org" not in after.text
