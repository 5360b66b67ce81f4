"""Open an incident: one transaction that stops what can be stopped, and has everybody told who has to know.

Nobody opens a second one: who comes later finds the first. A crash leaves all of it or nothing; the letters wait in the outbox
and go once each.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import sqlalchemy as sa
from sqlalchemy import bindparam

from gateway.incidents.contract import Account, NoteKind, Organisation
from gateway.incidents.rows import account_columns, add_note, taken_json, whose_json
from gateway.spool.contract import UnknownMessage
from gateway.spool.first_notices import notice_row
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.list_contract import Whose
from gateway.spool.notice import NoticeKind
from gateway.spool.ranges import to_ranges
from gateway.spool.share_contract import TakenBack
from gateway.spool.shares_life import Asked
from gateway.spool.statements import NEW_NOTICES, NOTICE_FACTS
from gateway.spool.taking_back import take_back
from gateway.spool.times import to_us
from gateway.spool.values import Actor
from gateway.store.events import Event, storable
from gateway.store.incident_tables import incidents
from gateway.store.keys import MasterKey
from gateway.store.tx import Prepared, Tx
from gateway.values import dataclass

# Two people press at one moment: the second row is none, and its transaction does nothing else.
_NEW = Prepared(
    sa.text(
        "INSERT INTO incidents (queue_id, opened_at, opener_kind, opener, what, wrong, kinds, persons, known_at,"
        " organisation, taken, whose, remind_at) VALUES (:b_queue_id, :b_opened_at, :b_opener_kind, :b_opener,"
        " :b_what, :b_wrong, :b_kinds, :b_persons, :b_known_at, :b_organisation, '', :b_whose, :b_remind_at)"
        " ON CONFLICT (queue_id) DO NOTHING"
    )
)
_TAKEN = Prepared(
    incidents.update()
    .where(incidents.c.queue_id == bindparam("b_queue_id"))
    .values(taken=bindparam("b_taken"))
)


_REASONS = {
    "admin": Reason.BY_ADMIN,
    "ordering-body": Reason.BY_ORDERING,
    "colleague": Reason.BY_COLLEAGUE,
    "recipient": Reason.BY_RECIPIENT,
    "system": Reason.SYSTEM,
}


@dataclass(frozen=True, slots=True)
class Opening:
    """An incident to open. `told` are the addresses that get a letter; `take_back` None takes the mail back from everybody."""

    queue_id: str
    account: Account
    actor: Actor
    whose: Whose
    organisation: Organisation
    told: Collection[str]
    take_back: Collection[int] | None
    remind_at: int | None
    now: int


def reason_of(actor: Actor) -> Reason:
    """Return the reason that events about incidents give."""
    return _REASONS.get(actor.kind, Reason.BY_SENDER)


def event(queue_id: str, kind: Kind, actor: Actor, now: int, recipients: str = "", **detail: object) -> Event:
    """Return an event about an incident: who did what; never what people wrote."""
    return Event(now, queue_id, kind, reason_of(actor), actor.kind, actor.name, recipients, detail)


def open_incident(new: Opening, master: MasterKey) -> Callable[[Tx], TakenBack | None]:
    """Return the job; it tells what could be taken back, None where the incident is not new. Raises UnknownMessage."""

    def job(tx: Tx) -> TakenBack | None:
        if tx.row(NOTICE_FACTS, {"b_queue_id": new.queue_id}) is None:
            raise UnknownMessage(f"no message {new.queue_id}")
        if not tx.run(_NEW, _columns(new)):
            return None
        tx.event(_opened(new))
        taken = take_back(Asked(new.queue_id, new.take_back, new.actor, new.now))(tx)
        if taken is None:
            raise UnknownMessage(f"no message {new.queue_id}")
        tx.run(_TAKEN, {"b_queue_id": new.queue_id, "b_taken": taken_json(taken)})
        add_note(
            tx,
            new.queue_id,
            NoteKind.DESCRIPTION,
            new.account.description,
            new.actor.name,
            new.now,
            master,
        )
        rows = [notice_row(NoticeKind.INCIDENT, new.queue_id, to, [], new.now) for to in sorted({*new.told})]
        tx.insert(NEW_NOTICES, rows)
        return taken

    return job


def _columns(new: Opening) -> dict[str, object]:
    return account_columns(new.account) | {
        "b_queue_id": new.queue_id,
        "b_opened_at": new.now,
        "b_opener_kind": new.actor.kind,
        "b_opener": storable(new.actor.name),
        "b_organisation": new.organisation.value,
        "b_whose": whose_json(new.whose),
        "b_remind_at": new.remind_at,
    }


def _opened(new: Opening) -> Event:
    told = account_said(new.account) | {"told": sorted({*new.told}), "organisation": new.organisation.value}
    return event(new.queue_id, Kind.INCIDENT_OPENED, new.actor, new.now, to_ranges(new.account.wrong), **told)


def account_said(account: Account) -> dict[str, object]:
    """Return what an event says of an account: numbers and words from closed lists."""
    return {
        "what": account.what.value,
        "data": sorted(account.data),
        "persons": account.persons,
        "known_at": to_us(account.known_at),
    }
