"""Bodies at rest: encrypted under a key of their own; small ones in the database, large ones in a file each.

A file is written under a temporary name, synced, renamed, and its directory synced before the row commits: a row always has
its file. The reverse does not hold after a crash; `sweep` removes what has no row. Destroying the wrapped key destroys the
body, wherever copies of it lie. Damaged files are moved to corrupt/ and never deleted.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.store.errors import BodyDamaged, BodyRefused, StoreUnavailable
from gateway.store.frames import FORMAT, seal, unseal
from gateway.store.keys import KEY_BYTES, MasterKey, MasterKeyError, sync_directory
from gateway.store.sqlite import is_full

INLINE_LIMIT = 64 << 10  # octets; above it SQLite would write every body twice (WAL, then checkpoint)

INLINE = "inline"
FILE = "file"
PURGED = "purged"
CORRUPT = "corrupt"

# Errors that are the process's trouble and not the file's.
_NO_FILE_AT_ALL = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})


@dataclass(frozen=True, slots=True)
class Body:
    """A stored body's row."""

    queue_id: str
    place: str
    format: int
    key_id: str
    wrapped_key: bytes | None
    data: bytes | None


class Bodies:
    """Seals and opens bodies, and keeps the files of the large ones."""

    def __init__(self, state: Path, master: MasterKey, writer: str) -> None:
        self._root = state / "bodies"
        self._temporary = self._root / "tmp"
        self._corrupt = state / "corrupt"
        self._master = master
        self._writer = (
            writer  # temporary names belong to their writer; nobody else cleans them while it lives
        )
        for directory in (self._root, self._temporary, self._corrupt):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync_directory(self._root)
        sync_directory(state)

    def adopt(self, master: MasterKey) -> None:
        """Seal with this master key from now on."""
        self._master = master

    def seal(self, raw: bytes, queue_id: str) -> Body:
        """Encrypt a body; a large one is in its file, durably, on return. Raises StoreUnavailable (no space, I/O)."""
        key = os.urandom(KEY_BYTES)
        master = self._master  # once: another thread may adopt a new one between two looks
        wrapped = master.wrap(key, queue_id)
        frames = seal(raw, key, queue_id)
        if len(raw) <= INLINE_LIMIT:
            return Body(queue_id, INLINE, FORMAT, master.key_id, wrapped, b"".join(frames))
        self._write(queue_id, frames)
        return Body(queue_id, FILE, FORMAT, master.key_id, wrapped, None)

    def open(self, body: Body) -> bytes:
        """Decrypt a body; raises BodyDamaged, BodyRefused, or StoreUnavailable where no file can be read now."""
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

    def discard(self, queue_id: str) -> None:
        """Remove a body's file if there is one; failing to is left to `sweep`."""
        with contextlib.suppress(OSError):
            self._path(queue_id).unlink(missing_ok=True)

    def set_aside(self, queue_id: str) -> None:
        """Move a damaged file to corrupt/, where people can look at it."""
        with contextlib.suppress(FileNotFoundError):
            self._path(queue_id).rename(self._corrupt / queue_id)
            sync_directory(self._corrupt)

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

    def _octets(self, body: Body) -> bytes:
        if body.data is not None:
            return body.data
        try:
            return self._path(body.queue_id).read_bytes()
        except FileNotFoundError as error:
            raise BodyDamaged(f"the file of message {body.queue_id} is missing") from error
        except OSError as error:
            kind = StoreUnavailable if error.errno in _NO_FILE_AT_ALL else BodyRefused
            raise kind(f"the file of message {body.queue_id} cannot be read: {error}") from error

    def _write(self, queue_id: str, frames: Iterator[bytes]) -> None:
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
