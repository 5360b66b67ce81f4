"""The roll of a gateway's workers: a page of memory they share, where each says every second that it works, or what ails it.

A worker that hangs or was stopped says nothing: its count stands still, and who looks often enough sees it. Clocks are not
compared, so a machine that slept finds everybody alive. No disk is touched: this must work when the disk does not.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections import Counter
from collections.abc import Collection

SLOT = 512  # octets a worker: its count, then what ails it as UTF-8, cut where it is too long
SAY_EVERY_S = 1.0
SILENT_LOOKS = 5  # one a second: a worker that says nothing for so long is told in /readyz
_COUNT = struct.Struct("=Q")


class Muster:
    """Each worker writes its own slot and reads all; a count of 0 is one that has not begun."""

    def __init__(self, handle: int, workers: int) -> None:
        self._page = mmap.mmap(handle, workers * SLOT)

    def say(self, worker: int, ails: str = "") -> None:
        """Say that this worker works; `ails` is empty where all is well."""
        start = worker * SLOT
        text = ails.encode("utf-8")[: SLOT - _COUNT.size].ljust(SLOT - _COUNT.size, b"\0")
        self._page[start : start + SLOT] = _COUNT.pack(self.count(worker) + 1) + text

    def count(self, worker: int) -> int:
        """Return how often a worker has said that it works."""
        return int(_COUNT.unpack_from(self._page, worker * SLOT)[0])

    def ails(self, worker: int) -> str:
        """Return what a worker said last; it may be half of it, in the moment when it is written."""
        text = self._page[worker * SLOT + _COUNT.size : (worker + 1) * SLOT]
        return text.rstrip(b"\0").decode("utf-8", "replace")


class Looks:
    """Looks at some workers again and again; one whose count stood still for `patience` looks is silent."""

    def __init__(self, muster: Muster, workers: Collection[int], patience: int) -> None:
        self._muster = muster
        self._workers = workers
        self._patience = patience
        self._seen = dict.fromkeys(workers, 0)
        self._still: Counter[int] = Counter()

    def look(self) -> None:
        """Look once; the time between two looks is the caller's."""
        for worker in self._workers:
            count = self._muster.count(worker)
            self._still[worker] = self._still[worker] + 1 if count and count == self._seen[worker] else 0
            self._seen[worker] = count

    @property
    def silent(self) -> list[int]:
        """Return the workers that say nothing any more."""
        return [worker for worker in self._workers if self._still[worker] >= self._patience]

    def complaints(self) -> list[str]:
        """Return what has to be told of these workers, one line each."""
        silent = self.silent
        said = [
            (worker, "does not answer" if worker in silent else self._muster.ails(worker))
            for worker in self._workers
        ]
        return [f"worker {worker}: {what}" for worker, what in said if what]


def shared_page(workers: int) -> int:
    """Return the descriptor of a page for so many workers; it is memory, and goes with the last process that has it."""
    handle = os.memfd_create("sekisho-muster", os.MFD_CLOEXEC)
    os.ftruncate(handle, workers * SLOT)
    return handle
