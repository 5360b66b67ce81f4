"""Keys: as strong as they say, without bias, and of what people can read, say and type."""

from __future__ import annotations

import collections
import math
import secrets
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.protect.keys import DEFAULT_BITS, LETTERS, MAX_BITS, MIN_BITS, MIXED, Style, new_key, parts_of
from gateway.protect.words import BY_ROMAN, ENGLISH, JAPANESE
from tests.protect.sample import entropy

LOOK_ALIKE = ["0o", "1li", "b6", "2z", "5s", "9gq", "uv"]
PAIRS = ["rn", "vv", "cl"]


@given(st.sampled_from(Style), st.integers(MIN_BITS, MAX_BITS), st.integers(0, 1 << 60))
def test_every_key_is_typable_and_as_strong_as_asked(style: Style, bits: int, seed: int) -> None:
    key = new_key(style, entropy(seed), bits)
    assert key.bits >= bits
    assert key.bits < bits + math.log2(512)  # not one word longer than needed
    assert set(key.text) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert all(parts_of(key.text))
    assert key.text not in repr(key)


@pytest.mark.parametrize("alphabet", [LETTERS, MIXED])
def test_no_two_characters_look_alike(alphabet: str) -> None:
    assert len(set(alphabet)) == len(alphabet)
    for group in LOOK_ALIKE:
        assert len(set(group) & set(alphabet)) <= 1, group
    for pair in PAIRS:
        assert not set(pair) <= set(alphabet), pair


def test_letters_are_all_on_the_first_layer_of_a_phone() -> None:
    assert LETTERS.isalpha()
    assert LETTERS.islower()


def test_characters_have_letters_and_digits_both() -> None:
    for seed in range(200):
        text = new_key(Style.CHARACTERS, entropy(seed), MIN_BITS).text.replace("-", "")
        assert any(each.isdigit() for each in text)
        assert any(each.isalpha() for each in text)
        assert set(text) <= set(MIXED)


def test_words_are_of_their_lists() -> None:
    assert set(parts_of(new_key(Style.WORDS_JA, entropy()).text)) <= set(BY_ROMAN)
    assert set(parts_of(new_key(Style.WORDS_EN, entropy()).text)) <= set(ENGLISH)


@pytest.mark.parametrize(
    ("style", "count", "bits"),
    [
        (Style.LETTERS, 14, 14 * math.log2(20)),
        (Style.WORDS_EN, 7, 63.0),
        (Style.WORDS_JA, 7, 7 * math.log2(len(JAPANESE))),
    ],
)
def test_strength_is_counted_from_what_could_have_come_out(style: Style, count: int, bits: float) -> None:
    key = new_key(style, entropy())
    pieces = key.text.replace("-", "") if style is Style.LETTERS else parts_of(key.text)
    assert len(pieces) == count
    assert key.bits == pytest.approx(bits)
    assert key.bits >= DEFAULT_BITS


def test_no_piece_is_likelier_than_another() -> None:
    """Numbers above the last whole multiple are thrown away: with folding, the first would come more often."""
    seen = collections.Counter(
        each
        for _ in range(3000)
        for each in new_key(Style.LETTERS, secrets.token_bytes).text.replace("-", "")
    )
    expected = sum(seen.values()) / len(LETTERS)
    chi = sum((count - expected) ** 2 / expected for count in seen.values())
    assert set(seen) == set(LETTERS)
    assert chi < 80  # 19 degrees of freedom: once in 10**9 runs


def fixed(*octets: bytes) -> Callable[[int], bytes]:
    left = list(octets)

    def give(count: int) -> bytes:
        assert count == len(left[0])
        return left.pop(0)

    return give


def test_octets_that_would_bias_are_thrown_away() -> None:
    """65,520 is the last multiple of 20 below 65,536."""
    high = (65_520).to_bytes(2, "big")
    key = new_key(Style.LETTERS, fixed(high, b"\x00\x00", high, b"\x00\x01", *[b"\x00\x02"] * 12))
    assert key.text == "abc-cccc-ccc-cccc"


@pytest.mark.parametrize("bits", [0, MIN_BITS - 1, MAX_BITS + 1])
def test_too_weak_and_too_long_keys_are_not_made(bits: int) -> None:
    with pytest.raises(ValueError, match="are possible"):
        new_key(Style.LETTERS, entropy(), bits)
