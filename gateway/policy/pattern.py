"""Read the patterns of `matches:`, a subset of regular expressions, and turn them into what the engine runs (engine.py).

What is not in the subset is refused when it is read, in words that say what is. Literal characters are folded like the text
they meet (text_match.py), so that width and case do not matter; a range in brackets takes in the upper-case forms too.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from gateway.detect.plain import folded
from gateway.policy.engine import CharTest, Engine

MAX_PATTERN = 200  # characters in one pattern; longer ones nobody can review
MAX_REPEAT = 100  # the largest count in {m,n}

ALLOWED = "letters . [a-z] [^a-z] \\d \\w \\s ( ) | ? * + {m,n} ^ $ and \\ before a sign"

_CATEGORIES: dict[str, CharTest] = {
    "d": str.isdecimal,
    "D": lambda c: not c.isdecimal(),
    "w": lambda c: c.isalnum() or c == "_",
    "W": lambda c: not (c.isalnum() or c == "_"),
    "s": str.isspace,
    "S": lambda c: not c.isspace(),
}
_HALF_WIDTH = re.compile("[\uff61-\uff9f]+")
_COUNT = re.compile(r"\{(\d{1,6})(?:(,)(\d{1,6})?)?\}")


@lru_cache(maxsize=64)
def read_pattern(source: str) -> Engine:
    """Return the engine that looks for `source`; raises ValueError that says what is wrong with it."""
    if len(source) > MAX_PATTERN:
        raise ValueError(f"the pattern is longer than {MAX_PATTERN} characters")
    parser = _Parser(source)
    return Engine(parser.whole(), parser.atoms, parser.bounds, by_kind=parser.by_kind)


def _plainest(sign: str) -> str:
    """Return an end of a range as texts hold it: half-width for full-width; one that folds to several stays."""
    form = folded(sign)
    return form if len(form) == 1 else sign


class _Parser:
    """Reads the subset by recursive descent; the depth is bounded by MAX_PATTERN.

    What it returns is the same pattern with `{0}`, `{1}` … for characters, whose tests are `atoms`; `bounds` and `by_kind` say
    which characters they tell apart.
    """

    def __init__(self, source: str) -> None:
        self._text = _HALF_WIDTH.sub(lambda m: unicodedata.normalize("NFKC", m[0]), source)
        self._at = 0
        self.atoms: list[CharTest] = []
        self.bounds: set[str] = set()
        self.by_kind = False
        self._numbers: dict[str, int] = {}

    def whole(self) -> str:
        pattern = self._choice()
        if self._at < len(self._text):
            raise ValueError(f"the ) at character {self._at + 1} closes nothing")
        return pattern

    def _choice(self) -> str:
        branches = [self._sequence()]
        while self._take("|"):
            branches.append(self._sequence())
        return "(?:" + "|".join(branches) + ")"

    def _sequence(self) -> str:
        parts = []
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            parts.append(self._repeated(self._atom()))
        return "".join(parts)

    def _repeated(self, pattern: str) -> str:
        count = _COUNT.match(self._text, self._at)
        if count:
            self._at = count.end()
            pattern = f"(?:{pattern}){self._counted(count)}"
        elif self._at < len(self._text) and self._text[self._at] in "*+?":
            pattern = f"(?:{pattern}){self._text[self._at]}"
            self._at += 1
        else:
            return pattern
        if self._at < len(self._text) and self._text[self._at] in "*+?{":
            raise ValueError(f"two repetitions in a row at character {self._at + 1}")
        return pattern

    def _counted(self, count: re.Match[str]) -> str:
        least = int(count[1])
        most = least if not count[2] else int(count[3]) if count[3] else None
        if max(least, most or 0) > MAX_REPEAT or (most is not None and most < least):
            raise ValueError(f"the count {count[0]} is above {MAX_REPEAT} or the wrong way round")
        return f"{{{{{least},{'' if most is None else most}}}}}"

    def _atom(self) -> str:
        sign = self._next("the pattern ends too early")
        if sign == "(":
            return self._group()
        if sign == "[":
            return self._char(self._set(), f"[{len(self.atoms)}]")
        if sign in "^$":
            return r"\A" if sign == "^" else r"\z"
        if sign in "*+?{":
            raise ValueError(f"nothing to repeat before {sign} at character {self._at}")
        if sign == ".":
            self._bound("\n", "\n")
            return self._char(lambda c: c != "\n", sign)
        return self._escape() if sign == "\\" else self._literal(sign)

    def _group(self) -> str:
        if self._take("?") and not self._take(":"):
            raise ValueError(f"(? at character {self._at - 1} is not read here; allowed are {ALLOWED}")
        pattern = self._choice()
        if not self._take(")"):
            raise ValueError("a ( is never closed")
        return pattern

    def _escape(self) -> str:
        sign = self._next("the pattern ends with \\")
        if sign in _CATEGORIES:
            self.by_kind = True
            return self._char(_CATEGORIES[sign], "\\" + sign)
        return self._literal(self._plain(sign))

    def _plain(self, sign: str) -> str:
        if sign.isalnum():
            raise ValueError(f"\\{sign} is not read here; allowed are {ALLOWED}")
        return sign

    def _set(self) -> CharTest:
        self.by_kind = True
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
        low, high = _plainest(low), _plainest(high)
        if high < low:
            raise ValueError(f"the range {low}-{high} is the wrong way round")
        self._bound(low, high)
        return lambda c: any(low <= form <= high for form in (c, c.upper()))

    def _literal(self, sign: str) -> str:
        """Return the characters that a sign folds to; one sign may be several."""
        return "".join(self._one(c) for c in folded(sign).casefold())

    def _one(self, c: str) -> str:
        self._bound(c, c)
        return self._char(c.__eq__, c)

    def _char(self, test: CharTest, name: str) -> str:
        """Return the place of an atom; the same atom has one place however often it stands there."""
        number = self._numbers.setdefault(name, len(self.atoms))
        if number == len(self.atoms):
            self.atoms.append(test)
        return f"{{{number}}}"

    def _bound(self, low: str, high: str) -> None:
        """Remember where the characters of a range begin and where those behind it do."""
        self.bounds |= {low, chr(min(ord(high) + 1, 0x10FFFF))}

    def _take(self, sign: str) -> bool:
        found = self._text[self._at : self._at + 1] == sign
        self._at += found
        return found

    def _next(self, complaint: str) -> str:
        if self._at >= len(self._text):
            raise ValueError(complaint)
        self._at += 1
        return self._text[self._at - 1]
