"""What the process that seals says comes back as it was said, and nothing else is believed."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.handling import Attached, Seen
from gateway.policy.protection import How
from gateway.sealing.bounds import MAX_FILES, MAX_NAME
from gateway.sealing.order import Order
from gateway.sealing.told import NOT_WRITTEN, OBSTACLES, seen_from, seen_to, why_from
from tests.sealing.making import AT

names = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
files = st.lists(
    st.builds(
        Attached,
        st.integers(0, 9_999),
        names,
        st.sampled_from(["", "pdf", "docx"]),
        st.integers(0, 1 << 40),
        st.sampled_from(["plain", "encrypted", "partly", "unreadable"]),
    ),
    max_size=5,
    unique_by=lambda each: each.place,
).map(lambda several: tuple(sorted(several, key=lambda each: each.place)))


@given(st.builds(Seen, files, st.sampled_from(["", *sorted(OBSTACLES)])))
def test_what_was_seen_comes_back(seen: Seen) -> None:
    assert seen_from(seen_to(seen)) == seen


@given(
    st.builds(
        Order,
        st.lists(st.tuples(st.integers(0, 99), st.sampled_from(How))).map(tuple),
        names,
        names,
        st.just(AT),
        names,
        st.booleans(),
        names,
    )
)
def test_an_order_comes_back(order: Order) -> None:
    assert Order.from_octets(order.to_octets()) == order


def test_an_order_shows_neither_key_nor_note() -> None:
    assert "secret" not in repr(Order((), "secret", "secret", AT, "secret"))


GOOD = [2, "a.pdf", "pdf", 7, "plain"]
BAD = {
    "no JSON": b"{",
    "no object": b"[]",
    "nothing": b"{}",
    "another obstacle": orjson.dumps({"files": [], "obstacle": "bored"}),
    "another state": orjson.dumps({"files": [[*GOOD[:4], "open"]], "obstacle": ""}),
    "another kind": orjson.dumps({"files": [[2, "a", "no-kind", 7, "plain"]], "obstacle": ""}),
    "a place that is no number": orjson.dumps({"files": [["2", *GOOD[1:]]], "obstacle": ""}),
    "a place below nothing": orjson.dumps({"files": [[-1, *GOOD[1:]]], "obstacle": ""}),
    "a flag for a size": orjson.dumps({"files": [[2, "a", "", True, "plain"]], "obstacle": ""}),
    "a place twice": orjson.dumps({"files": [GOOD, GOOD], "obstacle": ""}),
    "places in no order": orjson.dumps({"files": [GOOD, [1, *GOOD[1:]]], "obstacle": ""}),
    "a name without an end": orjson.dumps(
        {"files": [[2, "a" * (MAX_NAME + 1), "", 7, "plain"]], "obstacle": ""}
    ),
    "too little": orjson.dumps({"files": [[2, "a"]], "obstacle": ""}),
    "a list for a word": orjson.dumps({"files": [[2, "a", "", 7, ["plain"]]], "obstacle": ""}),
    "too many": orjson.dumps({"files": [[n, *GOOD[1:]] for n in range(MAX_FILES + 1)], "obstacle": ""}),
}


@pytest.mark.parametrize("what", BAD)
def test_nothing_else_is_believed(what: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        seen_from(BAD[what])


@given(st.binary(max_size=60))
def test_noise_is_told_or_refused(octets: bytes) -> None:
    for read in (seen_from, why_from):
        try:
            read(octets)
        except ValueError:
            continue


def test_reasons_are_words_of_a_closed_list() -> None:
    assert {why_from(word.encode()) for word in NOT_WRITTEN} == NOT_WRITTEN
    with pytest.raises(ValueError, match="NOT_WRITTEN"):
        why_from(b"because")
