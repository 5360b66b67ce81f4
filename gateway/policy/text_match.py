"""Compare text the way people read it, and read the patterns of `matches:`.

Both sides are folded (NFKC, then case): full-width ＡＢＣ, half-width ｶﾀｶﾅ and upper case do not matter.
Patterns are a subset of regular expressions and run as an automaton (automaton.py) that never goes back, so no
pattern together with no mail can make the gateway hang. What is not in the subset is refused when it is read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from fnmatch import translate

from gateway.message.compatibility import nfkc
from gateway.policy.automaton import MAX_REPEAT, Automaton, Char, CharTest, Choice, Edge, Node, Repeat, Sequel

MAX_PATTERN = 200  # characters in one pattern; longer ones nobody can review
MAX_TEXT = 65_536  # characters of a text that `contains` looks at
MAX_MATCHED = 4096  # characters of a text that `matches` looks at: half a second for the worst pattern found

ALLOWED = "letters . [a-z] [^a-z] \\d \\w \\s ( ) | ? * + {m,n} ^ $ and \\ before a sign"

TextTest = Callable[[str], bool | None]
"""Tells whether a text fits; None where it is longer than what is looked at, and does not fit as far as that goes."""
_CATEGORIES: dict[str, CharTest] = {
    "d": str.isdecimal,
    "D": lambda c: not c.isdecimal(),
    "w": lambda c: c.isalnum() or c == "_",
    "W": lambda c: not (c.isalnum() or c == "_"),
    "s": str.isspace,
    "S": lambda c: not c.isspace(),
}
_HALF_WIDTH = re.compile("[\uff61-\uff9f]+")


def fold(text: str) -> str:
    """Return the form in which two texts are compared."""
    if text.isascii():
        return text[:MAX_TEXT].lower()
    return nfkc(text[:MAX_TEXT]).casefold()


def contains(needle: str) -> TextTest:
    """Return a test whether a text holds `needle`."""
    folded = fold(needle)
    return lambda text: folded in fold(text) or _unless_longer(text, MAX_TEXT)


def glob(pattern: str) -> TextTest:
    """Return a test for a file name pattern: `*` any characters, `?` one; everything else is itself."""
    # fnmatch.translate matches the parts between stars one after the other, never going back (bpo-40480).
    compiled = re.compile(translate(fold(pattern).replace("[", "[[]")))
    return lambda text: compiled.match(fold(text)) is not None or _unless_longer(text, MAX_TEXT)


def pattern(source: str) -> TextTest:
    """Return a test whether a text matches `source` anywhere; raises ValueError that says what is wrong."""
    if len(source) > MAX_PATTERN:
        raise ValueError(f"the pattern is longer than {MAX_PATTERN} characters")
    automaton = Automaton(_Parser(source).whole())

    def test(text: str) -> bool | None:
        folded = fold(text)  # which may be longer: one character of a text can stand for eighteen
        return automaton.found(folded[:MAX_MATCHED]) or _unless_longer(folded, MAX_MATCHED)

    return test


def _unless_longer(text: str, looked_at: int) -> bool | None:
    return None if len(text) > looked_at else False


_COUNT = re.compile(r"\{(\d{1,6})(?:(,)(\d{1,6})?)?\}")


class _Parser:
    """Reads the subset by recursive descent; the depth is bounded by MAX_PATTERN."""

    def __init__(self, source: str) -> None:
        self._text = _HALF_WIDTH.sub(lambda m: unicodedata.normalize("NFKC", m[0]), source)
        self._at = 0

    def whole(self) -> Node:
        node = self._choice()
        if self._at < len(self._text):
            raise ValueError(f"the ) at character {self._at + 1} closes nothing")
        return node

    def _choice(self) -> Node:
        branches = [self._sequence()]
        while self._take("|"):
            branches.append(self._sequence())
        return Choice(branches)

    def _sequence(self) -> Node:
        parts: list[Node] = []
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            parts.append(self._repeated(self._atom()))
        return Sequel(parts)

    def _repeated(self, node: Node) -> Node:
        count = _COUNT.match(self._text, self._at)
        if count:
            self._at = count.end()
            node = self._counted(node, count)
        elif self._at < len(self._text) and self._text[self._at] in "*+?":
            least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}[self._text[self._at]]
            self._at += 1
            node = Repeat(node, least, most)
        else:
            return node
        if self._at < len(self._text) and self._text[self._at] in "*+?{":
            raise ValueError(f"two repetitions in a row at character {self._at + 1}")
        return node

    def _counted(self, node: Node, count: re.Match[str]) -> Node:
        least = int(count[1])
        most = least if not count[2] else int(count[3]) if count[3] else None
        if max(least, most or 0) > MAX_REPEAT or (most is not None and most < least):
            raise ValueError(f"the count {count[0]} is above {MAX_REPEAT} or the wrong way round")
        return Repeat(node, least, most)

    def _atom(self) -> Node:
        sign = self._next("the pattern ends too early")
        if sign == "(":
            return self._group()
        if sign == "[":
            return Char(self._set())
        if sign in "^$":
            return Edge(sign == "^")
        if sign in "*+?{":
            raise ValueError(f"nothing to repeat before {sign} at character {self._at}")
        if sign == ".":
            return Char(lambda c: c != "\n")
        return self._escape() if sign == "\\" else _literal(sign)

    def _group(self) -> Node:
        if self._take("?") and not self._take(":"):
            raise ValueError(f"(? at character {self._at - 1} is not read here; allowed are {ALLOWED}")
        node = self._choice()
        if not self._take(")"):
            raise ValueError("a ( is never closed")
        return node

    def _escape(self) -> Node:
        sign = self._next("the pattern ends with \\")
        if sign in _CATEGORIES:
            return Char(_CATEGORIES[sign])
        return _literal(self._plain(sign))

    def _plain(self, sign: str) -> str:
        if sign.isalnum():
            raise ValueError(f"\\{sign} is not read here; allowed are {ALLOWED}")
        return sign

    def _set(self) -> CharTest:
        negated = self._take("^")
        tests: list[CharTest] = []
        while not (self._take("]") and tests):
            tests.append(self._member())
        return lambda c: any(test(c) for test in tests) is not negated

    def _member(self) -> CharTest:
        low = self._next("a [ is never closed")
        if low == "]":
            raise ValueError("an empty [] matches nothing; write \\] for the sign itself")
        if low == "\\":
            low = self._next("a [ is never closed")
            if low in _CATEGORIES:
                return _CATEGORIES[low]
            low = self._plain(low)
        high = low
        if self._text[self._at : self._at + 1] == "-" and self._text[self._at + 1 : self._at + 2] not in (
            "]",
            "",
        ):
            self._at += 1
            high = self._next("a [ is never closed")
            high = self._plain(self._next("a [ is never closed")) if high == "\\" else high
        if high < low:
            raise ValueError(f"the range {low}-{high} is the wrong way round")
        return lambda c: any(low <= form <= high for form in (c, c.upper()))

    def _take(self, sign: str) -> bool:
        found = self._text[self._at : self._at + 1] == sign
        self._at += found
        return found

    def _next(self, complaint: str) -> str:
        if self._at >= len(self._text):
            raise ValueError(complaint)
        self._at += 1
        return self._text[self._at - 1]


def _literal(sign: str) -> Node:
    return Sequel([Char(folded.__eq__) for folded in unicodedata.normalize("NFKC", sign).casefold()])
