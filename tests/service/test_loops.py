"""A loop that dies ends the service with a failure; what ends by itself or is cancelled does not."""

from __future__ import annotations

import asyncio

import pytest

from gateway.service.loops import LoopDied, Loops


async def forever() -> None:
    await asyncio.sleep(3600)


async def broken() -> None:
    raise ValueError("a bug")


async def short() -> None:
    return


async def test_a_dead_loop_is_told_and_named() -> None:
    died = asyncio.Event()
    loops = Loops(died.set)
    loops.begin(forever())
    loops.begin(broken())
    await asyncio.wait_for(died.wait(), 5)
    await loops.end()
    with pytest.raises(LoopDied, match="broken failed"):
        loops.complain()


async def test_an_orderly_end_is_no_failure() -> None:
    died = asyncio.Event()
    loops = Loops(died.set)
    loops.begin(short())
    loops.begin(forever())
    await asyncio.sleep(0)
    await loops.end()
    loops.complain()
    assert not died.is_set()
