"""Who works on a state directory: one `sekisho serve`, told by a lock that dies with its process.

The lock is flock(2) on a file that stays: the kernel drops it however the process ends, so there is nothing stale to clean.
Commands that act for a moment (`sekisho held cancel`) take no lock; the database serialises them. The further workers of a
gateway share a lock on the directory itself: where their supervisor was killed they may outlive the first one, and who takes
its place waits for their end, because what they have leased is not free before.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from pathlib import Path

from gateway.store.errors import StateInUse, StoreUnavailable

WORKERS_END_S = 40.0  # a worker whose supervisor is gone drains for 20 s and says its good-byes
LOOK_EVERY_S = 0.1


class Instance:
    """One process's identity towards the store; `exclusive` says that it holds the lock."""

    def __init__(self, state: Path, *, exclusive: bool, worker: bool = False) -> None:
        self.name = secrets.token_hex(6)
        self.exclusive = exclusive
        self._handle: int | None = None
        if exclusive:
            self._handle = _lock(state / "serve.lock")
            try:
                _without_workers(state)
            except BaseException:
                self.close()
                raise
        elif worker:
            self._handle = _beside_others(state)

    def close(self) -> None:
        """Give the lock back."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)


def _beside_others(state: Path) -> int:
    handle = os.open(state, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    fcntl.flock(handle, fcntl.LOCK_SH)
    return handle


def _without_workers(state: Path) -> None:
    """Wait until no worker of an earlier run is left; raises StateInUse where one does not end."""
    handle = os.open(state, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    end = time.monotonic() + WORKERS_END_S
    try:
        while not _ours(handle):
            if time.monotonic() >= end:
                raise StateInUse(f"a worker of an earlier sekisho serve still uses {state}: end it first")
            time.sleep(LOOK_EVERY_S)
    finally:
        os.close(handle)  # and with it the lock: the workers of this run share it next


def _ours(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


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
