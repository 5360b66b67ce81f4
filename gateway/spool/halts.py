"""`spool.halts` on SQL, and the jobs that make a mail wait longer or correct a recipient."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from gateway.message.address import AddressError, parse_path
from gateway.spool import freezes
from gateway.spool.contract import known
from gateway.spool.first_notices import notice_row
from gateway.spool.freeze_rows import write_stays
from gateway.spool.halt_contract import FROZEN_FOR, LONGEST
from gateway.spool.holds import Wish, cancel, change_of, recipients_of
from gateway.spool.lifecycle import Kind, Reason, State
from gateway.spool.listing import FAR
from gateway.spool.moves import stay
from gateway.spool.notice import NoticeKind
from gateway.spool.opened import Opened, open_mail
from gateway.spool.records import RecipientRow
from gateway.spool.second_look import SOMEBODY
from gateway.spool.statements import NEW_NOTICES, NOTICE_FACTS
from gateway.spool.times import from_us, span_us, to_us
from gateway.spool.values import Actor, Change
from gateway.store.database import Database
from gateway.store.tx import Tx

_SOMEBODY = to_us(SOMEBODY)
_REASONS = {"admin": Reason.BY_ADMIN, "colleague": Reason.BY_COLLEAGUE, "ordering-body": Reason.BY_ORDERING}

Job = Callable[[Tx], Change | None]


class SqlHalts:
    """Implements `gateway.spool.halt_contract.Halts`. `frozen_for` is how long a freeze lasts at most."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self.frozen_for: timedelta = FROZEN_FOR

    async def freeze(self, queue_id: str, actor: Actor, because: str, now: datetime) -> Change:
        return await self._known(
            freezes.freeze(_wish(queue_id, actor, now), because, self.frozen_for), queue_id
        )

    async def thaw(self, queue_id: str, actor: Actor, now: datetime) -> Change:
        return await self._known(freezes.thaw(_wish(queue_id, actor, now)), queue_id)

    async def extend(self, queue_id: str, until: datetime, actor: Actor, now: datetime) -> Change:
        return await self._known(extend(_wish(queue_id, actor, now), to_us(until)), queue_id)

    async def correct(self, queue_id: str, recipient: int, meant: str, actor: Actor, now: datetime) -> Change:
        wish = replace(_wish(queue_id, actor, now), recipients=(recipient,))
        return await self._known(correct(wish, checked(meant)), queue_id)

    async def _known(self, job: Job, queue_id: str) -> Change:
        return known(await self._db.committer.run(job), queue_id)


def extend(wish: Wish, until: int) -> Job:
    """Let held recipients wait longer; the job gives None for an unknown message."""

    def job(tx: Tx) -> Change | None:
        opened = open_mail(tx, wish.queue_id)
        if opened is None:
            return None
        last = min(to_us(opened.received_at), wish.now) + span_us(LONGEST)
        end = min(until, last)
        by_time = [row for row in _held(opened) if (row.due_at or 0) < min(end, FAR)]
        asking = [row for row in _held(opened) if row.due_at == _SOMEBODY and _ends(opened, row, wish) < end]
        stay(tx, [(row, end) for row in by_time], wish.now)
        if asking:
            later = {row.idx: from_us(end) for row in asking}
            write_stays(tx, wish.queue_id, opened.looks.stays | later, wish.now)
        done = sorted([*by_time, *asking], key=lambda row: row.idx)
        if done:
            tx.event(wish.event(Kind.EXTENDED, done, until=from_us(end).isoformat()))
        return change_of(done, [row for row in opened.rows if row.state is State.HELD])

    return job


def correct(wish: Wish, meant: str) -> Job:
    """Cancel one recipient, and say to whom the sender has to send again."""

    def job(tx: Tx) -> Change | None:
        change = cancel(wish, tells=False)(tx)
        if change is None or not change.done:
            return change
        rows = [row for row in recipients_of(tx, wish.queue_id) if row.idx in change.done]
        tx.event(wish.event(Kind.CORRECTED, rows, meant=meant))
        _tell(tx, wish, NoticeKind.CORRECTED, [row.idx for row in rows], meant)
        return change

    return job


def checked(meant: str) -> str:
    """Return an address as it is written down; raises ValueError."""
    try:
        return str(parse_path(meant.strip()))
    except AddressError as error:
        raise ValueError(f"not a mail address: {error}") from None


def _wish(queue_id: str, actor: Actor, now: datetime) -> Wish:
    return Wish(queue_id, None, actor, _REASONS.get(actor.kind, Reason.BY_SENDER), to_us(now))


def _held(opened: Opened) -> list[RecipientRow]:
    return [row for row in opened.rows if row.state is State.HELD and row.due_at is not None]


def _ends(opened: Opened, row: RecipientRow, wish: Wish) -> int:
    return to_us(opened.window_ends(row.idx, from_us(wish.now)))


def _tell(tx: Tx, wish: Wish, kind: NoticeKind, indexes: list[int], said: str) -> None:
    """Tell the sender of a mail that is not our own."""
    sender, from_gateway = tx.row(NOTICE_FACTS, {"b_queue_id": wish.queue_id})
    if sender is not None and not from_gateway and indexes:
        tx.insert(NEW_NOTICES, [notice_row(kind, wish.queue_id, sender, indexes, wish.now, said)])
