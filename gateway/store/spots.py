"""Where bodies lie in the folder of segments: reading them there, and the locks of the folder and of a segment.

Everybody may read; writing is in segments. The locks are those of flock(2): they go with the process that holds them.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from gateway.store.errors import BodyDamaged, BodyRefused, StoreUnavailable
from gateway.store.files import NO_FILE_AT_ALL

SEGMENT = "segment"  # what a body's row says of one that lies in a segment
FOLDER = "segments"


class Spot(NamedTuple):
    """Where a body's sealed octets lie."""

    segment: str
    start: int
    length: int


@contextlib.contextmanager
def whole_folder(folder: Path, how: int) -> Iterator[bool]:
    """Lock the folder of segments: shared, so that none is deleted, or alone, to delete. Yields whether that was possible."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(handle, how)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)


def read_spot(folder: Path, spot: Spot) -> bytes:
    """Return a body's octets from the folder of segments; raises BodyDamaged, StoreUnavailable or BodyRefused."""
    found = remains(folder, spot)
    if len(found) < spot.length:
        raise BodyDamaged(f"segment {spot.segment} ends inside a body that begins at {spot.start}")
    return found


def remains(folder: Path, spot: Spot) -> bytes:
    """Return what there is of a body's octets, at most its length; raises as `read_spot` does for what cannot be read."""
    try:
        with (folder / spot.segment).open("rb", buffering=0) as file:
            return _read_all(file.fileno(), spot)
    except FileNotFoundError as error:
        raise BodyDamaged(f"segment {spot.segment} is missing") from error
    except OSError as error:
        kind = StoreUnavailable if error.errno in NO_FILE_AT_ALL else BodyRefused
        raise kind(f"segment {spot.segment} cannot be read at {spot.start}: {error}") from error


def locked(handle: int) -> bool:
    """Take the exclusive lock of a segment; False where its writer, or somebody who looks at it, has it."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read_all(handle: int, spot: Spot) -> bytes:
    found = bytearray()
    while len(found) < spot.length:
        piece = os.pread(handle, spot.length - len(found), spot.start + len(found))
        if not piece:
            break
        found += piece
    return bytes(found)
