"""Mails for the spool's tests: one builder with the knobs that matter here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gateway.message.address import Address
from gateway.message.envelope import Client, Envelope
from gateway.policy.decision import Decision, Outcome
from gateway.policy.demands import NO_TIME, Demands
from gateway.spool.lifecycle import Reason, State
from gateway.spool.values import NewMessage, Result

T0 = datetime(2026, 4, 1, 9, 0, 0, 123456, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WINDOW = 10 * MINUTE
LEASE = 5 * MINUTE
SENDER = Address("clerk", "sports.example.jp")
RAW = b"Subject: =?UTF-8?B?5L6L?=\r\n\r\nbody\r\n"


def mail(
    *,
    held: int = 0,
    queued: int = 0,
    firm: timedelta = NO_TIME,
    window: timedelta = WINDOW,
    sender: Address | None = SENDER,
    raw: bytes = RAW,
    subject: str = "教室のお知らせ",
    at: datetime = T0,
    notify_sender: bool = False,
    notify: frozenset[str] = frozenset(),
    from_gateway: bool = False,
) -> NewMessage:
    """Return a mail whose first `held` recipients are held for `window`, the others not at all."""
    recipients = tuple(Address(f"r{index}", "example.com") for index in range(held + queued))
    outcomes = (
        Outcome(True, Demands(window=window, firm=firm), rules=("cancel-window",)),
        Outcome(False, Demands()),
    )
    decision = Decision(
        digest="d1",
        outcomes=outcomes,
        assigned=(0,) * held + (1,) * queued,
        notify_sender=notify_sender,
        notify=notify,
    )
    envelope = Envelope(sender, recipients, Client("127.0.0.1", "pc", "clerk", True))
    return NewMessage(envelope, raw, decision, at, subject, from_gateway)


class Ticks:
    """A monotonic clock that a test winds."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def pass_by(self, span: timedelta) -> None:
        self.seconds += span.total_seconds()


def unanswered(index: int, retry_at: datetime) -> Result:
    """Return the result of an attempt whose message was sent to its end, without an answer."""
    return Result(index, State.DEFERRED, Reason.NO_ANSWER, "no answer", retry_at=retry_at)


def delivered(index: int) -> Result:
    return Result(index, State.DELIVERED, Reason.REMOTE_REPLY, "250 2.0.0 ok", "2.0.0", "mx.example.com")


def deferred(index: int, retry_at: datetime) -> Result:
    return Result(index, State.DEFERRED, Reason.REMOTE_REPLY, "451 later", retry_at=retry_at)


def bounced(index: int) -> Result:
    return Result(index, State.BOUNCED, Reason.REMOTE_REPLY, "550 no such user", "5.1.1")
