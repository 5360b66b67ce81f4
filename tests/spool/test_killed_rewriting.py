"""kill -9 while a sparse segment is rewritten: each row has its octets, and the next round finishes."""

from __future__ import annotations

import asyncio
import signal
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.spool.sql import open_spool
from tests.process import run_module
from tests.spool.conftest import MASTER
from tests.spool.mails import T0, mail
from tests.spool.test_segments import LARGE, files, gone

DAY = timedelta(days=1)
STEPS = ["Segments.read", "Segments.settle", "Segments.release", "Segments.remove"]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
async def test_killed_while_a_segment_is_rewritten(tmp_path: Path, step: str, when: str) -> None:
    spool = open_spool(tmp_path, MASTER, serve=True)
    ids = [await spool.accept(mail(held=1, raw=LARGE)) for _ in range(4)]
    await gone(spool, ids[:3])  # its writer lives: nothing is rewritten yet
    await spool.close()
    done = await asyncio.to_thread(run_module, "tests.spool.purging_child", str(tmp_path), step, when)
    assert done.returncode == -signal.SIGKILL
    again = open_spool(tmp_path, MASTER, serve=True)
    assert await again.raw(ids[3]) == LARGE
    await again.ageing.purge(T0 + DAY, DAY, 9 * DAY, 100)
    assert await again.raw(ids[3]) == LARGE
    assert len(files(tmp_path)) == 1
    await again.close()
