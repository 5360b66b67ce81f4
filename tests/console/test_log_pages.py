"""The pages of the log: what is found, told, copied and printed; nobody reads another group's log, nor hidden subjects."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest

from gateway.audit import auditing as room
from gateway.audit.auditing import Auditing
from gateway.audit.certificates import verify_certificate
from gateway.audit.offline import verify_export
from gateway.audit.signed import read_public
from gateway.console.app import create_app
from gateway.links import Links
from gateway.people.contract import Grant, Role
from gateway.spool.sql import SqlSpool, open_spool
from gateway.store.events import Event
from gateway.store.keys import MasterKey
from tests.audit.writing import came, later, write
from tests.console.browser import Sheet, read
from tests.console.conftest import ORIGIN, FileSpool, HandClock
from tests.console.signing import KnownSessions, one_of_each

COOKIE = "__Host-sekisho"
ADMIN, AUDITOR, ORDERING, DISTRICT = (
    f"{name}@example.jp" for name in ("admin", "auditor", "ordering-body", "district")
)
HOSTILE = '=HYPERLINK("http://x")<script>'
PAGES = (
    "/log",
    "/log/export",
    "/log/verify",
    "/log/A",
    "/record",
    "/record?group=sports&month=2026-05",
    "/certificates",
)


@pytest.fixture
def people() -> KnownSessions:
    people = one_of_each()
    people.add(DISTRICT, Grant(Role.ORDERING, "sports"))
    return people


@pytest.fixture
async def store(tmp_path: Path, clock: HandClock) -> AsyncIterator[SqlSpool]:
    opened = open_spool(tmp_path / "state", MasterKey(bytes(range(32))), serve=True, clock=clock)
    at = int(clock.now.timestamp() * 1e6) - 3_600_000_000
    await write(
        opened,
        [
            came(
                "A",
                at,
                to=("a@example.com", "b@example.com", "c@example.com"),
                subject="テニス教室",
                rules=("hold",),
            ),
            came(
                "B",
                at + 1,
                sender="boss@pool.example.jp",
                groups=("pool",),
                subject="プール",
                to=("p@example.com",),
            ),
            came("C", at + 2, subject=HOSTILE, to=("=cmd|x@example.com",)),
            Event(at + 3, "A", "cancelled", "by-sender", "sender", "clerk@sports.example.jp", "0-1"),
            Event(at + 4, "A", "delivered", "remote-reply", recipients="2", detail={"reply": "250 ok <b>"}),
            later("A", at + 5, "purged", what="body", master_key="k"),
            later(None, at + 6, "policy"),
        ],
    )
    yield opened
    await opened.close()


@pytest.fixture
def auditing(store: SqlSpool, clock: HandClock) -> Auditing:
    return Auditing(store.database, clock, groups=lambda: ("pool", "sports"))


@pytest.fixture
async def browser(
    spool: FileSpool, links: Links, clock: HandClock, people: KnownSessions, auditing: Auditing
) -> AsyncIterator[httpx.AsyncClient]:
    zone = ZoneInfo("Asia/Tokyo")
    app = create_app(spool.door(), links, clock, zone, "mx.example.jp", sessions=people, auditing=auditing)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=ORIGIN) as client:
        client.cookies.set(COOKIE, AUDITOR)
        yield client


def sign_in(browser: httpx.AsyncClient, login: str) -> None:
    browser.cookies.set(COOKIE, login)


async def post(browser: httpx.AsyncClient, path: str, **fields: str) -> httpx.Response:
    seal = read(await browser.get("/log/export")).fields["seal"]
    return await browser.post(path, data={"seal": seal, **fields}, headers={"origin": ORIGIN})


def found(sheet: Sheet) -> list[str]:
    paths = [tag["href"] for name, tag in sheet.tags if name == "a"]
    return [path.rpartition("/")[2] for path in paths if re.fullmatch(r"/log/[A-Z]", path)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "CBA"),
        ("?subject=テニス", "A"),
        ("?sender=@pool.example.jp", "B"),
        ("?recipient=b@example.com", "A"),
        ("?group=sports", "CA"),
        ("?rule=hold", "A"),
        ("?kind=cancelled", "A"),
        ("?actor=clerk", "CA"),
        ("?since=2030-01-01", ""),
        ("?until=1999-01-01", ""),
    ],
)
async def test_a_search_finds_mails(browser: httpx.AsyncClient, query: str, expected: str) -> None:
    assert "".join(found(read(await browser.get(f"/log{query}")))) == expected


async def test_a_line_says_what_became_of_a_mail(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/log")
    text = read(answer).text
    assert "次のサーバーへ配送 1 / 送信を取り消し 2" in text
    assert "a@example.com, b@example.com、ほか1人" in text
    assert "ポリシーを適用" in text
    assert "<script>" not in answer.text


async def test_a_wrong_day_is_said_beside_its_field(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/log?since=31.2.2026")
    assert 'aria-describedby="f-since-error"' in answer.text
    assert "日付ではありません" in answer.text


async def test_pages_of_the_list_lead_on(browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.console.auditing.asking.PAGE", 2)
    seen, path = "", "/log?group=sports"
    while path:
        answer = await browser.get(path)
        seen += "".join(found(read(answer)))
        follow = re.search(r'rel="next" href="([^"]+)"', answer.text)
        path = follow[1].replace("&amp;", "&") if follow else ""
    assert seen == "CA"
    assert (await browser.get("/log?after=x")).status_code == 404


async def test_a_story_says_who_did_what_and_why(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/log/A")
    text = read(answer).text
    assert "送信を取り消し 送信者 clerk@sports.example.jp 送信者の操作 a@example.com, b@example.com" in text
    assert "250 ok <b>" in text
    assert "/held/A/text" in answer.text
    assert (await browser.get("/log/Z")).status_code == 404


async def test_an_ordering_body_reads_its_own_groups_only(browser: httpx.AsyncClient) -> None:
    sign_in(browser, DISTRICT)
    assert found(read(await browser.get("/log"))) == ["C", "A"]
    answer = await browser.get("/log?group=pool")
    assert found(read(answer)) == []
    for path in ("/log/B", "/record?group=pool&month=2026-05"):
        assert (await browser.get(path)).status_code == 404
    assert "/text" not in (await browser.get("/log/A")).text
    copied = await post(browser, "/log/export", form="jsonl")
    assert {json.loads(line)["queue_id"] for line in copied.text.splitlines()} == {"A", "C"}
    assert (
        await post(browser, "/log/export", form="proof", since="2026-01-01", until="2027-01-01")
    ).status_code == 403
    assert (await post(browser, "/certificates", since="2026-01-01", until="2027-01-01")).status_code == 404
    made = await post(browser, "/certificates", since="2026-01-01", until="2027-01-01", group="sports")
    assert made.headers["location"] == "/certificates/1"
    sign_in(browser, AUDITOR)
    assert (await post(browser, "/certificates", since="2026-01-01", until="2027-01-01")).status_code == 303
    sign_in(browser, DISTRICT)
    assert (await browser.get("/certificates/2")).status_code == 404
    listed = read(await browser.get("/certificates")).tags
    assert [tag["href"] for name, tag in listed if tag.get("href", "").startswith("/certificates/")] == [
        "/certificates/1"
    ]


async def test_subjects_can_be_kept_from_ordering_bodies(
    browser: httpx.AsyncClient, auditing: Auditing
) -> None:
    auditing.subjects_for_ordering = False
    for login, sees in ((ORDERING, False), (DISTRICT, False), (AUDITOR, True), (ADMIN, True)):
        sign_in(browser, login)
        for path in ("/log", "/log/A"):
            assert ("テニス" in (await browser.get(path)).text) == sees
        assert (found(read(await browser.get("/log?subject=テニス"))) == ["A"]) == sees
        copied = await post(browser, "/log/export", form="jsonl", subject="テニス")
        assert ("テニス" in copied.text) == sees
        assert (len(copied.text.splitlines()) < 5) == sees or login == DISTRICT


async def test_a_table_computes_nothing(browser: httpx.AsyncClient) -> None:
    copied = await post(browser, "/log/export", form="csv", subject="HYPERLINK")
    assert copied.headers["content-disposition"].endswith('.csv"')
    assert copied.content.startswith(b"\xef\xbb\xbf")
    assert ",\"'=HYPERLINK" in copied.text
    for cell in re.split(r"[,\r\n]", copied.text):
        assert not cell.strip('"').startswith(("=", "+", "-", "@", "\t"))


async def test_every_copy_is_an_event(browser: httpx.AsyncClient) -> None:
    await post(browser, "/log/export", form="csv", group="sports")
    (line,) = (await post(browser, "/log/export", form="jsonl", kind="exported")).text.splitlines()
    told = json.loads(line)
    assert told["actor"] == {"kind": "auditor", "name": AUDITOR}
    assert told["detail"]["asked"] == {"group": "sports"}
    assert told["detail"]["events"] == 5


async def test_a_copy_is_bounded_and_leaves_no_file(
    browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = {*tmp_path.iterdir()}
    await post(browser, "/log/export", form="csv")
    monkeypatch.setattr(room, "MOST_EVENTS", 2)
    for form in ("csv", "proof"):
        answer = await post(browser, "/log/export", form=form, since="2026-01-01", until="2027-01-01")
        assert answer.status_code == 422
        assert "期間を短くしてください" in answer.text
    assert (await post(browser, "/log/export", form="proof")).status_code == 422
    assert (await post(browser, "/log/export", form="exe")).status_code == 422
    assert {*tmp_path.iterdir()} == before


async def test_a_copy_with_proof_and_a_certificate_are_verified_with_the_key_on_the_page(
    browser: httpx.AsyncClient, tmp_path: Path, clock: HandClock
) -> None:
    answer = await post(browser, "/log/export", form="proof", since="2026-01-01", until="2027-01-01")
    assert zipfile.is_zipfile(io.BytesIO(answer.content))
    (tmp_path / "proof.zip").write_bytes(answer.content)
    page = await post(browser, "/log/verify")
    assert "記録は正常です" in page.text
    public = read_public(re.search(r"ed25519:[\w-]{43}", page.text)[0])  # type: ignore[index]
    assert verify_export(tmp_path / "proof.zip", public).problem == ""
    clock.now += timedelta(hours=1)
    made = await post(browser, "/certificates", since="2026-01-01", until="2027-01-01")
    paper = read(await browser.get(made.headers["location"])).text
    assert "メール1通の本文と添付ファイル" in paper
    file = await browser.get(made.headers["location"] + "/file")
    assert verify_certificate(file.text, public)["bodies"] == 1
    assert (await post(browser, "/certificates", since="2026-02-01", until="x")).status_code == 422
    for number in ("9", "0x1", "٣", "9" * 30):
        assert (await browser.get(f"/certificates/{number}")).status_code == 404


async def test_an_altered_log_is_told(browser: httpx.AsyncClient, store: SqlSpool) -> None:
    def alter(tx: object) -> None:
        tx.connection.exec_driver_sql("UPDATE events SET detail = '{}' WHERE seq = 2")  # type: ignore[attr-defined]

    await store.database.committer.run(alter)
    answer = await post(browser, "/log/verify")
    assert "記録に異常があります" in answer.text
    assert "event 2 was altered" in answer.text


async def test_the_record_of_a_month_fits_the_form(browser: httpx.AsyncClient, clock: HandClock) -> None:
    when = clock.now.astimezone(ZoneInfo("Asia/Tokyo")).strftime("%Y-%m")
    text = read(await browser.get(f"/record?group=sports&month={when}")).text
    for line in ("受け付けたメール（通） 2", "送信を取り消した宛先（件） 2", "送信した宛先（件） 1"):
        assert line in text
    assert "誤送信の報告はありません" in text
    for heading in (
        "送信メール管理記録",
        "受託者",
        "承認者",
        "誤送信の有無",
        "削除",
        "検証結果",
        "確認欄",
        "(月の途中",
    ):
        assert heading.strip("(") in text
    assert (await browser.get("/record?group=sports&month=2026-13")).status_code == 422


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_speaks_both_languages(browser: httpx.AsyncClient, path: str) -> None:
    japanese = await browser.get(path)
    english = await browser.get(path + ("&" if "?" in path else "?") + "lang=en")
    assert (japanese.status_code, english.status_code) == (200, 200)
    own = (
        english.text.replace("テニス教室", "").replace("プール", "").replace("日本語", "").replace("関所", "")
    )
    assert not re.search("[ぁ-んァ-ヶ一-龠]", own)
    for page in (japanese.text, english.text):
        assert "style=" not in page
        assert len(page.encode()) < 40_000
