"""How the client sends: as fast as it is answered, or at given moments.

smtp-source and any closed loop slow down with the server: the mails that would have come meanwhile are never sent, and their
waiting is never counted (coordinated omission). In the open loop a mail is due at its moment whether or not earlier ones were
answered, and its latency counts from that moment to its 250. Bounded: every run has a count and a limit in seconds.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Sequence
from contextlib import suppress

import uvloop

from tests.bench.client import Mails, Session, connected

LEAD_S = 0.1  # between the last connection and the first mail that is due


def schedule(rate: float, count: int, seed: int = 1) -> list[float]:
    """Return `count` moments in seconds from 0, as independent senders make them: Poisson, the same for the same seed."""
    chance, now, moments = random.Random(seed), 0.0, []
    for _ in range(count):
        now += chance.expovariate(rate)
        moments.append(now)
    return moments


def closed_loop(
    port: int, mails: Mails, count: int, sessions: int, context: ssl.SSLContext | None, limit_s: float
) -> None:
    """Send `count` mails as fast as they are answered; raise TimeoutError past the limit."""
    left = iter(range(count))

    async def work(session: Session) -> None:
        for _ in left:
            await mails.send(session)

    async def run() -> None:
        async with asyncio.timeout(limit_s), connected(port, sessions, context) as opened:
            await asyncio.gather(*(work(session) for session in opened))

    uvloop.run(run())


def open_loop(
    port: int, mails: Mails, moments: Sequence[float], sessions: int, limit_s: float
) -> list[float]:
    """Send a mail at each moment; return the seconds from its moment to its 250, in order of the moments.

    `limit_s` after the run began it ends, and a mail without its 250 has waited until then: a server that cannot keep up
    looks as slow as it is, and the run stays bounded.
    """
    return uvloop.run(_open_loop(port, mails, moments, sessions, limit_s))


async def _open_loop(
    port: int, mails: Mails, moments: Sequence[float], sessions: int, limit_s: float
) -> list[float]:
    loop, answered = asyncio.get_running_loop(), [0.0] * len(moments)
    left = iter(enumerate(moments))

    async def work(session: Session, begin: float) -> None:
        for number, moment in left:
            await asyncio.sleep(begin + moment - loop.time())
            await mails.send(session)
            answered[number] = loop.time()

    async with connected(port, sessions) as opened:
        begin = loop.time() + LEAD_S
        with suppress(TimeoutError):
            async with asyncio.timeout_at(begin + limit_s):
                await asyncio.gather(*(work(session, begin) for session in opened))
        return waits(moments, answered, begin, loop.time())


def waits(moments: Sequence[float], answered: Sequence[float], begin: float, end: float) -> list[float]:
    """Return how long each mail waited from its moment; one without an answer (0) waited until the end."""
    return [
        (done or max(end, begin + moment)) - begin - moment
        for moment, done in zip(moments, answered, strict=True)
    ]
