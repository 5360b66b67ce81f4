"""Letters that would bring the next one are not written, and nobody gets more than so many of any kind."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gateway.message.address import parse_path
from gateway.notices.compose import Composers
from gateway.notices.pace import HOUR, LETTERS, PEOPLE, Pace
from gateway.notices.worker import NoticeWorker
from gateway.spool.notice import NoticeKind
from tests.memory_spool import NOON, SENDER, MemorySpool, hold
from tests.notices.conftest import AUTHOR, notice


def worker(spool: MemorySpool, composers: Composers) -> NoticeWorker:
    kinds = composers.by_kind()
    return NoticeWorker(
        spool.door(),
        kinds,
        composers,
        lambda: NOON,
        AUTHOR.hostname,
        lambda: None,
        own_address=AUTHOR.address,
    )


@pytest.mark.parametrize(
    ("to", "outside", "told"),
    [
        (SENDER, ["sato@example.com"], 1),
        (SENDER, ["sato@example.com", AUTHOR.address], 1),
        (SENDER, [AUTHOR.address], 0),  # an answer to one of our letters
        (SENDER, [AUTHOR.address.upper().replace("SPORTS", "sports")], 0),
        (AUTHOR.address, ["sato@example.com"], 0),  # a mail in our name
    ],
)
async def test_what_would_breed_is_not_told_of(
    spool: MemorySpool, composers: Composers, to: str, outside: list[str], told: int
) -> None:
    hold(spool, "Q1", outside)
    spool.outbox.append(notice(to=to))
    await worker(spool, composers).run_once()
    assert (len(spool.spooled), spool.outbox) == (told, [])


async def test_in_a_letter_of_many_what_would_breed_is_left_out(
    spool: MemorySpool, composers: Composers
) -> None:
    writing = worker(spool, composers)
    notices = {}
    for number, to in enumerate(["a@example.com", AUTHOR.address, "b@example.com"], 1):
        message = hold(spool, f"Q{number}", [to])
        assert message.envelope.recipients == (parse_path(to),)
        notices[number] = notice(queue_id=f"Q{number}", notice_id=number)
    spool.outbox += notices.values()
    await writing._writer.write_together(notices)
    (mail,) = spool.spooled
    assert b"mails=2" in mail.raw
    assert spool.outbox == []


async def test_too_many_letters_wait_and_none_is_lost(
    spool: MemorySpool, composers: Composers, events: list[MutableMapping[str, Any]]
) -> None:
    hold(spool, "Q1", ["sato@example.com"])
    writing = worker(spool, composers)
    boss = "boss@sports.example.jp"
    wanted = LETTERS + 5
    spool.outbox += [notice(NoticeKind.COPY, to=boss, notice_id=number) for number in range(1, wanted + 1)]
    for _ in range(3):
        await writing.run_once()
    assert len(spool.spooled) == LETTERS
    assert len(spool.outbox) == 5
    writing._clock = lambda: NOON + timedelta(minutes=3)
    writing._writer._clock = writing._clock
    await writing.run_once()
    assert spool.outbox == []


def test_a_person_gets_so_many_at_once_and_again_within_the_hour() -> None:
    pace, copy = Pace(), notice(NoticeKind.COPY)
    assert [pace.wait(copy, NOON) for _ in range(LETTERS)] == [None] * LETTERS
    wait = pace.wait(copy, NOON)
    assert wait == HOUR / LETTERS
    assert pace.wait(replace(copy, to="other@example.jp"), NOON) is None
    assert pace.wait(replace(copy, kind=NoticeKind.CODE), NOON) is None
    assert pace.wait(copy, NOON - HOUR) is not None
    assert pace.wait(copy, NOON - HOUR + wait) is None
    later = NOON + 5 * HOUR
    assert sum(pace.wait(copy, later) is None for _ in range(2 * LETTERS)) == LETTERS


def test_the_pace_remembers_so_many_people_and_no_more() -> None:
    pace = Pace()
    for number in range(PEOPLE + 5):
        pace.wait(notice(to=f"p{number}@example.jp"), NOON)
    assert len(pace._purses) == PEOPLE
