"""NFKC in pieces is NFKC, except in what no language writes."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from gateway.message.compatibility import PIECE, nfkc

WRITTEN = st.text(st.sampled_from("aA é＠ｱﾞかが\u3099゛漢字각ﷺ①e\u0301\u0316ｶﾞ"), min_size=1, max_size=40)


@given(WRITTEN, st.integers(0, 80))
def test_pieces_join_to_the_whole(unit: str, lead: int) -> None:
    text = "x" * (PIECE - lead) + (unit + "漢") * (2 * PIECE // (len(unit) + 1))
    assert nfkc(text) == unicodedata.normalize("NFKC", text)


def test_marks_without_end_keep_what_they_are() -> None:
    text = "a@example.com " + "\u0301\u0316" * 60_000 + " b@example.com"
    out = nfkc(text)
    assert out.startswith("a@example.com")
    assert out.endswith("b@example.com")
    assert len(out) == len(text)
