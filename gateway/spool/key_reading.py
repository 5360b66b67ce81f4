"""The keys of a mail, unwrapped for who may have them: whoever seals, the sender who tells, a recipient with a proved address.

Each job returns NoKey instead of raising it: an exception would undo what others of the same transaction do.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

import sqlalchemy as sa
from sqlalchemy import bindparam

from gateway.message.envelope import Envelope
from gateway.policy.decision import Decision
from gateway.policy.protection import Way
from gateway.spool.agreed_keys import agreed_with
from gateway.spool.key_contract import NoKey, SealKey, ShownKey, Stage
from gateway.spool.key_making import handling_of, number_of
from gateway.spool.key_rows import KeyRow, SendingRow, change, keys, sendings
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.mail_json import parsed
from gateway.spool.ranges import to_ranges
from gateway.spool.second_look import is_sender
from gateway.spool.statements import RELEASE_FACTS
from gateway.spool.times import from_us
from gateway.spool.values import Actor
from gateway.store.attachment_tables import key_sendings, message_keys
from gateway.store.events import Event
from gateway.store.keys import MasterKey, MasterKeyError
from gateway.store.tx import Prepared, Queries, Tx
from gateway.store.wrapping import bound
from gateway.values import dataclass

LAST_DIGITS = 4  # of a number: enough for who typed it

_K = message_keys.c
_SHOWN = Prepared(
    message_keys.update()
    .where(_K.queue_id == bindparam("b_queue_id"), _K.number == bindparam("b_number"))
    .values(shown_at=bindparam("b_at", type_=sa.BigInteger))
)


@dataclass(frozen=True, slots=True)
class KeyedMail:
    """A mail with all that is known of its keys."""

    queue_id: str
    envelope: Envelope
    decision: Decision
    keys: dict[int, KeyRow]
    sendings: dict[int, SendingRow]

    def number(self, index: int) -> int | None:
        """Return the number of a recipient's key; None where none is needed."""
        handling = handling_of(self.decision, index)
        return None if handling is None else number_of(index, handling)

    def text(self, number: int, master: MasterKey) -> str:
        """Return a key; raises NoKey where it is deleted, MasterKeyError where it cannot be unwrapped."""
        row = self.keys.get(number)
        if row is None:
            raise NoKey("expired")
        holder = master.holding(row.key_id) or master
        return holder.unwrap(bytes(row.wrapped), bound(message_keys.name, self.queue_id, number)).decode(
            "ascii"
        )

    def shown(self, way: Way) -> list[SendingRow]:
        """Return the recipients with that way whom the sender knows of, and whose keys are not stopped."""
        rows = [row for row in self.sendings.values() if row.way is way and row.stage is not Stage.STOPPED]
        return [row for row in rows if not self.decision.is_copy(row.recipient)]


def keyed_mail(
    queries: Queries, queue_id: str, indexes: Collection[int] | None = None, *, lock: bool = False
) -> KeyedMail | None:
    """Read it, as far as it is about these recipients; None for an unknown message.

    Raises ValueError where its record cannot be read.
    """
    facts = queries.row(RELEASE_FACTS, {"b_queue_id": queue_id})
    if facts is None:
        return None
    envelope, decision = parsed(facts[1], facts[2])
    rows = sendings(queries, queue_id, indexes, lock=lock)
    return KeyedMail(queue_id, envelope, decision, keys(queries, queue_id, indexes), rows)


def number_to(row: SendingRow, master: MasterKey) -> str:
    """Return the number that the sender typed; empty where the sender typed none. Raises MasterKeyError."""
    if row.wrapped_to is None:
        return ""
    holder = master.holding(row.key_id or "") or master
    binding = bound(key_sendings.name, row.queue_id, row.recipient)
    return holder.unwrap(bytes(row.wrapped_to), binding).decode("ascii")


def last_digits(row: SendingRow, master: MasterKey) -> str:
    """Return what may be shown of that number: its end; empty where it cannot be read."""
    try:
        return number_to(row, master)[-LAST_DIGITS:]
    except MasterKeyError:
        return ""


def seal_keys(
    queue_id: str, recipients: Collection[int], master: MasterKey
) -> Callable[[Queries], dict[int, SealKey] | NoKey | None]:
    """Return the keys that copies are sealed with; who needs none is left out."""

    def read(queries: Queries) -> dict[int, SealKey] | NoKey | None:
        mail = keyed_mail(queries, queue_id, recipients)
        if mail is None:
            return None
        wanted = [index for index in recipients if handling_of(mail.decision, index) is not None]
        try:
            return {index: _seal_key(queries, mail, index, master) for index in wanted}
        except NoKey as none:
            return none

    return read


def _seal_key(queries: Queries, mail: KeyedMail, index: int, master: MasterKey) -> SealKey:
    """Return one key. Without a way there is none, whatever let the recipient go: what nobody can open must not leave."""
    row, number = mail.sendings.get(index), mail.number(index)
    if row is None or row.way is None or number is None:
        raise NoKey("none")
    if row.stage is Stage.STOPPED:
        raise NoKey("expired")
    if row.way is Way.PREAGREED:
        return SealKey(*agreed_with(queries, mail.envelope.recipients[index].key, master))
    return SealKey(str(number), mail.text(number, master))


def show(
    queue_id: str, actor: Actor, now: int, master: MasterKey
) -> Callable[[Tx], list[ShownKey] | NoKey | None]:
    """Show the sender the keys to tell, and write that; a key that was shown is on its way."""

    def job(tx: Tx) -> list[ShownKey] | NoKey | None:
        mail = keyed_mail(tx, queue_id, lock=True)
        if mail is None:
            return None
        if actor.kind != "sender" or not is_sender(actor.name, mail.envelope):
            return NoKey("not-theirs")
        rows = mail.shown(Way.SENDER)
        if not rows:
            return NoKey("none")
        try:
            told = _told(mail, rows, master)
        except NoKey as none:
            return none
        _write_shown(tx, mail, rows, now)
        tx.event(_shown(queue_id, Reason.BY_SENDER, actor, [row.recipient for row in rows], now))
        return told

    return job


def _told(mail: KeyedMail, rows: Iterable[SendingRow], master: MasterKey) -> list[ShownKey]:
    told = [(number, mail.keys.get(number), of) for number, of in _by_number(mail, rows).items()]
    there = [(number, key, of) for number, key, of in told if key is not None]
    if not there:
        raise NoKey("expired")
    return [
        ShownKey(tuple(of), Way.SENDER, from_us(key.expires_at), mail.text(number, master))
        for number, key, of in there
    ]


def _by_number(mail: KeyedMail, rows: Iterable[SendingRow]) -> dict[int, list[int]]:
    numbers: dict[int, list[int]] = {}
    for row in rows:
        if (number := mail.number(row.recipient)) is not None:
            numbers.setdefault(number, []).append(row.recipient)
    return numbers


def _write_shown(tx: Tx, mail: KeyedMail, rows: Iterable[SendingRow], now: int) -> None:
    rows = list(rows)
    for row in rows:
        if row.stage is Stage.READY:
            change(tx, row, now, stage=Stage.SENT)
    for number in _by_number(mail, rows):
        tx.run(_SHOWN, {"b_queue_id": mail.queue_id, "b_number": number, "b_at": now})


def _shown(queue_id: str, reason: Reason, actor: Actor, indexes: list[int], now: int) -> Event:
    recipients = to_ranges(indexes)
    return Event(now, queue_id, Kind.KEY_SHOWN, reason, actor.kind, actor.name, recipients)
