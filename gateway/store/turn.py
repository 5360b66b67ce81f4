"""Whose turn it is to write, among the workers of one gateway.

SQLite lets one connection write at a time, and who finds it busy sleeps and tries again, for longer and longer: under load the
unlucky wait many times as long as the lucky. flock(2) wakes the next one at once. It orders our own workers only; commands of
the moment come between them by SQLite's own lock, which stays what keeps the data right.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class Turn:
    """A lock on a file that stays; the kernel drops it with its process."""

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Wait for our turn and keep it for the block; raises OSError before it, never behind it."""
        fcntl.flock(self._handle, fcntl.LOCK_EX)
        try:
            yield
        finally:
            with suppress(OSError):  # what was committed is committed
                fcntl.flock(self._handle, fcntl.LOCK_UN)

    def close(self) -> None:
        os.close(self._handle)
