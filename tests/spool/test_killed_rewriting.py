"""kill -9 while a sparse segment is rewritten: each row has its octets, and the next round finishes."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.spool.sql import open_spool
from tests.process import ROOT
from tests.spool.conftest import MASTER
from tests.spool.mails import T0, mail
from tests.spool.test_segments import LARGE, files, gone

DAY = timedelta(days=1)
STEPS = ["Segments.read", "Segments.settle", "Segments.release", "Segments.remove"]
PURGE = """
import asyncio, sys
from pathlib import Path
from datetime import timedelta
from gateway.spool.sql import open_spool
from gateway.store import segments
from tests.crash.child import wrapped
from tests.spool.conftest import MASTER
from tests.spool.mails import T0
state, step, when = sys.argv[1:]
name = step.split(".")[1]
setattr(segments.Segments, name, wrapped(getattr(segments.Segments, name), when))
async def main():
    spool = open_spool(Path(state), MASTER, serve=True)
    day = timedelta(days=1)
    await spool.purge(T0 + day, day, 9 * day, 100)
asyncio.run(main())
"""


def killed(arguments: list[str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        arguments, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=60, check=False
    )


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
async def test_killed_while_a_segment_is_rewritten(tmp_path: Path, step: str, when: str) -> None:
    spool = open_spool(tmp_path, MASTER, serve=True)
    ids = [await spool.accept(mail(held=1, raw=LARGE)) for _ in range(4)]
    await gone(spool, ids[:3])  # its writer lives: nothing is rewritten yet
    await spool.close()
    arguments = [sys.executable, "-c", PURGE, str(tmp_path), step, when]
    done = await asyncio.to_thread(killed, arguments)
    assert done.returncode == -signal.SIGKILL
    again = open_spool(tmp_path, MASTER, serve=True)
    assert await again.raw(ids[3]) == LARGE
    await again.purge(T0 + DAY, DAY, 9 * DAY, 100)
    assert await again.raw(ids[3]) == LARGE
    assert len(files(tmp_path)) == 1
    await again.close()
