"""A recipient fetches files: code, list, octets, ranges; what the page says and what the headers say."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.console.guard import PAGE_HEADERS
from gateway.policy.protection import Way
from gateway.spool.contract import StoreUnavailable
from gateway.spool.lifecycle import Kind
from tests.console.browser import read
from tests.console.download.conftest import OWN, Desk
from tests.spool.sharing import FIRST, LISTED, PLAN, SECOND, TEXT, linked

CONTENT = PLAN.replace(b"\n", b"\r\n")  # as it stands in the mail


async def test_the_whole_way(desk: Desk, rung: list[int]) -> None:
    person = await desk.recipient(linked())
    page = await person.look()
    assert page.status_code == 200
    assert LISTED not in page.text
    assert "clerk@" not in page.text
    assert "r0@example.com" not in page.text
    assert rung == []
    page = await person.enter()
    assert rung == [1]
    sheet = read(page)
    assert LISTED in sheet.text
    assert "map.txt" in sheet.text
    assert "clerk@sports.example.jp" in sheet.text
    file = await person.fetch(FIRST)
    assert (file.status_code, file.content) == (200, CONTENT)
    assert (await person.fetch(SECOND)).content == TEXT
    told = [e.kind for e in await desk.spool.shares.history(person.queue_id)]
    assert told == [Kind.SHARE_CODE, Kind.SHARE_OPENED, Kind.SHARE_FETCHED, Kind.SHARE_FETCHED]


async def test_looking_spends_nothing(desk: Desk) -> None:
    person = await desk.recipient(linked(downloads=1))
    for method in ("GET", "HEAD"):
        assert (await desk.client.request(method, person.url)).status_code == 200
        assert (await desk.client.request(method, f"{person.url}/f/{FIRST}")).status_code == 303
    for act in ("code", "open"):
        assert (await desk.client.get(f"{person.url}/{act}")).status_code == 405
    assert await desk.spool.shares.history(person.queue_id) == []
    await person.enter()
    head = await desk.client.head(f"{person.url}/f/{FIRST}", headers={"Range": "bytes=0-1"})
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(CONTENT)))
    assert (await person.fetch(FIRST)).status_code == 200


async def test_headers_of_a_file(desk: Desk) -> None:
    person = await desk.recipient(linked())
    await person.enter()
    file = await person.fetch(FIRST)
    assert file.headers["content-type"] == "application/pdf"
    assert file.headers["content-disposition"] == (
        "attachment; filename=\"__ 2026.pdf\"; filename*=UTF-8''%E5%90%8D%E7%B0%BF%202026.pdf"
    )
    assert file.headers["accept-ranges"] == "bytes"
    assert "sandbox" in file.headers["content-security-policy"]
    assert (await person.fetch(SECOND)).headers["content-type"] == "application/octet-stream"
    for answer in (file, await person.look(), await desk.client.get("/d/none")):
        for name in ("cache-control", "x-content-type-options", "referrer-policy", "x-frame-options"):
            assert answer.headers[name] == PAGE_HEADERS[name]


async def test_the_cookie(desk: Desk) -> None:
    person = await desk.recipient(linked())
    answer = await person.post("open", code=await person.code())
    cookie = answer.headers["set-cookie"]
    path = person.url.removeprefix("https://sekisho.example.jp")
    assert cookie.startswith("__Secure-sekisho-files=")
    for part in ("HttpOnly", "SameSite=strict", "Secure", f"Path={path}", "Max-Age=3600"):
        assert part in cookie.split("; ")
    desk.clock.now += timedelta(minutes=61)
    assert (await person.fetch(FIRST)).status_code == 303
    assert LISTED not in (await person.look()).text


@pytest.mark.parametrize(
    ("asked", "status", "start", "end"),
    [
        ("bytes=0-", 206, 0, len(CONTENT)),
        ("bytes=0-0", 206, 0, 1),
        ("bytes=10-19", 206, 10, 20),
        ("bytes=10-99999999999999999999999999", 206, 10, len(CONTENT)),
        ("bytes=-5", 206, len(CONTENT) - 5, len(CONTENT)),
        ("BYTES=-999999", 206, 0, len(CONTENT)),
        ("bytes=20-10", 200, 0, len(CONTENT)),
        ("bytes=0-1,5-6", 200, 0, len(CONTENT)),
        ("bytes=--5", 200, 0, len(CONTENT)),
        ("items=0-1", 200, 0, len(CONTENT)),
        ("bytes=\u0664-", 200, 0, len(CONTENT)),
    ],
)
async def test_ranges(desk: Desk, asked: str, status: int, start: int, end: int) -> None:
    person = await desk.recipient(linked())
    await person.enter()
    url = f"{person.url}/f/{FIRST}"
    file = await desk.client.get(url, headers={b"Range": asked.encode()})
    assert (file.status_code, file.content) == (status, CONTENT[start:end])
    assert file.headers["content-length"] == str(end - start)
    said = f"bytes {start}-{end - 1}/{len(CONTENT)}" if status == 206 else None
    assert file.headers.get("content-range") == said


@pytest.mark.parametrize("asked", [f"bytes={len(CONTENT)}-", "bytes=-0", "bytes=" + "9" * 5_000 + "-"])
async def test_ranges_behind_the_end(desk: Desk, asked: str) -> None:
    person = await desk.recipient(linked(downloads=1))
    await person.enter()
    file = await person.fetch(FIRST, Range=asked)
    assert (file.status_code, file.headers["content-range"]) == (416, f"bytes */{len(CONTENT)}")
    assert (await person.fetch(FIRST)).status_code == 200  # nothing was spent


async def test_a_fetch_goes_on_without_counting_again(desk: Desk) -> None:
    person = await desk.recipient(linked(downloads=1))
    await person.enter()
    first = await person.fetch(FIRST, Range="bytes=0-99")
    rest = await person.fetch(FIRST, Range="bytes=100-", If_Range=first.headers["etag"])
    assert (first.status_code, rest.status_code) == (206, 206)
    assert first.content + rest.content == CONTENT
    again = await person.fetch(FIRST)
    assert again.status_code == 303
    page = await desk.client.get(again.headers["location"])
    assert "上限" in page.text
    other = await person.fetch(FIRST, Range="bytes=100-", If_Range='"something-else"')  # the whole: it counts
    assert other.status_code == 303


async def test_a_key_is_asked_for_where_it_is_needed(desk: Desk) -> None:
    person = await desk.recipient(linked(needs_key=True, way=Way.SMS))
    names = [attrs.get("name") for tag, attrs in read(await person.look()).tags if tag == "input"]
    assert "key" in names
    plain = await desk.recipient(linked())
    names = [attrs.get("name") for tag, attrs in read(await plain.look()).tags if tag == "input"]
    assert "key" not in names


async def test_both_languages(desk: Desk) -> None:
    person = await desk.recipient(linked())
    japanese = await desk.client.get(person.url, headers={"Accept-Language": "ja,en;q=0.5"})
    english = await desk.client.get(person.url, headers={"Accept-Language": "en-GB"})
    chosen = await desk.client.get(person.url + "?lang=en", headers={"Accept-Language": "ja"})
    assert "確認コード" in japanese.text
    assert "Send me a code by mail" in english.text
    assert "Send me a code by mail" in chosen.text
    assert "open?lang=en" in chosen.text


async def test_a_form_for_people_with_a_telephone(desk: Desk) -> None:
    person = await desk.recipient(linked())
    tags = read(await person.look()).tags
    (code,) = [attrs for tag, attrs in tags if tag == "input" and attrs.get("name") == "code"]
    assert (code["inputmode"], code["autocomplete"]) == ("numeric", "one-time-code")
    assert any(tag == "label" and attrs.get("for") == code["id"] for tag, attrs in tags)
    assert not [tag for tag, _ in tags if tag == "script"]


async def test_a_visit_that_is_over_says_so(desk: Desk) -> None:
    person = await desk.recipient(linked())
    await person.enter()
    desk.clock.now += timedelta(hours=2)
    answer = await person.fetch(FIRST)
    assert answer.status_code == 303
    page = await desk.client.get(answer.headers["location"])
    assert "1時間たった" in page.text
    assert "autofocus" not in page.text  # there is no code to enter yet


@pytest.mark.parametrize(
    ("status", "said"), [(403, "メールに書かれたリンク"), (415, "メールに書かれたリンク")]
)
async def test_what_goes_wrong_is_said_to_people_outside(desk: Desk, status: int, said: str) -> None:
    """They have got no notice, and know no administrator."""
    person = await desk.recipient(linked())
    headers = {"Sec-Fetch-Site": "cross-site"} if status == 403 else {**OWN, "Content-Type": "text/plain"}
    answer = await desk.client.post(f"{person.url}/code", content=b"x", headers=headers)
    assert answer.status_code == status
    assert said in answer.text
    assert "管理者" not in answer.text
    assert "通知" not in answer.text


async def test_a_store_that_fails_is_told_to_people_outside(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(*_: object) -> None:
        raise StoreUnavailable("down")

    person = await desk.recipient(linked())
    monkeypatch.setattr(type(desk.spool.shares), "get", down)
    answer = await person.look()
    assert answer.status_code == 503
    assert "送信者" in answer.text
    assert "管理者" not in answer.text


async def test_a_browser_without_cookies_is_told_so(desk: Desk) -> None:
    person = await desk.recipient(linked())
    answer = await person.post("open", code=await person.code())
    desk.client.cookies.clear()
    page = await desk.client.get(answer.headers["location"])
    assert "Cookie" in page.text
    assert LISTED not in page.text
