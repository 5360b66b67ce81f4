"""The event chain: each event's hash covers all its columns and the hash before it; the head is sealed with a key.

Anybody can recompute the hashes (docs/decisions/0012-event-chain.md says how); only who has the master key can seal a head.
So an altered, removed or cut-off event shows, also to somebody who can write the database but does not hold the key.
Pure: this file neither reads nor writes the database.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass

GENESIS = bytes(32)
_JSON = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False)


@dataclass(frozen=True, slots=True)
class Event:
    """What happened, before it has its place in the chain. `detail` holds facts, never body text, never secrets."""

    at: int
    queue_id: str | None
    kind: str
    reason: str
    actor_kind: str = "system"
    actor_name: str = ""
    recipients: str = ""
    detail: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """The last link: the number and hash of the newest event."""

    seq: int = 0
    hash: bytes = GENESIS


def canonical(value: object) -> str:
    """Return the one JSON spelling of a value: sorted keys, no spaces, text as it is (lone surrogates replaced)."""
    return storable(_JSON.encode(value))


def storable(text: str) -> str:
    """Replace what UTF-8 cannot carry, so that no odd header can make a commit fail."""
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode("utf-8")


def digest(prev: bytes, columns: tuple[object, ...]) -> bytes:
    """Return SHA-256 over the previous hash and the canonical JSON of (seq, at, queue_id, ... detail)."""
    return hashlib.sha256(prev + canonical(columns).encode()).digest()


def link(head: Head, event: Event) -> tuple[Head, dict[str, object]]:
    """Put an event behind `head`: return the new head and the row to store."""
    seq = head.seq + 1
    row: dict[str, object] = {
        "seq": seq,
        "at": event.at,
        "queue_id": event.queue_id,
        "kind": str(event.kind),
        "reason": str(event.reason),
        "actor_kind": event.actor_kind,
        "actor_name": storable(event.actor_name),
        "recipients": event.recipients,
        "detail": canonical(event.detail or {}),
    }
    hash_ = digest(head.hash, tuple(row.values()))
    row["prev"] = head.hash
    row["hash"] = hash_
    return Head(seq, hash_), row


class Seal:
    """Signs chain heads (HMAC-SHA256) with a key derived from the master key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, head: Head) -> bytes:
        return hmac.digest(self._key, head.seq.to_bytes(8, "big") + head.hash, "sha256")

    def holds(self, head: Head, seal: bytes) -> bool:
        return hmac.compare_digest(self.of(head), seal)
