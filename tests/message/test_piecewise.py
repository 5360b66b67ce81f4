"""Finding and counting piece by piece: the same as at once, wherever the pieces part."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.message import piecewise
from gateway.message.piecewise import count, find

TEXTS = st.lists(st.sampled_from([b"\n", b"-", b"\n--", b"=", b"=\r\n", b"\r", b"x"]), max_size=40).map(
    b"".join
)
WHAT = st.sampled_from([b"\n--", b"=\r\n", b"=", b"\nbegin"])


@pytest.fixture(scope="module", autouse=True)
def small_pieces() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(piecewise, "PIECE", 3)
        yield


@given(TEXTS, WHAT, st.integers(0, 50), st.integers(0, 130))
def test_it_is_the_same_as_at_once(raw: bytes, what: bytes, at: int, end: int) -> None:
    assert find(raw, what, at, end) == raw.find(what, at, end)
    assert count(raw, what, at, end) == raw.count(what, at, end)
