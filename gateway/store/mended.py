"""Where a repair works and how its result takes the damaged database's place, so that being cut off costs nothing.

`repairing/` is work under way and may go at any time; renamed to `repaired/` it is complete. The damaged files then move to
`corrupt/` and the new one moves in: cut off between these steps, no database is there, which a start refuses, and the
next repair ends what this one began.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from gateway.durable import sync_directory
from gateway.store.database import FILE_NAME

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


def bodies_without_record(state: Path, known: set[str]) -> list[str]:
    """Move body files that no record speaks of to `corrupt/`, where a start does not sweep them; return their names."""
    found = [file for file in (state / "bodies").glob("??/*") if file.is_file() and file.name not in known]
    (state / "corrupt").mkdir(mode=0o700, exist_ok=True)
    for file in found:
        file.rename(state / "corrupt" / file.name)
    return sorted(file.name for file in found)
