"""Files that are open: each once, few at once, let go after a moment, and never in the way of the next one."""

from __future__ import annotations

import asyncio

import pytest

from gateway.console.download import contents
from gateway.console.download.contents import IN_USE, KEPT_S, OF_LINK, Busy, Contents, Unreadable
from gateway.spool.contract import BodyUnreadable
from tests.spool.sharing import SECOND, TEXT, WITH_FILES


class Bodies:
    """Counts how often a body is read; `gate` keeps reading from ending."""

    def __init__(self) -> None:
        self.read = 0
        self.broken = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def raw(self, queue_id: str) -> bytes:
        self.read += 1
        await self.gate.wait()
        if self.broken:
            raise BodyUnreadable(queue_id)
        return WITH_FILES


@pytest.fixture
def bodies() -> Bodies:
    return Bodies()


async def test_a_file_is_read_once_for_all_who_fetch_it(bodies: Bodies) -> None:
    files = Contents(bodies)
    taken = await asyncio.gather(*[files.take(f"link {n}", "Q1", SECOND) for n in range(20)])
    assert set(taken) == {TEXT}
    for n in range(20):
        files.give(f"link {n}", "Q1", SECOND)
    assert await files.take("link", "Q1", SECOND) == TEXT  # in a moment, again
    files.give("link", "Q1", SECOND)
    assert bodies.read == 1
    files.close()
    await files.take("link", "Q1", SECOND)
    assert bodies.read == 2


async def test_it_is_let_go(bodies: Bodies, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "KEPT_S", 0.0)
    assert KEPT_S > 0
    files = Contents(bodies)
    for _ in range(2):
        await files.take("link", "Q1", SECOND)
        files.give("link", "Q1", SECOND)
        await asyncio.sleep(0.01)
    assert bodies.read == 2


async def test_more_than_fit_have_to_wait(bodies: Bodies) -> None:
    files = Contents(bodies)
    for n in range(IN_USE):
        await files.take(f"link {n}", f"Q{n}", SECOND)
    for _ in range(3):  # also the refused one leaves nothing behind
        with pytest.raises(Busy):
            await files.take("link", "Q99", SECOND)
    files.give("link 0", "Q0", SECOND)
    assert await files.take("link", "Q99", SECOND) == TEXT  # what nobody fetches makes room


async def test_one_link_does_not_take_all(bodies: Bodies) -> None:
    files = Contents(bodies)
    for _ in range(OF_LINK):
        await files.take("link", "Q1", SECOND)
    with pytest.raises(Busy):
        await files.take("link", "Q1", SECOND)
    assert await files.take("other", "Q1", SECOND) == TEXT
    files.give("link", "Q1", SECOND)
    assert await files.take("link", "Q1", SECOND) == TEXT


async def test_what_cannot_be_read_is_tried_again_and_takes_no_room(bodies: Bodies) -> None:
    files = Contents(bodies)
    bodies.broken = True
    for _ in range(IN_USE + OF_LINK + 1):
        with pytest.raises(Unreadable):
            await files.take("link", "Q1", SECOND)
    with pytest.raises(Unreadable):
        await files.take("link", "Q1", 99)
    bodies.broken = False
    assert await files.take("link", "Q1", SECOND) == TEXT


async def test_who_goes_away_while_it_is_read_takes_no_room(bodies: Bodies) -> None:
    files = Contents(bodies)
    bodies.gate.clear()
    waiting = [asyncio.create_task(files.take("link", "Q1", SECOND)) for _ in range(OF_LINK)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    bodies.gate.set()
    assert await files.take("link", "Q1", SECOND) == TEXT
