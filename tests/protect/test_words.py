"""The lists of words: no two can be taken for one another, and each is written in one way."""

from __future__ import annotations

import re
from itertools import combinations

import pytest

from gateway.protect.words import BY_ROMAN, ENGLISH, JAPANESE, romanised

AMBIGUOUS = re.compile("[しちつふじぢづをんっゃゅょー]")
LONG = re.compile("aa|ii|uu|ee|oo|ou|ei")


def one_error_apart(one: str, other: str) -> bool:
    """Tell whether one typing error (a letter more, less, other, or two swapped) makes one word the other."""
    if abs(len(one) - len(other)) > 1 or one == other:
        return one == other
    at = next(
        (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    rest, others = one[at:], other[at:]
    swapped = len(rest) == len(others) > 1 and rest[:2] == others[1::-1] and rest[2:] == others[2:]
    return rest[1:] == others[1:] or rest[1:] == others or rest == others[1:] or swapped


@pytest.mark.parametrize("words", [[romanised(each) for each in JAPANESE], list(ENGLISH)])
def test_no_two_are_one_typing_error_apart(words: list[str]) -> None:
    assert [(a, b) for a, b in combinations(words, 2) if one_error_apart(a, b)] == []


def test_japanese_words_are_written_in_one_way_only() -> None:
    assert [each for each in JAPANESE if AMBIGUOUS.search(each) or LONG.search(romanised(each))] == []
    assert len(BY_ROMAN) == len(JAPANESE)
    assert list(JAPANESE) == sorted(JAPANESE)


@pytest.mark.parametrize(("words", "count"), [(JAPANESE, 381), (ENGLISH, 512)])
def test_lists_are_large_enough_and_words_short(words: tuple[str, ...], count: int) -> None:
    assert len(set(words)) == len(words) >= count
    assert all(2 <= len(each) <= 8 for each in words)


def test_the_check_of_typing_errors_finds_them() -> None:
    for one, other in [("kaki", "kagi"), ("kaki", "kakia"), ("kaki", "aki"), ("kaki", "kkai"), ("a", "a")]:
        assert one_error_apart(one, other)
    assert not one_error_apart("kaki", "sora")
    assert not one_error_apart("sakura", "kusara")
