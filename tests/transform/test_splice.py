"""Places of a mail written anew; all else stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.transform.splice import Cut, cut, spliced


@given(st.binary(max_size=300), st.data())
def test_what_is_not_cut_stays(raw: bytes, data: st.DataObject) -> None:
    places = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=12)))
    pairs = list(zip(places[::2], places[1::2], strict=False))
    new = [data.draw(st.binary(max_size=20)) for _ in pairs]
    cuts = [cut(start, end, octets) for (start, end), octets in zip(pairs, new, strict=True)]
    expected, at = b"", 0
    for (start, end), octets in zip(pairs, new, strict=True):
        expected += raw[at:start] + octets
        at = end
    in_order = b"".join(spliced(raw, cuts))
    assert in_order == expected + raw[at:]
    if len(set(pairs)) == len(pairs):
        assert b"".join(spliced(raw, cuts[::-1])) == in_order


def test_insertions_at_one_place_keep_their_order_and_stand_before_a_cut_there() -> None:
    cuts = [cut(1, 2, b"X"), cut(1, 1, b"a"), cut(1, 1, b"b")]
    assert b"".join(spliced(b"012", cuts)) == b"0abX2"


@pytest.mark.parametrize(
    "cuts", [[cut(0, 3), cut(2, 4)], [cut(3, 2)], [cut(0, 11)], [cut(-1, 1)], [cut(0, 5), cut(1, 2)]]
)
def test_what_overlaps_or_is_outside_is_an_error_before_the_first_octet(cuts: list[Cut]) -> None:
    with pytest.raises(ValueError, match="overlap"):
        spliced(b"0123456789", cuts)


def test_replacements_are_made_while_they_are_read() -> None:
    asked = []
    chunks = spliced(b"ab", [Cut(1, 1, lambda: asked.append("now") or [b"x"])])  # type: ignore[func-returns-value]
    assert next(chunks) == b"a"
    assert asked == []
    assert next(chunks) == b"x"
    assert asked == ["now"]
