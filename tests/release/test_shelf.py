"""Claims of one mail share what was made of it, for as long as there are any, and never a failure."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from gateway.message.address import Address
from gateway.message.envelope import Client, Envelope
from gateway.policy.decision import Decision, Outcome
from gateway.policy.demands import Demands
from gateway.release.shelf import Shelf, is_whole
from gateway.spool.lifecycle import State
from gateway.spool.values import Recipient, Stored
from tests.release.test_dispatch import NOW, SENDER

KEEP_S = 0.05


def stored(queue_id: str, claimed: int = 2, of: int = 4, size: int = 100) -> Stored:
    people = tuple(Address(f"r{number}", "example.com") for number in range(of))
    rows = tuple(Recipient(n, people[n], True, State.ACTIVE, None, 1) for n in range(claimed))
    envelope = Envelope(SENDER, people, Client("192.0.2.1"))
    return Stored(
        queue_id, envelope, Decision("d", (Outcome(True, Demands()),), (0,) * of), NOW, "", size, False, rows
    )


class Maker:
    """Makes numbers, slowly."""

    def __init__(self) -> None:
        self.calls = 0
        self.fails = False

    async def __call__(self) -> int:
        self.calls += 1
        await asyncio.sleep(0.01)
        if self.fails:
            raise OSError("to order")
        return self.calls


async def use(shelf: Shelf[int], message: Stored, make: Callable[[], Awaitable[int]]) -> int:
    async with shelf.share(message, make) as made:
        await asyncio.sleep(0.01)
        return made


async def test_claims_at_the_same_time_and_shortly_after_share() -> None:
    shelf, make = Shelf[int](keep_s=KEEP_S), Maker()
    assert await asyncio.gather(*(use(shelf, stored("A"), make) for _ in range(3))) == [1, 1, 1]
    assert await use(shelf, stored("A"), make) == 1
    assert await use(shelf, stored("B"), make) == 2


async def test_the_shelf_is_empty_some_time_after_the_last_claim() -> None:
    shelf, make = Shelf[int](keep_s=KEEP_S), Maker()
    await use(shelf, stored("A"), make)
    assert len(shelf) == 1
    await asyncio.sleep(3 * KEEP_S)
    assert len(shelf) == 0
    assert await use(shelf, stored("A"), make) == 2


def test_a_mail_that_one_claim_covers_has_nobody_to_share_with() -> None:
    assert is_whole(stored("A", claimed=4))
    assert not is_whole(stored("A", claimed=3))


async def test_a_failure_is_told_to_all_who_wait_and_not_kept() -> None:
    shelf, make = Shelf[int](), Maker()
    make.fails = True
    told = await asyncio.gather(*(use(shelf, stored("A"), make) for _ in range(2)), return_exceptions=True)
    assert [type(each) for each in told] == [OSError, OSError]
    assert (make.calls, len(shelf)) == (1, 0)
    make.fails = False
    assert await use(shelf, stored("A"), make) == 2


async def test_a_claim_that_is_cancelled_takes_nothing_from_the_others() -> None:
    shelf, make = Shelf[int](), Maker()
    first, second = (asyncio.create_task(use(shelf, stored("A"), make)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == 1
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_unused_mails_are_bounded_in_octets_oldest_first() -> None:
    shelf, make = Shelf[int](room=250), Maker()
    for name in "ABC":
        await use(shelf, stored(name), make)
    assert len(shelf) == 2
    assert await use(shelf, stored("C"), make) == 3
    assert await use(shelf, stored("A"), make) == 4


async def test_what_is_in_use_is_never_dropped_for_room() -> None:
    shelf, make = Shelf[int](room=50), Maker()
    async with shelf.share(stored("A"), make):
        await use(shelf, stored("B"), make)
        assert await use(shelf, replace(stored("A"), size_bytes=10_000), make) == 1
    assert len(shelf) == 0
