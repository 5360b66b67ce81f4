"""Bodies one behind another in append-only files: one fdatasync makes a whole group of them durable.

Each process appends to a segment of its own and never to one that it did not create; after a write or a sync that failed, and
when it is long enough, it begins a new one. The committer syncs what its group wrote before the group's rows are inserted, so
a row always has its octets; octets without a row are dead and harmless. A segment's writer holds flock(2) on it until nothing
that lies in it waits for its row: who gets the lock knows that no new row will point there (docs/decisions/0014-segments.md).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.durable import sync_directory
from gateway.store.errors import StoreUnavailable
from gateway.store.spots import FOLDER, Spot, locked, read_spot, remains, whole_folder
from gateway.store.sqlite import is_full

# A segment is closed before it grows longer: what its last live body can keep on the disk.
SEGMENT_BYTES = 64 << 20
_NAMES = 8  # tries to create a segment while somebody looks for dead ones


class _Segment:
    """A segment that this process writes; its file stays open, and locked, while something in it waits for its row."""

    def __init__(self, name: str, handle: int) -> None:
        self.name = name
        self.handle = handle
        self.end = 0
        self.waiting = 0
        self.closed = False  # nothing more is appended
        # A sync failed: what was not synced before will never be known to be there.
        self.broken: OSError | None = None


@dataclass(slots=True, eq=False)
class Pending:
    """A sealed body that is written and waits for its sync and its row; `error` says why it is not durable."""

    spot: Spot
    segment: _Segment | None
    error: StoreUnavailable | None = None


class Segments:
    """The segments of a state directory: any may be read, only our own are written."""

    def __init__(self, state: Path, writer: str) -> None:
        self._folder = state / FOLDER
        self._writer = writer
        self._number = 0
        self._current: _Segment | None = None
        self._guard = threading.Lock()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync_directory(state)

    def write(self, frames: Iterable[bytes], length: int) -> Pending:
        """Write a body of `length` sealed octets; not durable before `settle`. Raises StoreUnavailable."""
        segment, start = self._reserve(length)
        pending = Pending(Spot(segment.name, start, length), segment)
        try:
            at = start
            for frame in frames:
                _write_all(segment.handle, frame, at)
                at += len(frame)
        except OSError as error:
            self._cut_back(segment, start, length)
            self.release(pending)
            raise _unavailable(error) from error
        return pending

    def settle(self, group: Sequence[Pending]) -> None:
        """Sync what was written; what is not durable then has its `error`. One thread calls this."""
        for segment in {p.segment for p in group if p.segment is not None and p.error is None}:
            error = self._sync(segment)
            for pending in group:
                if error is not None and pending.segment is segment:
                    pending.error = _unavailable(error)

    def release(self, pending: Pending) -> None:
        """Say that a body has its row, or will never have one."""
        with self._guard:
            segment, pending.segment = pending.segment, None
            if segment is not None:
                segment.waiting -= 1
                _let_go(segment)

    def read(self, spot: Spot) -> bytes:
        """Return a body's octets; raises BodyDamaged where they are not there, StoreUnavailable or BodyRefused."""
        return read_spot(self._folder, spot)

    def remains(self, spot: Spot) -> bytes:
        """Return what there is of a body's octets; raises as `read` does."""
        return remains(self._folder, spot)

    def names(self) -> list[str]:
        """Return the names of all segments, oldest of each writer first."""
        return sorted(path.name for path in self._folder.iterdir())

    @contextlib.contextmanager
    def at_rest(self, name: str) -> Iterator[int | None]:
        """Keep a segment from everybody else who looks for dead ones; yields its length, or None while its writer needs it."""
        try:
            handle = os.open(self._folder / name, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            yield None
            return
        try:
            yield os.fstat(handle).st_size if locked(handle) else None
        finally:
            os.close(handle)

    def remove(self, name: str) -> bool:
        """Delete a segment that is at rest and has no row; tell whether it was: not while a backup copies."""
        with whole_folder(self._folder, fcntl.LOCK_EX | fcntl.LOCK_NB) as ours:
            if ours:
                (self._folder / name).unlink(missing_ok=True)
            return ours

    def close(self) -> None:
        """Append nothing more."""
        segment = self._current
        if segment is not None:
            self._close(segment)

    def _reserve(self, length: int) -> tuple[_Segment, int]:
        with self._guard:
            segment = self._current
            if segment is not None and segment.end and segment.end + length > SEGMENT_BYTES:
                segment.closed = True
                _let_go(segment)
            if segment is None or segment.closed:
                segment = self._current = self._created()
            start = segment.end
            segment.end += length
            segment.waiting += 1
            return segment, start

    def _created(self) -> _Segment:
        """Create a segment, durably named and locked; one that a search for dead ones came across first is left to it."""
        try:
            for _ in range(_NAMES):
                self._number += 1
                name = f"{self._writer}-{self._number:08d}"
                handle = os.open(
                    self._folder / name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600
                )
                if locked(handle) and os.fstat(handle).st_nlink:
                    try:
                        sync_directory(self._folder)
                    except OSError:
                        os.close(handle)
                        raise
                    return _Segment(name, handle)
                os.close(handle)
        except OSError as error:
            raise _unavailable(error) from error
        raise StoreUnavailable("no segment could be created: each was taken for a dead one")

    def _sync(self, segment: _Segment) -> OSError | None:
        """Make a segment durable; after a failure never again, because the kernel forgets what it could not write."""
        if segment.broken is None:
            try:
                os.fdatasync(segment.handle)
            except OSError as error:
                segment.broken = error
                self._close(segment)
        return segment.broken

    def _cut_back(self, segment: _Segment, start: int, length: int) -> None:
        """Append nothing more, and give back what a failed write took: on a full disk small mail needs that room."""
        with self._guard:
            segment.closed = True
            if segment.end == start + length:  # nobody writes behind it
                with contextlib.suppress(OSError):
                    os.ftruncate(segment.handle, start)
        self._close(segment)

    def _close(self, segment: _Segment) -> None:
        with self._guard:
            segment.closed = True
            _let_go(segment)


def _let_go(segment: _Segment) -> None:
    if segment.closed and not segment.waiting and segment.handle >= 0:
        handle, segment.handle = segment.handle, -1
        with contextlib.suppress(OSError):  # what was synced is synced, and nothing else counts
            os.close(handle)


def _write_all(handle: int, data: bytes, at: int) -> None:
    rest = memoryview(data)
    while rest:
        done = os.pwrite(handle, rest, at)
        at, rest = at + done, rest[done:]


def _unavailable(error: OSError) -> StoreUnavailable:
    if error.errno == errno.EEXIST:
        return StoreUnavailable(f"a segment of ours is there already: {error}")
    return StoreUnavailable(f"bodies cannot be written to their segment: {error}", full=is_full(error))
