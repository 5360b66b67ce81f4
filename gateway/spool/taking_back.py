"""Taking a mail back: one transaction that stops what can be stopped, and says of the rest what is true.

Who has not got the mail never gets it; a link that nobody opened opens for nobody; a key that was not sent is not sent. What
somebody has is named as such: what was opened, with the time, and what is gone. The event carries all of it. Asked again, it
says the same again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping

from sqlalchemy import bindparam, func, select

from gateway.policy.decision import Decision
from gateway.policy.protection import How, Way
from gateway.spool.holds import Wish, cancel, recipients_of
from gateway.spool.key_contract import Stage
from gateway.spool.key_results import called_back
from gateway.spool.key_rows import change, sendings
from gateway.spool.key_stopping import stop_keys
from gateway.spool.lifecycle import Kind, State
from gateway.spool.mail_json import parsed
from gateway.spool.ranges import from_ranges, to_ranges
from gateway.spool.share_contract import TakenBack
from gateway.spool.shares_life import Asked
from gateway.spool.shares_rows import NEVER_GETS_IT, ShareRow, end, lock_rows
from gateway.spool.statements import RELEASE_FACTS
from gateway.spool.times import from_us
from gateway.spool.values import Change
from gateway.store.schema import events
from gateway.store.tx import Prepared, Tx
from gateway.values import dataclass

_IN_THE_MAIL = frozenset({How.ZIP_LEGACY, How.NATIVE, How.ZIP_AES256})


@dataclass(frozen=True, slots=True)
class _Found:
    """What the transaction knows of each recipient when everything is stopped."""

    states: Mapping[int, State]
    perhaps: frozenset[int]
    shares: Mapping[int, ShareRow]
    sealed: frozenset[int]  # who has a file in the mail that a key opens
    unsent: frozenset[int]  # whose key nobody ever sent or told
    restored_at: int = 0  # when a backup was restored: what was done between the two, nobody knows

    def word(self, index: int) -> str:
        """Return the one word of TakenBack for a recipient: the worst that may have happened counts."""
        if self.states[index] in NEVER_GETS_IT and index not in self.perhaps:
            return "stopped"
        share = self.shares.get(index)
        if share is not None and share.opened_at is not None:
            return "opened"
        if index in self.sealed and index not in self.unsent:
            return "gone"
        if share is not None:
            known = self.restored_at == 0 or (share.ended_at or self.restored_at) < self.restored_at
            return "locked" if known else "gone"
        return "unkeyed" if index in self.sealed else "gone"


def take_back(asked: Asked) -> Callable[[Tx], TakenBack | None]:
    """Take a mail back from some recipients, or from all; the job gives None for an unknown message."""

    def job(tx: Tx) -> TakenBack | None:
        facts = tx.row(RELEASE_FACTS, {"b_queue_id": asked.queue_id})
        if facts is None:
            return None
        found = _stop(tx, asked, _decision(facts[1], facts[2]), facts[0])
        taken = _told(asked, found)
        tx.event(asked.event(Kind.TAKEN_BACK, found.states, **_evidence(taken, found)))
        return taken

    return job


def _decision(envelope: str, decision: str) -> Decision | None:
    """Return what was decided; None where nobody can read it any more: it is taken back all the same."""
    try:
        return parsed(envelope, decision)[1]
    except Exception:  # whatever a row holds
        return None


def _stop(tx: Tx, asked: Asked, decision: Decision | None, received_at: int) -> _Found:
    indexes = _meant(tx, asked, decision)
    unsent = frozenset(stop_keys(tx, asked.queue_id, indexes, asked.reason, asked.actor, asked.now))
    restored_at = _restored_since(tx, received_at)
    if restored_at:
        unsent = frozenset()  # as far as this store knows; it may have forgotten
    unsent |= _second_mails(tx, asked, indexes) | _unsent_before(tx, asked.queue_id)
    wish = Wish(asked.queue_id, asked.recipients, asked.actor, asked.reason, asked.now)
    cancelled = cancel(wish)(tx) or Change((), ())
    shares = {row.recipient: row for row in lock_rows(tx, asked.queue_id) if row.recipient in indexes}
    ended = end(tx, shares.values(), asked.now)
    if ended:
        tx.event(asked.event(Kind.SHARE_ENDED, [row.recipient for row in ended]))
    rows = [row for row in recipients_of(tx, asked.queue_id) if row.idx in indexes]
    return _Found(
        states={row.idx: State.CANCELLED if row.idx in cancelled.done else row.state for row in rows},
        perhaps=frozenset(row.idx for row in rows if row.perhaps),
        shares=shares,
        sealed=frozenset(row.idx for row in rows if _is_sealed(decision, row.idx)),
        unsent=unsent,
        restored_at=restored_at,
    )


def _meant(tx: Tx, asked: Asked, decision: Decision | None) -> frozenset[int]:
    """Return whom it is about; no act of a sender reaches a copy that a rule asked for (`bcc_to`)."""
    rows = recipients_of(tx, asked.queue_id)
    chosen = (row.idx for row in rows if asked.recipients is None or row.idx in asked.recipients)
    if asked.actor.kind == "admin" or decision is None:
        return frozenset(chosen)
    return frozenset(index for index in chosen if not decision.is_copy(index))


def _is_sealed(decision: Decision | None, index: int) -> bool:
    """Tell whether a file in the mail opens with a key; one that nobody knows of may be there."""
    if decision is None:
        return True
    handling = decision.of(index).handling
    return handling is not None and any(how in _IN_THE_MAIL for _, how in handling.forms)


def _second_mails(tx: Tx, asked: Asked, indexes: Collection[int]) -> frozenset[int]:
    """Cancel mails of our own that carry a key and have not left; return whose key that was."""
    stopped = []
    for index, row in sendings(tx, asked.queue_id, indexes, lock=True).items():
        if row.way is not Way.SECOND_MAIL or row.stage is not Stage.SENT:
            continue
        if called_back(tx, row.receipt or "", asked.actor, asked.reason, asked.now):
            change(tx, row, asked.now, stage=Stage.STOPPED, due_at=None, lease=None)
            stopped.append(index)
    if stopped:
        tx.event(asked.event(Kind.KEY_STOPPED, stopped))
    return frozenset(stopped)


def _restored_since(tx: Tx, received_at: int) -> int:
    """Return when a backup was restored last, if that was after the acceptance of the mail; else 0."""
    return int(tx.row(_RESTORED, {"b_since": received_at})[0] or 0)


def _unsent_before(tx: Tx, queue_id: str) -> frozenset[int]:
    """Return whose key was stopped when the mail was taken back before: what is deleted since cannot tell any more."""
    rows = tx.rows(_TAKEN_BACK, {"b_queue_id": queue_id})
    return frozenset(
        index for (detail,) in rows for index in from_ranges(json.loads(detail).get("unsent", ""))
    )


def _told(asked: Asked, found: _Found) -> TakenBack:
    words = {index: found.word(index) for index in sorted(found.states)}

    def those(word: str) -> tuple[int, ...]:
        return tuple([index for index, said in words.items() if said == word])

    opened = [(index, found.shares[index].opened_at) for index in those("opened")]
    return TakenBack(
        stopped=those("stopped"),
        locked=those("locked"),
        opened=tuple([(index, from_us(at)) for index, at in opened if at is not None]),
        unkeyed=those("unkeyed"),
        gone=those("gone"),
        at=from_us(asked.now),
    )


def _evidence(taken: TakenBack, found: _Found) -> dict[str, object]:
    """Return what the event says; a word that fits nobody does not occur."""
    ranges = {name: to_ranges(getattr(taken, name)) for name in ("stopped", "locked", "unkeyed", "gone")}
    ranges["unsent"] = to_ranges(found.unsent & found.states.keys())
    said: dict[str, object] = {name: value for name, value in ranges.items() if value}
    opened = [[index, at.isoformat()] for index, at in taken.opened]
    return said | ({"opened": opened} if opened else {})


_E = events.c
_TAKEN_BACK = Prepared(
    select(_E.detail).where(
        _E.queue_id == bindparam("b_queue_id"), _E.kind == bindparam("b_kind", Kind.TAKEN_BACK.value)
    )
)
_RESTORED = Prepared(  # an event of no mail: an index finds these
    select(func.max(_E.at)).where(
        _E.queue_id.is_(None),
        _E.kind == bindparam("b_kind", Kind.RESTORED.value),
        _E.at >= bindparam("b_since"),
    )
)
