"""The page about one's own absences: said, shown, taken back; what is wrong stands beside its field."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import httpx
import pytest

from gateway.console.app import create_app
from gateway.console.approvals.absence_view import moment
from gateway.console.gate import COOKIE
from gateway.links import Links
from gateway.people.contract import Grant, Role
from gateway.spool.attendance import Absence
from gateway.spool.sql import SqlSpool, open_spool
from gateway.spool.values import Actor
from tests.console.conftest import ORIGIN, SECRET, HandClock
from tests.console.signing import KnownSessions
from tests.spool.asking import CHIEF, DEPUTY, HOUR
from tests.spool.conftest import MASTER
from tests.spool.mails import MINUTE, T0

PATH = "/approvals/absence"
TOKYO = ZoneInfo("Asia/Tokyo")
OTHER = "chief.private@sports.example.jp"


@pytest.fixture
async def spool(tmp_path: Path) -> AsyncIterator[SqlSpool]:
    opened = open_spool(tmp_path / "state", MASTER, serve=True, clock=lambda: T0)
    yield opened
    await opened.close()


@pytest.fixture
async def client(spool: SqlSpool) -> AsyncIterator[httpx.AsyncClient]:
    clock = HandClock(T0 + MINUTE)
    sessions = KnownSessions()
    sessions.add("chief", Grant(Role.APPROVER), addresses=(CHIEF, OTHER))
    links = Links(SECRET, ORIGIN, timedelta(days=7), clock)
    app = create_app(spool, links, clock, TOKYO, "mx.sports.example.jp", sessions=sessions)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url=ORIGIN, follow_redirects=True, cookies={COOKIE: "chief"}
    ) as client:
        yield client


async def post(client: httpx.AsyncClient, path: str = PATH, **fields: str) -> httpx.Response:
    seal = re.search(r'name="seal" value="([^"]+)"', (await client.get(PATH)).text)
    assert seal is not None
    content = urlencode({"seal": seal[1], **fields})
    return await client.post(
        path, content=content, headers={"content-type": "application/x-www-form-urlencoded"}
    )


async def test_what_is_said_counts_for_all_mailboxes_and_can_be_taken_back(
    client: httpx.AsyncClient, spool: SqlSpool
) -> None:
    answer = await post(client, since="2026-04-02T09:00", until="2026-04-03T13:00", note="出張 <b>")
    assert answer.status_code == 200
    for told in ("登録しました。", "4月2日(木) 09:00", "4月3日(金) 13:00", "出張 &lt;b&gt;"):
        assert told in answer.text
    found = await spool.absences.of([CHIEF, OTHER], T0)
    begins, ends = datetime(2026, 4, 2, tzinfo=UTC), datetime(2026, 4, 3, 4, tzinfo=UTC)
    assert [(each.person, each.since, each.until) for each in found] == [
        (person, begins, ends) for person in (OTHER, CHIEF)
    ]
    named = re.search(r'name="since" value="([^"]+)"', answer.text)
    assert named is not None
    answer = await post(client, f"{PATH}/remove", since=html.unescape(named[1]))
    assert "在席として扱います" in answer.text
    assert await spool.absences.of([CHIEF, OTHER], T0) == ()


@pytest.mark.parametrize(
    ("since", "until", "sentence"),
    [
        ("", "2026-04-03", "日付と時刻を入れてください。"),
        ("2026-04-03T09:00", "x", "日付と時刻を入れてください。"),
        ("2026-04-03T09:00", "2026-04-03T09:00", "終わりは、始まりより後にしてください。"),
        ("2026-03-01", "2026-03-02", "この期間はすでに過ぎています。"),
        ("2026-04-03", "2027-06-03", "一度に登録できるのは1年までです。"),
        ("2062-04-03", "2062-04-04", "年を確かめてください。"),
    ],
)
async def test_what_is_wrong_stands_beside_its_field(
    client: httpx.AsyncClient, spool: SqlSpool, since: str, until: str, sentence: str
) -> None:
    answer = await post(client, since=since, until=until, note="留守")
    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert 'value="留守"' in answer.text
    assert await spool.absences.of([CHIEF, OTHER], T0) == ()


async def test_nobody_touches_the_absences_of_others(client: httpx.AsyncClient, spool: SqlSpool) -> None:
    theirs = Absence(DEPUTY, T0 + HOUR, T0 + 9 * HOUR)
    await spool.absences.say(theirs, Actor("approver", DEPUTY), T0)
    assert "18:00" not in (await client.get(PATH)).text
    await post(client, f"{PATH}/remove", since=theirs.since.isoformat(), person=DEPUTY)
    assert await spool.absences.of([DEPUTY], T0) == (theirs,)


@pytest.mark.parametrize("since", ["", "x" * 4000, "2026-04-02", "9" * 39])
async def test_a_form_that_is_not_ours_is_refused(client: httpx.AsyncClient, since: str) -> None:
    assert (await post(client, f"{PATH}/remove", since=since)).status_code == 400


@pytest.mark.parametrize(
    ("text", "end", "wanted"),
    [
        ("2026-04-02", False, datetime(2026, 4, 1, 15, tzinfo=UTC)),
        ("2026-04-02", True, datetime(2026, 4, 2, 15, tzinfo=UTC)),
        ("2026-04-02T09:30", True, datetime(2026, 4, 2, 0, 30, tzinfo=UTC)),
        ("2026-04-02T09:30+09:00", True, None),
        ("0001-01-01", False, None),
        ("9999-12-31", True, None),
        ("2026-02-30", False, None),
        ("", False, None),
    ],
)
def test_times_as_browsers_write_them(text: str, end: bool, wanted: datetime | None) -> None:
    assert moment(text, TOKYO, end=end) == wanted
