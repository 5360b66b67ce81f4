"""The event chain: each event's hash covers all its columns and the hash before it; the head is sealed with a key.

Anybody can recompute the hashes (docs/decisions/0012-event-chain.md says how); only who has the master key can seal a head.
So an altered, removed or cut-off event shows, also to somebody who can write the database but does not hold the key.
Several gateways on one database have a chain each, named for its node; a sealed list names all chains, so that one that was
removed as a whole shows too.
Pure: this file neither reads nor writes the database.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import orjson

GENESIS = bytes(32)
EVENT_COLUMNS = (
    *("seq", "at", "queue_id", "kind", "reason", "actor_kind", "actor_name", "recipients", "detail"),
    *("prev", "hash", "node"),
)
_JSON = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False)


class Event(NamedTuple):
    """What happened, before it has its place in the chain. `detail` holds facts, never body text, never secrets.

    A tuple, as a head is: a letter of many writes two hundred, and a frozen dataclass takes three times as long to make.
    """

    at: int
    queue_id: str | None
    kind: str
    reason: str
    actor_kind: str = "system"
    actor_name: str = ""
    recipients: str = ""
    detail: Mapping[str, object] | None = None


class Head(NamedTuple):
    """The last link of a chain: the number and hash of its newest event. The only chain of a store for itself has no name."""

    seq: int = 0
    hash: bytes = GENESIS
    node: str = ""


def canonical(value: object) -> str:
    """Return the one JSON spelling of a value: sorted keys, no spaces, text as it is (lone surrogates replaced)."""
    return _canonical(value).decode()


def _canonical(value: object) -> bytes:
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # a lone surrogate, a number beyond 64 bits
        return storable(_JSON.encode(value)).encode()


def storable(text: str) -> str:
    """Replace what a database's text cannot carry, so that no odd header can make a commit fail."""
    if "\0" in text:  # which PostgreSQL cannot carry
        text = text.replace("\0", "\ufffd")
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode("utf-8")


def digest(prev: bytes, columns: tuple[object, ...], node: str = "") -> bytes:
    """Return SHA-256 over the previous hash and the canonical JSON of (seq, at, queue_id, ... detail).

    In a chain that has a name, the name goes before: so no event fits into another chain, and unnamed chains written before
    there were several stay as they are.
    """
    return hashlib.sha256(prev + covered(columns, node)).digest()


def covered(columns: tuple[object, ...], node: str = "") -> bytes:
    """Return the octets behind the previous hash that an event's hash covers; they hold no line feed."""
    return _canonical((node, *columns) if node else columns)


def link(head: Head, event: Event) -> tuple[Head, tuple[object, ...]]:
    """Put an event behind `head`: return the new head and the row to store, in the order of EVENT_COLUMNS."""
    seq = head.seq + 1
    columns = (
        seq,
        event.at,
        event.queue_id,
        str(event.kind),
        str(event.reason),
        event.actor_kind,
        storable(event.actor_name),
        event.recipients,
        canonical(event.detail) if event.detail else "{}",
    )
    hash_ = digest(head.hash, columns, head.node)
    return Head(seq, hash_, head.node), (*columns, head.hash, hash_, head.node)


_A_LIST = b"\xff" * 8  # no chain has as many events: a sealed list is never taken for a sealed head


class Seal:
    """Signs chain heads and the list of chains (HMAC-SHA256) with a key derived from the master key.

    What a previous key signed holds too. `key_ids` name the master keys, the current one first.
    """

    def __init__(self, key: bytes, previous: Sequence[bytes] = (), key_ids: Sequence[str] = ()) -> None:
        self._key = key
        self._mac = hmac.new(key, digestmod="sha256")  # begun once: half of the work is to begin
        self.key_ids = tuple(key_ids)
        self._previous = tuple(Seal(older) for older in previous)

    def of(self, head: Head) -> bytes:
        named = head.seq.to_bytes(8, "big") + head.hash + head.node.encode()
        mac = self._mac.copy()
        mac.update(named)
        return mac.digest()

    def holds(self, head: Head, seal: bytes) -> bool:
        if hmac.compare_digest(self.of(head), seal):
            return True
        return any(older.holds(head, seal) for older in self._previous)

    def of_list(self, nodes: str) -> bytes:
        return hmac.digest(self._key, _A_LIST + nodes.encode(), "sha256")

    def holds_list(self, nodes: str, seal: bytes) -> bool:
        if hmac.compare_digest(self.of_list(nodes), seal):
            return True
        return any(older.holds_list(nodes, seal) for older in self._previous)
