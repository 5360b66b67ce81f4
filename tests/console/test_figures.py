"""/figures: what a manager reads, for whom it concerns, in both languages; the numbers as a file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import httpx
import pytest

from gateway.audit.daily import Day, Measure
from gateway.audit.rule_figures import RuleFigures
from gateway.audit.rules import Effect
from gateway.console.app import create_app
from gateway.console.figures import FigureSources
from gateway.console.figures_view import first_day
from gateway.links import Links
from gateway.people.contract import Grant, Role
from gateway.policy.load import load_policy
from gateway.spool.list_contract import Scope
from tests.console.browser import read
from tests.console.conftest import ORIGIN, FileSpool, HandClock
from tests.console.signing import KnownSessions, one_of_each

POLICY = """
version: 1
organisation: {name: test, internal: [city.example.lg.jp]}
rules:
  - id: cancel-window
    reason: {ja: 外部への送信です, en: mail going outside}
    when: {external: {at_least: 1}}
    then: {hold: 10m}
  - id: quiet
    reason: {ja: "<i>静か", en: "<i>quiet"}
    when: {external: {at_least: 900}}
    then: {hold: 10m}
"""
COOKIE = "__Host-sekisho"
TODAY = date(2026, 11, 20)


@dataclass
class Counted:
    """Both sources of figures, with the same numbers every day, and what they were asked."""

    scopes: list[Scope] = field(default_factory=list)
    asked: list[tuple[date, date]] = field(default_factory=list)
    quiet: bool = False

    def today(self) -> date:
        return TODAY

    async def days(self, scope: Scope, first: date, last: date) -> tuple[Day, ...]:
        self.scopes.append(scope)
        self.asked.append((first, last))
        counts = {Measure.FREE: 5, Measure.HELD: 3, Measure.SAVED: 1, Measure.APPROVED: 2}
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        return tuple(Day(day) if self.quiet else Day(day, counts, (1, 0, 0, 1, 0)) for day in days)

    async def figures(self, scope: Scope, holds: Mapping[str, bool], days: tuple[Day, ...]) -> RuleFigures:
        self.scopes.append(scope)
        done = {
            "cancel-window": Effect(matched=90, held=60, cancelled=30, waived=2, waited=10, waited_s=6000)
        }
        effects = {rule: Effect() for rule in holds} | (
            {} if self.quiet else {**done, "<b>gone": Effect(matched=1)}
        )
        return RuleFigures(days[0].day, effects)


@pytest.fixture
def counted() -> Counted:
    return Counted()


@pytest.fixture
def people() -> KnownSessions:
    people = one_of_each()
    people.add("district@example.jp", Grant(Role.ORDERING, "sports"), Grant(Role.AUDITOR, "library"))
    return people


@pytest.fixture
async def browser(
    spool: FileSpool, links: Links, clock: HandClock, people: KnownSessions, counted: Counted
) -> AsyncIterator[httpx.AsyncClient]:
    policy = load_policy({"a.yaml": POLICY})
    sources = FigureSources(counted, counted, lambda: policy)  # type: ignore[arg-type]
    zone = ZoneInfo("Asia/Tokyo")
    app = create_app(spool.door(), links, clock, zone, "mx.example.jp", sessions=people, figures=sources)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=ORIGIN) as client:
        client.cookies.set(COOKIE, "admin@example.jp")
        yield client


async def test_a_manager_reads_the_sums(browser: httpx.AsyncClient) -> None:
    text = read(await browser.get("/figures")).text
    assert "メール 240 職員が送信したメール" in text
    assert "保留したメール 90 全体の38%" in text
    assert "送信を止めたメール 30" in text
    assert "1時間以内の承認 50% 承認60件のうち" in text
    assert "対象: 組織全体のメール" in text
    english = read(await browser.get("/figures?lang=en")).text
    assert "Stopped by somebody 30" in english
    assert "50% of the approvals came within an hour." in english


async def test_each_plot_has_a_name_a_summary_and_its_table(browser: httpx.AsyncClient) -> None:
    html = (await browser.get("/figures")).text
    for name in ("mails", "saves", "waits"):
        assert f'aria-labelledby="{name}-title {name}-desc"' in html
        assert f'<title id="{name}-title">' in html
        assert f'<desc id="{name}-desc">' in html
    text = read(await browser.get("/figures")).text
    assert "最も多いのは10月22日(木)の8件です" in text
    assert "11月20日(金) 3 5 0" in text, "the table"
    assert " style=" not in html


async def test_rules_are_told_with_their_reasons_and_escaped(browser: httpx.AsyncClient) -> None:
    html = (await browser.get("/figures")).text
    assert "外部への送信です" in html
    assert re.search(r"30 <span class=.quiet.>\(50%\)", html)
    assert "10分" in html
    assert "<b>gone" not in html
    assert "&lt;b&gt;gone" in html
    assert "現在は使われていない規則" in html
    assert "この期間に一度も該当していない規則(1件)" in html


async def test_twelve_months_begin_with_a_month(browser: httpx.AsyncClient, counted: Counted) -> None:
    text = read(await browser.get("/figures?span=12m")).text
    assert counted.asked == [(date(2025, 12, 1), TODAY)]
    assert "2026年11月 60 100 0" in text
    assert [first_day("12m", date(2026, 12, 31)), first_day("30d", TODAY)] == [
        date(2026, 1, 1),
        date(2026, 10, 22),
    ]


async def test_an_unknown_span_is_the_first(browser: httpx.AsyncClient, counted: Counted) -> None:
    assert (await browser.get("/figures?span=999999d")).status_code == 200
    assert counted.asked == [(date(2026, 10, 22), TODAY)]


async def test_nothing_yet_is_said_in_words(browser: httpx.AsyncClient, counted: Counted) -> None:
    counted.quiet = True
    text = read(await browser.get("/figures")).text
    assert "この期間にはありません。" in text
    assert "この期間に該当した規則はありません。" in text


@pytest.mark.parametrize(
    ("who", "scope"),
    [
        ("admin@example.jp", Scope(everything=True)),
        ("auditor@example.jp", Scope(everything=True)),
        ("ordering-body@example.jp", Scope(everything=True)),
        ("district@example.jp", Scope(groups=frozenset({"sports", "library"}))),
    ],
)
async def test_everybody_sees_what_concerns_them(
    browser: httpx.AsyncClient, counted: Counted, who: str, scope: Scope
) -> None:
    browser.cookies.set(COOKIE, who)
    page = await browser.get("/figures")
    await browser.get("/figures.csv")
    assert page.status_code == 200
    assert set(counted.scopes) == {scope}
    if scope.groups:
        assert "library, sports" in page.text
        assert "この期間に一度も" not in page.text, "the rules of others are not theirs to know"


@pytest.mark.parametrize("who", ["sender@example.jp", "approver@example.jp"])
@pytest.mark.parametrize("path", ["/figures", "/figures.csv"])
async def test_nobody_else_does(browser: httpx.AsyncClient, counted: Counted, who: str, path: str) -> None:
    browser.cookies.set(COOKIE, who)
    assert (await browser.get(path)).status_code == 403
    assert not counted.scopes


async def test_the_numbers_come_as_a_file(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/figures.csv?span=12m")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="figures-2026-11-20-12m.csv"'
    assert answer.headers["cache-control"] == "no-store"
    assert answer.content.startswith(b"\xef\xbb\xbf")
    head, *lines = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert head[:4] == ["日", "メール", "保留", "保留せずに送信"]
    assert len(lines) == 355
    assert {len(line) for line in [head, *lines]} == {len(head)}
    assert lines[-1] == ["2026-11-20", "8", "3", "5", "0", "1", "0", "0", "2", "0", "1", "0", "0", "1", "0"]
    assert all(re.fullmatch(r"[\d-]+", cell) for line in lines for cell in line)


async def test_the_page_is_small(browser: httpx.AsyncClient) -> None:
    assert len((await browser.get("/figures")).content) < 40_000
