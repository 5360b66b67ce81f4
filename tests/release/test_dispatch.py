"""Claims from the real spool, over the real courier, to a scripted next hop, and back into the spool's
rows."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway import metrics
from gateway.delivery.courier import Courier
from gateway.delivery.hop import Hop
from gateway.delivery.pool import Pool
from gateway.delivery.route import Router
from gateway.delivery.session import Opener
from gateway.evidence.resolver import Mx
from gateway.message.address import Address
from gateway.message.envelope import Client, Envelope
from gateway.policy.decision import Decision, Outcome
from gateway.policy.demands import Demands, Form
from gateway.release.backoff import SOONEST
from gateway.release.budget import Budget
from gateway.release.dispatch import Dispatcher
from gateway.release.variants import Variants
from gateway.spool.contract import BodyUnreadable, StoreUnavailable
from gateway.spool.lifecycle import Reason, State
from gateway.spool.notice import NoticeKind
from gateway.spool.sql import SqlSpool, open_spool
from gateway.spool.values import Change, Claim, NewMessage, Result, Stored
from gateway.store.keys import MasterKey
from tests.delivery.conftest import QUICK, NoDns
from tests.delivery.next_hop import HANG, NextHop, running

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
LEASE = timedelta(minutes=45)
SENDER = Address("clerk", "sports.example.jp")
BODY = b".\r\n.hidden dot\r\nbody\r\n"


def new_mail(count: int, *, form: Form = Form.ORIGINAL, domain: str = "example.com") -> NewMessage:
    people = tuple(Address(f"r{number}", domain) for number in range(count))
    to = ", ".join(str(person) for person in people)
    raw = f"From: {SENDER}\r\nTo: {to}\r\nSubject: test\r\n\r\n".encode() + BODY
    decision = Decision("d", (Outcome(True, Demands(form=form)),), (0,) * count)
    return NewMessage(Envelope(SENDER, people, Client("192.0.2.1")), raw, decision, NOW, "test")


class Spool(SqlSpool):
    """The real one, with faults to order."""

    unreadable = False
    reads = 0
    record_failures = 0
    recorded: list[Sequence[Result]]

    async def raw(self, queue_id: str) -> bytes:
        self.reads += 1
        if self.unreadable:
            raise BodyUnreadable(queue_id)
        return await super().raw(queue_id)

    async def record(self, claim: Claim, results: Sequence[Result], now: datetime) -> Change:
        if self.record_failures:
            self.record_failures -= 1
            raise StoreUnavailable("to order")
        return await super().record(claim, results, now)


@dataclass
class House:
    spool: Spool
    dispatcher: Dispatcher
    hop: NextHop
    rings: list[int]

    async def accept(self, mail: NewMessage) -> str:
        return await self.spool.accept(mail)

    async def claim(self) -> list[Claim]:
        return list(await self.spool.claim(NOW, 10_000, LEASE))

    async def work(self, claims: Sequence[Claim]) -> None:
        until = asyncio.get_running_loop().time() + LEASE.total_seconds()
        await asyncio.gather(*(self.dispatcher.run(claim, until) for claim in claims))

    async def send(self, mail: NewMessage) -> Stored:
        queue_id = await self.accept(mail)
        await self.work(await self.claim())
        return await self.spool.get(queue_id)


@contextlib.asynccontextmanager
async def furnished(
    state: Path,
    hop: NextHop,
    *,
    router: Router | None = None,
    limit: int = 100,
    variants: Variants | None = None,
    budget: Budget | None = None,
) -> AsyncIterator[House]:
    opened = open_spool(state, MasterKey(bytes(32)), serve=True, clock=lambda: NOW)
    opened.__class__ = Spool
    spool = opened
    assert isinstance(spool, Spool)
    rings: list[int] = []
    async with running(hop):
        pool = Pool(Opener("gw.example.jp", QUICK), 5, 20)
        found = router or Router(
            "gw.example.jp", NoDns(), Hop("127.0.0.1", hop.port, tls="off"), lambda _: None
        )
        dispatcher = Dispatcher(
            spool,
            found,
            Courier(pool, found, QUICK),
            hostname="gw.example.jp",
            recipients_per_transaction=limit,
            clock=lambda: NOW,
            jitter=lambda: 0.0,
            ring=lambda: rings.append(1),
            variants=variants,
            budget=budget,
        )
        try:
            yield House(spool, dispatcher, hop, rings)
        finally:
            await pool.close()
            await spool.close()


def states(stored: Stored) -> list[State]:
    return [row.state for row in stored.recipients]


async def test_equal_copies_leave_in_one_transaction(tmp_path: Path) -> None:
    async with furnished(tmp_path, NextHop()) as house:
        before = metrics.DELIVERED._value.get()
        stored = await house.send(new_mail(30, form=Form.BCC))
        assert states(stored) == [State.DELIVERED] * 30
        [taken] = house.hop.taken
        assert len(taken.rcpt_to) == 30
        assert b"example.com" not in taken.content.partition(b"\r\n\r\n")[0]
        assert taken.content.endswith(b"\r\n\r\n" + BODY)
        assert metrics.DELIVERED._value.get() == before + 30
        assert len(house.dispatcher.shelf) == 0  # nobody to share with


async def test_individual_copies_leave_one_by_one_with_their_own_address_only(tmp_path: Path) -> None:
    async with furnished(tmp_path, NextHop()) as house:
        stored = await house.send(new_mail(40, form=Form.INDIVIDUAL))
        assert states(stored) == [State.DELIVERED] * 40
        assert len(house.hop.taken) == 40
        assert house.hop.open_most <= 5
        for taken in house.hop.taken:
            [path] = taken.rcpt_to
            header = taken.content.partition(b"\r\n\r\n")[0]
            assert header.count(b"@example.com") == header.count(path.strip("<>").encode()) == 1


async def test_large_groups_are_split(tmp_path: Path) -> None:
    async with furnished(tmp_path, NextHop(), limit=7) as house:
        await house.send(new_mail(20, form=Form.BCC))
        assert sorted(len(taken.rcpt_to) for taken in house.hop.taken) == [6, 7, 7]


async def test_each_recipient_gets_its_own_outcome(tmp_path: Path) -> None:
    def script(line: str, number: int) -> str | None:
        if line.startswith("RCPT TO:<r0@"):
            return "550 5.1.1 no such user"
        return "450 4.2.0 grey-listed" if line.startswith("RCPT TO:<r1@") else None

    async with furnished(tmp_path, NextHop(script)) as house:
        stored = await house.send(new_mail(3))
        assert states(stored) == [State.BOUNCED, State.DEFERRED, State.DELIVERED]
        assert stored.recipients[1].due_at == NOW + timedelta(minutes=1)
        assert [(n.kind, n.recipients) for n in await house.spool.notices.pending(9)] == [
            (NoticeKind.FAILED, (0,))
        ]
        assert house.rings == [1]


async def test_an_unreadable_body_waits_and_never_bounces(tmp_path: Path) -> None:
    async with furnished(tmp_path, NextHop()) as house:
        queue_id = await house.accept(new_mail(2))
        house.spool.unreadable = True
        before = metrics.DEFERRED.labels(Reason.UNREADABLE.value)._value.get()
        await house.work(await house.claim())
        assert states(await house.spool.get(queue_id)) == [State.DEFERRED] * 2
        assert metrics.DEFERRED.labels(Reason.UNREADABLE.value)._value.get() == before + 2
        assert house.hop.connections == 0


async def test_results_wait_for_a_failing_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.release.ledger.FIRST_PAUSE", 0.01)
    async with furnished(tmp_path, NextHop()) as house:
        house.spool.record_failures = 3
        assert states(await house.send(new_mail(1))) == [State.DELIVERED]
        assert len(house.hop.taken) == 1


async def test_when_the_lease_is_nearly_over_nothing_is_started(tmp_path: Path) -> None:
    async with furnished(tmp_path, NextHop()) as house:
        queue_id = await house.accept(new_mail(1))
        [claim] = await house.claim()
        await house.dispatcher.run(claim, asyncio.get_running_loop().time() + 60)
        [row] = (await house.spool.get(queue_id)).recipients
        assert row.state is State.DEFERRED
        assert house.hop.connections == 0
        assert (row.attempts, row.due_at) == (
            0,
            NOW + SOONEST,
        )  # nobody was asked: soon again, and no attempt


async def test_a_put_off_is_no_attempt_and_the_next_one_is_the_first(tmp_path: Path) -> None:
    async with furnished(tmp_path, NextHop(lambda line, _: "450 4.2.0" if "RCPT" in line else None)) as house:
        queue_id = await house.accept(new_mail(1))
        for _ in range(3):
            [claim] = await house.spool.claim(NOW + SOONEST, 10, LEASE)
            await house.dispatcher.run(claim, asyncio.get_running_loop().time() + 60)
        [claim] = await house.spool.claim(NOW + SOONEST, 10, LEASE)
        await house.work([claim])
        [row] = (await house.spool.get(queue_id)).recipients
        assert (row.attempts, row.due_at) == (1, NOW + timedelta(minutes=1))


async def test_cancelled_work_records_what_it_knows(tmp_path: Path) -> None:
    def script(line: str, number: int) -> str | None:
        return HANG if line.startswith("RCPT TO:<r1@") else None

    async with furnished(tmp_path, NextHop(script), limit=1) as house:
        queue_id = await house.accept(new_mail(2, form=Form.BCC))
        work = asyncio.create_task(house.work(await house.claim()))
        while not house.hop.taken:  # noqa: ASYNC110 (the hop is a list, not an event)
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        assert states(await house.spool.get(queue_id)) == [State.DELIVERED, State.ACTIVE]
    async with furnished(tmp_path, NextHop()) as house:  # the next start
        await house.spool.recover(NOW)
        assert states(await house.spool.get(queue_id)) == [State.DELIVERED, State.DEFERRED]
        await house.work(await house.claim())
        assert states(await house.spool.get(queue_id)) == [State.DELIVERED, State.DELIVERED]
        assert [taken.rcpt_to for taken in house.hop.taken] == [["<r1@example.com>"]]


class Dns:
    async def mx(self, domain: str) -> Sequence[Mx]:
        return (Mx(0, ""),) if domain == "null.example.com" else (Mx(10, "mx.example.com"),)

    async def addresses(self, host: str) -> Sequence[str]:
        return ("127.0.0.1",)  # which mail from the DNS never goes to


async def test_a_domain_without_a_route_does_not_touch_the_others(tmp_path: Path) -> None:
    router = Router("gw.example.jp", Dns(), None, lambda _: None)
    async with furnished(tmp_path, NextHop(), router=router) as house:
        mail = new_mail(2)
        mixed = (Address("a", "null.example.com"), Address("b", "other.example.com"))
        stored = await house.send(replace(mail, envelope=replace(mail.envelope, recipients=mixed)))
        assert states(stored) == [State.BOUNCED, State.BOUNCED]
        assert "5.1.10" in stored.recipients[0].reply
        assert "no mail server with a usable address" in stored.recipients[1].reply


async def test_who_has_no_route_is_told_of_once_also_where_the_copies_cannot_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two results for one recipient would keep the whole batch from being recorded until the lease ends."""

    async def broken(*_: object) -> None:
        raise KeyError("b@other.example.com")

    monkeypatch.setattr("gateway.release.prepared.Prepared.views", broken)
    router = Router("gw.example.jp", Dns(), None, lambda _: None)
    async with furnished(tmp_path, NextHop(), router=router) as house:
        mail = new_mail(2)
        mixed = (Address("a", "null.example.com"), Address("b", "other.example.com"))
        stored = await house.send(replace(mail, envelope=replace(mail.envelope, recipients=mixed)))
        assert states(stored) == [State.DEFERRED] * 2
        assert {row.reply for row in stored.recipients} == {"internal error (KeyError)"}


async def test_a_fault_of_our_own_is_temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("r0@example.com")

    for place in ("dispatch.prepare", "prepared.render", "dispatch.view_of"):
        monkeypatch.setattr(f"gateway.release.{place}", broken)
        async with furnished(tmp_path / place, NextHop()) as house:
            stored = await house.send(new_mail(2))
            assert states(stored) == [State.DEFERRED] * 2
            assert stored.recipients[0].reply == "internal error (KeyError)"
        monkeypatch.undo()


async def test_many_individual_copies_are_never_in_memory_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gateway.release import prepared
    from gateway.transform.render import Copy, Original, render
    from gateway.transform.view import View

    rendered: list[int] = []

    async with furnished(tmp_path, NextHop()) as house:

        def counting(original: Original, view: View) -> Copy:
            rendered.append(len(rendered) + 1 - len(house.hop.taken))
            return render(original, view)

        monkeypatch.setattr(prepared, "render", counting)
        stored = await house.send(new_mail(300, form=Form.INDIVIDUAL))
        assert states(stored) == [State.DELIVERED] * 300
        assert (
            max(rendered) <= 2 * 5 + 1
        )  # on each of five connections one and the next, and the one just rendered


async def test_a_mail_in_pieces_is_read_and_prepared_once(tmp_path: Path) -> None:
    async with furnished(tmp_path, NextHop()) as house:
        await house.accept(new_mail(40, form=Form.INDIVIDUAL))
        while claims := await house.spool.claim(NOW, 10, LEASE):
            await house.work(claims)
        assert house.spool.reads == 1
        assert len(house.hop.taken) == 40
