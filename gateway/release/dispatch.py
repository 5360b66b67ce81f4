"""One claim, from leased recipients to recorded results: load, look up, group, render, deliver, record.

Copies are rendered when their connection is free and dropped when it has taken them; the body is shared by
all. Nothing here decides about mail: views come from transform/, verdicts from delivery/, and whatever goes
wrong inside is temporary.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial

import structlog

from gateway import metrics, rule_effects
from gateway.clock import Clock
from gateway.delivery.courier import Courier
from gateway.delivery.errors import Busy
from gateway.delivery.mail import Outgoing
from gateway.delivery.outcome import Verdict, judge
from gateway.delivery.route import Route, Router
from gateway.delivery.seat import Seat
from gateway.delivery.timeouts import TRANSACTION
from gateway.policy.colleagues import colleagues_of
from gateway.release.batches import Batch, batches, by_route, by_variant
from gateway.release.budget import Budget
from gateway.release.lane import Lane
from gateway.release.ledger import Ledger
from gateway.release.prepared import Prepared, look_through, octets_in_memory, outgoing
from gateway.release.results import ended_holds, not_loaded, not_sealed
from gateway.release.routing import look_up, ways_of
from gateway.release.shelf import Shelf, is_whole
from gateway.release.variants import NO_KEYS, ClaimKeys, Variants
from gateway.sealing.child import NotWritten
from gateway.spool.contract import Spool, UnknownMessage
from gateway.spool.values import Claim, Recipient, Stored
from gateway.transform.render import Original, prepare
from gateway.transform.view import Variant, View, view_of

PATIENCE = 300.0
"""Seconds a copy waits for a free connection before its recipients are put off and can be cancelled again."""

log = structlog.get_logger()


class Dispatcher:
    """Works off claims; one for the whole service. `jitter` gives numbers from -1 to 1."""

    def __init__(
        self,
        spool: Spool,
        router: Router,
        courier: Courier,
        *,
        hostname: str,
        recipients_per_transaction: int,
        clock: Clock,
        jitter: Callable[[], float],
        ring: Callable[[], None] = lambda: None,
        budget: Budget | None = None,
        variants: Variants | None = None,
    ) -> None:
        self.spool = spool
        self.router = router
        self.courier = courier
        self.hostname = hostname
        self.limit = recipients_per_transaction
        self.clock = clock
        self.jitter = jitter
        self.variants = variants
        self._ring = ring
        self._budget = budget or Budget()
        self.shelf: Shelf[Prepared] = Shelf()

    async def run(self, claim: Claim, until: float, raw: bytes | None = None) -> None:
        """Deliver to the leased recipients and record every result; `until` is the loop time at which the
        lease ends. `raw` are the original octets where the caller has them at hand.

        Raises nothing but its own cancellation, and what is known by then is recorded first.
        """
        ledger = Ledger(self.spool, claim, self.clock, until, self._ring, self.jitter)
        try:
            async with self._budget.take(_octets_of(claim.message)):
                await _Job(self, claim.message, ledger, until).run(raw)
        except UnknownMessage:
            log.warning("message-gone", queue_id=claim.message.queue_id)
        finally:
            await ledger.settle()

    @staticmethod
    def starts_by(until: float) -> float:
        """Return until when a copy may wait for a connection, from now; `until` is the end of its lease."""
        return min(asyncio.get_running_loop().time() + PATIENCE, until - TRANSACTION)


def _octets_of(message: Stored) -> int:
    decision = message.decision
    own = 0 if decision.colleagues_by_letter else len(colleagues_of(decision, message.envelope))
    return octets_in_memory(message.size_bytes, decision, own)


class _Job:
    """The work on one claim."""

    def __init__(self, house: Dispatcher, message: Stored, ledger: Ledger, until: float) -> None:
        self._house = house
        self._message = message
        self._ledger = ledger
        self._until = until
        self._start_by = house.starts_by(until)
        self._keys: ClaimKeys = NO_KEYS
        variants = house.variants
        self._decision = message.decision if variants is None else variants.decision_of(message)

    async def run(self, raw: bytes | None) -> None:
        now = self._house.clock()
        waited: defaultdict[tuple[str, ...], float] = defaultdict(float)
        for index, seconds in ended_holds(self._message, now):
            metrics.HOLD_SECONDS.observe(seconds)
            waited[self._message.decision.of(index).rules] += seconds
        for rules, seconds in waited.items():
            rule_effects.waited(rules, seconds)
        if is_whole(self._message):
            if ready := await self._ready(self._load(raw)):
                await self._deliver_all(*ready)
            return
        async with AsyncExitStack() as stack:
            share = self._house.shelf.share(self._message, partial(self._load, raw))
            if ready := await self._ready(stack.enter_async_context(share)):
                await self._deliver_all(*ready)

    async def _load(self, raw: bytes | None) -> Prepared:
        return await look_through(
            self._prepare(await self._house.spool.raw(self._message.queue_id) if raw is None else raw)
        )

    async def _ready(self, shared: Awaitable[Prepared]) -> tuple[list[Batch], Prepared] | None:
        """Return what to send; None where the mail cannot be loaded, which is recorded."""
        try:
            mail = await shared
            if self._house.variants is not None:
                self._keys = await self._house.variants.keys_of(self._message, self._house.clock())
            work, lost = await self._plan()
            await mail.views([batch.view for batch in work if batch.view.variant is None])
        except UnknownMessage:
            raise
        except Exception as error:
            log.error("mail-not-loaded", queue_id=self._message.queue_id, exc_info=error)
            self._ledger.add(self._message.recipients, [not_loaded(error)] * len(self._message.recipients))
            return None
        for row, verdict in lost:
            self._ledger.add([row], [verdict])
        return work, mail

    async def _deliver_all(self, work: Sequence[Batch], mail: Prepared) -> None:
        """Deliver the copies of the mail as it came, and beside them those of its variants, one after the other."""
        handled = by_variant(work)
        if not handled:
            await self._deliver_some(work, mail)
            return
        async with asyncio.TaskGroup() as group:
            if plain := [batch for batch in work if batch.view.variant is None]:
                group.create_task(self._deliver_some(plain, mail))
            group.create_task(self._deliver_variants(handled, mail))

    async def _deliver_variants(self, handled: Mapping[Variant, Sequence[Batch]], mail: Prepared) -> None:
        for variant, work in handled.items():
            try:
                written = await self._written(mail.original, variant)
                await written.views([batch.view for batch in work])
            except Exception as error:
                self._not_written([row for batch in work for row in batch.recipients], error)
                continue
            self._start_by = self._house.starts_by(self._until)  # sealing took its time, for each variant
            await self._deliver_some(work, written)

    async def _written(self, original: Original, variant: Variant) -> Prepared:
        if self._house.variants is None:
            raise NotWritten("broken", temporary=True)
        return await look_through(
            await self._house.variants.write(original, variant, self._keys, self._message)
        )

    def _not_written(self, rows: Sequence[Recipient], error: Exception) -> None:
        """Record that copies could not be made; nobody of them gets anything else."""
        known = isinstance(error, NotWritten)
        log.error("copies-not-sealed", queue_id=self._message.queue_id, exc_info=None if known else error)
        verdict = not_sealed(error) if isinstance(error, NotWritten) else not_loaded(error)
        self._ledger.add(rows, [verdict] * len(rows))

    async def _deliver_some(self, work: Sequence[Batch], mail: Prepared) -> None:
        if len(work) == 1:  # nearly always: no task for it
            await self._deliver(work[0], partial(outgoing, self._message, mail))
            return
        async with asyncio.TaskGroup() as group:
            for waiting in by_route(work):
                for _ in range(min(len(waiting), self._house.courier.abreast)):
                    group.create_task(self._deliver_each(waiting, mail))

    async def _deliver_each(self, waiting: deque[Batch], mail: Prepared) -> None:
        """Deliver one after another, at one place, as long as there are any; others may take from them, too."""
        lane = Lane(waiting, partial(outgoing, self._message, mail))
        async with self._house.courier.seat(lane.following) as seat:
            while (batch := lane.next()) is not None:
                await self._deliver(batch, lane.make, seat)
                self._ledger.begin()

    def _prepare(self, raw: bytes) -> Original:
        message = self._message
        return prepare(
            raw,
            message.envelope,
            self._decision,
            message.queue_id,
            message.received_at,
            self._house.hostname,
        )

    async def _plan(self) -> tuple[list[Batch], list[tuple[Recipient, Verdict]]]:
        """Look up every domain; return the transactions, and who gets none because of a key or a route that is not there."""
        rows = [row for row in self._message.recipients if row.index not in self._keys.gone]
        gone = [(row, self._keys.gone.get(row.index)) for row in self._message.recipients]
        lost = [(row, not_sealed(why)) for row, why in gone if why is not None]
        ways = ways_of(self._message.decision, rows)
        routes = await look_up(self._house.router, set(ways))
        decision, keys = self._decision, self._keys
        routed: list[tuple[Recipient, Route, View, bool]] = []
        for row, way in zip(rows, ways, strict=True):
            route = routes[way]
            if isinstance(route, Route):
                view = view_of(decision, row.index, row.address, keys.keyed(row.index))
                routed.append((row, route, view, decision.is_copy(row.index)))
            else:
                lost.append((row, judge(route)))
        return batches(routed, self._house.limit), lost

    async def _deliver(
        self, batch: Batch, make: Callable[[Batch], Outgoing], seat: Seat | None = None
    ) -> None:
        def made() -> Outgoing:
            if not self._ledger.still_ours():
                raise Busy("another node may have taken over this mail")
            return make(batch)

        count = len(batch.recipients)
        delivery = await self._house.courier.deliver(batch.route, made, count, self._start_by, seat)
        self._ledger.add(batch.recipients, delivery.verdicts, delivery.next_hop)
