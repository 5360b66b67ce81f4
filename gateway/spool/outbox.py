"""Finish notices: the mail that tells of them enters the spool and their outbox rows go, in one transaction, so that each is
told of exactly once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gateway.spool.accepting import Acceptance
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.notice import Notice
from gateway.spool.ranges import to_ranges
from gateway.spool.records import notice
from gateway.spool.statements import (
    ANY_NOTICE,
    DELETE_NOTICE,
    FREE_NOTICES,
    NOTICE,
    TAKE_NOTICE,
    TAKEN_NOTICES,
)
from gateway.store.bodies import Body
from gateway.store.events import Event
from gateway.store.living import living
from gateway.store.tx import Params, Queries, Tx

LOOKED_PAST = 1_000  # notices of other nodes among which free ones are looked for


class AlreadyFinished(Exception):
    """One of the notices is in the outbox no more; its transaction is rolled back."""


def finish(
    notices: Sequence[Notice], mail: Acceptance | None, body: Body | None, now: int
) -> Callable[[Tx], str | None]:
    """Return the job; it gives the queue id of the mail, None without one, and raises AlreadyFinished."""

    def job(tx: Tx) -> str | None:
        if tx.many(DELETE_NOTICE, [_row(each) for each in notices]) != len(notices):
            raise AlreadyFinished
        queue_id = mail.write(tx, body) if mail is not None and body is not None else None
        for each in notices:
            tx.event(_event(each, queue_id, now))
        return queue_id

    return job


def take(owner: str, limit: int, after: int) -> Callable[[Tx], list[Notice]]:
    """Take notices that nobody alive composes; return those and what else is ours above `after`, `limit` of each at most."""

    def job(tx: Tx) -> list[Notice]:
        alive = living(tx)
        found = tx.rows(FREE_NOTICES, {"b_owner": owner, "b_limit": limit + LOOKED_PAST})
        free = [notice_id for notice_id, holder in found if holder is None or holder not in alive][:limit]
        tx.many(TAKE_NOTICE, [{"b_notice_id": number, "b_owner": owner} for number in free])
        late = [tx.row(NOTICE, {"b_notice_id": number}) for number in free if number <= after]
        ours = tx.rows(TAKEN_NOTICES, {"b_owner": owner, "b_after": after, "b_limit": limit})
        return [notice(row) for row in (*late, *ours)]

    return job


def may_take(owner: str, after: int) -> Callable[[Queries], bool]:
    """Tell whether `take` may find any: most looks find none, and need no turn of the committer."""
    wanted = {"b_owner": owner, "b_after": after}
    return lambda queries: queries.row(ANY_NOTICE, wanted) is not None


def _row(told: Notice) -> Params:
    """Name the row by more than its number, which may come again."""
    return {"b_notice_id": told.notice_id, "b_queue_id": told.queue_id, "b_kind": str(told.kind)}


def _event(told: Notice, mail: str | None, now: int) -> Event:
    detail = {"notice": told.kind, "to": told.to, "mail": mail}
    return Event(
        now,
        told.queue_id,
        Kind.NOTICE,
        Reason.SYSTEM,
        recipients=to_ranges(told.recipients),
        detail=detail,
    )
