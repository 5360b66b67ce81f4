"""Somebody who should not have the files: guesses, replays, asks for too much, and looks for a difference between answers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from http.cookies import SimpleCookie

import httpx
import pytest

from gateway.console.download.pace import FETCHES_OF_LINK, OF_LINK
from gateway.policy.handling import Attached
from gateway.spool.lifecycle import Kind
from gateway.spool.shares_codes import ASKED, MAX_ENTERED, TRIES
from gateway.spool.values import Actor
from tests.console.browser import read
from tests.console.download.conftest import OWN, Desk, Recipient
from tests.spool.mails import LEASE
from tests.spool.sharing import DAY, FIRST, HOUR, LISTED, SECOND, WITH_FILES, linked

CLERK = Actor("sender", "clerk@sports.example.jp")


def cookie_of(answer: httpx.Response) -> tuple[str, str]:
    ((name, morsel),) = SimpleCookie(answer.headers["set-cookie"]).items()
    return name, morsel.value


async def test_guesses_in_parallel_are_counted_and_end_the_code(desk: Desk) -> None:
    person = await desk.recipient(linked())
    code = await person.code()
    fields = read(await person.look()).fields
    guesses = [f"{(int(code) + step) % 10**8:08d}" for step in range(1, 20)]
    url = f"{person.url}/open"
    answers = await asyncio.gather(
        *[desk.client.post(url, data={**fields, "code": guess}, headers=OWN) for guess in guesses]
    )
    assert {answer.status_code for answer in answers} == {303}
    assert not [answer for answer in answers if "set-cookie" in answer.headers]
    right = await desk.client.post(url, data={**fields, "code": code}, headers=OWN)
    assert "set-cookie" not in right.headers
    denied = [e for e in await desk.spool.shares.history(person.queue_id) if e.kind is Kind.SHARE_DENIED]
    assert len(denied) == TRIES


async def test_more_forms_than_a_person_posts_are_not_looked_at(desk: Desk) -> None:
    person = await desk.recipient(linked())
    fields = read(await person.look()).fields
    url = f"{person.url}/open"
    statuses = [
        (await desk.client.post(url, data={**fields, "code": "1"}, headers=OWN)).status_code
        for _ in range(OF_LINK + 1)
    ]
    assert statuses == [303] * OF_LINK + [429]
    other = await desk.recipient(linked())
    assert (await other.post("code")).status_code == 303
    desk.clock.now += timedelta(minutes=10)
    assert (await person.post("code")).status_code == 303


async def test_too_many_letters_look_like_a_letter(desk: Desk) -> None:
    person = await desk.recipient(linked())
    answers = [await person.post("code") for _ in range(ASKED + 2)]
    assert {answer.status_code for answer in answers} == {303}
    assert len(await desk.spool.notices.pending(100)) == ASKED


async def test_a_code_and_a_cookie_are_good_behind_one_link(desk: Desk) -> None:
    mine = await desk.recipient(linked(2))
    other = replace(mine, number=1)
    third = await desk.recipient(linked())
    for target in (other, third):
        await target.code()
        answer = await target.post("open", code=await mine.code())
        assert "set-cookie" not in answer.headers
        desk.clock.now += HOUR
    answer = await mine.post("open", code=await mine.code())
    name, value = cookie_of(answer)
    desk.client.cookies.clear()
    for target in (other, third):
        seen = await desk.client.get(target.url, headers={"Cookie": f"{name}={value}"})
        assert LISTED not in seen.text
        file = await desk.client.get(f"{target.url}/f/{FIRST}", headers={"Cookie": f"{name}={value}"})
        assert file.status_code == 303
    seal = read(await mine.look()).fields["seal"]
    for made in (seal, "", "x", value[:-2]):  # what else was sealed to the link is no cookie
        seen = await desk.client.get(mine.url, headers={"Cookie": f"{name}={made}"})
        assert LISTED not in seen.text


async def test_a_code_is_not_good_twice(desk: Desk) -> None:
    person = await desk.recipient(linked())
    code = await person.code()
    fields = read(await person.look()).fields
    posts = [
        desk.client.post(f"{person.url}/open", data={**fields, "code": code}, headers=OWN) for _ in range(8)
    ]
    answers = await asyncio.gather(*posts)
    assert sum("set-cookie" in answer.headers for answer in answers) == 1


async def test_no_more_downloads_at_once_than_are_left(desk: Desk) -> None:
    person = await desk.recipient(linked(downloads=2))
    await person.enter()
    answers = await asyncio.gather(*[person.fetch(FIRST) for _ in range(6)])
    assert sorted(answer.status_code for answer in answers) == [200, 200, 303, 303, 303, 303]
    pieces = await asyncio.gather(*[person.fetch(SECOND, Range="bytes=1-") for _ in range(6)])
    assert {each.status_code for each in pieces} == {206}
    fetched = dict((await desk.spool.shares.get(person.queue_id, 0, desk.clock.now)).fetched)
    assert fetched == {FIRST: 2, SECOND: 1}


async def test_more_streams_behind_a_link_than_a_client_needs(desk: Desk) -> None:
    person = await desk.recipient(linked())
    await person.enter()
    answers = await asyncio.gather(*[person.fetch(FIRST) for _ in range(30)])
    counted = [answer.status_code for answer in answers]
    assert set(counted) <= {200, 503}
    assert 200 in counted
    assert (await person.fetch(FIRST)).status_code == 200


async def test_fetching_without_end_ends(desk: Desk) -> None:
    person = await desk.recipient(linked())
    await person.enter()
    statuses = [
        (await person.fetch(SECOND, Range="bytes=0-0")).status_code for _ in range(FETCHES_OF_LINK + 1)
    ]
    assert statuses == [206] * FETCHES_OF_LINK + [429]


@pytest.mark.parametrize(
    "place", ["0", "1", "4", "99", "-1", "2.0", "２", "%32%2e", "9" * 5_000, "..%2f..%2fetc%2fpasswd", "2%00"]
)
async def test_what_is_no_file_of_the_share(desk: Desk, place: str) -> None:
    person = await desk.recipient(linked())
    await person.enter()
    answer = await desk.client.get(f"{person.url}/f/{place}")
    assert answer.status_code == 404
    assert not [e for e in await desk.spool.shares.history(person.queue_id) if e.kind is Kind.SHARE_FETCHED]


async def ended(desk: Desk, how: str) -> Recipient:
    """Return somebody whose share is not there, one way or the other."""
    person = await desk.recipient(linked(downloads=1 if how == "used-up" else 0, expires=DAY))
    shares, now = desk.spool.shares, desk.clock.now
    if how == "used-up":
        await person.enter()
        for place in (FIRST, SECOND):
            assert (await person.fetch(place)).status_code == 200
        desk.client.cookies.clear()
    elif how == "locked":
        await shares.lock(person.queue_id, None, CLERK, now)
    elif how == "expired":
        desk.clock.now += DAY
    elif how == "ended":
        await shares.end_expired(now + DAY, 10)
    elif how == "not-sent":
        return replace(person, queue_id=await desk.spool.accept(linked(window=HOUR)))
    elif how == "unknown":
        return replace(person, queue_id="5Q00000000000000")
    elif how == "no-link-file":
        return replace(person, number=7)
    return person


@pytest.mark.parametrize(
    "how", ["used-up", "locked", "expired", "ended", "not-sent", "unknown", "no-link-file"]
)
async def test_a_stranger_sees_the_same_whatever_it_was(desk: Desk, how: str) -> None:
    forged = await desk.client.get("/d/WyI1UTAwMCIsMF0.c2lnbmF0dXJl")
    person = await ended(desk, how)
    page = await person.look()
    assert (page.status_code, page.content) == (404, forged.content)
    assert page.headers == forged.headers
    for place in (FIRST, 99):
        file = await person.fetch(place)
        assert (file.status_code, file.content) == (404, forged.content)
    token = person.url.rpartition("/")[2]
    seal = person.links.seal(token, {"form": 1})
    for act in ("code", "open"):
        fields = {"seal": seal, "code": "12345678", "key": "abc"}
        answer = await desk.client.post(f"{person.url}/{act}", data=fields, headers=OWN)
        assert (answer.status_code, answer.content) == (404, forged.content)
    kinds = {notice.kind.value for notice in await desk.spool.notices.pending(100)}
    assert kinds <= ({"code"} if how == "used-up" else set())


async def test_a_visit_ends_with_its_share(desk: Desk) -> None:
    person = await desk.recipient(linked())
    await person.enter()
    await desk.spool.shares.lock(person.queue_id, None, CLERK, desk.clock.now)
    assert (await person.fetch(FIRST)).status_code == 404
    assert (await person.fetch(FIRST, Range="bytes=5-")).status_code == 404
    assert LISTED not in (await person.look()).text


async def test_links_of_other_kinds_open_nothing(desk: Desk) -> None:
    person = await desk.recipient(linked())
    token = desk.links.url(person.queue_id, "r0@example.com").rpartition("/")[2]
    approver = desk.links.approval_url(person.queue_id, "r0@example.com").rpartition("/")[2]
    for other in (token, approver):
        assert (await desk.client.get(f"/d/{other}")).status_code == 404
    mine = person.url.rpartition("/")[2]
    for page in ("m", "a"):
        assert (await desk.client.get(f"/{page}/{mine}")).status_code == 404


async def test_a_form_from_another_site_or_without_our_seal(desk: Desk) -> None:
    person = await desk.recipient(linked())
    fields = read(await person.look()).fields
    elsewhere = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example.net"}
    assert (await desk.client.post(f"{person.url}/code", data=fields, headers=elsewhere)).status_code == 403
    assert (await desk.client.post(f"{person.url}/code", data={"a": "b"}, headers=OWN)).status_code == 403
    other = await desk.recipient(linked())
    assert (await desk.client.post(f"{other.url}/code", data=fields, headers=OWN)).status_code == 403
    assert await desk.spool.notices.pending(10) == []


async def test_a_form_that_is_none_of_ours_is_cut_short(desk: Desk) -> None:
    """Whoever has no link may post here: memory and the time of parsing are worth less than a sender's page may take."""
    person = await desk.recipient(linked())
    for url in (f"{person.url}/code", f"{person.url}/open", "/d/forged/code", "/d/forged/open"):
        many = await desk.client.post(url, data={f"f{n}": "" for n in range(4_000)}, headers=OWN)
        assert many.status_code == 413
    typed = {"code": "９" * 40, "key": "ｗ" * MAX_ENTERED}
    assert (await person.post("open", **typed)).status_code == 303


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"])
async def test_other_methods(desk: Desk, method: str) -> None:
    person = await desk.recipient(linked())
    await person.enter()
    for url in (person.url, f"{person.url}/f/{FIRST}"):
        assert (await desk.client.request(method, url)).status_code == 405


@pytest.mark.parametrize(
    "name",
    [
        'a".html\r\nSet-Cookie: x=1',
        "../../etc/passwd",
        "C:\\Windows\\x.exe",
        "\u202egpj.exe",
        "名" * 3_000,
        "con.txt",
        "\ud800.txt",
        "a;b=c'd%22.txt",
        "",
    ],
)
async def test_names_stay_names(desk: Desk, name: str) -> None:
    files = (Attached(FIRST, name, "text", 5, "plain"),)
    person = await desk.recipient(linked(files=files))
    page = await person.enter()
    file = await person.fetch(FIRST)
    assert file.status_code == 200
    assert "set-cookie" not in file.headers
    said = file.headers["content-disposition"]
    assert said.startswith('attachment; filename="')
    assert said.count('"') == 2
    assert said.isascii()
    assert len(said) < 1_200
    assert not {"/", "\\", "\r", "\n", "\u202e"} & set(said.split('"')[1])
    assert "\u202e" not in page.text


async def test_a_body_that_cannot_be_read(desk: Desk) -> None:
    broken = WITH_FILES.replace(b"5Lya5aC044Gu5Zyw5ZuzCg==", b"5Lya5aC0!!!!")
    person = await desk.recipient(linked(raw=broken, downloads=1))
    await person.enter()
    answer = await person.fetch(SECOND)
    assert answer.status_code == 500
    assert "再送" in answer.text
    assert not (await desk.spool.shares.get(person.queue_id, 0, desk.clock.now)).fetched


async def test_nobody_else_gets_in_while_the_mail_is_on_its_way_again(desk: Desk) -> None:
    queue_id = await desk.spool.accept(linked())
    (claim,) = await desk.spool.claim(desk.clock.now, 10, LEASE)
    person = Recipient(desk.spool, desk.links, desk.client, desk.clock, queue_id)
    assert (await person.look()).status_code == 200
    assert claim.message.queue_id == queue_id
