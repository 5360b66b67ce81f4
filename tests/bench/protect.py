"""Attachments of 10 MiB protected: by a sealing process that is there already, against 7z and qpdf as whole processes.

Ours is `Sealing.write`: the mail over a pipe, decoded, sealed, encoded and put together again, and back. Theirs is the file
alone, from the start of the program to its end. Both seal in AES-256, and pack with the same effort (`-mx=6` is zlib's 6). The
stalls are those of an event loop that has several mails of 25 MiB sealed at once, beats of BEAT_S apart.
"""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from base64 import b64encode, encodebytes
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pikepdf

from gateway.config.settings import Sealing as Settings
from gateway.policy.protection import How
from gateway.sealing.sealer import Order, Sealing
from tests.bench.figures import OURS, Absent, Sample
from tests.bench.task import Load

SEVENZIP, QPDF = "7z", "qpdf"
KEY = "kaede-tsuru-minato"
SIZE, LARGE = 10 << 20, 18 << 20  # octets of a file; 18 MiB make a mail of 25
AT_ONCE = 4
BEAT_S = 0.001
RUN_LIMIT_S = 300.0


def absent() -> str:
    """Return what is missing for this task."""
    lacking = [tool for tool in (SEVENZIP, QPDF) if shutil.which(tool) is None]
    return f"{' and '.join(lacking)} not installed" if lacking else ""


def protect(load: Load) -> Iterator[Sample | Absent]:
    """Yield milliseconds for each file, and the longest stall of the loop with its memory."""
    files = {"protect-zip": document(SIZE), "protect-pdf": paper(SIZE)}
    for who in load.turn([OURS, "theirs"]):
        for series, octets in files.items():
            if who == OURS:
                yield Sample(series, OURS, asyncio.run(ours(series, octets)) * 1000)
            else:
                yield Sample(
                    series, SEVENZIP if series == "protect-zip" else QPDF, theirs(series, octets) * 1000
                )
    found = asyncio.run(several(load.count(AT_ONCE, 2), LARGE))
    yield Sample("protect-stall", OURS, found["stall_ms"])
    yield Sample("protect-memory", OURS, found["memory_mib"])


def document(size: int) -> bytes:
    """Return a file that packs to about a half, as a folder of tables and letters does."""
    return b64encode(random.Random(1).randbytes(size * 3 // 8)) + bytes(random.Random(2).randbytes(size // 2))


def paper(size: int) -> bytes:
    """Return a PDF of this size: pages with pictures that are packed already."""
    made, chance = pikepdf.new(), random.Random(3)
    for _ in range(40):
        page = made.add_blank_page()
        page.obj.Contents = made.make_stream(chance.randbytes(size // 40))
    out = BytesIO()
    made.save(out)
    return out.getvalue()


def mail_of(name: str, octets: bytes) -> bytes:
    """Return a mail with one file."""
    return (
        b"From: office@sports.example.jp\r\nTo: ana@example.com\r\nSubject: files\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\n'
        + f'Content-Type: application/octet-stream; name="{name}"\r\n'.encode()
        + b"Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment\r\n\r\n"
        + encodebytes(octets).replace(b"\n", b"\r\n")
        + b"--b--\r\n"
    )


def order(how: How) -> Order:
    return Order(((2, how),), KEY, "a note\n", datetime.now(UTC))


async def ours(series: str, octets: bytes) -> float:
    """Return the seconds of a process that has sealed something before."""
    name, how = ("a.bin", How.ZIP_AES256) if series == "protect-zip" else ("a.pdf", How.NATIVE)
    sealing = Sealing(Settings())
    try:
        await sealing.write(mail_of("warm.txt", b"x" * 1000), order(How.ZIP_AES256))
        raw = mail_of(name, octets)
        began = time.perf_counter()
        await sealing.write(raw, order(how))
        return time.perf_counter() - began
    finally:
        await sealing.close()


def theirs(series: str, octets: bytes) -> float:
    """Return the seconds of the tool, from its start to its end."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        source, made = Path(folder) / "a", Path(folder) / "made.zip"
        source.write_bytes(octets)
        words = (
            [SEVENZIP, "a", "-tzip", "-mem=AES256", "-mx=6", "-mmt=1", f"-p{KEY}", str(made), str(source)]
            if series == "protect-zip"
            else [QPDF, "--encrypt", KEY, "owner", "256", "--", str(source), str(made)]
        )
        began = time.perf_counter()
        subprocess.run(words, check=True, capture_output=True, timeout=RUN_LIMIT_S)
        return time.perf_counter() - began


async def several(count: int, size: int) -> dict[str, float]:
    """Seal several large mails at once; return the longest stall of the loop, and what the gateway's process grew by."""
    raws = [mail_of("a.bin", random.Random(number).randbytes(size)) for number in range(count)]
    sealing = Sealing(Settings())
    beating = asyncio.create_task(_beats())
    before = _resident()
    try:
        for made in asyncio.as_completed([sealing.write(raw, order(How.ZIP_AES256)) for raw in raws]):
            await made
    finally:
        beating.cancel()
        await sealing.close()
    [(longest, most)] = await asyncio.gather(beating)
    return {"stall_ms": longest * 1000, "memory_mib": (most - before) / (1 << 20)}


async def _beats() -> tuple[float, int]:
    """Return the longest time by which a beat was late, and the most memory at any, when it is cancelled."""
    longest, most = 0.0, _resident()
    loop = asyncio.get_running_loop()
    try:
        while True:
            due = loop.time() + BEAT_S
            await asyncio.sleep(BEAT_S)
            longest, most = max(longest, loop.time() - due), max(most, _resident())
    except asyncio.CancelledError:
        return longest, most


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


if __name__ == "__main__":
    if why := absent():
        sys.exit(why)
    print(
        json.dumps(
            [(each.series, each.who, each.value) for each in protect(Load()) if isinstance(each, Sample)]
        )
    )
