"""The sender says how a key gets to recipients whom it has no way to, or whom it did not reach. One transaction.

What the rules allow is the handling's `ways`; nothing else is taken. Rows are changed in the order that every verb keeps:
looks, recipients, sendings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import replace

from gateway.policy.handling import Handling, Missing
from gateway.policy.protection import Way
from gateway.spool.agreed_keys import among
from gateway.spool.holds import Wish
from gateway.spool.key_contract import Stage
from gateway.spool.key_leaving import due_of
from gateway.spool.key_making import handling_of
from gateway.spool.key_rows import SendingRow, change, sendings
from gateway.spool.lifecycle import Kind, Reason, State
from gateway.spool.opened import Opened, open_mail, settle, write_look
from gateway.spool.ranges import to_ranges
from gateway.spool.records import RecipientRow
from gateway.spool.times import from_us
from gateway.spool.values import Actor, Change
from gateway.store.attachment_tables import key_sendings
from gateway.store.keys import MasterKey
from gateway.store.tx import Tx
from gateway.store.wrapping import bound
from gateway.values import dataclass

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")  # ITU-T E.164 6: 15 digits at most
AGAIN = "another way"  # what a row says that went a way in vain before


@dataclass(frozen=True, slots=True)
class Said:
    """What the sender says: by which way, and where to; the master key that wraps a number."""

    queue_id: str
    recipients: frozenset[int]
    way: Way
    to: str
    actor: Actor
    now: int
    master: MasterKey

    @property
    def wish(self) -> Wish:
        reason = Reason.BY_ADMIN if self.actor.kind == "admin" else Reason.BY_SENDER
        return Wish(self.queue_id, None, self.actor, reason, self.now)


def checked_number(way: Way, to: str) -> str:
    """Return where a key goes; raises ValueError, which does not quote it, on what is no number, or needs none."""
    if to and (way is not Way.SMS or not _E164.fullmatch(to)):
        raise ValueError(
            "where a key goes is a telephone number in E.164 for sms, and nothing for other ways"
        )
    return to


def supply(said: Said) -> Callable[[Tx], Change | None]:
    """Take the way for those who wait for one, and let go who has everything then; None for an unknown message."""

    def job(tx: Tx) -> Change | None:
        opened = open_mail(tx, said.queue_id)
        if opened is None:
            return None
        found = sendings(tx, said.queue_id, said.recipients)
        states = {row.idx: row for row in opened.rows if row.idx in said.recipients}
        agreed = _agreed(tx, opened, said)
        rows = [row for index, row in found.items() if _may(opened, said, row, states[index], agreed)]
        if rows:
            _write(tx, opened, said, rows)
        done = frozenset(row.recipient for row in rows)
        missed = [(index, row.state) for index, row in states.items() if index not in done]
        return Change(
            tuple(sorted(done)), tuple([each for each in missed if not opened.decision.is_copy(each[0])])
        )

    return job


def _may(
    opened: Opened, said: Said, row: SendingRow, recipient: RecipientRow, agreed: Collection[int]
) -> bool:
    """Tell whether this recipient's key may get that way now."""
    handling = handling_of(opened.decision, row.recipient)
    if handling is None or said.way not in handling.ways or opened.decision.is_copy(row.recipient):
        return False
    if said.way is Way.CODE_PAGE:  # it opens links that have no key; this one has
        return False
    if said.way is Way.PREAGREED and row.recipient not in agreed:
        return False
    return _is_asked(handling, row, recipient) or _has_failed(said, row, recipient)


def _is_asked(handling: Handling, row: SendingRow, recipient: RecipientRow) -> bool:
    """Tell whether the sender has to say, or has said and may say better: nothing has left yet, under whatever key."""
    return row.stage is Stage.WAITING and handling.way is None and recipient.state is State.HELD


def _has_failed(said: Said, row: SendingRow, recipient: RecipientRow) -> bool:
    """Tell whether another way may be tried for a mail that is there: its key is what it was sealed with."""
    there = row.stage is Stage.FAILED and recipient.state is State.DELIVERED
    return there and said.way is not Way.PREAGREED


def _agreed(tx: Tx, opened: Opened, said: Said) -> frozenset[int]:
    """Return who has an agreed key, where that is asked for."""
    if said.way is not Way.PREAGREED:
        return frozenset()
    people = opened.envelope.recipients
    keys = {index: people[index].key for index in said.recipients if 0 <= index < len(people)}
    known = among(frozenset(keys.values()))(tx)
    return frozenset(index for index, key in keys.items() if key in known)


def _write(tx: Tx, opened: Opened, said: Said, rows: list[SendingRow]) -> None:
    held = [row for row in rows if row.stage is Stage.WAITING]
    event = said.wish.event(Kind.KEY_WAY, [], way=said.way.value)
    tx.event(event._replace(recipients=to_ranges(row.recipient for row in rows)))
    for look in opened.looks.looks:
        ticked = look.ticked | ({row.recipient for row in held} & look.recipients)
        if isinstance(look.demand, Missing) and ticked != look.ticked:
            changed = replace(look, ticked=ticked)
            if not opened.held(changed):
                changed = replace(changed, met_at=from_us(said.now), due_at=None)
            opened = write_look(tx, opened, changed, said.now)
    settle(tx, opened, said.actor, said.wish.reason, said.now)
    for row in rows:
        _put(tx, said, row)


def _put(tx: Tx, said: Said, row: SendingRow) -> None:
    number = wrapped = None
    if said.way is Way.SMS:  # an empty one, too: what was wrapped anew names what was said anew
        wrapped = said.master.wrap(
            said.to.encode("ascii"), bound(key_sendings.name, said.queue_id, row.recipient)
        )
        number = said.master.key_id
        tx.under(number)
    new: dict[str, object] = {"way": said.way, "key_id": number, "wrapped_to": wrapped}
    if row.stage is Stage.FAILED:
        due_at = due_of(said.way, said.now)
        new |= {"stage": Stage.READY, "due_at": due_at, "attempts": 0, "receipt": None, "detail": AGAIN}
    change(tx, row, said.now, **new)
