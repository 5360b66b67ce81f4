"""Finds pages of a live SQLite database by what they hold, and overwrites them behind its back, as a bad disk does."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.faults.orders import cannot

GARBAGE = b"\xa5"
PAGE = 4096  # octets; what SQLite takes where nobody says otherwise
_WAL_HEADER, _FRAME_HEADER = 32, 24  # https://www.sqlite.org/fileformat.html 4.1


def page_of(database: Path, name: str, kind: str, part: float = 0.5) -> int:
    """Return the number of a page of a table or index: `kind` is leaf, internal, first or last (of a row that overflows).

    `part` says how far along in the table or index.
    """
    with closing(sqlite3.connect(database)) as connection:
        wanted = "SELECT path, pageno FROM dbstat WHERE name = ? AND pagetype = ? ORDER BY path"
        try:
            rows = connection.execute(
                wanted, [name, kind if kind in ("leaf", "internal") else "overflow"]
            ).fetchall()
        except sqlite3.OperationalError:
            cannot("this SQLite has no dbstat table")
    found = _chosen(rows, kind)
    assert found, f"{name} has no {kind} page"
    return int(found[int(len(found) * part)])


def _chosen(rows: list[tuple[str, int]], kind: str) -> list[int]:
    if kind == "first":
        return [number for path, number in rows if path.endswith("+000000")]
    if kind == "last":
        chains = {path.partition("+")[0]: number for path, number in rows}  # ordered: the last one stays
        return list(chains.values())
    return [number for _, number in rows]


def checkpoint(database: Path) -> None:
    """Bring everything from the WAL into the main file."""
    with closing(sqlite3.connect(database, timeout=10, isolation_level=None)) as connection:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert not busy


@contextmanager
def caches_forgotten(database: Path) -> Iterator[None]:
    """Commit from outside after the block: every connection of the gateway reads its pages anew."""
    with closing(sqlite3.connect(database, timeout=10)) as connection:
        connection.execute("SELECT * FROM compatibility").fetchall()  # while the file can be read
        yield
        for change in (
            "INSERT INTO compatibility VALUES ('test', '')",
            "DELETE FROM compatibility WHERE revision = 'test'",
        ):
            with connection:
                connection.execute(change)


def damage_page(database: Path, number: int) -> None:
    """Overwrite a page in the main file."""
    size = PAGE
    with database.open("r+b") as file:
        file.seek((number - 1) * size)
        file.write(GARBAGE * size)


def damage_in_wal(database: Path, number: int) -> None:
    """Overwrite the newest image of a page in the WAL."""
    wal, size = database.with_name(database.name + "-wal"), PAGE
    octets = wal.read_bytes()
    frames = range(_WAL_HEADER, len(octets) - size, _FRAME_HEADER + size)
    salt = octets[16:24]  # frames behind the last reset carry others
    ours = [at for at in frames if octets[at + 8 : at + 16] == salt]
    at = max(at for at in ours if struct.unpack_from(">I", octets, at)[0] == number)
    with wal.open("r+b") as file:
        file.seek(at + _FRAME_HEADER)
        file.write(GARBAGE * size)


def page_at(database: Path, number: int) -> bytes:
    """Return a page as it stands in the main file."""
    size = PAGE
    return database.read_bytes()[(number - 1) * size : number * size]
