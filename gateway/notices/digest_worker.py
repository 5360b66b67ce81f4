"""Sends the letter of the day: once to each who is concerned, whatever restarts and however many gateways there are.

Whoever has something held, something to approve, or something that left gets one; the administrators of the settings get the
figures. Only people inside are written to, only those whom the settings take in; nobody who switched it off, and nobody
whose account is suspended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from functools import partial

import structlog

from gateway import metrics
from gateway.clock import Clock
from gateway.message.address import Address, AddressError, parse_path
from gateway.message.domains import DomainSet
from gateway.notices.asking import asks
from gateway.notices.digest import DigestLetters, Part, Whole
from gateway.notices.digest_days import Days
from gateway.notices.own import own_letter
from gateway.notices.signing import Sign
from gateway.policy.demands import Language
from gateway.policy.people import People
from gateway.spool.contract import StoreUnavailable, UnknownMessage
from gateway.spool.digest_day import Day, Share
from gateway.spool.digests import SqlDigests
from gateway.spool.sql import SqlSpool
from gateway.values import dataclass

LOOK_EVERY_S = 30.0  # whether it is time
MOST_LETTERS = 20_000  # of one day; beyond it somebody has set it up for more people than it is made for
RELISTED_AT_ONCE, MOST_RELISTED = 200, 500  # lines of lists that are made anew before they are read

log = structlog.get_logger()

Attention = Callable[[], Awaitable[Sequence[str]]]
"""Returns what an administrator has to look at, a sentence each."""


async def nobody() -> Collection[str]:
    """Tell that nobody left."""
    return ()


async def unsaid() -> Mapping[str, Language]:
    """Tell that nobody chose a language."""
    return {}


@dataclass(frozen=True, slots=True)
class Circle:
    """Who may get one: inside by the policy in force, and among `to` where the settings say so; `admins` get the figures.

    `left` gives the keys of those who get none any more, because their accounts are suspended: the letter's links work
    without one. `languages` gives what people chose to read, by the keys of their mailboxes; others read the policy's.
    """

    inside: Callable[[], tuple[Sequence[str], Language]]
    to: People | None
    admins: Sequence[Address]
    left: Callable[[], Awaitable[Collection[str]]] = nobody
    languages: Callable[[], Awaitable[Mapping[str, Language]]] = unsaid


class DigestWorker:
    """Run with `run()`; `wake` is called after letters were spooled."""

    def __init__(
        self,
        spool: SqlSpool,
        letters: DigestLetters,
        days: Days,
        circle: Circle,
        attention: Attention,
        clock: Clock,
        sign: Sign,
        hostname: str,
        wake: Callable[[], None],
    ) -> None:
        self._spool = spool
        self._digests: SqlDigests = spool.digests
        self._letters = letters
        self._days = days
        self._circle = circle
        self._attention = attention
        self._clock = clock
        self._sign = sign
        self._hostname = hostname
        self._wake = wake

    async def run(self) -> None:
        """Look whether it is time, for ever."""
        while True:
            try:
                await self.run_once()
            except StoreUnavailable:
                log.warning("digests-wait")
            except Exception:
                log.exception("digests-error")
            await asyncio.sleep(LOOK_EVERY_S)

    async def run_once(self) -> int:
        """Send what is due; return how many letters that were."""
        now = self._clock()
        day = self._days.due(now)
        if day is None or await self._digests.is_done(day.isoformat()):
            return 0
        for _ in range(MOST_RELISTED):
            if not await self._spool.lists.catch_up(RELISTED_AT_ONCE):
                break
        before = await self._digests.before(day.isoformat())
        gathered = await self._digests.gather(self._days.since(before, now))
        sent = await self._send_all(gathered, day, now)
        await self._digests.finish(day.isoformat(), now)
        log.info("digests-sent", day=day.isoformat(), letters=sent)
        return sent

    async def _send_all(self, gathered: Day, day: date, now: datetime) -> int:
        done = {*await self._digests.told(day.isoformat()), *await self._digests.switched_off()}
        done |= {*await self._circle.left()}
        whole = await self._whole(gathered)
        sent = 0
        inside, usual = self._circle.inside()
        chosen = await self._circle.languages()
        for admin in self._circle.admins if whole.says_something else ():
            if admin.key not in done:
                language = chosen.get(admin.key, usual)
                write = partial(self._letters.figures, whole, admin, day, now, language.value)
                sent += await self._send(f"figures:{admin.key}", admin, day, now, write, language)
        for to, share in self._concerned(gathered, done, inside):
            if sent >= MOST_LETTERS:
                log.error("digests-too-many", letters=sent)
                break
            sent += await self._send_personal(to, share, day, now, chosen.get(to.key, usual))
        return sent

    def _concerned(
        self, gathered: Day, done: Collection[str], inside: Sequence[str]
    ) -> list[tuple[Address, Share]]:
        domains = DomainSet(tuple(inside))
        found = []
        for key, share in sorted(gathered.people.items()):
            try:
                to = parse_path(key)
            except AddressError:
                continue
            wanted = self._circle.to is None or self._circle.to.include(to, in_doubt=False)
            if key not in done and wanted and not to.ambiguous and domains.matches(to):
                found.append((to, share))
        return found

    async def _send_personal(
        self, to: Address, share: Share, day: date, now: datetime, language: Language
    ) -> int:
        share.asking_ids = await self._still_asking(to, share)
        glances = self._spool.notices.glances
        mine = [each for each in await glances(share.held_ids) if each is not None and each.held]
        asking = [each for each in await glances(share.asking_ids) if each is not None]
        if not (share.held or share.asks or share.sent or share.cancelled or share.failed):
            return 0
        part = Part(share, mine, asking)
        write = partial(self._letters.personal, part, to, day, now, language.value)
        return await self._send(to.key, to, day, now, write, language)

    async def _still_asking(self, to: Address, share: Share) -> list[str]:
        """Return which of the named mails wait for this person's word; lists know who was asked, not who has answered."""
        waiting = []
        for queue_id in share.asking_ids:
            try:
                message = await self._spool.get(queue_id)
            except UnknownMessage:
                continue
            if asks(message, to.key):
                waiting.append(queue_id)
        share.asks -= len(share.asking_ids) - len(waiting)
        return waiting

    async def _send(
        self,
        name: str,
        to: Address,
        day: date,
        now: datetime,
        write: Callable[[], bytes],
        language: Language,
    ) -> int:
        raw = await asyncio.to_thread(lambda: self._sign(write()))
        mail = own_letter(to, raw, self._hostname, now, external=False, language=language)
        if await self._digests.send(day.isoformat(), name, mail) is None:
            return 0
        metrics.NOTICES.labels("digest").inc()
        self._wake()
        return 1

    async def _whole(self, gathered: Day) -> Whole:
        shares = gathered.people.values()
        return Whole(
            day=gathered,
            sent=sum(share.sent for share in shares),
            cancelled=sum(share.cancelled for share in shares),
            failed=sum(share.failed for share in shares),
            attention=await self._attention(),
        )
