"""Files, a key and a clock for the tests of this room, and the tools that open what it makes."""

from __future__ import annotations

import io
import os
import subprocess
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pikepdf

from tests.interop.conftest import require

KEY = "sakura-tanuki-yuzu"
AT = datetime(2026, 11, 21, 9, 30, 14)  # noqa: DTZ001 - what a clock on a wall shows
NAME = "令和8年度 名簿（体育館）.csv"
TEXT = "氏名,電話\r\n山田 花子,03-0000-0000\r\n".encode() * 300
TYPES = '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
NOISE = bytes(range(256)) * 1000


def entropy(start: int = 1) -> Callable[[int], bytes]:
    """Return a source of octets that is the same in every run, and never gives the same twice."""
    state = start

    def give(count: int) -> bytes:
        nonlocal state
        out = bytearray()
        for _ in range(count):
            state = (state * 6364136223846793005 + 1442695040888963407) % (1 << 64)
            out.append(state >> 56)
        return bytes(out)

    return give


def run(name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a tool in a UTF-8 locale, as desktops do, with nothing to answer its questions."""
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    return subprocess.run(
        [require(name), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
        env=environment,
    )


def pdf(*, signed: bool = False, flagged: bool = False) -> bytes:
    """Return a PDF of one page, on request with what a signature leaves in it."""
    made = pikepdf.new()
    made.add_blank_page()
    made.Root.Note = pikepdf.String("plain words to look for")
    if flagged:
        made.Root.AcroForm = pikepdf.Dictionary(SigFlags=3, Fields=pikepdf.Array())
    if signed:
        made.Root.Lock = pikepdf.Dictionary(ByteRange=pikepdf.Array([0, 1, 2, 3]))
    out = io.BytesIO()
    made.save(out, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    return out.getvalue()


def locked_pdf(user: str, owner: str) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf())) as made:
        made.save(out, encryption=pikepdf.Encryption(user=user, owner=owner, R=6))
    return out.getvalue()


def office(folder: str = "word", *more: str, content: bytes = b"plain words to look for") -> bytes:
    """Return an Office document, as much of one as programs need to tell that it is one."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("[Content_Types].xml", TYPES)
        made.writestr(f"{folder}/document.xml", content.ljust(4096))
        for name in more:
            made.writestr(name, b"\x00")
    return out.getvalue()
