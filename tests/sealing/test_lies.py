"""What a sealing process says that a hostile file took hold of: nothing of it becomes a mail."""

from __future__ import annotations

from asyncio.subprocess import Process as Running
from typing import cast

import pytest

from gateway.confined.process import ChildDied
from gateway.policy.protection import How
from gateway.sealing.bounds import MAX_CHUNK, most_written
from gateway.sealing.child import Child
from gateway.sealing.told import CHUNK, DONE, REFUSED, SEEN
from tests.sealing.making import mail_with, order_for

RAW = mail_with({"a.txt": b"words"})


class Liar(Child):
    """Says these frames, whatever it is asked; `hear` bounds them as the real one does."""

    def __init__(self, *frames: bytes) -> None:
        super().__init__(cast(Running, None))
        self.frames = list(frames)

    async def say(self, *pieces: bytes) -> None:
        return None

    async def hear(self, at_most: int) -> bytes:
        if not self.frames or len(self.frames[0]) > at_most:
            raise ChildDied("said too much")
        return self.frames.pop(0)


@pytest.mark.parametrize(
    "frames",
    [
        (DONE,),
        (CHUNK, DONE),
        (CHUNK + RAW, DONE),
        (CHUNK + b"x" * (MAX_CHUNK + 1), DONE),
        (CHUNK + b"x" * MAX_CHUNK,) * (most_written(len(RAW)) // MAX_CHUNK + 1),
        (SEEN + b"{}", DONE),
        (REFUSED + b"no such word", DONE),
        (REFUSED + b"failed", CHUNK + b"x", DONE),
        (b"", DONE),
        (b"ready", DONE),
    ],
)
async def test_no_lie_is_taken_for_a_mail(frames: tuple[bytes, ...]) -> None:
    with pytest.raises(ChildDied):
        await Liar(*frames).write(RAW, order_for([2], How.BLOCK))


@pytest.mark.parametrize(
    "frames",
    [
        (DONE,),
        (SEEN, DONE),
        (SEEN + b"[]", DONE),
        (SEEN + b'{"files": [], "obstacle": "fine"}', DONE),
        (CHUNK + b"x",),
    ],
)
async def test_no_lie_is_taken_for_a_look(frames: tuple[bytes, ...]) -> None:
    with pytest.raises(ChildDied):
        await Liar(*frames).look(RAW)
