"""The sender says how keys get to recipients: what reaches the spool, what the page says then, what a hostile form gets."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, MutableMapping
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from gateway.console.app import create_app
from gateway.console.reach import Reach
from gateway.console.supply_view import NUMBERS_AT_ONCE
from gateway.links import Links
from gateway.policy.protection import Way
from gateway.spool.key_contract import Stage
from gateway.spool.lifecycle import Reason, State
from gateway.spool.values import Actor
from tests.console.browser import answer, read, send, send_raw
from tests.console.conftest import FileSpool, HandClock
from tests.console.handled import OPEN_WAYS, SEALED, protect
from tests.memory_spool import SENDER

THREE = ("sato@example.com", "suzuki@example.net", "tanaka@example.com")
ME = Actor("sender", SENDER)
TICKED, ALL = ("which", "ticked"), ("which", "all")


@pytest.fixture
def url(spool: FileSpool, links: Links) -> str:
    protect(spool, OPEN_WAYS, THREE)
    return links.url("Q1", SENDER)


async def test_the_form_offers_what_the_rules_allow(client: httpx.AsyncClient, url: str) -> None:
    page = await client.get(url)
    sheet = read(page)
    assert "鍵の届け方が決まっていません" in sheet.text
    assert "何も選ばなければ、11月21日(土) 12:00 に送信を取り消します。" in sheet.text
    offered = [tag["value"] for name, tag in sheet.tags if name == "input" and tag.get("name") == "way"]
    assert offered == ["sms", "sender"]
    assert page.text.count('type="tel"') == 3


async def test_every_field_has_a_label(client: httpx.AsyncClient, url: str) -> None:
    """WCAG 2.2, 1.3.1 and 4.1.2: what is not hidden stands in a label, or names itself."""
    page = (await client.get(url)).text
    for found in page.split("<input ")[1:]:
        tag = found.partition(">")[0]
        inside = page.rpartition(found)[0].rpartition("<label")[2].count("</label>") == 0
        named = re.search(r'(?<![-\w])id="([^"]+)"', tag)
        labelled = named is not None and f'<label for="{named[1]}"' in page
        assert 'type="hidden"' in tag or "aria-label" in tag or inside or labelled, tag


async def test_one_way_for_all_who_wait(client: httpx.AsyncClient, spool: FileSpool, url: str) -> None:
    done = await send(
        client, url, "supply", ("way", "sender"), TICKED, *[("recipient", str(n)) for n in range(3)]
    )
    assert "3件の宛先について、鍵の届け方を決めました。" in await answer(client, done)
    assert spool.keys.asked == [("Q1", (0, 1, 2), Way.SENDER, "", ME)]
    assert "鍵の届け方が決まっていません" not in read(await client.get(url)).text


async def test_each_has_a_number_of_their_own(
    client: httpx.AsyncClient, spool: FileSpool, url: str, events: list[MutableMapping[str, Any]]
) -> None:
    numbers = [
        ("number-0", "090-1234-5678"),
        ("number-1", "０８０ー１２３４ー５６７８"),
        ("number-2", "+81 90 1234 5678"),
    ]
    ticked = [("recipient", str(n)) for n in range(3)]
    done = await send(client, url, "supply", ("way", "sms"), TICKED, *ticked, *numbers)
    assert {(each[1], each[3]) for each in spool.keys.asked} == {
        ((0, 2), "+819012345678"),
        ((1,), "+818012345678"),
    }
    text = await answer(client, done)
    assert "3件の宛先について" in text
    for place in (text, done.headers["location"], str(events)):
        assert "12345678" not in place


@pytest.mark.parametrize("number", ["", "03-1234-5678", "110", "abc", "1" * 60, "<b>090</b>"])
async def test_a_wrong_number_stops_nobody_else(
    client: httpx.AsyncClient, spool: FileSpool, url: str, number: str
) -> None:
    fields = [("recipient", "0"), ("recipient", "1"), ("number-0", number), ("number-1", "09012345678")]
    text = await answer(client, await send(client, url, "supply", ("way", "sms"), TICKED, *fields))
    assert "1件の宛先について、鍵の届け方を決めました。" in text
    assert "1件の電話番号が入力されていないか、SMSを受け取れる番号ではありません: sato@example.com" in text
    assert [each[1] for each in spool.keys.asked] == [(1,)]


async def test_numbers_are_not_looked_at_for_another_way(
    client: httpx.AsyncClient, spool: FileSpool, url: str
) -> None:
    fields = [("recipient", "0"), ("number-0", "nonsense")]
    await send(client, url, "supply", ("way", "sender"), TICKED, *fields)
    assert spool.keys.asked == [("Q1", (0,), Way.SENDER, "", ME)]


async def test_nothing_chosen_changes_nothing(client: httpx.AsyncClient, spool: FileSpool, url: str) -> None:
    nobody = await answer(client, await send(client, url, "supply", ("way", "sender"), TICKED))
    assert "宛先が選ばれていません。" in nobody
    no_way = await answer(client, await send(client, url, "supply", TICKED, ("recipient", "0")))
    assert "鍵の届け方が選ばれていません。" in no_way
    assert spool.keys.asked == []


async def test_all_are_those_whose_rules_allow_it(
    client: httpx.AsyncClient, spool: FileSpool, links: Links, url: str
) -> None:
    message = spool.messages["Q1"]
    narrow = replace(message.decision.outcomes[0], handling=replace(OPEN_WAYS, ways=(Way.SMS,)))
    decision = replace(message.decision, outcomes=(message.decision.outcomes[0], narrow), assigned=(0, 0, 1))
    spool.messages["Q1"] = replace(message, decision=decision)
    await send(client, url, "supply", ("way", "sender"), ALL)
    assert spool.keys.asked == [("Q1", (0, 1), Way.SENDER, "", ME)]


async def test_what_the_spool_did_not_do_is_said(
    client: httpx.AsyncClient, spool: FileSpool, url: str
) -> None:
    spool.keys.put("Q1", 0, Way.SENDER, Stage.WAITING)  # from another window
    fields = [("recipient", "0"), ("recipient", "1")]
    done = await send(client, url, "supply", ("way", "sender"), TICKED, *fields)
    text = await answer(client, done)
    assert "1件の宛先について" in text
    assert "1件は変更できませんでした" in text


async def test_who_was_not_reached_can_be_reached_again(
    client: httpx.AsyncClient, spool: FileSpool, links: Links
) -> None:
    protect(spool, replace(SEALED, way=Way.SMS, ways=(Way.SMS, Way.SENDER)), THREE)
    for index in range(3):
        spool.set_state("Q1", index, State.DELIVERED)
        spool.keys.put("Q1", index, Way.SMS, Stage.ARRIVED)
    spool.keys.put("Q1", 1, Way.SMS, Stage.FAILED)
    page = await client.get(links.url("Q1", SENDER))
    assert "鍵を届けられませんでした" in read(page).text
    assert page.text.count('type="tel"') == 1


async def test_keys_that_go_soon_can_be_stopped(
    client: httpx.AsyncClient, spool: FileSpool, links: Links
) -> None:
    """A second mail leaves some minutes after the first: until then its sender may stop it."""
    four = (*THREE, "auditor@example.org")
    protect(spool, replace(SEALED, way=Way.SECOND_MAIL, ways=(Way.SECOND_MAIL,)), four, copied=1)
    url = links.url("Q1", SENDER)
    assert "/stop-keys" not in (await client.get(url)).text  # the mail itself can be cancelled
    for index, stage in enumerate((Stage.READY, Stage.SENT, Stage.READY, Stage.READY)):
        spool.set_state("Q1", index, State.DELIVERED)
        spool.keys.put("Q1", index, Way.SECOND_MAIL, stage)
    assert "まもなく送る鍵2個を送らない" in read(await client.get(url)).text
    text = await answer(client, await send(client, url, "stop-keys"))
    assert "2件の鍵の送付を止めました。" in text
    assert spool.keys.stops == [("Q1", (0, 2), ME, Reason.BY_SENDER)]
    assert "変更できる宛先は残っていませんでした" in await answer(
        client, await send(client, url, "stop-keys")
    )


async def test_a_cancelled_mail_asks_for_no_way(
    client: httpx.AsyncClient, spool: FileSpool, url: str
) -> None:
    for index in range(3):
        spool.set_state("Q1", index, State.CANCELLED)
    assert "/supply" not in (await client.get(url)).text


async def test_a_copy_is_nobodys_to_supply(client: httpx.AsyncClient, spool: FileSpool, links: Links) -> None:
    protect(spool, OPEN_WAYS, (*THREE, "auditor@example.org"), copied=1)
    url = links.url("Q1", SENDER)
    fields = [("recipient", "3"), ("recipient", "0")]
    text = await answer(client, await send(client, url, "supply", ("way", "sender"), TICKED, *fields))
    assert [each[1] for each in spool.keys.asked] == [(0,)]
    assert "auditor" not in text
    await send(client, url, "supply", ("way", "sender"), ALL)
    assert all(3 not in each[1] for each in spool.keys.asked)


@pytest.mark.parametrize(
    "fields",
    [
        [("way", "carrier-pigeon"), TICKED, ("recipient", "0")],
        [("way", "sender"), ("way", "sms"), TICKED, ("recipient", "0")],
        [("way", "sender"), ("recipient", "0")],
        [("way", "sender"), TICKED, ("recipient", "-1")],
        [("way", "sender"), TICKED, ("recipient", "99999999")],
        [("way", "sms"), ALL],
        [("way", "sms"), TICKED, *[("recipient", str(n)) for n in range(NUMBERS_AT_ONCE + 1)]],
    ],
)
async def test_a_form_that_our_page_cannot_send(
    client: httpx.AsyncClient, spool: FileSpool, url: str, fields: list[tuple[str, str]]
) -> None:
    assert (await send(client, url, "supply", *fields)).status_code == 400
    assert spool.keys.asked == []


@pytest.mark.parametrize("verb", ["supply", "stop-keys", "key", "lock", "unlock", "extend", "take-back"])
async def test_no_verb_without_the_seal_of_this_very_page(
    client: httpx.AsyncClient, spool: FileSpool, links: Links, url: str, verb: str
) -> None:
    protect(spool, OPEN_WAYS, THREE, queue_id="Q2")
    other = read(await client.get(links.url("Q2", SENDER))).fields["seal"]
    fields = (("way", "sender"), ALL, ("days", "7"))
    own = read(await client.get(url)).fields["seal"]
    for seal in ("", "forged", other):
        assert (await send_raw(client, url, verb, ("seal", seal), *fields)).status_code == 403
    assert (await send_raw(client, url, verb, ("seal", own), *fields, site="cross-site")).status_code == 403
    assert not [*spool.keys.asked, *spool.keys.shows, *spool.keys.stops, *spool.shares.acts]


@pytest.mark.parametrize("verb", ["supply", "key", "lock", "unlock", "extend", "take-back", "statement"])
async def test_no_token_opens_another_kind_of_page(
    client: httpx.AsyncClient, spool: FileSpool, links: Links, url: str, verb: str
) -> None:
    asked = links.approval_url("Q1", SENDER).rpartition("/")[2]
    shared = links.share_url("Q1", 0).rpartition("/")[2]
    for token in (asked, shared, "x", url.rpartition("/")[2][:-2] + "xx"):
        for answered in (await client.get(f"/m/{token}/{verb}"), await client.post(f"/m/{token}/{verb}")):
            assert answered.status_code in (404, 405)
    assert not [*spool.keys.shows, *spool.shares.acts]


@pytest.mark.parametrize("verb", ["supply", "stop-keys", "key", "lock", "unlock", "extend", "take-back"])
async def test_looking_does_nothing(client: httpx.AsyncClient, spool: FileSpool, url: str, verb: str) -> None:
    """Scanners open every link, with GET and HEAD."""
    spool.keys.tell("Q1", 0)
    for answered in (await client.get(f"{url}/{verb}"), await client.head(f"{url}/{verb}")):
        assert answered.status_code in (200, 303, 405)
        assert spool.keys.keys["Q1"][0].text not in answered.text
    assert not [*spool.keys.asked, *spool.keys.shows, *spool.keys.stops, *spool.shares.acts]


@pytest.fixture
async def japan(spool: FileSpool, links: Links, clock: HandClock) -> AsyncIterator[httpx.AsyncClient]:
    """The pages of a gateway that sends text messages within Japan, and no second mails."""
    reach = Reach(frozenset(Way) - {Way.SECOND_MAIL}, lambda number: number.startswith("+81"))
    zone = ZoneInfo("Asia/Tokyo")
    app = create_app(spool.door(), links, clock, zone, "mx.sports.example.jp", checks={}, reach=reach)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=links.origin) as client:
        yield client


async def test_a_number_of_a_country_that_gets_nothing_is_a_wrong_one(
    japan: httpx.AsyncClient, spool: FileSpool, url: str
) -> None:
    numbers = [("number-0", "+1 202 555 0143"), ("number-1", "090-1234-5678")]
    ticked = [("recipient", "0"), ("recipient", "1")]
    await send(japan, url, "supply", ("way", "sms"), TICKED, *ticked, *numbers)
    assert [(each[1], each[3]) for each in spool.keys.asked] == [((1,), "+819012345678")]


async def test_a_way_that_the_settings_do_not_equip_is_neither_offered_nor_taken(
    spool: FileSpool, links: Links, clock: HandClock, url: str
) -> None:
    zone, reach = ZoneInfo("Asia/Tokyo"), Reach(frozenset({Way.SENDER}))
    app = create_app(spool.door(), links, clock, zone, "mx.sports.example.jp", checks={}, reach=reach)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=links.origin) as client:
        sheet = read(await client.get(url))
        offered = [tag["value"] for name, tag in sheet.tags if name == "input" and tag.get("name") == "way"]
        assert offered == ["sender"]
        done = await send(
            client, url, "supply", ("way", "sms"), TICKED, ("recipient", "0"), ("number-0", "090-1234-5678")
        )
        assert done.status_code == 400
    assert spool.keys.asked == []
