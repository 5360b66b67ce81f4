"""Files that are open: each once, few at once, let go after a moment, and never in the way of the next one."""

from __future__ import annotations

import asyncio

import pytest

from gateway.console.download import contents
from gateway.console.download.contents import (
    IN_USE,
    KEPT_S,
    OF_LINK,
    OF_LINK_OCTETS,
    OPEN_OCTETS,
    STREAMS,
    Busy,
    Contents,
    Unreadable,
)
from gateway.spool.contract import BodyUnreadable
from tests.spool.sharing import SECOND, TEXT, WITH_FILES

LARGE = 20 << 20
FULL = OPEN_OCTETS // LARGE


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
    taken = await asyncio.gather(*[files.take(f"link {n}", "Q1", SECOND, len(TEXT)) for n in range(20)])
    assert set(taken) == {TEXT}
    for n in range(20):
        files.give(f"link {n}", "Q1", SECOND)
    assert await files.take("link", "Q1", SECOND, len(TEXT)) == TEXT  # in a moment, again
    files.give("link", "Q1", SECOND)
    assert bodies.read == 1
    files.close()
    await files.take("link", "Q1", SECOND, len(TEXT))
    assert bodies.read == 2


async def test_it_is_let_go(bodies: Bodies, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "KEPT_S", 0.0)
    assert KEPT_S > 0
    files = Contents(bodies)
    for _ in range(2):
        await files.take("link", "Q1", SECOND, len(TEXT))
        files.give("link", "Q1", SECOND)
        await asyncio.sleep(0.01)
    assert bodies.read == 2


@pytest.mark.parametrize(("most", "octets"), [(IN_USE, len(TEXT)), (FULL, LARGE)])
async def test_more_than_fit_have_to_wait(
    bodies: Bodies, monkeypatch: pytest.MonkeyPatch, most: int, octets: int
) -> None:
    monkeypatch.setattr(contents, "STREAMS", IN_USE + 1)
    files = Contents(bodies)
    for n in range(most):
        await files.take(f"link {n}", f"Q{n}", SECOND, octets)
    for _ in range(3):  # also the refused one leaves nothing behind
        with pytest.raises(Busy):
            await files.take("link", "Q999", SECOND, octets)
    files.give("link 0", "Q0", SECOND)
    assert await files.take("link", "Q999", SECOND, octets) == TEXT  # what nobody fetches makes room


async def test_one_link_does_not_take_all(bodies: Bodies) -> None:
    files = Contents(bodies)
    for _ in range(OF_LINK):
        await files.take("link", "Q1", SECOND, len(TEXT))
    with pytest.raises(Busy):
        await files.take("link", "Q1", SECOND, len(TEXT))
    assert await files.take("other", "Q1", SECOND, len(TEXT)) == TEXT
    files.give("link", "Q1", SECOND)
    assert await files.take("link", "Q1", SECOND, len(TEXT)) == TEXT


async def test_who_reads_two_mails_slowly_is_in_nobodys_way(bodies: Bodies) -> None:
    files = Contents(bodies)
    for link in ("one", "two"):
        for place in (1, 2, 1, 2, 1, 2):
            await files.take(link, f"mail of {link}", place, LARGE // 2)
    for n in range(8):
        assert await files.take(f"citizen {n}", f"Q{n}", SECOND, LARGE) == TEXT
        files.give(f"citizen {n}", f"Q{n}", SECOND)


async def test_a_link_keeps_no_more_open_than_its_share(bodies: Bodies) -> None:
    files = Contents(bodies)
    await files.take("link", "Q1", 1, OF_LINK_OCTETS)
    with pytest.raises(Busy):
        await files.take("link", "Q1", 2, LARGE)
    await files.take("link", "Q1", 1, OF_LINK_OCTETS)  # it is open: once more costs nothing
    assert await files.take("other", "Q1", SECOND, LARGE) == TEXT
    files.give("link", "Q1", 1)
    files.give("link", "Q1", 1)
    assert await files.take("link", "Q1", SECOND, LARGE) == TEXT


async def test_a_file_larger_than_all_room_is_open_alone(bodies: Bodies) -> None:
    files = Contents(bodies)
    await files.take("link", "Q1", SECOND, OPEN_OCTETS * 2)
    with pytest.raises(Busy):
        await files.take("other", "Q2", SECOND, LARGE)
    assert await files.take("other", "Q1", SECOND, OPEN_OCTETS * 2) == TEXT
    for link in ("link", "other"):
        files.give(link, "Q1", SECOND)
    assert await files.take("other", "Q2", SECOND, LARGE) == TEXT


async def test_what_cannot_be_read_is_tried_again_and_takes_no_room(bodies: Bodies) -> None:
    files = Contents(bodies)
    bodies.broken = True
    for _ in range(STREAMS + OF_LINK + 1):
        with pytest.raises(Unreadable):
            await files.take("link", "Q1", SECOND, len(TEXT))
    with pytest.raises(Unreadable):
        await files.take("link", "Q1", 99, len(TEXT))
    bodies.broken = False
    assert await files.take("link", "Q1", SECOND, len(TEXT)) == TEXT


async def test_who_goes_away_while_it_is_read_takes_no_room(bodies: Bodies) -> None:
    files = Contents(bodies)
    bodies.gate.clear()
    waiting = [asyncio.create_task(files.take("link", "Q1", SECOND, len(TEXT))) for _ in range(OF_LINK)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    bodies.gate.set()
    assert await files.take("link", "Q1", SECOND, len(TEXT)) == TEXT
