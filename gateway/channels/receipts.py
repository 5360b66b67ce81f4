"""Where a carrier of text messages tells what arrived: one address, `/hooks/sms/<adapter>`, and only signed requests count.

A receipt changes nothing but how a key's way stands, and telling it twice is telling it once. Their size is
bounded, and number and rate of those that are signed: whoever floods us with others costs their check, and takes no place from
the carrier. Who is not the carrier learns nothing, not even whether a message exists.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway import metrics
from gateway.channels.carrier import Carrier, Forged, Posted, Receipt, Unreadable
from gateway.channels.contract import NotSent, Why
from gateway.clock import Clock
from gateway.policy.protection import Way
from gateway.spool.contract import StoreUnavailable

MAX_BODY = 16 << 10  # octets; a receipt takes less than one
PER_SECOND, BURST = (
    100.0,
    500.0,
)  # signed requests; a mail to a hundred recipients brings four receipts for each
AT_ONCE = 32  # receipts under way, those that wait for their message included
WAITS_S = (
    0.3,
    1.0,
    3.0,
)  # a receipt may be faster than our note that the message was sent; carriers wait 15 s for an answer

log = structlog.get_logger()


class Receipted(Protocol):
    """What of `spool.keys` (key_contract.py) receipts need."""

    async def receipted(self, receipt: str, arrived: bool, detail: str, now: datetime) -> bool: ...


def receipt_routes(carrier: Carrier, keys: Receipted, clock: Clock) -> list[BaseRoute]:
    """Return the route for the receipts of one carrier."""
    hook = _Hook(carrier, keys, clock)
    return [Route(f"/hooks/sms/{carrier.name}", hook.answer, methods=["POST"])]


class _Hook:
    def __init__(
        self,
        carrier: Carrier,
        keys: Receipted,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._carrier = carrier
        self._keys = keys
        self._clock = clock
        self._sleep = sleep
        self._bucket = _Bucket()
        self._under_way = 0

    async def answer(self, request: Request) -> Response:
        """Return 204, or what is wrong; 503 and 429 ask the carrier to come again, as does 404."""
        body = await _body(request)
        if body is None:
            return _said(413)
        try:
            posted = Posted({name.lower(): value for name, value in request.headers.items()}, body)
            receipt = self._carrier.receipt(posted, self._clock())
        except Forged:
            _count("forged")
            return _said(403)
        except Unreadable:
            return _said(400)
        except NotSent:  # our own secret cannot be read
            log.error("receipt-unproven", adapter=self._carrier.name)
            return _said(503)
        return await self._take(receipt)

    async def _take(self, receipt: Receipt) -> Response:
        """Take a receipt that the carrier signed: strangers have no part in what is bounded here."""
        if not self._bucket.take(asyncio.get_running_loop().time()):
            return _said(429)
        if self._under_way >= AT_ONCE:
            return _said(503)
        self._under_way += 1
        try:
            return await self._write(receipt)
        except StoreUnavailable:
            return _said(503)
        finally:
            self._under_way -= 1

    async def _write(self, receipt: Receipt) -> Response:
        if receipt.arrived is None:
            _count("on-the-way")
            return _said(204)
        detail = "" if receipt.arrived else Why.NOT_DELIVERED.value
        name = f"{self._carrier.name}:{receipt.name}"
        for pause in (0.0, *WAITS_S):
            await self._sleep(pause)
            if await self._keys.receipted(name, receipt.arrived, detail, self._clock()):
                _count("arrived" if receipt.arrived else "lost")
                return _said(204)
        _count("unknown")
        return _said(404)


class _Bucket:
    """Lets PER_SECOND requests through, BURST of them at once; whose they are is not asked, behind a proxy all are one's."""

    def __init__(self) -> None:
        self._left = BURST
        self._at: float | None = None

    def take(self, now: float) -> bool:
        since = 0.0 if self._at is None else now - self._at
        self._left, self._at = min(BURST, self._left + since * PER_SECOND), now
        if self._left < 1:
            return False
        self._left -= 1
        return True


async def _body(request: Request) -> bytes | None:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return bytes(body)


def _said(status: int) -> Response:
    return Response(status_code=status, headers={"retry-after": "30"} if status in (429, 503) else None)


def _count(outcome: str) -> None:
    metrics.KEY_RECEIPTS.labels(Way.SMS.value, outcome).inc()
