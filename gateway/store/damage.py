"""Look at a database before a service works on it: damaged is told with what to do, kept aside, never replaced by a new one.

SQLite finds damage only where it reads. A check at start costs seconds and finds it before mail is taken into a file that
cannot hold it. Bounded in time: a large database is checked as far as that goes, and the rest shows when it is read.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

from gateway.durable import sync_directory
from gateway.store.errors import StoreUnavailable
from gateway.store.wal import damaged_in_the_middle

CHECK_S = 20.0  # a start waits no longer; about 10 GiB from a warm cache
_STEPS = 100_000  # virtual machine instructions between two looks at the clock
_HEADER = b"SQLite format 3\x00"  # https://www.sqlite.org/fileformat.html 1.3
WHAT_TO_DO = (
    "the service does not start on it; a copy is in {corrupt}. "
    "run sekisho doctor --repair, or restore a backup into another directory (sekisho restore; "
    "docs/operations.md, When the database is damaged)"
)


def refuse_damaged(path: Path, seconds: float = CHECK_S) -> None:
    """Raise StoreUnavailable where a database is damaged, or is gone while its bodies are there; keep a copy of it."""
    if not path.exists():
        _refuse_missing(path)
        return
    said = _dropped(path) or _damage(path, seconds)  # in this order: the second brings the WAL into the file
    if said is not None:
        corrupt = path.parent / "corrupt"
        _keep_aside(path, corrupt)
        raise StoreUnavailable(f"{path} is damaged ({said}): {WHAT_TO_DO.format(corrupt=corrupt, path=path)}")


def whole(path: Path) -> str | None:
    """Return what is wrong with a database that nobody works on, None where nothing is; looks at all of it."""
    said = _dropped(path) or _damage(path, float("inf"), "integrity_check")
    if said is not None:
        return said
    with closing(sqlite3.connect(f"file:{path}?mode=rw", uri=True)) as connection:
        wrong = connection.execute("PRAGMA foreign_key_check").fetchone()
    return None if wrong is None else f"a row of {wrong[0]} belongs to a message that is not there"


def _dropped(path: Path) -> str | None:
    """Tell whether a crash left a WAL of which SQLite would drop, without a word, what was acknowledged."""
    commits = damaged_in_the_middle(path.with_name(path.name + "-wal"))
    return (
        f"its WAL is damaged in the middle: {commits} acknowledged commits stand behind that place"
        if commits
        else None
    )


def _refuse_missing(path: Path) -> None:
    if (path.parent / "repaired").exists():
        raise StoreUnavailable(
            f"{path} is missing, because a repair was cut off: run sekisho doctor --repair again"
        )
    folder = path.parent / "bodies"
    mail = [*folder.glob("??/*"), *(path.parent / "segments").glob("*")]
    if any(file.is_file() and file.stat().st_size for file in mail):
        raise StoreUnavailable(
            f"{path} is missing, but {folder} or segments/ beside it holds mail: "
            "put the database back or restore a backup (sekisho restore); a new one would lose that mail"
        )


def _damage(path: Path, seconds: float, check: str = "quick_check") -> str | None:
    """Return what is wrong with the file, None where nothing was found in the time given."""
    with path.open("rb") as file:
        begins = file.read(len(_HEADER))
    if begins and begins != _HEADER:
        return "its header is no SQLite header"
    end = time.monotonic() + seconds
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=rw", uri=True)) as connection:
            connection.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
            (said,) = connection.execute(f"PRAGMA {check}(1)").fetchone()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return str(error)
        return None  # interrupted by the clock, or trouble that opening it will tell better
    return None if said == "ok" else str(said).splitlines()[-1]


def _keep_aside(path: Path, corrupt: Path) -> None:
    """Copy the database and its WAL once for each state they are in: many starts in a row fill no disk."""
    stamp = path.stat().st_mtime_ns
    with suppress(OSError):  # no room: the damaged file itself is not touched
        corrupt.mkdir(mode=0o700, exist_ok=True)
        for file in (path, path.with_name(path.name + "-wal")):
            kept = corrupt / f"{file.name}.{stamp}"
            if file.exists() and not kept.exists():
                shutil.copy2(file, kept)
        sync_directory(corrupt)
