"""The folder in which several workers count together, as prometheus_client does it: files that each process maps and all read.

It lies in memory and not in the state directory: where a disk is full, touching a new page of a mapped file ends the process.
It belongs to who started the supervisor, in a directory where nobody else can move it, because root must not open files
in a folder of somebody else. What a supervisor that was killed left is removed by the next one.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
from pathlib import Path

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client's name for it
ROOM = 1 << 20  # octets for each worker; four files of 64 KiB, of which 10 KiB are used
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of an unforgeable name is made there


class FiguresFolder:
    """A fresh folder, locked as long as its supervisor lives."""

    def __init__(self, state: Path, workers: int) -> None:
        base = _roomy(workers)
        prefix = f"sekisho-{hashlib.sha256(os.fsencode(state.absolute())).hexdigest()[:12]}-"
        _sweep(base, prefix)
        self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=base))
        self.path.chmod(0o755)  # names only; each file is its owner's alone
        self._lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def keep_figures(user_id: int, group_id: int) -> None:
    """Take the room of this worker's files for good, and give them to the user that it becomes; nothing where it is alone."""
    folder = os.environ.get(FOLDER)
    for path in Path(folder).glob(f"*_{os.getpid()}.db") if folder else ():
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            os.posix_fallocate(handle, 0, os.fstat(handle).st_size)
            if os.fstat(handle).st_uid != user_id:  # the call itself may be forbidden to who needs it not
                os.fchown(handle, user_id, group_id)
        finally:
            os.close(handle)


def _roomy(workers: int) -> Path:
    """Return where there is room: in memory, else where temporary files are."""
    with contextlib.suppress(OSError):
        room = os.statvfs(MEMORY)
        if os.access(MEMORY, os.W_OK | os.X_OK) and room.f_bavail * room.f_frsize >= workers * ROOM:
            return MEMORY
    return Path(tempfile.gettempdir())


def _sweep(base: Path, prefix: str) -> None:
    """Remove what supervisors of the same state left that live no more."""
    for path in base.glob(f"{prefix}*"):
        with contextlib.suppress(OSError):
            if path.is_symlink() or path.stat().st_uid != os.geteuid():
                continue
            handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(handle)
