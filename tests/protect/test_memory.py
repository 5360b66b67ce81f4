"""Files of any size in bounded memory: measured on a process of its own, because a peak never goes down."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SIZE = 100 << 20
MAX_GROWTH = 24 << 20
"""Octets above what the process took before: a spooled member (IN_MEMORY), a few chunks, and what Python keeps of them."""

SCRIPT = """
import json, random, resource, sys
from datetime import datetime
from gateway.protect.archive import zip_aes256
from gateway.protect.file import File
from gateway.transform.part_writer import base64_lines

size, compressible, hidden = int(sys.argv[1]), sys.argv[2] == "text", sys.argv[3] == "hidden"
block = b"name,address,telephone\\n" * 2850 if compressible else random.Random(5).randbytes(65_600)

def read():
    for at in range(0, size, len(block)):
        yield block[: size - at]

def entropy(count):
    return b"s" * count

def sealed(size_of):
    files = [File("a.bin", read)] if size_of else [File("a.bin", lambda: [b"x"])]
    total = 0
    for chunk in base64_lines(zip_aes256(files, "key", at=datetime(2026, 1, 1), entropy=entropy, hide_names=hidden)):
        total += len(chunk)
    return total

sealed(0)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
total = sealed(size)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({"growth": (after - before) * 1024, "total": total}))
"""


@pytest.mark.parametrize("content", ["text", "noise"])
@pytest.mark.parametrize("names", ["shown", "hidden"])
def test_a_large_file_is_sealed_in_little_memory(content: str, names: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(SIZE), content, names], capture_output=True, text=True, check=True
    )
    told = json.loads(done.stdout)
    assert told["growth"] < MAX_GROWTH
    assert told["total"] > (SIZE if content == "noise" else 0)
