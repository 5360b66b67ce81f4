"""Bodies at rest: encrypted under a key of their own; small ones in the database, large ones in a vault.

A vault has a body durably before its row commits: a row always has its octets. The reverse does not hold after a crash;
sweeping removes what has no row. Destroying the wrapped key destroys the body, wherever copies of it lie.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Protocol

from gateway.store.errors import BodyDamaged, BodyRefused
from gateway.store.files import FILE as FILE
from gateway.store.frames import FORMAT, seal, unseal
from gateway.store.keys import KEY_BYTES, MasterKey, MasterKeyError

INLINE_LIMIT = 64 << 10  # octets; above it SQLite would write every body twice (WAL, then checkpoint)

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

    def sweep(self, known: Callable[[Collection[str]], Collection[str]], before: float) -> int:
        """Remove what has no row and was written before `before`; return how many."""

    def close(self) -> None:
        """Let go of what is open."""


class Bodies:
    """Seals and opens bodies; large ones go into the vault."""

    def __init__(self, vault: Vault, master: MasterKey) -> None:
        self._vault = vault
        self._master = master
        self.discard = vault.discard
        self.set_aside = vault.set_aside
        self.sweep = vault.sweep
        self.close = vault.close

    def adopt(self, master: MasterKey) -> None:
        """Seal with this master key from now on."""
        self._master = master

    def seal(self, raw: bytes, queue_id: str) -> Body:
        """Encrypt a body; a large one is in the vault, durably, on return. Raises StoreUnavailable."""
        key = os.urandom(KEY_BYTES)
        master = self._master  # once: another thread may adopt a new one between two looks
        wrapped = master.wrap(key, queue_id)
        frames = seal(raw, key, queue_id)
        if len(raw) <= INLINE_LIMIT:
            return Body(queue_id, INLINE, FORMAT, master.key_id, wrapped, b"".join(frames))
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

    def _octets(self, body: Body) -> bytes:
        return body.data if body.data is not None else self._vault.read(body.queue_id)
