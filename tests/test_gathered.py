"""Counts of several workers: gathered, written down whole, never lost between threads."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from prometheus_client import values

from gateway.gathered import gather_counts, write_down


class Shared:
    """What prometheus_client keeps in a file that all workers read."""

    def __init__(self, kind: str, *_: Any, **__: Any) -> None:
        self.written = 0.0

    def inc(self, amount: float) -> None:
        self.written += amount

    def get(self) -> float:
        return self.written


@pytest.fixture
def value_class(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(values, "ValueClass", Shared)
    gather_counts()
    yield values.ValueClass
    write_down()


def test_counts_wait_until_they_are_written_down_and_are_told_at_once(value_class: Any) -> None:
    counter = value_class("counter")
    counter.inc(1)
    counter.inc(2)
    assert (counter.written, counter.get()) == (0, 3)
    write_down()
    write_down()
    assert (counter.written, counter.get()) == (3, 3)
    counter.inc(4)
    write_down()
    assert counter.written == 7


def test_a_gauge_is_written_at_once(value_class: Any) -> None:
    gauge = value_class("gauge")
    gauge.inc(1)
    assert gauge.written == 1


def test_threads_that_count_while_it_is_written_down_lose_nothing(value_class: Any) -> None:
    counters = [value_class("counter"), value_class("histogram")]

    def count(_: int) -> None:
        for number in range(2_000):
            counters[number % 2].inc(1)
            if number % 50 == 0:
                write_down()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(count, range(4)))
    write_down()
    assert [counter.written for counter in counters] == [4_000, 4_000]
