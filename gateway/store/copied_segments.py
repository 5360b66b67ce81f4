"""The segments of a backup: every one that the copied database refers to, whole.

None is deleted while they are copied (`whole_folder`), and what lies in a segment never changes, so a copy made after the
database's holds all that its rows point to. Where a segment cannot be read to its end, its bodies are copied one by one.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from gateway.durable import sync_directory
from gateway.store.errors import BodyDamaged, BodyRefused
from gateway.store.manifest import Stored, copied, measured
from gateway.store.spots import FOLDER, Spot, read_spot

_UNREADABLE = (errno.ENOENT, errno.EIO)


def copy_segments(state: Path, part: Path, copy: sqlite3.Connection) -> tuple[list[Stored], list[str]]:
    """Copy what the rows of `copy` point to; return the files and the queue ids of bodies that could not be read."""
    (part / FOLDER).mkdir(mode=0o700)
    files: list[Stored] = []
    lost: list[str] = []
    for name in _names(copy):
        target, shown = part / FOLDER / name, f"{FOLDER}/{name}"
        try:
            files.append(copied(state / FOLDER / name, target, shown))
            lost += [queue_id for queue_id, spot in _bodies(copy, name) if _beyond(spot, files[-1].size)]
        except OSError as error:
            if error.errno not in _UNREADABLE:
                raise
            target.unlink(missing_ok=True)
            lost += _one_by_one(state / FOLDER, target, _bodies(copy, name))
            files.append(measured(target, shown))
    sync_directory(part / FOLDER)
    return files, lost


def _names(copy: sqlite3.Connection) -> list[str]:
    if not any(column[1] == "segment" for column in copy.execute("PRAGMA table_info(bodies)")):
        return []  # a store that no newer version has opened yet
    rows = copy.execute("SELECT DISTINCT segment FROM bodies WHERE segment IS NOT NULL ORDER BY segment")
    return [name for (name,) in rows]


def _bodies(copy: sqlite3.Connection, name: str) -> Iterator[tuple[str, Spot]]:
    rows = copy.execute("SELECT queue_id, start, length FROM bodies WHERE segment = ?", (name,))
    return ((queue_id, Spot(name, start, length)) for queue_id, start, length in rows)


def _beyond(spot: Spot, size: int) -> bool:
    return spot.start + spot.length > size


def _one_by_one(folder: Path, target: Path, bodies: Iterator[tuple[str, Spot]]) -> list[str]:
    """Copy each body to its place in a file that has holes where one could not be read."""
    lost = []
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        for queue_id, spot in bodies:
            try:
                octets = read_spot(folder, spot)
            except (BodyDamaged, BodyRefused):
                lost.append(queue_id)
                continue
            file.seek(spot.start)
            file.write(octets)
        file.flush()
        os.fsync(file.fileno())
    return lost
