"""Faults on order in a running gateway: the disk's calls fail, the clocks step. See shim.c for what is done to which call.

The orders lie in a file that the gateway has mapped; what is written here holds from its next call on.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

_LAYOUT = struct.Struct("<qqiiii232s")  # struct orders of shim.c
_FAILED_AT = 28


class Orders:
    """What shall go wrong; nothing at first. `environment` is for the process it shall go wrong in."""

    def __init__(self, folder: Path, shim: Path) -> None:
        self._file = folder / "orders"
        self.environment = {"LD_PRELOAD": str(shim), "FAULTS": str(self._file)}
        self._file.write_bytes(bytes(_LAYOUT.size))

    def give(
        self,
        path: str = "",
        *,
        sync: int = 0,
        read: int = 0,
        write: int = 0,
        wall: int = 0,
        monotonic: int = 0,
    ) -> None:
        """Let calls on files whose path holds `path` fail with an errno; put the clocks forward by seconds."""
        packed = _LAYOUT.pack(wall, monotonic, sync, read, write, 0, os.fsencode(path))
        with self._file.open("r+b") as file:
            file.write(packed)

    def end(self) -> None:
        """Let everything work again."""
        self.give()

    @property
    def failed(self) -> int:
        """Return how many calls failed since the order was given."""
        return int(struct.unpack_from("<i", self._file.read_bytes(), _FAILED_AT)[0])


def built_shim(folder: Path) -> Path:
    """Compile the shim; skips where there is no compiler, fails where there must be one (TEST_NO_SKIP)."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        cannot("there is no C compiler")
    shim = folder / "shim.so"
    source = Path(__file__).with_name("shim.c")
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-Wall", "-o", str(shim), str(source), "-ldl"],
        check=True,
        timeout=60,
    )
    return shim


def cannot(why: str) -> NoReturn:
    """Skip, or fail where nothing may be skipped."""
    if os.environ.get("TEST_NO_SKIP"):
        pytest.fail(why)
    pytest.skip(why)
