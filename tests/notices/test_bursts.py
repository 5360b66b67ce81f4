"""Which hold notices go at once and when the others are told of: by a table, and by laws over any course of events."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.notices import bursts
from gateway.notices.bursts import COLLECTED, LISTED, LONGEST, QUIET, SHARE, Bursts
from gateway.spool.notice import Notice
from tests.memory_spool import NOON, SENDER
from tests.notices.conftest import notice

SECOND = timedelta(seconds=1)
WINDOW = timedelta(minutes=10)


def numbered(number: int, ends: datetime | None = NOON + WINDOW, to: str = SENDER) -> Notice:
    return replace(notice(queue_id=f"Q{number}", to=to, notice_id=number), hold_ends=ends)


def ids(letter: list[Notice]) -> list[int]:
    return [each.notice_id for each in letter]


def begun(*at: timedelta) -> Bursts:
    """A first notice at noon, and others so long after it."""
    made = Bursts()
    assert not made.add(numbered(1), NOON)
    for number, after in enumerate(at, 2):
        assert made.add(numbered(number), NOON + after)
    return made


def test_the_first_goes_at_once_and_the_next_are_collected_until_no_more_come() -> None:
    made = begun(SECOND, 2 * SECOND)
    assert made.next_due() == NOON + 2 * SECOND + QUIET
    assert made.next_letter(NOON + 2 * SECOND + QUIET - SECOND) == []
    assert ids(made.next_letter(NOON + 2 * SECOND + QUIET)) == [2, 3]
    assert made.next_due() is None


def test_who_writes_mail_by_mail_waits_for_none() -> None:
    made = Bursts()
    for number in range(1, 5):
        assert not made.add(numbered(number), NOON + number * QUIET)


def test_a_steady_stream_is_told_of_after_the_longest_wait() -> None:
    steps = int(LONGEST / SECOND)
    made = Bursts()
    made.add(numbered(1), NOON)
    for step in range(1, steps + 1):
        if step % 9 == 1:
            made.add(numbered(step + 1), NOON + step * SECOND)
        assert made.next_letter(NOON + step * SECOND) == []
    assert len(made.next_letter(NOON + SECOND + LONGEST)) > 1


def test_after_a_letter_the_burst_goes_on() -> None:
    made = begun(SECOND)
    at = NOON + SECOND + QUIET
    assert ids(made.next_letter(at - SECOND)) == []
    made.add(numbered(3), at - SECOND)
    assert ids(made.next_letter(at - SECOND + QUIET)) == [2, 3]
    assert made.add(numbered(4), at + QUIET - 2 * SECOND)


@pytest.mark.parametrize("left", [8 * SECOND, timedelta(minutes=2), timedelta(hours=1), -SECOND])
def test_a_letter_leaves_most_of_the_shortest_hold(left: timedelta) -> None:
    made = Bursts()
    made.add(numbered(1), NOON)
    made.add(numbered(2, NOON + timedelta(days=1)), NOON)
    made.add(numbered(3, NOON + left), NOON)
    due = NOON + max(timedelta(0), min(QUIET, left / SHARE))
    assert made.next_due() == due
    assert ids(made.next_letter(due)) == [2, 3]


def test_more_than_a_letter_holds_waits_too_and_all_is_told_of_together() -> None:
    made = begun(*[SECOND] * (LISTED + 7))
    due = NOON + SECOND + QUIET
    assert made.next_letter(due - SECOND) == []
    assert [len(made.next_letter(due)) for _ in range(3)] == [LISTED, 7, 0]


def test_senders_have_nothing_to_do_with_one_another() -> None:
    made = begun(SECOND)
    assert not made.add(numbered(9, to="other@sports.example.jp"), NOON + SECOND)
    assert made.add(numbered(10, to="other@sports.example.jp"), NOON + SECOND)
    at = NOON + SECOND + QUIET
    assert sorted([ids(made.next_letter(at)), ids(made.next_letter(at))]) == [[2], [10]]


def test_a_clock_that_was_put_back_keeps_no_letter_waiting() -> None:
    assert ids(begun(SECOND).next_letter(NOON - timedelta(hours=1))) == [2]
    assert not Bursts().add(numbered(1), NOON)
    made = begun()
    assert not made.add(numbered(2), NOON - timedelta(hours=1))


def test_what_could_not_be_written_waits_even_when_it_is_full() -> None:
    made = begun(*[SECOND] * LISTED)
    until = NOON + SECOND + QUIET + timedelta(seconds=15)
    made.put_back(made.next_letter(NOON + SECOND + QUIET), NOON + SECOND + QUIET, until)
    assert made.next_due() == until
    assert made.next_letter(until - SECOND) == []
    assert len(made.next_letter(until)) == LISTED


def test_what_is_gone_is_forgotten() -> None:
    made = begun(SECOND, SECOND)
    made.forget({2, 99})
    assert list(made.waiting) == [3]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    made, people = Bursts(), COLLECTED // 10 + 1
    for person in range(people):
        for number in range(11):
            made.add(numbered(person * 11 + number, to=f"p{person}@sports.example.jp"), NOON)
    written = 0
    while letter := made.next_letter(NOON):
        written += len(letter)
    assert written == people * 10 - COLLECTED
    monkeypatch.setattr(bursts, "COLLECTED_RECIPIENTS", 5)
    made = begun()
    made.add(replace(numbered(2), recipients=tuple(range(6))), NOON)
    assert ids(made.next_letter(NOON)) == [2]


def test_senders_who_are_quiet_take_no_memory() -> None:
    made = Bursts()
    for number in range(100):
        made.add(numbered(number, to=f"p{number}@sports.example.jp"), NOON)
    made.next_letter(NOON + QUIET)
    assert not made._senders


_EVENTS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 20_000), st.none() | st.integers(0, 1200)),
    max_size=120,
)


@given(_EVENTS)
def test_every_notice_is_told_of_once_and_in_time(events: list[tuple[int, int, int | None]]) -> None:
    """Whoever asks at each `next_due` and each arrival sees: none is lost, none doubled, none waits too long."""
    made, now = Bursts(), NOON
    arrived: dict[int, tuple[datetime, datetime | None]] = {}
    told: list[int] = []

    def ask(at: datetime) -> None:
        while letter := made.next_letter(at):
            assert len(letter) <= LISTED
            assert len({each.to for each in letter}) == 1
            told.extend(ids(letter))
            for each in letter:
                came, ends = arrived[each.notice_id]
                assert at - came <= LONGEST
                assert ends is None or at - came <= max((ends - came) / SHARE, timedelta(0))

    for number, (person, pause, left) in enumerate(events, 1):
        then = now + timedelta(milliseconds=pause)
        while (due := made.next_due()) is not None and due <= then:
            ask(max(due, now))
        now = then
        ends = None if left is None else now + timedelta(seconds=left)
        arrived[number] = (now, ends)
        if not made.add(numbered(number, ends, f"p{person}@sports.example.jp"), now):
            told.append(number)
        ask(now)
    while (due := made.next_due()) is not None:
        ask(max(due, now))
    assert sorted(told) == list(range(1, len(events) + 1))
