"""Large bodies as a file each, in the state directory: what one gateway alone does.

A file is written under a temporary name, synced, renamed, and its directory synced before the row commits: a row always has
its file. Files that a crash left without a row are swept at start. Damaged files are moved to corrupt/ and never deleted.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from gateway.durable import sync_directory
from gateway.store.errors import BodyDamaged, BodyRefused, StoreUnavailable
from gateway.store.sqlite import is_full

FILE = "file"

# Errors that are the process's trouble and not the file's.
NO_FILE_AT_ALL = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})


class Files:
    """Keeps the sealed frames of large bodies in files."""

    place = FILE

    def __init__(self, state: Path, writer: str) -> None:
        self._root = state / "bodies"
        self._temporary = self._root / "tmp"
        self._corrupt = state / "corrupt"
        # Temporary names belong to their writer; nobody else cleans them while it lives.
        self._writer = writer
        for directory in (self._root, self._temporary, self._corrupt):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync_directory(self._root)
        sync_directory(state)

    def write(self, queue_id: str, frames: Iterator[bytes]) -> None:
        """Store the frames, durably on return; raises StoreUnavailable (no space, I/O)."""
        path, temporary = self._path(queue_id), self._temporary / f"{self._writer}-{queue_id}"
        try:
            _write_synced(temporary, frames)
            if not path.parent.is_dir():
                path.parent.mkdir(mode=0o700, exist_ok=True)
                sync_directory(self._root)
            temporary.rename(path)
            sync_directory(path.parent)
        except OSError as error:
            for left in (temporary, path):
                with contextlib.suppress(OSError):
                    left.unlink(missing_ok=True)
            why = f"the body of message {queue_id} cannot be written: {error}"
            raise StoreUnavailable(why, full=is_full(error)) from error

    def read(self, queue_id: str) -> bytes:
        """Return the sealed octets; raises BodyDamaged where there is no file, StoreUnavailable or BodyRefused."""
        try:
            return self._path(queue_id).read_bytes()
        except FileNotFoundError as error:
            raise BodyDamaged(f"the file of message {queue_id} is missing") from error
        except OSError as error:
            kind = StoreUnavailable if error.errno in NO_FILE_AT_ALL else BodyRefused
            raise kind(f"the file of message {queue_id} cannot be read: {error}") from error

    def discard(self, queue_id: str) -> None:
        """Remove a body's file if there is one; failing to is left to `sweep`."""
        with contextlib.suppress(OSError):
            self._path(queue_id).unlink(missing_ok=True)

    def set_aside(self, queue_id: str) -> None:
        """Move a damaged file to corrupt/, where people can look at it."""
        with contextlib.suppress(FileNotFoundError):
            self._path(queue_id).rename(self._corrupt / queue_id)
            sync_directory(self._corrupt)

    def keep_aside(self, queue_id: str, octets: bytes) -> None:
        """Keep damaged octets that lay in a segment in corrupt/, once; raises StoreUnavailable."""
        path = self._corrupt / queue_id
        try:
            _write_synced(path, iter([octets]))
            sync_directory(self._corrupt)
        except FileExistsError:
            return
        except OSError as error:
            path.unlink(missing_ok=True)
            why = f"the damaged body of message {queue_id} cannot be kept: {error}"
            raise StoreUnavailable(why, full=is_full(error)) from error

    def sweep(self, known: Callable[[Collection[str]], Collection[str]], before: float) -> int:
        """Remove files last written before `before` (seconds since 1970) that have no row: temporary ones and orphans.

        Only for the process that holds the state directory's lock. `known` returns which of some queue ids have a file's row.
        """
        removed = 0
        for directory in list(self._root.iterdir()):
            old = [p for p in directory.iterdir() if p.is_file() and p.stat().st_mtime < before]
            keep = set() if directory == self._temporary else set(known([p.name for p in old]))
            for path in old:
                if path.name not in keep:
                    path.unlink(missing_ok=True)
                    removed += 1
        return removed

    def close(self) -> None:
        """Nothing stays open between calls."""

    def _path(self, queue_id: str) -> Path:
        return self._root / queue_id[-2:] / queue_id


def _write_synced(path: Path, frames: Iterator[bytes]) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb", buffering=0) as file:
        for frame in frames:
            _write_all(file.fileno(), frame)
        os.fsync(file.fileno())


def _write_all(handle: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(handle, rest) :]
