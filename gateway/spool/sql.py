"""The spool on SQL: every verb of the contract as one job of the committer, every read on a reader.

The verbs' jobs are in accepting, holds, releasing, claiming and recording; here they meet the database and the event loop.
Subjects that stand by themselves (`spool.consents`, `spool.notices`, `spool.ageing` and others) have classes of their own
beside their jobs. The mails' octets are in bodies.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from gateway.clock import Clock, utc_now
from gateway.message.envelope import Envelope
from gateway.policy.decision import Decision
from gateway.spool import claiming, holds, reading, recording, releasing
from gateway.spool.absences import SqlAbsences
from gateway.spool.acceptance_events import refusal
from gateway.spool.accepting import SHORT_ENVELOPE, SMALL_RECIPIENTS, acceptance, claim_of
from gateway.spool.ageing import SqlAgeing
from gateway.spool.askings import SqlAskings
from gateway.spool.bodies import BodiesOfMail
from gateway.spool.clock_steps import StepWatch, bring_back
from gateway.spool.coming import split_by_hold
from gateway.spool.consenting import SqlConsents
from gateway.spool.contract import StoreDamaged, known
from gateway.spool.digests import SqlDigests
from gateway.spool.halts import SqlHalts
from gateway.spool.key_making import made_keys
from gateway.spool.knowing import SqlKnowledge
from gateway.spool.known import KnownMessages
from gateway.spool.leases import Leases, Monotonic
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.lists import SqlLists
from gateway.spool.mail_keys import SqlMailKeys
from gateway.spool.node import Node
from gateway.spool.outbox import SqlNotices
from gateway.spool.past_damage import PastDamage
from gateway.spool.queue_ids import QueueIds
from gateway.spool.shares import SqlShares
from gateway.spool.times import to_us
from gateway.spool.values import Actor, Change, Claim, Figures, NewMessage, Result, Stored
from gateway.store.database import Database
from gateway.store.errors import StoreUnavailable
from gateway.store.events import Event
from gateway.store.keys import MasterKey
from gateway.store.living import living
from gateway.store.where import Where

QUICK_RECIPIENTS = 2_000  # whose rows the event loop computes itself, in some 8 ms; 40,000 take 150


def open_spool(
    where: Path | Where,
    master: MasterKey,
    *,
    serve: bool = False,
    clock: Clock = utc_now,
    monotonic: Monotonic = time.monotonic,
) -> SqlSpool:
    """Open a store: migrate, check, sweep. `serve` takes its lock; a command that acts for a moment does not.

    Raises StateInUse, WrongMasterKey, StoreMisconfigured, StoreUnavailable. Call `recover` next when serving.
    """
    return SqlSpool(Database(where, master, serve=serve), clock, monotonic)


class SqlSpool:
    """Implements the contract `gateway.spool.contract.Spool`."""

    def __init__(self, database: Database, clock: Clock, monotonic: Monotonic = time.monotonic) -> None:
        self._db = database
        self._clock = clock
        pulse = database.pulse
        self._leases = Leases(database.instance.name, monotonic, pulse.epoch if pulse else lambda: 0)
        self.node = Node(database)
        self._known = KnownMessages()
        self._past_damage = PastDamage(database, self._leases)
        self._ids = QueueIds()
        self._steps = StepWatch()
        self._alone = True  # until other workers may have begun
        self._bodies = BodiesOfMail(database, self._past_damage, clock)
        self.knowledge = SqlKnowledge(database)
        self.keys = SqlMailKeys(database)
        self.shares = SqlShares(database, self.keys)
        self.digests = SqlDigests(database, self._bodies, self._ids)
        self.notices = SqlNotices(database, self._bodies, self._ids, self._past_damage, clock)
        self.ageing = SqlAgeing(database, self._bodies, self.keys)
        self.consents = SqlConsents(database)
        self.absences = SqlAbsences(database)
        self.lists = SqlLists(database)
        self.halts = SqlHalts(database)
        self.askings = SqlAskings(database, self.lists)

    @property
    def database(self) -> Database:
        """Return the store below, for what is done to a spool that nobody serves from, and for keys."""
        return self._db

    async def close(self) -> None:
        """Commit what waits and close the store; later verbs raise StoreUnavailable."""
        await self._bodies.settled()
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._bodies.close()
        self._db.close()

    async def accept(self, message: NewMessage) -> str:
        if self.node.cut_off:  # or every client would wait for a database that does not answer
            raise StoreUnavailable("this node could not say that it lives: the database does not answer it")
        queue_id = self._ids.new(message.received_at)
        keys = await made_keys(queue_id, message, self._db.master)
        if len(message.envelope.recipients) <= QUICK_RECIPIENTS:
            rows = acceptance(queue_id, message, None, keys)
        else:
            rows = await asyncio.to_thread(acceptance, queue_id, message, None, keys)
        return await self._bodies.store(message.raw, queue_id, rows.with_body, small=rows.small)

    async def accept_and_claim(self, message: NewMessage, lease: timedelta) -> tuple[str, Claim | None]:
        free = len(split_by_hold(message.decision)[1])
        if not free or self.node.cut_off:
            return await self.accept(message), None
        queue_id = self._ids.new(message.received_at)
        keys = await made_keys(queue_id, message, self._db.master)
        begun = self._leases.begin(to_us(message.received_at), lease, free)
        rows = acceptance(queue_id, message, begun, keys)
        try:
            await self._bodies.store(message.raw, queue_id, rows.with_body, small=rows.small)
        except BaseException:
            # It may be on disk all the same, now or soon: cancelled, or an uncertain COMMIT.
            self._leases.end(begun.token)
            raise
        return queue_id, claim_of(queue_id, message, begun, rows.free)

    async def refused(
        self, envelope: Envelope, decision: Decision, subject: str, at: datetime, groups: Sequence[str] = ()
    ) -> None:
        event = refusal(envelope, decision, subject, to_us(at), groups)
        await self._db.committer.run(lambda tx: tx.event(event), small=True)

    async def note(
        self, kind: Kind, reason: Reason, actor: Actor, detail: Mapping[str, object], at: datetime
    ) -> None:
        """Write an event about the service itself (started, stopped, a policy in force, an account)."""
        event = Event(to_us(at), None, kind, reason, actor.kind, actor.name, detail=detail)
        await self._db.committer.run(lambda tx: tx.event(event))

    async def cancel(
        self, queue_id: str, recipients: Collection[int] | None, actor: Actor, reason: Reason, now: datetime
    ) -> Change:
        wish = holds.Wish(queue_id, recipients, actor, reason, to_us(now))
        return known(await self._db.committer.run(holds.cancel(wish)), queue_id)

    async def release(
        self,
        queue_id: str,
        recipients: Collection[int] | None,
        actor: Actor,
        reason: Reason,
        now: datetime,
        because: str = "",
    ) -> Change:
        wish = holds.Wish(queue_id, recipients, actor, reason, to_us(now))
        return known(await self._db.committer.run(releasing.release(wish, because)), queue_id)

    async def release_due(self, now: datetime, limit: int) -> int:
        if self._steps.stepped_back(now):
            await self._db.committer.run(bring_back(now))
        try:
            return await self._db.committer.run(holds.release_due(to_us(now), limit))
        except StoreDamaged:
            return await self._past_damage.release_due(now, limit)

    async def claim(
        self,
        now: datetime,
        limit: int,
        lease: timedelta,
        share: int | None = None,
        crowded: Collection[str] = (),
    ) -> Sequence[Claim]:
        wish = claiming.Wanted(now, limit, lease, share or limit, frozenset(crowded))
        begun: list[str] = []
        try:
            return await self._db.committer.run(claiming.claim(wish, self._leases, begun, self._known))
        except BaseException as error:  # they may be on disk all the same, and nobody will work under them
            for token in begun:
                self._leases.end(token)
            if not isinstance(error, StoreDamaged):
                raise
        return await self._past_damage.claim(wish)

    async def record(self, claim: Claim, results: Sequence[Result], now: datetime) -> Change:
        recording.checked(results)
        job = recording.record(claim, results, now, self._leases)
        short = len(claim.message.envelope.recipients) <= SHORT_ENVELOPE
        change = await self._db.committer.run(job, small=short and len(results) <= SMALL_RECIPIENTS)
        self._leases.settled(claim.lease, len(change.done))
        return change

    async def recover(self, now: datetime) -> int:
        mine = self._db.instance
        if self._steps.begins() or self._steps.stepped_back(now):
            await self._db.committer.run(bring_back(now))
        alive = living if self._db.shared else None
        # Only before the other workers begin are all leases on disk those of dead processes.
        alone, self._alone = mine.exclusive and self._alone, self._db.where.workers == 1
        job = recording.recover(to_us(now), self._leases, alone, alive)
        return await self._db.committer.run(job)

    async def get(self, queue_id: str) -> Stored:
        return known(await self._db.readers.run(reading.get(queue_id)), queue_id)

    async def body_opened(
        self, queue_id: str, actor: Actor, reason: Reason, because: str, now: datetime
    ) -> None:
        wish = holds.Wish(queue_id, None, actor, reason, to_us(now))
        known(await self._db.committer.run(holds.body_opened(wish, because)), queue_id)

    async def raw(self, queue_id: str) -> bytes:
        return await self._bodies.raw(queue_id)

    async def held(self, limit: int, before: str | None = None) -> Sequence[Stored]:
        return await self._db.readers.run(reading.held(limit, before))

    async def next_due(self) -> datetime | None:
        try:
            return await self._db.readers.run(reading.next_due)
        except StoreDamaged:  # nobody can tell: a look now and then
            return self._clock()

    async def figures(self) -> Figures:
        return await self._db.readers.run(reading.figures(self._clock()))

    async def cancels_by_admin(self, after: int | None) -> tuple[int, int]:
        """Return the newest event's number and how many recipients an admin cancelled since event `after` (None: now)."""
        return await self._db.readers.run(reading.cancels_by_admin(after, self._db.where.chain(serve=False)))

    def still_ours(self, claim: Claim) -> bool:
        """Tell, from memory, whether what was claimed is still leased to this process and to nobody else."""
        return self._leases.lives(claim.lease)
