"""Finish a notice: its mail enters the spool and its outbox row goes, in one transaction, so that it is sent exactly once."""

from __future__ import annotations

from collections.abc import Callable

from gateway.spool.accepting import Acceptance
from gateway.spool.contract import Notice
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.ranges import to_ranges
from gateway.spool.records import notice
from gateway.spool.statements import DELETE_NOTICE, FREE_NOTICES, TAKE_NOTICE, TAKEN_NOTICES
from gateway.store.bodies import Body
from gateway.store.events import Event
from gateway.store.living import living
from gateway.store.tx import Tx

LOOKED_PAST = 1_000  # notices of other nodes among which free ones are looked for


def finish(
    notice: Notice, mail: Acceptance | None, body: Body | None, now: int
) -> Callable[[Tx], str | None]:
    """Return the job; it gives None where the notice was dropped or somebody else has finished it."""

    def job(tx: Tx) -> str | None:
        if not tx.run(DELETE_NOTICE, {"b_notice_id": notice.notice_id}):
            return None
        queue_id = mail.write(tx, body) if mail is not None and body is not None else None
        tx.event(_event(notice, queue_id, now))
        return queue_id

    return job


def take(owner: str, limit: int) -> Callable[[Tx], list[Notice]]:
    """Take notices that nobody alive composes, and return those that are ours: oldest first, `limit` at most."""

    def job(tx: Tx) -> list[Notice]:
        alive = living(tx)
        found = tx.rows(FREE_NOTICES, {"b_owner": owner, "b_limit": limit + LOOKED_PAST})
        free = [notice_id for notice_id, holder in found if holder is None or holder not in alive]
        tx.many(TAKE_NOTICE, [{"b_notice_id": number, "b_owner": owner} for number in free[:limit]])
        return [notice(row) for row in tx.rows(TAKEN_NOTICES, {"b_owner": owner, "b_limit": limit})]

    return job


def _event(notice: Notice, mail: str | None, now: int) -> Event:
    detail = {"notice": notice.kind, "to": notice.to, "mail": mail}
    return Event(
        now,
        notice.queue_id,
        Kind.NOTICE,
        Reason.SYSTEM,
        recipients=to_ranges(notice.recipients),
        detail=detail,
    )
