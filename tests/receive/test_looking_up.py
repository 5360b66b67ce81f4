"""Looking up evidence: only what a rule asks for, all at once, and what fails or hangs is doubt and not an error."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.evidence.domains import DomainStates
from gateway.evidence.resolver import DnsUnavailable, Mx
from gateway.message.address import parse_path
from gateway.message.envelope import Client, Envelope
from gateway.message.evidence import (
    NOTHING_LOOKED_UP,
    Content,
    Earlier,
    Evidence,
    FileEvidence,
    Halves,
    Volume,
)
from gateway.message.facts import Facts
from gateway.message.gather import gather
from gateway.policy.conditions.context import Need
from gateway.policy.decide import decide
from gateway.policy.load import load_policy
from gateway.policy.model import Policy
from gateway.receive import looking_up as room
from gateway.receive.intake import Intake
from gateway.receive.looking_up import MAX_COMPARED, LookingUp, counted_as
from gateway.receive.sources import Resembles, Sources
from gateway.spool.contract import StoreUnavailable
from gateway.spool.knowledge import MAX_WRITERS, Noted, Writers
from gateway.spool.sql import SqlSpool, open_spool
from gateway.store.keys import MasterKey
from tests.spool.mails import LEASE, T0, delivered

RAW = (
    b"From: clerk@example.jp\r\nTo: ana@example.com, seen@example.net\r\nMessage-ID: <own@example.jp>\r\n"
    b"In-Reply-To: <before@example.jp>\r\n\r\nbody\r\n"
)
CLERK, ANA = "clerk@example.jp", "ana@example.com"
ENVELOPE = Envelope(parse_path(CLERK), (parse_path(ANA), parse_path("boss@example.jp")), Client("192.0.2.1"))
POLICY = load_policy(
    {
        "p.yaml": "version: 1\norganisation: {name: x, internal: [example.jp]}\n"
        "rules: [{id: r, reason: x, then: {hold: 1h}}]\n"
    }
)
ALL = Need.WRITERS | Need.VOLUME | Need.EARLIER | Need.DOMAINS | Need.LOOK_ALIKES | Need.CONTENT | Need.HALVES
PATIENCE = timedelta(seconds=5)


class Known:
    """A knowledge that tells fixed things, and who asked."""

    def __init__(self, error: Exception | None = None, *, hangs: bool = False, complete: bool = True) -> None:
        self.asked: list[str] = []
        self._error = error
        self._hangs = hangs
        self._complete = complete

    async def _meet(self, what: str) -> None:
        self.asked.append(what)
        if self._error is not None:
            raise self._error
        if self._hangs:
            await asyncio.Event().wait()

    async def note(self, counted_as: str, message_id: str, named: Collection[str]) -> Noted:
        await self._meet("note")
        return Noted(counted_as, message_id.encode(), ",".join(sorted(named)).encode())

    async def writers(self, sender: str, recipients: Collection[str]) -> Writers:
        await self._meet(f"writers {sender} {list(recipients)}")
        return Writers({ANA: (CLERK,)} if self._complete else {}, self._complete)

    async def volume(self, counted_as: str, now: object) -> Volume:
        await self._meet(f"volume {counted_as}")
        return Volume(1, 2, 3, 4)

    async def earlier(self, ids: Sequence[str], among: Collection[str]) -> Earlier | None:
        await self._meet(f"earlier {list(ids)} {list(among)}")
        return Earlier(frozenset({ANA}))

    async def pairs(self, sender: str, recipients: Collection[str]) -> tuple[bytes, ...]:
        await self._meet(f"pairs {sender} {list(recipients)}")
        return tuple([f"{sender} {each}".encode() for each in recipients])

    async def halves(self, sender: str, recipients: Collection[str], now: object) -> Halves | None:
        await self._meet(f"halves {sender} {list(recipients)}")
        return Halves(file=60)

    async def domains(self, limit: int, known_at: object) -> frozenset[str]:
        await self._meet("domains")
        return frozenset({"examp1e.com"})

    async def learn(self) -> int:
        raise AssertionError("nobody asks for it here")

    async def forget(self, now: object, unused_for: object, limit: int) -> int:
        raise AssertionError("nobody asks for it here")


class Dns:
    async def mx(self, domain: str) -> Sequence[Mx]:
        if domain == "example.net":
            raise DnsUnavailable(domain)
        return [Mx(10, "mx.example.com")]

    async def addresses(self, host: str) -> Sequence[str]:
        return []


async def read(facts: Facts, raw: bytes) -> Content:
    return Content(body_unread="damaged")


def index(known: Collection[str]) -> Resembles:
    assert set(known) == {"examp1e.com", "example.jp"}  # those written to, and our own
    return {"example.com": "examp1e.com"}.get


def looking_up(known: Known, **sources: Any) -> LookingUp:
    patience = sources.pop("patience", PATIENCE)
    return LookingUp(Sources(known, **sources), lambda: T0, patience)


def needing(needs: Need) -> Policy:
    return replace(POLICY, needs=needs)


async def evidence(known: Known, needs: Need, **sources: Any) -> Evidence:
    return await looking_up(known, **sources).evidence(gather(ENVELOPE, RAW), RAW, needing(needs))


async def test_everything_that_is_asked_for_is_told() -> None:
    known = Known()
    found = await evidence(known, ALL, domains=DomainStates(Dns()), content=read, index=index)
    assert found == Evidence(
        content=Content(body_unread="damaged"),
        writers={ANA: (CLERK,)},
        volume=Volume(1, 2, 3, 4),
        replies=True,
        earlier=Earlier(frozenset({ANA})),
        domains={"example.com": "accepts", "example.net": "unknown"},
        look_alikes={"example.com": "examp1e.com"},
        halves=Halves(file=60),
    )
    assert set(known.asked) == {
        f"writers {CLERK} ['{ANA}']",
        f"volume address:{CLERK}",
        f"earlier ['before@example.jp'] ['{ANA}']",
        f"halves {CLERK} ['{ANA}']",
        "domains",
    }


@pytest.mark.parametrize("need", [Need.WRITERS, Need.VOLUME, Need.EARLIER, Need.LOOK_ALIKES, Need.HALVES])
async def test_nothing_else_is_asked(need: Need) -> None:
    known = Known()
    await evidence(known, need, index=index)
    assert len(known.asked) == 1


@pytest.mark.parametrize("error", [StoreUnavailable("gone"), RuntimeError("a bug"), OSError("disk")])
async def test_what_fails_is_doubt(error: Exception) -> None:
    found = await evidence(Known(error), ALL, content=read)
    assert found == replace(NOTHING_LOOKED_UP, content=Content(body_unread="damaged"))


async def test_what_hangs_is_doubt_after_its_time() -> None:
    found = await evidence(Known(hangs=True), ALL, patience=timedelta(milliseconds=20))
    assert found == NOTHING_LOOKED_UP


async def test_while_not_everything_is_known_nobody_is_certainly_new() -> None:
    found = await evidence(Known(complete=False), Need.WRITERS)
    assert found.writers == {ANA: ("",)}


async def test_a_recipient_of_many_may_have_had_mail_of_more(monkeypatch: pytest.MonkeyPatch) -> None:
    known = Known()

    async def many(sender: str, recipients: Collection[str]) -> Writers:
        return Writers({ANA: tuple(f"s{number}@example.jp" for number in range(MAX_WRITERS))})

    monkeypatch.setattr(known, "writers", many)
    found = await evidence(known, Need.WRITERS)
    assert found.writers is not None
    assert found.writers[ANA][-1] == ""


async def test_what_is_noted_of_a_mail() -> None:
    facts = gather(ENVELOPE, RAW)
    door = looking_up(Known())
    assert await door.noted(facts, needing(Need.WRITERS)) == Noted()
    assert await door.noted(facts, needing(Need.VOLUME)) == Noted(f"address:{CLERK}")
    noted = await door.noted(facts, needing(Need.EARLIER))
    assert noted == Noted("", b"own@example.jp", f"{CLERK},seen@example.net".encode())
    failing = looking_up(Known(StoreUnavailable("gone")))
    assert await failing.noted(facts, needing(Need.EARLIER | Need.VOLUME)) == Noted(f"address:{CLERK}")


async def test_an_index_that_takes_long_is_built_once_and_used_by_those_after() -> None:
    gate, built = threading.Event(), list[Collection[str]]()

    def slow(known: Collection[str]) -> Resembles:
        built.append(known)
        gate.wait(10)
        return {"example.com": "examp1e.com"}.get

    door = looking_up(Known(), index=slow, patience=timedelta(milliseconds=50))
    facts = gather(ENVELOPE, RAW)
    for _ in range(2):
        assert (await door.evidence(facts, RAW, needing(Need.LOOK_ALIKES))).look_alikes is None
    gate.set()
    while door._nearest._resembles is None:  # noqa: ASYNC110 - the end of a thread
        await asyncio.sleep(0.01)
    found = await door.evidence(facts, RAW, needing(Need.LOOK_ALIKES))
    assert found.look_alikes == {"example.com": "examp1e.com"}
    assert len(built) == 1


async def test_domains_that_were_not_compared_are_not_told_as_unlike_any() -> None:
    people = tuple(parse_path(f"a@d{number}.example.com") for number in range(MAX_COMPARED + 1))
    for count, told in ((MAX_COMPARED, {}), (MAX_COMPARED + 1, None)):
        facts = gather(replace(ENVELOPE, recipients=people[:count]), b"From: clerk@example.jp\r\n\r\nx\r\n")
        found = await looking_up(Known(), index=lambda known: lambda domain: None).evidence(
            facts, b"", needing(Need.LOOK_ALIKES)
        )
        assert found.look_alikes == told


def test_volume_counts_for_the_account_where_there_is_one() -> None:
    assert counted_as(replace(ENVELOPE, client=Client("192.0.2.1", account="clerk"))) == "account:clerk"
    assert counted_as(replace(ENVELOPE, sender=None)) == "address:"


@pytest.fixture
async def spool(tmp_path: Path) -> AsyncIterator[SqlSpool]:
    opened = open_spool(tmp_path, MasterKey(bytes(range(32))), serve=True, clock=lambda: T0)
    yield opened
    await opened.close()


RULES = """
version: 1
organisation: {name: x, internal: [example.jp]}
rules:
  - {id: new, reason: new, when: {new_recipient: sender}, then: {tag: {X-New: "1"}}}
  - {id: busy, reason: busy, when: {sent_last_hour: {mails: {at_least: 1}}}, then: {tag: {X-Busy: "1"}}}
  - {id: added, reason: added, when: {added_to_reply: {at_least: 1}}, then: {tag: {X-Added: "1"}}}
"""


async def test_from_one_mail_to_the_next(spool: SqlSpool) -> None:
    """The whole way: a mail is decided on, delivered and learned, and the next one is decided on by what it left."""
    policy = load_policy({"p.yaml": RULES})
    door = LookingUp(Sources(spool.knowledge), lambda: T0, PATIENCE)
    intake = Intake(spool, lambda: policy, decide, gather, lambda: T0, looking_up=door)
    while await spool.knowledge.learn():
        pass

    async def send(head: str, *to: str) -> set[str]:
        envelope = replace(ENVELOPE, recipients=tuple(parse_path(each) for each in to))
        reply = await intake.submit(envelope, f"From: {CLERK}\r\n{head}\r\n\r\nbody\r\n".encode())
        stored = await spool.get(reply.text.split()[0])
        for claim in await spool.claim(T0, 10, LEASE):
            await spool.record(claim, [delivered(each.index) for each in claim.message.recipients], T0)
        while await spool.knowledge.learn():
            pass
        return {reason.rule for reason in stored.decision.reasons}

    assert await send("Message-ID: <one@example.jp>", ANA) == {"new"}
    assert await send("Message-ID: <two@example.jp>", ANA) == {"busy"}
    assert await send("In-Reply-To: <one@example.jp>", ANA) == {"busy"}
    assert await send("In-Reply-To: <one@example.jp>", ANA, "eve@example.net") == {"busy", "added", "new"}
    assert await send("In-Reply-To: <elsewhere@example.net>", ANA) == {"busy", "added"}


async def test_a_policy_that_asks_for_nothing_looks_nothing_up(spool: SqlSpool) -> None:
    known = Known(RuntimeError("asked"))
    intake = Intake(spool, lambda: POLICY, decide, gather, lambda: T0, looking_up=looking_up(known))
    assert (await intake.submit(ENVELOPE, RAW)).code == 250
    assert known.asked == []


async def test_a_store_that_does_not_tell_turns_no_mail_away(spool: SqlSpool) -> None:
    policy = load_policy({"p.yaml": RULES})
    door = looking_up(Known(StoreUnavailable("gone")))
    intake = Intake(spool, lambda: policy, decide, gather, lambda: T0, looking_up=door)
    reply = await intake.submit(ENVELOPE, RAW)
    assert reply.code == 250
    stored = await spool.get(reply.text.split()[0])
    assert {reason.rule for reason in stored.decision.reasons} == {"new", "busy", "added"}


SEALED, TELLS, NEITHER = "a file", "a password", "neither"
LOOKED_INTO = {
    SEALED: Content(files=(FileEvidence(kind="zip", encrypted=True),), password_of="none"),
    TELLS: Content(password_of="unsaid"),
    NEITHER: Content(password_of="none"),
}
ZIP = (
    b"Content-Type: application/zip\r\nContent-Disposition: attachment; filename=a.zip\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nUEs=\r\n"
)
APART = """
version: 1
organisation: {name: x, internal: [example.jp]}
rules:
  - {id: ppap, reason: why, when: {ppap: {how: [following, preceding], within: 1h}}, then: {tag: {X-P: "1"}}}
"""


async def test_a_file_and_its_password_in_two_mails(spool: SqlSpool) -> None:
    """From one mail to the next, in both orders: the same sender, one of the same people outside, within the time."""
    policy = load_policy({"p.yaml": APART})
    now = T0
    half = NEITHER

    async def looked_into(facts: Facts, raw: bytes) -> Content:
        return LOOKED_INTO[half]

    door = LookingUp(Sources(spool.knowledge, content=looked_into), lambda: now, PATIENCE)
    intake = Intake(spool, lambda: policy, decide, gather, lambda: now, looking_up=door)

    async def send(what: str, *to: str, after: int = 0, sender: str = CLERK) -> bool:
        nonlocal now, half
        now, half = now + timedelta(minutes=after), what
        recipients = tuple(parse_path(each) for each in to)
        envelope = replace(ENVELOPE, sender=parse_path(sender), recipients=recipients)
        body = ZIP if what == SEALED else b"\r\nbody\r\n"
        reply = await intake.submit(envelope, b"From: clerk@example.jp\r\n" + body)
        stored = await spool.get(reply.text.split()[0])
        return bool(stored.decision.reasons)

    eve, boss, other = "eve@example.net", "boss@example.jp", "other@example.jp"
    assert not await send(NEITHER, ANA)
    assert not await send(TELLS, boss)  # nobody outside
    assert not await send(SEALED, ANA, boss)
    assert not await send(SEALED, ANA)  # the same file once more
    assert not await send(NEITHER, ANA)
    assert not await send(TELLS, eve)  # somebody else
    assert not await send(TELLS, boss)
    assert not await send(TELLS, ANA, sender=other)
    assert await send(TELLS, eve, ANA, after=59)  # some of the same people
    assert not await send(TELLS, eve, ANA, after=2)
    assert not await send(SEALED, boss)
    assert await send(SEALED, ANA)  # the password went first
    assert await send(SEALED, eve, after=60)
    assert not await send(SEALED, eve, after=1)


async def test_who_cannot_be_told_apart_is_in_doubt(spool: SqlSpool) -> None:
    """A file of which nobody could tell whether it is encrypted, and a store that does not answer: strict both times."""
    policy = load_policy({"p.yaml": APART})
    content = Content(files=(FileEvidence(unread="too-slow", encrypted=None),), password_of="none")

    async def looked_into(facts: Facts, raw: bytes) -> Content:
        return content if facts.attachments else LOOKED_INTO[TELLS]

    async def held(door: LookingUp, body: bytes) -> bool:
        intake = Intake(spool, lambda: policy, decide, gather, lambda: T0, looking_up=door)
        reply = await intake.submit(ENVELOPE, b"From: clerk@example.jp\r\n" + body)
        return bool((await spool.get(reply.text.split()[0])).decision.reasons)

    gone = LookingUp(Sources(Known(StoreUnavailable("gone")), content=looked_into), lambda: T0, PATIENCE)
    there = LookingUp(Sources(spool.knowledge, content=looked_into), lambda: T0, PATIENCE)
    assert await held(gone, b"\r\nbody\r\n")
    assert not await held(there, b"\r\nbody\r\n")
    assert await held(there, ZIP)  # the mail before told a password
    assert await held(there, b"\r\nbody\r\n")


async def test_the_people_of_a_large_mail_are_gone_through_in_threads(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And come to the same as those of a small one."""
    threads: dict[str, set[bool]] = {"_sorted_out": set(), "_named": set(), "_with_doubt": set()}

    def watched(name: str) -> Any:
        real = getattr(room, name)

        def called(*arguments: Any) -> Any:
            threads[name].add(threading.current_thread() is threading.main_thread())
            return real(*arguments)

        return called

    for name in threads:
        monkeypatch.setattr(room, name, watched(name))
    facts, policy = gather(ENVELOPE, RAW), replace(POLICY, needs=Need.WRITERS | Need.EARLIER)
    told = []
    for most, on_the_loop in ((2_000, True), (1, False)):
        monkeypatch.setattr(room, "QUICK_RECIPIENTS", most)
        looking = LookingUp(Sources(Known(complete=False)), lambda: T0, PATIENCE)
        told.append((await looking.evidence(facts, RAW, policy), await looking.noted(facts, policy)))
        assert list(threads.values()) == [{on_the_loop}] * 3
        for seen in threads.values():
            seen.clear()
    assert told[0] == told[1]
