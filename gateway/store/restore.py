"""Put a backup's files into an empty state directory, each one checked against the manifest while it is copied.

Everything lands in `restoring/` inside the state directory and moves into place at the end, the database last: a restore that
was cut off leaves no database, so nothing can start on half of one, and the next restore begins anew.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path

from gateway.durable import sync_directory
from gateway.store.backup import KEY_NAME
from gateway.store.database import FILE_NAME
from gateway.store.manifest import BackupError, Manifest, Stored, copied
from gateway.store.spots import FOLDER as SEGMENTS

STAGE = "restoring"
LOCK = "serve.lock"


def refuse_unless_empty(state: Path, allowed: Collection[Path]) -> None:
    """Raise BackupError where `state` holds anything but `allowed`, a lock file and what a restore that was cut off left."""
    if not state.exists():
        return
    spared = {LOCK, STAGE, *(path.name for path in allowed if path.parent == state)}
    found = sorted(path.name for path in state.iterdir() if path.name not in spared)
    if found:
        names = ", ".join(found[:5])
        raise BackupError(f"{state} is not empty ({names}): move it away first, nothing is written over it")


def stage(backup: Path, manifest: Manifest, state: Path) -> Path:
    """Copy all files of the backup into a fresh `restoring/`; raises BackupError that names the first damaged one."""
    folder = state / STAGE
    if folder.exists():
        shutil.rmtree(folder)
    (folder / "bodies").mkdir(mode=0o700, parents=True)
    (folder / SEGMENTS).mkdir(mode=0o700)
    for entry in manifest.files:
        if entry.path != KEY_NAME:
            _copy(backup, folder, entry)
    inner = (folder / SEGMENTS, *(folder / "bodies").iterdir(), folder / "bodies")
    for directory in (*inner, folder, state):
        sync_directory(directory)
    if not (folder / FILE_NAME).is_file():
        raise BackupError(f"{backup} holds no {FILE_NAME}")
    return folder


def _copy(backup: Path, folder: Path, entry: Stored) -> None:
    target = folder / entry.path
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        found = copied(backup / entry.path, target, entry.path)
    except OSError as error:
        raise BackupError(f"{backup / entry.path} cannot be copied: {error.strerror}") from error
    if found != entry:
        raise BackupError(f"{backup / entry.path} is damaged: it is not what the manifest says")


def put_in_place(folder: Path, state: Path) -> None:
    """Move what was staged to where the service looks for it, the database last."""
    for name in ("corrupt", "bodies", SEGMENTS, f"{FILE_NAME}-wal"):
        if (folder / name).exists():
            (folder / name).rename(state / name)
    sync_directory(state)
    (folder / FILE_NAME).rename(state / FILE_NAME)
    sync_directory(state)
    shutil.rmtree(folder)
    sync_directory(state)
