"""What a webhook tells of an event, and what it must never tell."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.webhook_settings import Topic
from gateway.webhooks.payload import Seen, message_of

AT = 1_775_034_000_000_000
MAIL = {
    "sender": "clerk@example.jp",
    "recipients": ["a@example.com"],
    "subject": "秘密の件名",
    "account": "clerk",
}


def event(kind: str, recipients: str = "0-2", **detail: Any) -> Seen:
    return Seen("gw1", 7, AT, "Q1", kind, recipients, MAIL | detail)


@pytest.mark.parametrize(
    ("seen", "topic", "type_", "data"),
    [
        (
            event("accepted", held="0-1"),
            Topic.HELD,
            "mail.held",
            {"queue_id": "Q1", "held": 2, "recipients": 3},
        ),
        (event("delivered", "1"), Topic.LEFT, "mail.left", {"queue_id": "Q1", "recipients": 1}),
        (
            event("incident-opened", incident=4),
            Topic.INCIDENT,
            "incident.opened",
            {"queue_id": "Q1", "incident": 4},
        ),
    ],
)
def test_what_is_told(seen: Seen, topic: Topic, type_: str, data: dict[str, object]) -> None:
    said = message_of(seen, lambda _: False)
    assert said is not None
    assert (said.id, said.topic) == ("gw1-7", topic)
    body = orjson.loads(said.body)
    assert body == {"type": type_, "timestamp": "2026-04-01T09:00:00+00:00", "data": data}


@pytest.mark.parametrize(
    "seen",
    [
        event("accepted", held=""),
        event("accepted", held="0", from_gateway=True),
        event("deferred"),
        event("notice"),
    ],
)
def test_what_is_not(seen: Seen) -> None:
    assert message_of(seen, lambda _: False) is None


def test_our_own_mail_does_not_leave_with_a_word() -> None:
    assert message_of(event("delivered", "0"), lambda queue_id: queue_id == "Q1") is None


@given(
    st.sampled_from(["accepted", "delivered", "incident-opened", "incident-note"]),
    st.dictionaries(
        st.sampled_from(["subject", "sender", "recipients", "note", "because"]), st.text(min_size=3)
    ),
)
def test_nothing_that_somebody_wrote_gets_out(kind: str, facts: dict[str, str]) -> None:
    said = message_of(Seen("", 1, AT, "Q1", kind, "0", {"held": "0", **facts}), lambda _: False)
    assert said is not None
    assert set(orjson.loads(said.body)["data"]) <= {"queue_id", "held", "recipients", "incident"}
