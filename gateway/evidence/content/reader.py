"""The way in: `await reader.read(facts, raw)` gives the Content of any mail, in bounded time, and never raises.

Small mails of plain or HTML text without attachments are read here at once, by the standard library alone and in linear
time; all others by a process that is killed where it takes too long. Then the answer holds what was read until there, and the
rest is `too-slow`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter

import structlog

from gateway.config.settings import Content as Settings
from gateway.confined.pool import NoChild, Pool
from gateway.confined.process import ChildDied
from gateway.evidence.content.assembled import assembled
from gateway.evidence.content.bounds import Bounds
from gateway.evidence.content.child import Child
from gateway.evidence.content.mail import Letter, read_letter
from gateway.evidence.content.told import Told
from gateway.message.evidence import Content
from gateway.message.facts import Facts
from gateway.message.header import body_offset
from gateway.message.mime import scan_structure
from gateway.metrics import CONTENT_READS, CONTENT_SECONDS

QUICK_OCTETS = 4 << 10
"""Octets of a mail that is read without a process: under 50 ms for the worst that was found (nothing but one-digit numbers),
and 1 ms for a letter of 1 KiB."""

GRACE_S = 1.0
"""Seconds beyond the time for a mail after which the process is killed: it interrupts itself before that."""

_QUICK_TYPES = frozenset(
    {"text/plain", "text/html", "multipart/alternative", "multipart/mixed", "multipart/related", ""}
)

log = structlog.get_logger()


@dataclass(slots=True)
class _Heard:
    """What was told of one mail so far, and why there is no more of it."""

    told: list[Told] = field(default_factory=list)
    result: str = "read"


class Reader:
    """Reads mails. `close` it in the end; nothing has to be started."""

    def __init__(self, settings: Settings, pool: Callable[[Bounds], Pool[Child]] | None = None) -> None:
        self._bounds = Bounds(
            seconds=settings.time.total_seconds(),
            memory_octets=settings.memory,
            characters=settings.characters,
            members=settings.members,
            depth=settings.depth,
            unpacked_octets=settings.unpacked,
        )
        wait_s = settings.wait.total_seconds()
        start = partial(Child.start, self._bounds)
        self._pool = pool(self._bounds) if pool else Pool("content", settings.workers, wait_s, start)

    async def read(self, facts: Facts, raw: bytes) -> Content:
        """Return what the mail holds; `raw` is what `facts` were gathered from."""
        began = perf_counter()
        content = self._read_here(facts, raw)
        if content is None:
            heard = await self._heard(facts, raw)
            CONTENT_READS.labels(heard.result).inc()
            content = assembled(facts, heard.told, "too-slow")
        CONTENT_SECONDS.observe(perf_counter() - began)
        return content

    async def close(self) -> None:
        """End all processes that read."""
        await self._pool.close()

    def _read_here(self, facts: Facts, raw: bytes) -> Content | None:
        """Read a small mail at once; None where it is for a process, or where reading it failed, which is a bug."""
        if len(raw) > QUICK_OCTETS or facts.attachments:
            return None
        structure = scan_structure(raw, facts.header, body_offset(raw))
        if any(part.content_type not in _QUICK_TYPES for part in structure.parts):
            return None
        letter = Letter(raw, facts.header, structure, _local_parts(facts))
        try:
            content = assembled(facts, read_letter(letter, self._bounds), "too-slow")
        except Exception as error:  # what it was about stays out of the log
            log.error("content.not-read-here", cause=type(error).__name__)
            return None
        CONTENT_READS.labels("here").inc()
        return content

    async def _heard(self, facts: Facts, raw: bytes) -> _Heard:
        heard = _Heard()
        try:
            child = await self._pool.take()
        except NoChild as no_child:
            heard.result = no_child.why
            return heard
        healthy = False
        try:
            await self._ask(child, facts, raw, heard)
            healthy = heard.result == "read"
        finally:
            # Also where the reading is cancelled: a process in the middle of a mail is of no use to another one.
            await asyncio.shield(self._pool.give(child, healthy=healthy))
        return heard

    async def _ask(self, child: Child, facts: Facts, raw: bytes, heard: _Heard) -> None:
        try:
            async with asyncio.timeout(self._bounds.seconds + GRACE_S):
                async for piece in child.ask(raw, _local_parts(facts), self._bounds):
                    heard.told.append(piece)
        except TimeoutError:
            heard.result = "killed"
            log.warning("content.too-slow", octets=len(raw), told=len(heard.told))
        except ChildDied as died:
            heard.result = "died"
            log.warning("content.worker-died", cause=str(died), octets=len(raw), told=len(heard.told))


def _local_parts(facts: Facts) -> tuple[str, ...]:
    return tuple([address.local for address in facts.envelope.recipients])
