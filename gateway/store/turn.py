"""Whose turn it is to write, among the workers of one gateway.

SQLite lets one connection write at a time, and who finds it busy sleeps and tries again, for longer and longer: under load the
unlucky wait many times as long as the lucky. flock(2) wakes the next one at once. It orders our own workers only; commands of
the moment come between them by SQLite's own lock, which stays what keeps the data right.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
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
            self.give()

    def take(self) -> None:
        """Wait for the turn; it is kept until `give`. Taking it again is nothing. Raises OSError."""
        fcntl.flock(self._handle, fcntl.LOCK_EX)

    def take_at_once(self) -> bool:
        """Take the turn if nobody has it; it is kept until `give`."""
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def give(self) -> None:
        """Let the next one in."""
        with suppress(OSError):  # what was committed is committed
            fcntl.flock(self._handle, fcntl.LOCK_UN)

    def close(self) -> None:
        os.close(self._handle)


class NoTurn:
    """The turns of a gateway of one worker: always its own."""

    def taken(self) -> AbstractContextManager[None]:
        return nullcontext()

    def take(self) -> None:
        """It is ours."""

    def take_at_once(self) -> bool:
        return True

    def give(self) -> None:
        """Nobody waits."""
