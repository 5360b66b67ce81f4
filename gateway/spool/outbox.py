"""Finish a notice: its mail enters the spool and its outbox row goes, in one transaction, so that it is sent exactly once."""

from __future__ import annotations

from collections.abc import Callable

from gateway.spool.accepting import Acceptance
from gateway.spool.contract import Notice
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.ranges import to_ranges
from gateway.spool.statements import DELETE_NOTICE
from gateway.store.bodies import Body
from gateway.store.events import Event
from gateway.store.tx import Tx


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
