"""Look for a pattern in a long text in linear time, whatever the pattern and the text, with RE2 (google-re2).

RE2 never goes back: its time is the text's length times the pattern's size at most, and its memory is bounded. It does not see
characters but their classes: characters that no part of the pattern tells apart are one letter. So what \\w or \\d is, is what
Python says, and programs stay small. The one home of re2.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable
from functools import cache
from itertools import pairwise

import re2  # type: ignore[import-untyped]

MAX_MATCHED = 1_000_000  # characters of a text that are looked at
MAX_PROGRAM = 2000  # instructions of a pattern
MAX_STEPS = 50_000_000  # characters looked at times instructions: a second for the worst pattern and text that were found
MAX_MEMORY = 8 << 20  # octets for a pattern's program and the states that are remembered
MAX_LETTERS = 250  # classes of characters that a pattern may tell apart
PIECE = 16_384  # characters that are turned into letters at once: a few milliseconds
MAX_REMEMBERED = 10_000  # characters whose letter is remembered per pattern, a MiB at most

LAST_SPECIAL = (
    0x20000  # the code point behind all that have another case or are a digit or a blank; a test looks
)

_STRETCH = 4096  # characters that are looked through at once
_LETTER = re.compile(r"[^\W\d_]")
_SIGN = re.compile(r"[^\w\s]")
_TOO_LARGE = f"the pattern needs more than {MAX_PROGRAM} steps for a character; use smaller counts"

CharTest = Callable[[str], bool]


class Engine:
    """A pattern ready to be looked for; raises ValueError where it is too large.

    `pattern` is in RE2's syntax with `{0}`, `{1}` … for characters, and `atoms` tell which they are. Between two `bounds` all
    characters pass the same atoms; `by_kind`, all of one kind (letters, digits, blanks, others) that have no other case.
    """

    __slots__ = ("_letters", "_regexp", "looked_at", "size")

    def __init__(self, pattern: str, atoms: list[CharTest], bounds: Iterable[str], *, by_kind: bool) -> None:
        self._letters = _Letters(atoms, bounds, by_kind=by_kind)
        try:
            self._regexp = re2.compile(
                pattern.format(*self._letters.classes(len(atoms))).encode("latin-1"), _options()
            )
        except re2.error:
            raise ValueError(_TOO_LARGE) from None
        self.size: int = self._regexp.programsize
        if self.size > MAX_PROGRAM:
            raise ValueError(_TOO_LARGE)
        self.looked_at = min(MAX_MATCHED, MAX_STEPS // self.size)

    def found(self, text: str) -> bool:
        """Tell whether the pattern matches somewhere in the first `looked_at` characters."""
        return self._regexp.search(self.letters(text[: self.looked_at]).encode("latin-1")) is not None

    def letters(self, text: str) -> str:
        """Return the text as the engine sees it: the letter of each character's class.

        Piece by piece, because no other thread of the process runs within one call.
        """
        pieces = [text[at : at + PIECE].translate(self._letters) for at in range(0, len(text), PIECE)]
        return "".join(pieces)


class _Letters(dict[int, str]):
    """Gives each character its letter; what was asked for is remembered, up to a bound.

    Each atom is asked about the examples, once. Every other character has the letter of the example before it of its kind, so
    that a text of a million different ones costs no more than another.
    """

    def __init__(self, atoms: list[CharTest], bounds: Iterable[str], *, by_kind: bool) -> None:
        super().__init__()
        self._edges = sorted(map(ord, {"\0", "_", "`", *bounds}))
        self._by_kind = by_kind
        special = {c: _passed(atoms, c) for c in (_special() if by_kind else ())}
        stretches = [_stretch(low, high, by_kind) for low, high in pairwise([*self._edges, 0x110000])]
        plain = [tuple(_passed(atoms, c) for c in stretch) for stretch in stretches]
        told = sorted({*special.values(), *(passed for stretch in plain for passed in stretch)})
        if len(told) > MAX_LETTERS:
            raise ValueError(
                f"the pattern tells more than {MAX_LETTERS} kinds of characters apart; use fewer ranges"
            )
        self._told = {passed: chr(number) for number, passed in enumerate(told, 1)}
        self._stretches = [tuple(self._told[passed] for passed in stretch) for stretch in plain]
        self.update({ord(c): self._told[passed] for c, passed in special.items()})

    def __missing__(self, code: int) -> str:
        stretch = self._stretches[bisect_right(self._edges, code) - 1]
        letter = stretch[self._by_kind and not chr(code).isalnum()]
        if len(self) < MAX_REMEMBERED:
            self[code] = letter
        return letter

    def classes(self, atoms: int) -> list[str]:
        """Return the set of letters, in RE2's syntax, that pass each atom."""
        return [
            _class([letter for passed, letter in self._told.items() if passed[number]])
            for number in range(atoms)
        ]


def _passed(atoms: list[CharTest], c: str) -> tuple[bool, ...]:
    return tuple([atom(c) for atom in atoms])


def _class(letters: list[str]) -> str:
    if not letters:
        return r"[^\x00-\xff]"
    return "[" + "".join(f"\\x{ord(letter):02x}" for letter in letters) + "]"


def _stretch(low: int, high: int, by_kind: bool) -> tuple[str, ...]:
    """Return an example of the characters between two bounds: by kind, of letters and of signs."""
    if not by_kind:
        return (chr(low),)
    return _first(_LETTER, low, high), _first(_SIGN, low, high)


def _first(kind: re.Pattern[str], low: int, high: int) -> str:
    """Return the first character of a kind in a stretch; its beginning where there is none."""
    for start in range(low, high, _STRETCH):
        for found in kind.finditer("".join(map(chr, range(start, min(start + _STRETCH, high))))):
            if found[0].upper() == found[0]:
                return found[0]
    return chr(low)


@cache
def _special() -> tuple[str, ...]:
    """Return what is told one by one: characters with another case, digits, blanks. None stands behind LAST_SPECIAL."""
    every = map(chr, range(LAST_SPECIAL))
    return tuple([c for c in every if c.upper() != c or c.isdecimal() or c.isspace()])


def _options() -> re2.Options:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = MAX_MEMORY
    options.log_errors = False
    return options
