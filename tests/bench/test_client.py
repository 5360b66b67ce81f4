"""The client and the sink of our own: what they count is what was sent, in clear and in TLS."""

from __future__ import annotations

import threading
import time

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from tests.bench.client import Mails
from tests.bench.own_sink import own_sink
from tests.bench.pacing import closed_loop, open_loop, schedule, waits
from tests.bench.tls import client_context
from tests.process import next_hop

TO = "clerk@city.example.lg.jp"


@given(st.floats(1, 10_000), st.integers(1, 500), st.integers(0, 9))
def test_a_schedule_is_the_same_for_the_same_seed_and_goes_on(rate: float, count: int, seed: int) -> None:
    moments = schedule(rate, count, seed)
    assert moments == schedule(rate, count, seed)
    assert len(moments) == count
    assert moments == sorted(moments)


def test_a_schedule_keeps_its_rate() -> None:
    assert schedule(1000, 20_000)[-1] == pytest.approx(20.0, rel=0.05)


def test_waiting_counts_from_the_moment_and_without_an_answer_until_the_end() -> None:
    assert waits([1.0, 2.0, 3.0, 99.0], [11.5, 0.0, 13.25, 0.0], 10.0, 20.0) == [0.5, 8.0, 0.25, 0.0]


@pytest.mark.parametrize("encrypted", [False, True])
def test_the_sink_counts_what_the_client_sends(encrypted: bool) -> None:
    with own_sink(trustme.CA().issue_cert("127.0.0.1") if encrypted else None) as into:
        closed_loop(into.port, Mails(TO, 10_240), 30, 3, client_context() if encrypted else None, 20.0)
        assert into.counts() == (30, 30 if encrypted else 0)


def test_mails_have_their_size_and_an_id_each() -> None:
    with next_hop() as hop:
        closed_loop(hop.port, Mails(TO, 10_240), 4, 2, None, 20.0)
        raws = [mail.raw for mail in hop.taken]
    assert len(raws) == len(set(raws)) == 4
    assert all(abs(len(raw) - 10_240) < 300 for raw in raws)


def test_a_late_answer_makes_those_behind_it_wait_too() -> None:
    """The first mail is held up; with one session, the second waits although it was due and would have been quick."""
    gate = threading.Event()
    with next_hop() as hop:
        hop.answer = lambda mail: b"250 2.0.0 taken\r\n" if gate.wait(10) else b"451 4.3.0 no\r\n"
        timer = threading.Timer(1.0, gate.set)
        timer.start()
        begin = time.monotonic()
        waited = open_loop(hop.port, Mails(TO, 500), [0.0, 0.1], 1, 20.0)
        spent = time.monotonic() - begin
        timer.join()
    assert waited[1] > waited[0] - 0.2
    assert 0.5 < waited[1] < spent


def test_the_open_loop_ends_at_its_limit() -> None:
    gate = threading.Event()
    with next_hop() as hop:
        hop.answer = lambda mail: b"250 2.0.0 taken\r\n" if gate.wait(20) else b"451 4.3.0 no\r\n"
        waited = open_loop(hop.port, Mails(TO, 500), [0.0, 0.1], 1, 0.5)
        gate.set()
    assert len(waited) == 2
    assert all(each >= 0.3 for each in waited)
