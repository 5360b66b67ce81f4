"""Copy a state directory while the service runs: the database first, then the body files that the copy refers to.

A body file is written before its row and never changes, so whatever the copied database names was there when it was copied; it
can only have been purged since, and that is told. The service is not stopped: one reading transaction holds one snapshot
of the WAL while pages are copied in steps. A backup has its name only when all of it is on disk; the state is only read.
"""

from __future__ import annotations

import errno
import fcntl
import secrets
import shutil
import sqlite3
from contextlib import AbstractContextManager, closing, nullcontext
from datetime import datetime
from pathlib import Path

from gateway import __version__
from gateway.durable import sync_directory, sync_file
from gateway.store.bodies import CORRUPT, FILE, PURGED
from gateway.store.copied_segments import copy_segments
from gateway.store.database import FILE_NAME
from gateway.store.manifest import BackupError, Manifest, Stored, copied, measured
from gateway.store.spots import FOLDER as SEGMENTS
from gateway.store.spots import whole_folder
from gateway.store.sqlite import BUSY_TIMEOUT_MS

PAGES = 2_048  # copied in one step (8 MiB): between steps the disk belongs to the service
KEY_NAME = "master.key"
# Errors of one body: one that is gone, or on a bad sector, must not cost all others their backup.
_UNREADABLE = (errno.ENOENT, errno.EIO)
PURGED_SINCE = "purged since"


def back_up(state: Path, target: Path, now: datetime, key: Path | None = None) -> Manifest:
    """Write a backup of `state` into the new folder `target`; `key` is copied too where it is given.

    Raises BackupError; then nothing stands at `target`.
    """
    if target.exists():
        raise BackupError(f"{target} exists; a backup is never written over something else")
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        part.mkdir(mode=0o700)
        manifest = _filled(state, part, now, key)
        part.rename(target)
        sync_directory(target.parent)
    except (OSError, sqlite3.Error) as error:
        raise BackupError(f"the backup to {target} failed: {error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return manifest


def _filled(state: Path, part: Path, now: datetime, key: Path | None) -> Manifest:
    database = part / FILE_NAME
    with _nothing_deleted(state):
        _copy_database(state / FILE_NAME, database)
        files = [measured(database, FILE_NAME)]
        with closing(sqlite3.connect(f"file:{database}?mode=ro&immutable=1", uri=True)) as copy:
            bodies, missing = _copy_bodies(state, part, copy)
            segments, lost = copy_segments(state, part, copy)
    told = {queue_id for queue_id, _ in missing}
    missing += [(queue_id, _why_missing(state, queue_id)) for queue_id in lost if queue_id not in told]
    with closing(sqlite3.connect(f"file:{database}?mode=ro&immutable=1", uri=True)) as copy:
        if key is not None:
            files.append(copied(key, part / KEY_NAME, KEY_NAME))
        (messages,) = copy.execute("SELECT count(*) FROM messages").fetchone()
        (waiting,) = copy.execute("SELECT coalesce(sum(open_recipients), 0) FROM messages").fetchone()
        manifest = Manifest(
            made_at=now.isoformat(),
            version=__version__,
            schema=str(copy.execute("SELECT version_num FROM alembic_version").fetchone()[0]),
            keys=tuple(row[0] for row in copy.execute("SELECT key_id FROM master_keys ORDER BY since")),
            messages=messages,
            open_recipients=waiting,
            files=(*files, *bodies, *segments),
            missing=tuple(missing),
            with_key=key is not None,
        )
    manifest.write(part)
    return manifest


def _nothing_deleted(state: Path) -> AbstractContextManager[object]:
    """Keep all segments while the block lasts; a store of an older version has none."""
    folder = state / SEGMENTS
    return whole_folder(folder, fcntl.LOCK_SH) if folder.is_dir() else nullcontext()


def _copy_database(source: Path, target: Path) -> None:
    """Copy one snapshot in steps, check it, and leave it as one file without a WAL."""
    target.touch(0o600)
    uri = f"file:{source}?mode=rw"
    with (
        closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as given,
        closing(sqlite3.connect(target, isolation_level=None)) as made,
    ):
        given.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}").close()
        given.execute("PRAGMA query_only = 1").close()
        # Without a transaction of our own, SQLite begins the copy anew whenever another connection commits.
        given.execute("BEGIN").close()
        given.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        given.backup(made, pages=PAGES)
        given.execute("COMMIT").close()
        made.execute("PRAGMA journal_mode = DELETE").fetchone()
        (said,) = made.execute("PRAGMA quick_check(1)").fetchone()
    if said != "ok":
        raise BackupError(f"{source} is damaged ({said}); no backup was made, keep the older ones")
    sync_file(target)


def _copy_bodies(
    state: Path, part: Path, copy: sqlite3.Connection
) -> tuple[list[Stored], list[tuple[str, str]]]:
    files: list[Stored] = []
    missing: list[tuple[str, str]] = []
    folders = {part / "bodies"}
    rows = copy.execute(
        "SELECT queue_id FROM bodies WHERE place IN (?, ?) ORDER BY queue_id", (FILE, CORRUPT)
    )
    for (queue_id,) in rows:
        name = f"bodies/{queue_id[-2:]}/{queue_id}"
        target = part / name
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folders.add(target.parent)
        try:
            files.append(copied(state / name, target, name))
        except OSError as error:
            if error.errno not in _UNREADABLE:
                raise
            target.unlink(missing_ok=True)
            missing.append((queue_id, _why_missing(state, queue_id)))
    for folder in folders:
        folder.mkdir(mode=0o700, exist_ok=True)
        sync_directory(folder)
    return files, missing


def _why_missing(state: Path, queue_id: str) -> str:
    """Ask the running database: a body that was purged since is nobody's loss, another one is."""
    with closing(sqlite3.connect(f"file:{state / FILE_NAME}?mode=ro", uri=True)) as live:
        row = live.execute("SELECT place FROM bodies WHERE queue_id = ?", (queue_id,)).fetchone()
    return (
        PURGED_SINCE
        if row is None or row[0] == PURGED
        else "its file is missing, unreadable, or was set aside as damaged"
    )
