"""Whatever the jobs of a transaction count, each counter is written once, with the sum."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from gateway.store.counts import Counts

MOVES = st.lists(
    st.tuples(st.sampled_from("CAB"), st.integers(0, 3), st.integers(-3, 3), st.integers(1, 9)), max_size=40
)


@given(MOVES)
def test_a_message_is_counted_once_whatever_moved(moves: list[tuple[str, int, int, int]]) -> None:
    counts = Counts("")
    closed, held, latest = Counter[str](), Counter[str](), Counter[str]()
    for queue_id, shut, freed, at in moves:
        counts.moved(queue_id, shut, freed, at)
        closed[queue_id] += shut
        held[queue_id] += freed
        latest[queue_id] = max(latest[queue_id], at)
    assert counts.of_messages() == [
        {"b_queue_id": name, "b_closed": closed[name], "b_held": held[name], "b_at": latest[name]}
        for name in "ABC"
        if closed[name] or held[name]
    ]


def test_states_that_come_and_go_are_not_written() -> None:
    counts = Counts("gw1")
    counts.states["held"] += 2
    counts.states["queued"] += 1
    counts.states["held"] -= 2
    assert counts.of_states() == [{"b_node": "gw1", "b_state": "queued", "b_change": 1}]
