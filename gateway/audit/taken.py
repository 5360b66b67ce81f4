"""Files that are sent and kept by nobody: without a name before the first octet goes, so that nothing is left on the disk."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

PIECE = 1 << 18  # octets sent at once


def without_name(path: Path) -> BinaryIO:
    """Open a file and take its name away, whatever becomes of the answer."""
    file = path.open("rb")
    path.unlink()
    return file


def octets_of(file: BinaryIO) -> int:
    """Return how many octets an open file has."""
    return os.fstat(file.fileno()).st_size


def pieces(file: BinaryIO) -> Iterator[bytes]:
    """Yield a file in pieces; it is closed in the end."""
    with file:
        while piece := file.read(PIECE):
            yield piece
