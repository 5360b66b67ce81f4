"""What a webhook tells of an event: ids and counts, and never an address, a subject or a name. Pure.

Whoever is told and may know more asks the API for it, with a token that says what they may know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from gateway.config.webhook_settings import Topic
from gateway.spool.lifecycle import Kind
from gateway.spool.ranges import from_ranges
from gateway.spool.times import from_us
from gateway.values import dataclass

WATCHED = (Kind.ACCEPTED, Kind.DELIVERED)
INCIDENTS = "incident-"
"""Kinds of events that begin so are about an incident (gateway/incidents)."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One event of a chain, as far as webhooks look; `at` is in microseconds since 1970."""

    node: str
    seq: int
    at: int
    queue_id: str | None
    kind: str
    recipients: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """One request: `id` is the same however often it is sent, so that who is told twice can know."""

    id: str
    topic: Topic
    body: bytes


def message_of(event: Seen, ours: Callable[[str], bool]) -> Message | None:
    """Return what is told of an event, None for nothing. `ours` tells of a queue id whether the gateway wrote the mail."""
    told = _told(event, ours)
    if told is None:
        return None
    topic, type_, data = told
    about = {"queue_id": event.queue_id} if event.queue_id else {}
    value = {"type": type_, "timestamp": from_us(event.at).isoformat(), "data": about | data}
    return Message(f"{event.node or 'main'}-{event.seq}", topic, orjson.dumps(value))


def _told(event: Seen, ours: Callable[[str], bool]) -> tuple[Topic, str, dict[str, object]] | None:
    if event.kind.startswith(INCIDENTS):
        data = {key: event.detail[key] for key in ("incident",) if key in event.detail}
        return Topic.INCIDENT, event.kind.replace("-", ".", 1), data
    count = len(from_ranges(event.recipients))
    if event.kind == Kind.ACCEPTED:
        held = len(from_ranges(str(event.detail.get("held", ""))))
        if not held or event.detail.get("from_gateway"):
            return None
        return Topic.HELD, "mail.held", {"held": held, "recipients": count}
    if event.kind == Kind.DELIVERED and not ours(event.queue_id or ""):
        return Topic.LEFT, "mail.left", {"recipients": count}
    return None
