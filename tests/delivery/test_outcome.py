"""The table from a reply or an exception to what becomes of a recipient."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.delivery.errors import (
    BadReply,
    Busy,
    DeliveryError,
    NoAnswer,
    NoConnection,
    NoRoute,
    SessionRefused,
    UncleanContent,
    Unsupported,
)
from gateway.delivery.outcome import judge
from gateway.delivery.reply import Reply
from gateway.delivery.transaction import Said, Stage
from gateway.spool.lifecycle import Reason, State

REMOTE, LOST, SYSTEM = Reason.REMOTE_REPLY, Reason.NO_CONNECTION, Reason.SYSTEM


@pytest.mark.parametrize(
    ("stage", "code", "text", "state", "enhanced"),
    [
        (Stage.END, 250, "2.0.0 queued", State.DELIVERED, "2.0.0"),
        (Stage.END, 251, "ok", State.DELIVERED, ""),
        (Stage.END, 354, "what", State.DEFERRED, ""),
        (Stage.END, 451, "4.3.0 later", State.DEFERRED, "4.3.0"),
        (Stage.END, 550, "5.7.1 spam", State.BOUNCED, "5.7.1"),
        (Stage.END, 550, "4.7.1 the class contradicts", State.BOUNCED, ""),
        (Stage.RCPT, 250, "accepted is not delivered", State.DEFERRED, ""),
        (Stage.RCPT, 450, "4.2.0 grey-listed", State.DEFERRED, "4.2.0"),
        (Stage.RCPT, 550, "5.1.1 no such user", State.BOUNCED, "5.1.1"),
        (Stage.RCPT, 552, "5.2.2 mailbox full", State.BOUNCED, "5.2.2"),
        (Stage.RCPT, 552, "too many recipients", State.DEFERRED, ""),
        (Stage.RCPT, 552, "5.5.3 too many recipients", State.DEFERRED, "5.5.3"),
        (Stage.MAIL, 552, "message too large", State.BOUNCED, ""),
        (Stage.MAIL, 530, "5.7.0 STARTTLS first", State.DEFERRED, "5.7.0"),
        (Stage.MAIL, 535, "5.7.8 bad credentials", State.DEFERRED, "5.7.8"),
        (Stage.DATA, 554, "no", State.BOUNCED, ""),
    ],
)
def test_replies(stage: Stage, code: int, text: str, state: State, enhanced: str) -> None:
    verdict = judge(Said(stage, Reply(code, (text,))))
    assert (verdict.state, verdict.reason, verdict.enhanced) == (state, REMOTE, enhanced)
    assert verdict.reply == f"{code} {text}"


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (NoConnection("refused"), State.DEFERRED, LOST),
        (NoAnswer("lost"), State.DEFERRED, Reason.NO_ANSWER),
        (Busy("no place"), State.DEFERRED, LOST),
        (BadReply("garbage"), State.DEFERRED, LOST),
        (DeliveryError("?"), State.DEFERRED, LOST),
        (TimeoutError(), State.DEFERRED, LOST),
        (ConnectionResetError("reset"), State.DEFERRED, LOST),
        (SessionRefused("greeting", Reply(554, ("5.7.1 go away",))), State.DEFERRED, REMOTE),
        (UncleanContent("bare LF"), State.DEFERRED, SYSTEM),
        (Unsupported("5.6.7", "no SMTPUTF8"), State.BOUNCED, Reason.UNSUPPORTED),
        (NoRoute("5.1.10", "null MX", permanent=True), State.BOUNCED, Reason.NO_ROUTE),
        (NoRoute("4.4.3", "SERVFAIL", permanent=False), State.DEFERRED, Reason.NO_ROUTE),
        (KeyError("secret"), State.DEFERRED, SYSTEM),
        (RecursionError(), State.DEFERRED, SYSTEM),
        (MemoryError(), State.DEFERRED, SYSTEM),
    ],
)
def test_exceptions(error: BaseException, state: State, reason: Reason) -> None:
    verdict = judge(error)
    assert (verdict.state, verdict.reason) == (state, reason)
    assert "secret" not in verdict.reply


@given(st.sampled_from(list(Stage)), st.integers(200, 599), st.text(max_size=20))
def test_only_5yz_bounces_and_only_a_2yz_to_the_end_of_data_delivers(
    stage: Stage, code: int, text: str
) -> None:
    state = judge(Said(stage, Reply(code, (text,)))).state
    assert state is not State.BOUNCED or 500 <= code <= 599
    assert (state is State.DELIVERED) == (200 <= code <= 299 and stage is Stage.END)


@pytest.mark.parametrize(("error", "attempted"), [(Busy("no place"), False), (NoConnection("refused"), True)])
def test_nobody_was_asked_where_no_place_came_free(error: DeliveryError, attempted: bool) -> None:
    assert judge(error).attempted is attempted
