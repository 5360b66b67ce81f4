"""`spool.digests`: that the letter of a day goes once to each, and who does not want one. What it tells is in digest_day.

A letter and the row that says that it was sent are one transaction, so whatever node dies, and however many there are, nobody
gets two of a day.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from gateway.spool.accepting import acceptance
from gateway.spool.bodies import BodiesOfMail
from gateway.spool.digest_day import Day, gather
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.queue_ids import QueueIds
from gateway.spool.times import from_us, to_us
from gateway.spool.values import Actor, NewMessage
from gateway.store.bodies import Body
from gateway.store.call_tables import digest_choices, digests
from gateway.store.database import Database
from gateway.store.events import Event, storable
from gateway.store.tx import Prepared, Tx

MOST_CHOICES = 100_000  # people who said that they want none
KEPT_DAYS = 40  # of the rows that say who got a letter

_D, _C = digests.c, digest_choices.c
_DONE = Prepared(
    select(_D.sent_at).where(_D.day == bindparam("b_day"), _D.address == sa.literal_column("''"))
)
_BEFORE = Prepared(
    select(sa.func.max(_D.sent_at)).where(_D.day < bindparam("b_day"), _D.address == sa.literal_column("''"))
)
_TOLD = Prepared(select(_D.address).where(_D.day == bindparam("b_day")))
_CLAIM = Prepared(
    sa.text(
        "INSERT INTO digests (day, address, sent_at) VALUES (:b_day, :b_address, :b_at)"
        " ON CONFLICT (day, address) DO NOTHING"
    )
)
_FORGET = Prepared(digests.delete().where(_D.sent_at < bindparam("b_before")))
_OFF = Prepared(
    select(_C.address).where(_C.wanted == sa.literal_column("0")).limit(sa.literal_column(str(MOST_CHOICES)))
)
_CHOICE = Prepared(select(_C.wanted).where(_C.address == bindparam("b_address")))
_CHOOSE = Prepared(
    sa.text(
        "INSERT INTO digest_choices (address, wanted, changed_at) VALUES (:b_address, :b_wanted, :b_at)"
        " ON CONFLICT (address) DO UPDATE SET wanted = excluded.wanted, changed_at = excluded.changed_at"
    )
)


class _ToldAlready(Exception):
    """Somebody got the letter of this day before; the transaction is rolled back."""


class SqlDigests:
    """On the store of the spool; `day` is written 2026-11-21, in the time zone of the digest."""

    def __init__(self, database: Database, bodies: BodiesOfMail, ids: QueueIds) -> None:
        self._db = database
        self._bodies = bodies
        self._ids = ids

    async def is_done(self, day: str) -> bool:
        """Tell whether all letters of a day went out."""
        return await self._db.readers.run(lambda queries: queries.row(_DONE, {"b_day": day}) is not None)

    async def before(self, day: str) -> datetime | None:
        """Return when the letters of the last day before this one were done; None where there was none."""
        row = await self._db.readers.run(lambda queries: queries.row(_BEFORE, {"b_day": day}))
        moment: datetime | None = from_us(row[0])
        return moment

    async def told(self, day: str) -> frozenset[str]:
        """Return who got the letter of a day already."""
        rows = await self._db.readers.run(lambda queries: queries.rows(_TOLD, {"b_day": day}))
        return frozenset(address for (address,) in rows)

    async def gather(self, since: datetime) -> Day:
        """Return what is held now, and what happened since."""
        return await self._db.readers.run(gather(to_us(since)))

    async def send(self, day: str, address: str, mail: NewMessage) -> str | None:
        """Spool the letter of a day to somebody; None where they have got it."""
        queue_id, at = self._ids.new(mail.received_at), to_us(mail.received_at)
        rows = acceptance(queue_id, mail)

        def job(body: Body) -> Callable[[Tx], str]:
            def write(tx: Tx) -> str:
                _claim(tx, day, address, at)
                written = rows.write(tx, body)
                detail = {"notice": "digest", "to": address, "mail": written}
                tx.event(Event(at, written, Kind.NOTICE, Reason.SYSTEM, detail=detail))
                return str(written)

            return write

        try:
            return await self._bodies.store(mail.raw, queue_id, job)
        except _ToldAlready:
            return None

    async def finish(self, day: str, now: datetime) -> None:
        """Note that all letters of a day went out, and forget days long gone."""
        at = to_us(now)

        def write(tx: Tx) -> None:
            tx.run(_FORGET, {"b_before": at - KEPT_DAYS * 86_400_000_000})
            tx.run(_CLAIM, {"b_day": day, "b_address": "", "b_at": at})

        await self._db.committer.run(write)

    async def switched_off(self) -> frozenset[str]:
        """Return who does not want a letter."""
        rows = await self._db.readers.run(lambda queries: queries.rows(_OFF))
        return frozenset(address for (address,) in rows)

    async def wanted(self, address: str) -> bool:
        """Tell whether somebody (a key) wants the letter."""
        row = await self._db.readers.run(lambda queries: queries.row(_CHOICE, {"b_address": address}))
        return row is None or bool(row[0])

    async def choose(self, address: str, wanted: bool, actor: Actor, now: datetime) -> None:
        """Note whether somebody (a key) wants the letter, with its event; saying the same again changes nothing."""
        at = to_us(now)

        def write(tx: Tx) -> None:
            row = tx.row(_CHOICE, {"b_address": address})
            if (row is None or bool(row[0])) is wanted:
                return
            tx.run(_CHOOSE, {"b_address": storable(address), "b_wanted": int(wanted), "b_at": at})
            detail = {"address": address, "wanted": wanted}
            tx.event(Event(at, None, Kind.DIGEST, Reason.BY_PERSON, actor.kind, actor.name, detail=detail))

        await self._db.committer.run(write)


def _claim(tx: Tx, day: str, address: str, at: int) -> None:
    if tx.run(_CLAIM, {"b_day": day, "b_address": storable(address), "b_at": at}) != 1:
        raise _ToldAlready
