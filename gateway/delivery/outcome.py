"""From what a next hop said, or from what went wrong, to what becomes of a recipient. One table, pure.

Only an explicit 5yz about this mail, a missing extension or DNS's clear word bounces. Everything else, known
or not, is temporary.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from gateway.delivery.errors import (
    Busy,
    DeliveryError,
    NoAnswer,
    NoConnection,
    NoRoute,
    SessionRefused,
    UncleanContent,
    Unsupported,
)
from gateway.delivery.reply import MAX_TEXT, BadReply
from gateway.delivery.transaction import Said, Stage
from gateway.spool.lifecycle import Reason, State
from gateway.values import dataclass

OUR_CREDENTIALS = frozenset({530, 534, 535, 538})
"""Replies about our own sign-in (RFC 4954 6): a fault in the settings, no verdict on the mail."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one recipient; the caller adds when to try again.

    `tells`: the next hop took over the duty to tell the sender, where that was asked for (RFC 3461 5.2.1).
    `tls` says how the connection was secured, "" for not at all. `attempted` is false where nobody was asked: no
    place came free.
    """

    state: State
    reason: Reason
    reply: str
    enhanced: str = ""
    tells: bool = False
    tls: str = ""
    attempted: bool = True


def judge(word: Said | BaseException) -> Verdict:
    """Return the verdict for one recipient: the reply that decides, or the exception that came instead."""
    if isinstance(word, Said):
        return _judge_reply(word)
    for kind, rule in _EXCEPTIONS:
        if isinstance(word, kind):
            return rule(word)
    return Verdict(State.DEFERRED, Reason.SYSTEM, f"internal error ({type(word).__name__})")


def too_many(said: Said) -> bool:
    """Tell whether a recipient was put off only because the transaction was full (RFC 5321 4.5.3.1.10)."""
    reply = said.reply
    if said.stage is not Stage.RCPT or reply.code not in (452, 552):
        return False
    return reply.enhanced in ("", "4.5.3", "5.5.3")


def _judge_reply(said: Said) -> Verdict:
    reply = said.reply
    state = State.DEFERRED
    if reply.positive and said.stage is Stage.END:
        state = State.DELIVERED
    elif reply.permanent and reply.code not in OUR_CREDENTIALS and not too_many(said):
        state = State.BOUNCED
    return Verdict(state, Reason.REMOTE_REPLY, str(reply), reply.enhanced, said.tells)


def _unsupported(error: BaseException) -> Verdict:
    enhanced = error.enhanced if isinstance(error, Unsupported) else ""
    return Verdict(State.BOUNCED, Reason.UNSUPPORTED, f"{enhanced} {error}"[:MAX_TEXT], enhanced)


def _no_route(error: BaseException) -> Verdict:
    permanent = isinstance(error, NoRoute) and error.permanent
    enhanced = error.enhanced if isinstance(error, NoRoute) else ""
    state = State.BOUNCED if permanent else State.DEFERRED
    return Verdict(state, Reason.NO_ROUTE, f"{enhanced} {error}"[:MAX_TEXT], enhanced)


def _refused(error: BaseException) -> Verdict:
    enhanced = error.reply.enhanced if isinstance(error, SessionRefused) else ""
    return Verdict(State.DEFERRED, Reason.REMOTE_REPLY, str(error)[:MAX_TEXT], enhanced)


def _no_connection(error: BaseException) -> Verdict:
    return Verdict(State.DEFERRED, Reason.NO_CONNECTION, str(error)[:MAX_TEXT])


def _busy(error: BaseException) -> Verdict:
    return replace(_no_connection(error), attempted=False)


def _no_answer(error: BaseException) -> Verdict:
    return Verdict(State.DEFERRED, Reason.NO_ANSWER, str(error)[:MAX_TEXT])


def _our_fault(error: BaseException) -> Verdict:
    return Verdict(State.DEFERRED, Reason.SYSTEM, str(error)[:MAX_TEXT])


_EXCEPTIONS: tuple[tuple[type[BaseException], Callable[[BaseException], Verdict]], ...] = (
    (Unsupported, _unsupported),
    (NoRoute, _no_route),
    (SessionRefused, _refused),
    (UncleanContent, _our_fault),
    (NoAnswer, _no_answer),  # before its base class
    (NoConnection, _no_connection),
    (BadReply, _no_connection),
    (Busy, _busy),
    (DeliveryError, _no_connection),
    (OSError, _no_connection),
    (TimeoutError, _no_connection),
)
