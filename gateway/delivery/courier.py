"""Hand one copy to its next hop, host by host, and say for each recipient what became of it.

Never raises for what a peer does, and never sends a message twice by itself: a second try, on another host or
on a fresh connection, happens only while the end of data has not been sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

import structlog

from gateway import metrics
from gateway.delivery.connection import Connection
from gateway.delivery.errors import (
    BadReply,
    Busy,
    DeliveryError,
    NoAnswer,
    NoConnection,
    SessionRefused,
)
from gateway.delivery.mail import Outgoing
from gateway.delivery.outcome import Verdict, judge, too_many
from gateway.delivery.place import Place
from gateway.delivery.pool import Pool
from gateway.delivery.route import Route, Router
from gateway.delivery.seat import Seat
from gateway.delivery.timeouts import Timeouts
from gateway.delivery.transaction import Following, Said, Word, nobody, transact
from gateway.values import dataclass

_SECURED = {kind: metrics.NEXT_HOP_TLS.labels(kind) for kind in ("none", "unverified", "verified")}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of each recipient of a copy, in order, and the hop that said so ("" when none was
    reached)."""

    verdicts: tuple[Verdict, ...]
    next_hop: str = ""


class Courier:
    """Delivers copies; one for the whole service."""

    def __init__(self, pool: Pool, router: Router, timeouts: Timeouts) -> None:
        self._pool = pool
        self._router = router
        self._timeouts = timeouts

    @property
    def abreast(self) -> int:
        """How many copies may be under way to one host at once."""
        return self._pool.per_host

    def seat(self, following: Following = nobody) -> Seat:
        """Return a seat for copies that are delivered one after another; for `async with`.

        `following` is asked for the next copy while one is on its way; what it gives must be delivered next.
        """
        return Seat(self._pool, following)

    async def deliver(
        self,
        route: Route,
        make: Callable[[], Outgoing],
        count: int,
        start_by: float,
        seat: Seat | None = None,
    ) -> Delivery:
        """Deliver the copy that `make` renders, once a connection is free, to its `count` recipients.

        `start_by` is the loop time after which no transaction may begin. A transaction ends within
        `timeouts.transaction`. With a `seat` the copy leaves where the one before it did.
        """
        trace: list[Place] = []
        here = seat or self.seat()
        try:
            words = await self._try_hops(here, route, make, start_by, trace)
        except Exception as error:  # unknown errors are temporary: the table in outcome.py says so
            if not isinstance(error, DeliveryError):
                log.error("delivery-failed-inside", exc_info=error)
            words = [error] * count
        finally:
            if seat is None:
                here.leave()
        if not trace:
            return Delivery(tuple(judge(word) for word in words))
        place = trace[-1]
        _count(words, place)
        verdicts = [judge(word) for word in words]
        if place.security:
            verdicts = [replace(verdict, tls=place.security) for verdict in verdicts]
        return Delivery(tuple(verdicts), place.name)

    async def _try_hops(
        self, seat: Seat, route: Route, make: Callable[[], Outgoing], start_by: float, trace: list[Place]
    ) -> list[Word]:
        last: DeliveryError | None = None
        for hop in seat.nearest(await self._router.hops(route)):
            wait = start_by - asyncio.get_running_loop().time()
            try:
                if wait <= 0:
                    raise Busy("no time left in this attempt")
                place = await seat.at(hop, wait)
                trace.append(place)
                return await self._in_turn(place, make())
            except _MayTryElsewhereError as error:
                last = error.cause
            except Busy as error:  # an attempt only if another host was asked before
                raise last or error from None
        raise last or NoConnection("no host to try")

    async def _in_turn(self, place: Place, mail: Outgoing) -> list[Word]:
        """Deliver, and deliver again to those for whom the transaction was full, as long as each turn serves
        somebody; all within `timeouts.transaction`. What was said by then counts."""
        place.until = asyncio.get_running_loop().time() + self._timeouts.transaction
        words = await self._transact(place, mail)
        waiting = _next_turn(words)
        while waiting:
            said = await self._later_turn(place, mail.only(waiting))
            for number, word in zip(waiting, said, strict=True):
                words[number] = word
            waiting = [waiting[number] for number in _next_turn(said)]
        return words

    async def _later_turn(self, place: Place, mail: Outgoing) -> list[Word]:
        """Run another transaction. Somebody has the mail: a failure is told, not raised."""
        try:
            return await self._transact(place, mail)
        except _MayTryElsewhereError as error:
            return [error.cause] * len(mail.recipients)
        except DeliveryError as error:
            return [error] * len(mail.recipients)

    async def _transact(self, place: Place, mail: Outgoing) -> list[Word]:
        begun = place.begun_with(mail)
        connection = begun or await _session(place, fresh=False)
        try:
            said = await self._on(connection, mail, place.following)
        except _MayTryElsewhereError as error:
            if begun is not None:
                place.refuse_ahead()
            elif not (connection.reused and isinstance(error.cause, NoConnection | SessionRefused)):
                raise
            connection = await _session(place, fresh=True)  # the peer had closed it while it lay idle
            said = await self._on(connection, mail, place.following)
        if _closed(said):
            place.discard()
        else:
            place.give_back()
        return said

    async def _on(self, connection: Connection, mail: Outgoing, following: Following) -> list[Word]:
        try:
            return await transact(connection, mail, self._timeouts, following)
        except Exception as error:
            if connection.dot_sent:
                raise NoAnswer(_after_the_end(error)) from error
            if isinstance(error, NoConnection | SessionRefused | BadReply):
                raise _MayTryElsewhereError(error) from error
            raise


def _after_the_end(error: Exception) -> str:
    what = str(error) if isinstance(error, DeliveryError) else f"internal error ({type(error).__name__})"
    return f"no answer after the end of the message: {what}"


def _count(words: Sequence[Word], place: Place) -> None:
    """Count a transaction in which the peer spoke about the mail, by how the connection was secured."""
    for word in words:
        if isinstance(word, Said):
            _SECURED[_kind(place.security)].inc()
            return


def _kind(security: str) -> str:
    if not security:
        return "none"
    return "unverified" if "not verified" in security else "verified"


def _closed(words: Sequence[Word]) -> bool:
    """Tell whether the peer said that it closes the connection."""
    return 421 in [word.reply.code for word in words if isinstance(word, Said)]


def _next_turn(words: Sequence[Word]) -> list[int]:
    """Return those for whom the transaction was full; nobody where it served nobody else either."""
    full = [number for number, word in enumerate(words) if isinstance(word, Said) and too_many(word)]
    return full if full and _progress(words) else []


def _progress(words: Sequence[Word]) -> bool:
    return any(isinstance(word, Said) and word.reply.positive for word in words)


async def _session(place: Place, *, fresh: bool) -> Connection:
    try:
        return await place.connection(fresh=fresh)
    except (NoConnection, SessionRefused, BadReply) as error:
        raise _MayTryElsewhereError(error) from error


class _MayTryElsewhereError(Exception):
    """It failed, and nobody has the mail: the next host may be tried."""

    def __init__(self, cause: DeliveryError) -> None:
        super().__init__(str(cause))
        self.cause = cause
