"""Who works on a state directory: one `sekisho serve`, told by a lock that dies with its process.

The lock is flock(2) on a file that stays: the kernel drops it however the process ends, so there is nothing stale to clean.
Commands that act for a moment (`sekisho held cancel`) take no lock; the database serialises them.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path

from gateway.store.errors import StateInUse, StoreUnavailable


class Instance:
    """One process's identity towards the store; `exclusive` says that it holds the lock."""

    def __init__(self, state: Path, *, exclusive: bool) -> None:
        self.name = secrets.token_hex(6)
        self.exclusive = exclusive
        self._handle: int | None = _lock(state / "serve.lock") if exclusive else None

    def close(self) -> None:
        """Give the lock back."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)


def _lock(path: Path) -> int:
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:  # a disk that is read-only, full, or somebody else's
        raise StoreUnavailable(f"{path} cannot be opened: {error.strerror}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise StateInUse(
            f"another sekisho serve uses {path.parent}; one state directory serves one process"
        ) from error
    return handle
