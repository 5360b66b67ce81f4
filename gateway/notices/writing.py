"""From notices to mail of our own in the spool: reads what they are about, has it composed, and finishes them.

Every notice that leaves the outbox leaves it here: told of, or dropped because there is nothing (any more) to tell. What
goes wrong goes up; the worker decides when to try again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Protocol, TypeVar

import structlog

from gateway import metrics
from gateway.clock import Clock
from gateway.message.address import AddressError, parse_path
from gateway.notices.aside import Aside
from gateway.notices.compose import Composer
from gateway.notices.held_mail import HeldMail
from gateway.notices.own import own_mail
from gateway.spool.contract import BodyUnreadable, Spool, UnknownMessage
from gateway.spool.notice import Glance, Notice, NoticeKind
from gateway.spool.values import NewMessage, Recipient, Stored

Seen = TypeVar("Seen", Stored, Glance)

# They tell nothing of it, and somebody waits for them; or they tell of its end alone.
_WITHOUT_ORIGINAL = frozenset(
    {
        NoticeKind.CODE,
        NoticeKind.REPORT,
        NoticeKind.LEFT,
        NoticeKind.INCIDENT,
        NoticeKind.INCIDENT_CLOCK,
        NoticeKind.DELETION,
    }
)

Sign = Callable[[bytes], bytes]
"""Returns a letter of ours with its signatures before it."""

# What became of a mail has to be told, whatever it is; a robot that answers even that is bounded by its pace (pace.py).
_OF_DELIVERY = frozenset({NoticeKind.FAILED, NoticeKind.DELAYED, NoticeKind.RELAYED})

IncidentOf = Callable[[str], Awaitable[datetime | None]]
"""Tells when an incident was opened about a mail; None where none was."""

log = structlog.get_logger()


class ToldElsewhere(Exception):
    """Somebody else has finished one of the notices: what was composed is not sent."""


class Many(Protocol):
    """Composes the letter that tells of several held mails."""

    def line(self, glance: Glance, notice: Notice) -> HeldMail | None:
        """Return what the letter says of one mail; None when nothing of it is held any more."""

    def holds(self, about: Glance, notice: Notice, lines: Sequence[HeldMail]) -> bytes:
        """Return the letter; `about` and `notice` are those of the first line."""


@dataclass(slots=True)
class _Letter:
    """The notices of one language, a line for each, and what is written of them: nothing where there is but one."""

    about: Glance
    notices: list[Notice] = field(default_factory=list)
    lines: list[HeldMail] = field(default_factory=list)
    octets: bytes | None = None


class Writer:
    """`wake` is called after own mail was spooled; `finished` counts what left the outbox by this writer."""

    def __init__(
        self,
        spool: Spool,
        composers: Mapping[NoticeKind, Composer],
        many: Many,
        clock: Clock,
        hostname: str,
        wake: Callable[[], None],
        aside: Aside,
        incident_of: IncidentOf | None = None,
        sign: Sign = lambda mail: mail,
        own_address: str = "",
    ) -> None:
        self._spool = spool
        self._composers = composers
        self._many = many
        self._clock = clock
        self._hostname = hostname
        self._wake = wake
        self._aside = aside
        self._incident_of = incident_of
        self._sign = sign
        self._own = parse_path(own_address).key if own_address else ""
        self.finished = 0

    async def write(self, notice: Notice) -> None:
        """Tell of one notice in a mail of its own, or drop it.

        Raises StoreUnavailable, NoThread, ToldElsewhere, and what composing raises.
        """
        try:
            mail = await self._compose(notice)
        except (UnknownMessage, AddressError) as error:
            await self.drop([notice], type(error).__name__)
            return
        if mail is None:
            await self.drop([notice], "nothing to tell")
        else:
            await self._finish([notice], mail)

    async def write_together(self, group: dict[int, Notice]) -> None:
        """Tell of hold notices to one sender in one letter per language; what is finished is taken out of `group`.

        What cannot be told together stays in it. Raises as `write` does.
        """
        notices = list(group.values())
        glances = await self._spool.glances([notice.queue_id for notice in notices])
        try:
            letters, untold = await self._aside.run(partial(self._compose_letters, notices, glances))
        except AddressError as error:
            await self.drop(notices, type(error).__name__)
            group.clear()
            return
        if untold:
            await self.drop(untold, "nothing to tell")
            _take_out(group, untold)
        for letter in letters:
            await self._write_letter(letter)
            _take_out(group, letter.notices)

    async def drop(self, notices: Sequence[Notice], why: str) -> None:
        """Let notices go without a mail."""
        await self._spool.finish_notices(notices, None)
        self.finished += len(notices)
        log.info("notice-dropped", kind=notices[0].kind.value, why=why, **_names(notices))

    async def _compose(self, notice: Notice) -> NewMessage | None:
        message = await self._readable(notice)
        if notice.kind not in _OF_DELIVERY and self._breeds(notice, message.recipients):
            return None
        raw = None if notice.kind in _WITHOUT_ORIGINAL else await self._original(notice.queue_id)
        if notice.kind is NoticeKind.REPORT and self._incident_of is not None:
            notice = replace(notice, incident=await self._incident_of(notice.queue_id))
        # A thread: reading a large original for its attachments takes time that the event loop has not got.
        octets = await self._aside.run(partial(self._composed, message, notice, raw))
        if octets is None:
            return None
        return own_mail(message, notice, octets, self._hostname, self._clock())

    def _breeds(self, notice: Notice, recipients: Iterable[Recipient]) -> bool:
        """Tell whether a letter would bring the next one.

        It would go to the address that letters are from, because somebody sent a mail in our name; or the mail goes to that
        address alone, as answers of robots do: told of, it would be answered again.
        """
        return self._is_own(notice.to) or all(self._is_own(str(row.address)) for row in recipients)

    def _is_own(self, address: str) -> bool:
        return address[-3:].lower() == self._own[-3:] and parse_path(address).key == self._own

    def _composed(self, message: Stored, notice: Notice, raw: bytes | None) -> bytes | None:
        octets = self._composers[notice.kind](message, notice, raw)
        return None if octets is None else self._sign(octets)

    async def _original(self, queue_id: str) -> bytes | None:
        try:
            return await self._spool.raw(queue_id)
        except BodyUnreadable:
            return None

    async def _readable(self, notice: Notice) -> Stored:
        return _checked(await self._spool.get(notice.queue_id))

    def _compose_letters(
        self, notices: Sequence[Notice], glances: Sequence[Glance | None]
    ) -> tuple[Collection[_Letter], list[Notice]]:
        """Return a letter for each language, and the notices of which there is nothing to tell. On a thread."""
        letters, untold = self._sort(notices, glances)
        for letter in letters:
            if len(letter.lines) > 1:
                letter.octets = self._sign(self._many.holds(letter.about, letter.notices[0], letter.lines))
        return letters, untold

    def _sort(
        self, notices: Sequence[Notice], glances: Sequence[Glance | None]
    ) -> tuple[Collection[_Letter], list[Notice]]:
        letters: dict[str, _Letter] = {}
        untold: list[Notice] = []
        for notice, glance in zip(notices, glances, strict=True):
            try:
                line = self._line(glance, notice) if glance is not None else None
            except Exception as error:  # of this mail alone: the others are told of
                log.error("notice-left-out", queue_id=notice.queue_id, exc_info=error)
                continue
            if glance is None or line is None:
                untold.append(notice)
                continue
            letter = letters.get(glance.language)
            if letter is None:
                letter = letters[glance.language] = _Letter(glance)
            letter.notices.append(notice)
            letter.lines.append(line)
        return letters.values(), untold

    def _line(self, glance: Glance, notice: Notice) -> HeldMail | None:
        """Return what a letter says of a mail; None where there is nothing to say, or it would breed (`_breeds`)."""
        alone = glance.total == len(glance.addresses) == 1
        if self._is_own(notice.to) or (alone and self._is_own(glance.addresses[0])):
            return None
        return self._many.line(_checked(glance), notice)

    async def _write_letter(self, letter: _Letter) -> None:
        first = letter.notices[0]
        if letter.octets is None:
            await self.write(first)
        else:
            mail = own_mail(letter.about, first, letter.octets, self._hostname, self._clock())
            await self._finish(letter.notices, mail)

    async def _finish(self, notices: Sequence[Notice], mail: NewMessage) -> None:
        own_id = await self._spool.finish_notices(notices, mail)
        if own_id is None:
            raise ToldElsewhere
        self.finished += len(notices)
        metrics.NOTICES.labels(notices[0].kind.value).inc()
        log.info("notice-written", kind=notices[0].kind.value, own_id=own_id, **_names(notices))
        self._wake()


def _checked(message: Seen) -> Seen:
    if message.unreadable:
        raise ValueError("the stored envelope or decision cannot be read")
    return message


def _names(notices: Sequence[Notice]) -> dict[str, object]:
    """Name the mails in one line of the log, however many there are."""
    if len(notices) == 1:
        return {"queue_id": notices[0].queue_id}
    return {"mails": len(notices), "queue_ids": [notice.queue_id for notice in notices]}


def _take_out(group: dict[int, Notice], notices: Sequence[Notice]) -> None:
    for notice in notices:
        del group[notice.notice_id]
