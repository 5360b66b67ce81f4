"""Keys that people read off a screen, say on the telephone and type on a phone.

Promise: every key is of lower-case ASCII with hyphens, no two characters of it look alike, and its strength is counted
from what could have come out, not from its length. Random octets are handed in and used without bias (rejected, not
folded). Not its job: keeping a key, or deciding who hears of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import field
from enum import StrEnum
from itertools import pairwise

from gateway.protect.file import Entropy
from gateway.protect.words import ENGLISH, JAPANESE, romanised
from gateway.values import dataclass

LETTERS = "abcdefghjkmnpstuwxyz"
"""Without i, l and o, which are digits to some eyes, q, which is g, and r and v, which beside n and v are m and w."""

MIXED = "acdefhjkmnptuwxy34679"
"""With digits: of b and 6, g and 9, s and 5, z and 2, B and 8 one at most is in it."""

MIN_BITS = 40
"""Weaker keys are not made: an archive is tried offline, some ten million keys a second on one graphics card, a day for 40."""

DEFAULT_BITS = 60
"""Thousands of years of such a card."""

MAX_BITS = 128

_GROUP = 4
"""Characters between hyphens: as many as people keep in mind while they type."""


class Style(StrEnum):
    """What a key is made of."""

    LETTERS = "letters"
    CHARACTERS = "characters"
    WORDS_JA = "words-ja"
    WORDS_EN = "words-en"


@dataclass(frozen=True, slots=True)
class Key:
    """A key, never shown by accident. `bits` is its strength: the logarithm of how many there could have been."""

    text: str = field(repr=False)
    style: Style
    bits: float


def new_key(style: Style, entropy: Entropy, bits: int = DEFAULT_BITS) -> Key:
    """Make the shortest key of a style that has so many bits; raises ValueError outside MIN_BITS to MAX_BITS."""
    if not MIN_BITS <= bits <= MAX_BITS:
        raise ValueError(f"a key of {bits} bits: {MIN_BITS} to {MAX_BITS} are possible")
    if style is Style.WORDS_JA:
        return _of_words(style, [romanised(word) for word in JAPANESE], entropy, bits)
    if style is Style.WORDS_EN:
        return _of_words(style, ENGLISH, entropy, bits)
    return _letters(entropy, bits) if style is Style.LETTERS else _characters(entropy, bits)


def parts_of(key: str) -> tuple[str, ...]:
    """Return what stands between the hyphens of a key."""
    return tuple(key.split("-"))


def _of_words(style: Style, words: Sequence[str], entropy: Entropy, bits: int) -> Key:
    each = math.log2(len(words))
    count = math.ceil(bits / each)
    return Key("-".join(_chosen(words, count, entropy)), style, count * each)


def _letters(entropy: Entropy, bits: int) -> Key:
    each = math.log2(len(LETTERS))
    count = math.ceil(bits / each)
    return Key(_grouped(_chosen(LETTERS, count, entropy)), Style.LETTERS, count * each)


def _characters(entropy: Entropy, bits: int) -> Key:
    """Make a key of letters and digits, at least one of each: some programs that ask for a password insist."""
    count = math.ceil(bits / math.log2(len(MIXED)))
    while (strength := _mixed_bits(count)) < bits:
        count += 1
    while True:
        chosen = _chosen(MIXED, count, entropy)
        digits = sum(each.isdigit() for each in chosen)
        if 0 < digits < count:
            return Key(_grouped(chosen), Style.CHARACTERS, strength)


def _mixed_bits(count: int) -> float:
    digits = sum(each.isdigit() for each in MIXED)
    return math.log2(len(MIXED) ** count - (len(MIXED) - digits) ** count - digits**count)


def _chosen(among: Sequence[str], count: int, entropy: Entropy) -> list[str]:
    return [among[_below(len(among), entropy)] for _ in range(count)]


def _below(limit: int, entropy: Entropy) -> int:
    """Return a number below `limit`, each as likely; two octets at a time, those above the last multiple thrown away."""
    whole = (1 << 16) // limit * limit
    while True:
        number = int.from_bytes(entropy(2), "big")
        if number < whole:
            return number % limit


def _grouped(characters: Sequence[str]) -> str:
    """Put hyphens between groups of nearly the same length."""
    groups = math.ceil(len(characters) / _GROUP)
    cuts = [len(characters) * n // groups for n in range(groups + 1)]
    return "-".join("".join(characters[a:b]) for a, b in pairwise(cuts))
