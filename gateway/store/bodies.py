"""Bodies at rest: encrypted under a key of their own; small ones in the database, large ones in a vault.

A vault has a body durably before its row commits: a row always has its octets. The reverse does not hold after a crash;
sweeping removes what has no row. Destroying the wrapped key destroys the body, wherever copies of it lie.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import field
from typing import Protocol

from gateway.store.errors import BodyDamaged, BodyRefused
from gateway.store.files import FILE as FILE
from gateway.store.frames import FORMAT, seal, seal_whole, sealed_length, unseal
from gateway.store.keys import KEY_BYTES, MasterKey, MasterKeyError
from gateway.store.segments import Pending, Segments
from gateway.store.spots import SEGMENT as SEGMENT
from gateway.store.spots import Spot
from gateway.values import dataclass

# Octets; up to here a second sync costs SQLite's group more than writing twice (0014, measured).
INLINE_LIMIT = 64 << 10
SEGMENT_LIMIT = 8 << 20  # octets; above it a file of its own: its sync would keep everybody else's waiting

INLINE = "inline"
PURGED = "purged"
CORRUPT = "corrupt"


@dataclass(frozen=True, slots=True)
class Body:
    """A stored body's row."""

    queue_id: str
    place: str
    format: int
    key_id: str
    wrapped_key: bytes | None
    data: bytes | None
    segment: str | None = None
    start: int | None = None
    length: int | None = None
    pending: Pending | None = field(default=None, compare=False)

    @property
    def spot(self) -> Spot | None:
        """Return where it lies in a segment; for a new body only once the committer has put it there."""
        if self.pending is not None:
            return self.pending.spot
        if self.segment is None or self.start is None or self.length is None:
            return None
        return Spot(self.segment, self.start, self.length)


class Vault(Protocol):
    """Where the sealed frames of large bodies are kept: files of this machine, or chunks that all nodes can read."""

    place: str

    def write(self, queue_id: str, frames: Iterator[bytes]) -> None:
        """Store the frames, durably on return; raises StoreUnavailable."""

    def read(self, queue_id: str) -> bytes:
        """Return all frames as one; raises BodyDamaged, BodyRefused, StoreUnavailable."""

    def discard(self, queue_id: str) -> None:
        """Remove a body if it is there; failing to is left to `sweep`."""

    def set_aside(self, queue_id: str) -> None:
        """Keep a damaged body where people can look at it."""

    def keep_aside(self, queue_id: str, octets: bytes) -> None:
        """Keep damaged octets that lay elsewhere; raises StoreUnavailable."""

    def sweep(self, known: Callable[[Collection[str]], Collection[str]], before: float) -> int:
        """Remove what has no row and was written before `before`; return how many."""

    def close(self) -> None:
        """Let go of what is open."""


class Bodies:
    """Seals and opens bodies; large ones go into the vault."""

    def __init__(self, vault: Vault, master: MasterKey, segments: Segments | None = None) -> None:
        self._vault = vault
        self._segments = segments
        self._master = master
        self.discard = vault.discard
        self.sweep = vault.sweep
        self.close = vault.close

    def adopt(self, master: MasterKey) -> None:
        """Seal with this master key from now on."""
        self._master = master

    def seal(self, raw: bytes, queue_id: str) -> Body:
        """Encrypt a body; a large one is in the vault, durably, on return, one for a segment is `pending`.

        Hand what is pending to the committer with the job that inserts the row. Raises StoreUnavailable.
        """
        key = os.urandom(KEY_BYTES)
        master = self._master  # once: another thread may adopt a new one between two looks
        wrapped = master.wrap(key, queue_id)
        if len(raw) <= INLINE_LIMIT:
            return Body(queue_id, INLINE, FORMAT, master.key_id, wrapped, seal_whole(raw, key, queue_id))
        frames = seal(raw, key, queue_id)
        if self._segments is not None and len(raw) <= SEGMENT_LIMIT:
            pending = self._segments.write(frames, sealed_length(len(raw)))
            return Body(queue_id, SEGMENT, FORMAT, master.key_id, wrapped, None, pending=pending)
        self._vault.write(queue_id, frames)
        return Body(queue_id, self._vault.place, FORMAT, master.key_id, wrapped, None)

    def open(self, body: Body) -> bytes:
        """Decrypt a body; raises BodyDamaged, BodyRefused, or StoreUnavailable where it cannot be read now."""
        if body.format != FORMAT:
            raise BodyRefused(f"message {body.queue_id} has body format {body.format}, known is {FORMAT}")
        master = self._master.holding(body.key_id)
        if master is None:
            raise BodyRefused(
                f"message {body.queue_id} needs master key {body.key_id}, here is {self._master.key_id}"
            )
        if body.wrapped_key is None:
            raise BodyDamaged(f"the key of message {body.queue_id} is gone")
        try:
            key = master.unwrap(body.wrapped_key, body.queue_id)
        except MasterKeyError as error:
            raise BodyDamaged(str(error)) from error
        return unseal(self._octets(body), key, body.queue_id)

    def drop(self, body: Body) -> None:
        """Forget a new body whose row will never be."""
        if self._segments is not None and body.pending is not None:
            self._segments.release(body.pending)
        else:
            self._vault.discard(body.queue_id)

    def set_aside(self, body: Body) -> None:
        """Keep a damaged body where people can look at it: a file is moved, octets of a segment are copied."""
        if body.spot is None or self._segments is None:
            self._vault.set_aside(body.queue_id)
            return
        with suppress(BodyDamaged):
            self._vault.keep_aside(body.queue_id, self._segments.remains(body.spot))

    def _octets(self, body: Body) -> bytes:
        if body.data is not None:
            return body.data
        if body.spot is None or self._segments is None:
            return self._vault.read(body.queue_id)
        if body.place == CORRUPT:  # somebody may have put it back as a file
            with suppress(BodyDamaged):
                return self._vault.read(body.queue_id)
        return self._segments.read(body.spot)
