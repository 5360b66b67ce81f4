"""From notices to mail of our own in the spool: reads what they are about, has it composed, and finishes them.

Every notice that leaves the outbox leaves it here: told of, or dropped because there is nothing (any more) to tell. What
goes wrong goes up; the worker decides when to try again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import structlog

from gateway import metrics
from gateway.clock import Clock
from gateway.message.address import AddressError
from gateway.notices.aside import Aside
from gateway.notices.compose import Composer
from gateway.notices.own import OwnAddress, own_mail, readable
from gateway.notices.signing import Sign
from gateway.notices.together import LetterOfMany, Many, put_together
from gateway.spool.contract import BodyUnreadable, Spool, UnknownMessage
from gateway.spool.notice import Notice, NoticeKind
from gateway.spool.values import NewMessage, Recipient, Stored

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

# What became of a mail has to be told, whatever it is; a robot that answers even that is bounded by its pace (pace.py).
_OF_DELIVERY = frozenset({NoticeKind.FAILED, NoticeKind.DELAYED, NoticeKind.RELAYED})

log = structlog.get_logger()


class ToldElsewhere(Exception):
    """Somebody else has finished one of the notices: what was composed is not sent."""


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
        self._sign = sign
        self._own = OwnAddress(own_address)
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
        glances = await self._spool.notices.glances([notice.queue_id for notice in notices])
        try:
            letters, untold = await self._aside.run(
                partial(put_together, notices, glances, self._many, self._own, self._sign)
            )
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
        await self._spool.notices.finish(notices, None)
        self.finished += len(notices)
        log.info("notice-dropped", kind=notices[0].kind.value, why=why, **_names(notices))

    async def _compose(self, notice: Notice) -> NewMessage | None:
        message = readable(await self._spool.get(notice.queue_id))
        if notice.kind not in _OF_DELIVERY and self._breeds(notice, message.recipients):
            return None
        raw = None if notice.kind in _WITHOUT_ORIGINAL else await self._original(notice.queue_id)
        if notice.kind is NoticeKind.REPORT:
            notice = replace(notice, incident=await self._spool.notices.incident_of(notice.queue_id))
        # A thread: reading a large original for its attachments takes time that the event loop has not got.
        octets = await self._aside.run(partial(self._composed, message, notice, raw))
        if octets is None:
            return None
        return own_mail(message, notice, octets, self._hostname, self._clock())

    def _breeds(self, notice: Notice, recipients: Iterable[Recipient]) -> bool:
        """Tell whether a letter would bring the next one (`OwnAddress`)."""
        return self._own.is_it(notice.to) or all(self._own.is_it(str(row.address)) for row in recipients)

    def _composed(self, message: Stored, notice: Notice, raw: bytes | None) -> bytes | None:
        octets = self._composers[notice.kind](message, notice, raw)
        return None if octets is None else self._sign(octets)

    async def _original(self, queue_id: str) -> bytes | None:
        try:
            return await self._spool.raw(queue_id)
        except BodyUnreadable:
            return None

    async def _write_letter(self, letter: LetterOfMany) -> None:
        first = letter.notices[0]
        if letter.octets is None:
            await self.write(first)
        else:
            mail = own_mail(letter.about, first, letter.octets, self._hostname, self._clock())
            await self._finish(letter.notices, mail)

    async def _finish(self, notices: Sequence[Notice], mail: NewMessage) -> None:
        own_id = await self._spool.notices.finish(notices, mail)
        if own_id is None:
            raise ToldElsewhere
        self.finished += len(notices)
        metrics.NOTICES.labels(notices[0].kind.value).inc()
        log.info("notice-written", kind=notices[0].kind.value, own_id=own_id, **_names(notices))
        self._wake()


def _names(notices: Sequence[Notice]) -> dict[str, object]:
    """Name the mails in one line of the log, however many there are."""
    if len(notices) == 1:
        return {"queue_id": notices[0].queue_id}
    return {"mails": len(notices), "queue_ids": [notice.queue_id for notice in notices]}


def _take_out(group: dict[int, Notice], notices: Sequence[Notice]) -> None:
    for notice in notices:
        del group[notice.notice_id]
