"""What is recorded of a recipient after an attempt, when it is tried again, and how long it waited for what. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gateway.delivery.outcome import Verdict, judge
from gateway.message.status_request import Notify, RecipientRequest
from gateway.release.backoff import delay, put_off
from gateway.sealing.child import NotWritten
from gateway.spool.contract import BodyUnreadable, StoreUnavailable
from gateway.spool.key_contract import NoKey
from gateway.spool.lifecycle import Reason, State
from gateway.spool.values import Recipient, Result, Stored


def result_of(
    message: Stored, row: Recipient, verdict: Verdict, now: datetime, jitter: float, next_hop: str
) -> Result:
    """Return what to record for a recipient; a deferral gets the time of its next attempt."""
    retry_at = None
    if verdict.state is State.DEFERRED:
        age = now - _could_leave_at(message, row)
        retry_at = now + (delay(row.attempts, age, jitter) if verdict.attempted else put_off(age, jitter))
    return Result(
        index=row.index,
        state=verdict.state,
        reason=verdict.reason,
        reply=verdict.reply,
        enhanced=verdict.enhanced,
        next_hop=next_hop,
        retry_at=retry_at,
        tls=verdict.tls,
        attempted=verdict.attempted,
        tell_relayed=verdict.state is State.DELIVERED
        and not verdict.tells
        and message.envelope.request(row.index).wants(Notify.SUCCESS),
    )


def requests_of(message: Stored, rows: Sequence[Recipient]) -> tuple[RecipientRequest, ...]:
    """Return what was asked about these recipients, in their order; nothing where nothing was asked at all."""
    requests = message.envelope.requests
    return tuple(requests[row.index] for row in rows) if requests else ()


def ended_holds(message: Stored, now: datetime) -> list[tuple[int, float]]:
    """Return how many seconds each recipient was held whose hold has just ended, by index: those at their first attempt."""
    held = (now - message.received_at).total_seconds()
    decision = message.decision
    waits = [outcome.waits for outcome in decision.outcomes]
    if not any(waits):
        return []
    return [
        (row.index, max(0.0, held))
        for row in message.recipients
        if _is_first(row) and waits[decision.assigned[row.index]]
    ]


def _is_first(row: Recipient) -> bool:
    """Tell whether nothing was recorded of this recipient yet; a put-off counts no attempt but leaves its text."""
    return row.attempts <= 1 and not row.reply


def _could_leave_at(message: Stored, row: Recipient) -> datetime:
    return message.received_at + message.decision.of(row.index).demands.window


def since_release(message: Stored, row: Recipient, now: datetime) -> float:
    """Return seconds since the release: since the lease at the first attempt, since the end of the window later."""
    outcome = message.decision.of(row.index)
    leased = row.changed_at if _is_first(row) and outcome.waits else None
    return max(0.0, (now - (leased or message.received_at + outcome.demands.window)).total_seconds())


def not_loaded(error: Exception) -> Verdict:
    """Return the verdict when the mail cannot be read or rendered: temporary, whatever it was."""
    if isinstance(error, BodyUnreadable):
        return Verdict(State.DEFERRED, Reason.UNREADABLE, "the stored mail cannot be read")
    if isinstance(error, StoreUnavailable):
        return Verdict(State.DEFERRED, Reason.SYSTEM, "the store gives no data at the moment")
    return judge(error)


def not_sealed(error: NotWritten | NoKey) -> Verdict:
    """Return the verdict where the files of a copy could not be protected: it does not leave.

    What may go otherwise the next time is tried again as after any attempt; what cannot, bounces, so that the sender knows.
    """
    if isinstance(error, NoKey):
        text = f"the key of the attachments is gone ({error.why})"
        if error.why != "expired":  # one that was agreed on may be set again
            return Verdict(State.DEFERRED, Reason.SYSTEM, text, "4.7.5")
        return Verdict(State.BOUNCED, Reason.SYSTEM, text, "5.7.5")
    text = f"the attachments could not be protected ({error.why})"
    if error.temporary:
        return Verdict(State.DEFERRED, Reason.SYSTEM, text)
    return Verdict(State.BOUNCED, Reason.SYSTEM, text, "5.6.5")
