"""What a backup says about itself: every file with its size and SHA-256, versions, and which master key opens it.

The manifest is written last and carries its own digest, so a backup that was cut off or altered shows before anything of it is
used. It never holds a key, only key ids. It guards against damage, not against a forger: the event chain's seal does that.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, field
from pathlib import Path, PurePosixPath
from typing import Any

from gateway.durable import sync_directory
from gateway.values import dataclass

FORMAT = 1
FILE_NAME = "manifest.json"
CHUNK = 1 << 20  # octets copied at once
MAX_MANIFEST = 1 << 30  # octets; about 150 a file: seven million bodies


class BackupError(Exception):
    """A backup that cannot be made or used; the text names the file and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A file of the backup; `path` is relative to its folder."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """`keys` are the ids of the master keys that bodies were wrapped under, newest last; `missing` are queue ids whose body
    file was not there to be copied, with the cause."""

    made_at: str
    version: str
    schema: str
    keys: tuple[str, ...]
    messages: int
    open_recipients: int
    files: tuple[Stored, ...]
    missing: tuple[tuple[str, str], ...] = ()
    with_key: bool = False
    format: int = field(default=FORMAT)

    def write(self, folder: Path) -> None:
        """Write the manifest, on disk on return."""
        data = asdict(self)
        text = json.dumps({**data, "digest": _digest(data)}, indent=1)
        with (folder / FILE_NAME).open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        sync_directory(folder)


def read_manifest(folder: Path) -> Manifest:
    """Read and check a manifest; raises BackupError."""
    path = folder / FILE_NAME
    try:
        if path.stat().st_size > MAX_MANIFEST:
            raise BackupError(f"{path} is damaged: it is too large")
        data = json.loads(path.read_bytes())
        said = data.pop("digest")
    except OSError as error:
        raise BackupError(f"{path} cannot be read: {error.strerror}; is this a whole backup?") from error
    except (ValueError, KeyError, AttributeError) as error:
        raise BackupError(f"{path} is damaged: {error!r}") from error
    if said != _digest(data):
        raise BackupError(f"{path} is damaged: its digest does not match what it says")
    if data.get("format") != FORMAT:
        raise BackupError(f"{path} has format {data.get('format')}, known is {FORMAT}")
    return _manifest(data, path)


def _manifest(data: dict[str, Any], path: Path) -> Manifest:
    try:
        files = tuple(_stored(entry) for entry in data.pop("files"))
        missing = tuple((str(queue_id), str(why)) for queue_id, why in data.pop("missing"))
        return Manifest(**{**data, "keys": tuple(data["keys"]), "files": files, "missing": missing})
    except (TypeError, KeyError, ValueError) as error:
        raise BackupError(f"{path} is damaged: {error}") from error


def _stored(entry: dict[str, Any]) -> Stored:
    stored = Stored(**entry)
    parts = PurePosixPath(stored.path).parts
    if not parts or parts[0] == "/" or ".." in parts:
        raise ValueError(f"it names {stored.path!r}, which is outside the backup")
    return stored


def _digest(data: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def copied(source: Path, target: Path, name: str) -> Stored:
    """Copy a file, for its owner alone, on disk on return; the name in its directory is the caller's to sync."""
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as given:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as made:
            for chunk in _chunks(given):
                digest.update(chunk)
                size += len(chunk)
                made.write(chunk)
            made.flush()
            os.fsync(made.fileno())
    return Stored(name, size, digest.hexdigest())


def measured(path: Path, name: str) -> Stored:
    """Return what a file is now."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        for chunk in _chunks(file):
            digest.update(chunk)
            size += len(chunk)
    return Stored(name, size, digest.hexdigest())


def _chunks(file: Any) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk
