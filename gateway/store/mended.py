"""Where a repair works and how its result takes the damaged database's place, so that being cut off costs nothing.

`repairing/` is work under way and may go at any time; renamed to `repaired/` it is complete. The damaged files then move to
`corrupt/` and the new one moves in: cut off between these steps, no database is there, which a start refuses, and the
next repair ends what this one began.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from gateway.durable import sync_directory
from gateway.store.database import FILE_NAME
from gateway.store.spots import FOLDER as SEGMENTS

WORK, DONE, DAMAGED = "repairing", "repaired", "damaged"
_FILES = (FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm")


def begin(state: Path) -> Path:
    """Return a fresh working directory with a copy of the damaged database in it; raises OSError where there is no room."""
    work = state / WORK
    if work.exists():
        shutil.rmtree(work)
    needed = 3 * sum((state / name).stat().st_size for name in _FILES if (state / name).exists())
    if shutil.disk_usage(state).free < needed:
        raise OSError(f"{state}: a repair needs {needed >> 20} MiB free for a copy and the new database")
    (work / DAMAGED).mkdir(parents=True, mode=0o700)
    for name in _FILES[:2]:
        if (state / name).exists():
            shutil.copy2(state / name, work / DAMAGED / name)
    return work


def end(state: Path, stamp: str) -> Path:
    """Say that the work is complete and put it in place; return where the damaged files are kept."""
    (state / WORK).rename(state / DONE)
    sync_directory(state)
    return put_in_place(state, stamp)


def cut_off(state: Path) -> bool:
    """Tell whether a complete repair waits to be put in place."""
    return (state / DONE / FILE_NAME).exists()


def put_in_place(state: Path, stamp: str) -> Path:
    """Move the damaged files aside and the new one in; may be run again."""
    kept = state / "corrupt" / f"before-repair-{stamp}"
    kept.mkdir(parents=True, mode=0o700, exist_ok=True)
    for name in _FILES:
        if (state / name).exists():
            (state / name).rename(kept / name)
    sync_directory(kept)
    sync_directory(state)
    (state / DONE / FILE_NAME).rename(state / FILE_NAME)
    sync_directory(state)
    shutil.rmtree(state / DONE)
    return kept


def octets_without_record(state: Path, stamp: str) -> list[str]:
    """Keep, under a second name in `corrupt/`, the segments with octets that no record of the repair's result speaks of.

    They may be of bodies whose record is lost, and a start gives the room of such octets back. A second name takes no room.
    """
    kept = state / "corrupt" / f"segments-{stamp}"
    with closing(sqlite3.connect(f"file:{state / WORK / FILE_NAME}?mode=ro", uri=True)) as fresh:
        rows = fresh.execute(
            "SELECT segment, sum(length) FROM bodies WHERE segment IS NOT NULL GROUP BY segment"
        )
        spoken_of = dict(rows.fetchall())
    segments = [file for file in (state / SEGMENTS).glob("*") if file.is_file()]
    found = [file for file in segments if file.stat().st_size > spoken_of.get(file.name, 0)]
    for file in found:
        kept.mkdir(parents=True, mode=0o700, exist_ok=True)
        _second_name(file, kept / file.name)
    if found:
        sync_directory(kept)
        sync_directory(kept.parent)
    return sorted(file.name for file in found)


def _second_name(file: Path, name: Path) -> None:
    name.unlink(missing_ok=True)
    try:
        name.hardlink_to(file)
    except OSError:  # a file system that has none
        shutil.copy2(file, name)


def bodies_without_record(state: Path, known: set[str]) -> list[str]:
    """Move body files that no record speaks of to `corrupt/`, where a start does not sweep them; return their names."""
    found = [file for file in (state / "bodies").glob("??/*") if file.is_file() and file.name not in known]
    (state / "corrupt").mkdir(mode=0o700, exist_ok=True)
    for file in found:
        file.rename(state / "corrupt" / file.name)
    return sorted(file.name for file in found)
