"""The letter of the day on both stores: who gets one, with what in it, once a day, and who has switched it off."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from zoneinfo import ZoneInfo

import pytest

from gateway.config.sign_in_settings import SignIn
from gateway.links import Links
from gateway.message.address import parse_path
from gateway.notices.digest import DigestLetters
from gateway.notices.digest_days import Days, is_working_day
from gateway.notices.digest_worker import Circle, DigestWorker, nobody, unsaid
from gateway.notices.letter import Author
from gateway.notices.wording import Wording
from gateway.people.contract import Grant, Person, Role
from gateway.people.passwords import Hashing
from gateway.people.sql import SqlPeople
from gateway.policy.demands import Language
from gateway.policy.people import People
from gateway.spool.lifecycle import Reason
from gateway.spool.sql import SqlSpool
from gateway.spool.values import Actor
from tests.spool.asking import CHIEF, approval, asking
from tests.spool.mails import T0, WINDOW
from tests.spool.test_lists import from_

TOKYO = ZoneInfo("Asia/Tokyo")
MORNING = datetime(2026, 11, 20, 0, 0, tzinfo=UTC)  # nine in Tokyo, a Friday
CLERK, ADMIN = "clerk@sports.example.jp", "it@city.example.lg.jp"
LINKS = Links(b"x" * 32, "https://sekisho.example.jp", timedelta(days=7), lambda: MORNING)
LETTERS = DigestLetters(LINKS, Wording(TOKYO), Author("Sekisho", "sekisho@gw.example.jp", "gw.example.jp"))
BY = Actor("admin", "suzuki")
INSIDE = ("sports.example.jp", "city.example.lg.jp")


class Clock:
    def __init__(self) -> None:
        self.now = MORNING

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def worker(
    spool: SqlSpool,
    clock: Clock,
    to: Sequence[str] = (),
    admins: Sequence[str] = (),
    ails: Sequence[str] = (),
    left: Callable[[], Awaitable[Collection[str]]] = nobody,
    languages: Callable[[], Awaitable[Mapping[str, Language]]] = unsaid,
) -> DigestWorker:
    async def attention() -> Sequence[str]:
        return ails

    circle = Circle(
        lambda: (INSIDE, Language.JA),
        People(to) if to else None,
        [parse_path(each) for each in admins],
        left,
        languages,
    )
    days = Days(time(8, 30), TOKYO, working_days=True)
    return DigestWorker(
        spool, LETTERS, days, circle, attention, clock, lambda octets: octets, "gw.example.jp", lambda: None
    )


async def letters(spool: SqlSpool) -> dict[str, str]:
    """Return the text of each letter that was spooled since, by subject and person."""
    found = {}
    for claim in await spool.claim(MORNING + timedelta(days=30), 100, timedelta(minutes=5)):
        if not claim.message.from_gateway:
            continue
        mail = message_from_bytes(await spool.raw(claim.message.queue_id), policy=policy.default)
        assert isinstance(mail, EmailMessage)
        assert mail["Auto-Submitted"] == "auto-generated"
        part = mail.get_body(("plain",))
        assert isinstance(part, EmailMessage)
        found[f"{mail['Subject']} -> {claim.message.envelope.recipients[0]}"] = str(part.get_content())
    return found


async def test_who_is_suspended_gets_none(spool: SqlSpool, clock: Clock) -> None:
    """Somebody left; the mailbox that a colleague shares is read on."""
    own, shared = "sato@sports.example.jp", "front@sports.example.jp"
    for sender in (own, shared):
        await spool.accept(from_(sender, "x@example.com"))
    people = SqlPeople(spool.database, Hashing(), SignIn())
    for login, addresses in (("sato", (own, shared)), ("tanaka", (shared,))):
        await people.add(Person(login, login, addresses, (Grant(Role.SENDER),)), BY, clock.now)
    await people.suspend("sato", BY, clock.now)
    sending = worker(spool, clock, left=people.addresses_of_suspended)
    assert await sending.run_once() == 1
    assert [name.partition(" -> ")[2] for name in await letters(spool)] == [shared]


async def test_each_reads_the_language_they_chose(spool: SqlSpool, clock: Clock) -> None:
    """A mailbox whose owners chose different ones, or none, reads that of the policy; who is suspended chooses nothing."""
    ann, shared, none = (f"{name}@sports.example.jp" for name in ("ann", "front", "none"))
    for sender in (ann, shared, none):
        await spool.accept(from_(sender, "x@example.com"))
    people = SqlPeople(spool.database, Hashing(), SignIn())
    grants = (Grant(Role.SENDER),)
    for login, addresses, language in (
        ("ann", (ann, shared), Language.EN),
        ("ben", (shared,), Language.JA),
        ("old", (none,), Language.EN),
        ("it", (ADMIN,), Language.EN),
    ):
        await people.add(Person(login, login, addresses, grants, language), BY, clock.now)
    await people.suspend("old", BY, clock.now)
    assert await worker(spool, clock, admins=[ADMIN], languages=people.languages).run_once() == 4
    english = {name.partition(" -> ")[2] for name in await letters(spool) if "本日" not in name}
    assert english == {ann, ADMIN}


async def test_each_is_told_of_their_own(spool: SqlSpool, clock: Clock) -> None:
    front = "front@sports.example.jp"
    held = await spool.accept(from_(front, "x@example.com", subject="教室"))
    gone = await spool.accept(from_("other@sports.example.jp", "y@example.com"))
    await spool.cancel(gone, None, Actor("sender", "o"), Reason.BY_SENDER, MORNING - timedelta(hours=2))
    waits = await spool.accept(replace(asking(approval(CHIEF)), subject="一斉"))
    assert await worker(spool, clock).run_once() == 4
    told = await letters(spool)
    mine = told["【本日の一覧】保留中 1件、承認待ち 0件 -> front@sports.example.jp"]
    assert LINKS.url(held, front) in mine
    assert "教室" in mine
    assert "一斉" not in mine
    asked = told[f"【本日の一覧】保留中 0件、承認待ち 1件 -> {CHIEF}"]
    assert LINKS.approval_url(waits, CHIEF) in asked
    assert LINKS.digest_url(CHIEF) in asked
    assert "取消 1件" in told["【本日の一覧】保留中 0件、承認待ち 0件 -> other@sports.example.jp"]


async def test_a_day_is_told_once_whoever_tells_it(spool: SqlSpool, clock: Clock) -> None:
    await spool.accept(from_(CLERK, "x@example.com"))
    both = await asyncio.gather(worker(spool, clock).run_once(), worker(spool, clock).run_once())
    assert sum(both) == 1
    clock.now += timedelta(hours=2)
    assert await worker(spool, clock).run_once() == 0
    assert len(await letters(spool)) == 1
    clock.now += timedelta(days=1)  # a Saturday
    assert await worker(spool, clock).run_once() == 0
    clock.now += timedelta(days=3)  # Monday is a public holiday
    assert await worker(spool, clock).run_once() == 1


async def test_a_run_that_broke_off_is_taken_up_without_telling_anybody_twice(
    spool: SqlSpool, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        await spool.accept(from_(f"clerk{number}@sports.example.jp", "x@example.com"))
    send, sent = spool.digests.send, list[str]()

    async def breaking(day: str, address: str, *rest: object) -> str | None:
        if len(sent) == 2:
            raise OSError("gone")
        sent.append(address)
        return await send(day, address, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(spool.digests, "send", breaking)
    with pytest.raises(OSError, match="gone"):
        await worker(spool, clock).run_once()
    monkeypatch.undo()
    assert await worker(spool, clock).run_once() == 1
    assert len(await letters(spool)) == 3


async def test_nobody_else_gets_one(spool: SqlSpool, clock: Clock) -> None:
    await spool.accept(from_("stranger@example.org", "x@example.com", author="boss@sports.example.jp"))
    await spool.accept(from_(CLERK, "x@example.com"))
    await spool.accept(from_("b@city.example.lg.jp", "x@example.com"))
    await spool.digests.choose("boss@sports.example.jp", False, Actor("person", "boss"), MORNING)
    assert await worker(spool, clock, to=["city.example.lg.jp"]).run_once() == 1
    assert [key.rpartition(" ")[2] for key in await letters(spool)] == ["b@city.example.lg.jp"]


async def test_where_there_is_nothing_nothing_is_sent(spool: SqlSpool, clock: Clock) -> None:
    assert await worker(spool, clock, admins=[ADMIN]).run_once() == 0
    assert await spool.digests.is_done("2026-11-20")


async def test_who_has_approved_is_not_asked_again(spool: SqlSpool, clock: Clock) -> None:
    deputy = "deputy@sports.example.jp"
    queue_id = await spool.accept(asking(approval(CHIEF, deputy, at_least=2)))
    await spool.consents.approve(queue_id, None, CHIEF, Actor("approver", CHIEF), "", T0)
    await worker(spool, clock).run_once()
    told = await letters(spool)
    assert any(key.endswith(deputy) for key in told)
    assert not any(key.endswith(CHIEF) for key in told)


async def test_administrators_get_figures_and_what_ails(spool: SqlSpool, clock: Clock) -> None:
    await spool.accept(from_("a@example.org", "x@example.com", "y@example.com"))
    await worker(spool, clock, admins=[ADMIN], ails=["disk: full"]).run_once()
    (told,) = (await letters(spool)).items()
    assert told[0] == f"【本日の状況】保留中 1件、要確認 1件 -> {ADMIN}"
    assert "* disk: full" in told[1]
    assert "保留中のメール: 1件 (宛先 2件)" in told[1]


async def test_a_choice_stays_and_is_in_the_log_once(spool: SqlSpool) -> None:
    digests = spool.digests
    assert await digests.wanted(CLERK)
    for wanted in (False, False, True, False):
        await digests.choose(CLERK, wanted, Actor("person", CLERK), T0 + WINDOW)
    assert not await digests.wanted(CLERK)
    assert await digests.switched_off() == {CLERK}
    events = await spool.database.readers.run(
        lambda queries: queries.connection.exec_driver_sql("SELECT kind FROM events").all()
    )
    assert [kind for (kind,) in events].count("digest") == 3


@pytest.mark.parametrize(
    ("local", "due"),
    [
        ("2026-11-20 08:29", None),
        ("2026-11-20 08:30", date(2026, 11, 20)),
        ("2026-11-20 14:29", date(2026, 11, 20)),
        ("2026-11-20 14:30", None),
        ("2026-11-21 09:00", None),
        ("2026-11-23 09:00", None),
        ("2026-12-30 09:00", None),
        ("2027-01-04 09:00", date(2027, 1, 4)),
    ],
)
def test_when_it_goes(local: str, due: date | None) -> None:
    now = datetime.fromisoformat(local).replace(tzinfo=TOKYO).astimezone(UTC)
    assert Days(time(8, 30), TOKYO, working_days=True).due(now) == due
    assert (Days(time(8, 30), TOKYO, working_days=False).due(now) is None) is not (
        "08:30" <= local[11:] < "14:30"
    )


def test_a_letter_looks_back_to_the_one_before_but_not_for_ever() -> None:
    assert Days.since(None, MORNING) == MORNING - timedelta(days=1)
    assert Days.since(MORNING - timedelta(days=4), MORNING) == MORNING - timedelta(days=4)
    assert Days.since(MORNING - timedelta(days=99), MORNING) == MORNING - timedelta(days=14)
    assert is_working_day(date(2026, 11, 20))
