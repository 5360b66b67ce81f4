"""Compare text the way people read it: plain texts, patterns, patterns for file names.

Both sides are folded (NFKC, one sign for each kind of dash and blank, then case): full-width ＡＢＣ, half-width ｶﾀｶﾅ and upper
case do not matter. Everything here is linear in the text, so that no policy together with no mail makes the gateway hang.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import translate

from gateway.detect.plain import folded
from gateway.policy.engine import PIECE
from gateway.policy.pattern import read_pattern
from gateway.values import dataclass

MAX_TEXT = 1_000_000  # characters of a text that are looked at

# Characters that stay as they are: ASCII without its capitals, kana, kanji and the signs beside them.
_CASELESS = re.compile(r"[\x00-@\[-\x7f\u3000-\u9fff]*+")


@dataclass(frozen=True, slots=True)
class Folded:
    """A text in the form in which it is compared, and whether it was longer than what is looked at."""

    text: str
    cut: bool = False


TextTest = Callable[[Folded], bool | None]
"""Tells whether a text fits; None where it is longer than what is looked at, and does not fit as far as that goes."""

NameTest = Callable[[str], bool | None]
"""The same for the name of a file."""


def fold(text: str, *, cut: bool = False) -> Folded:
    """Return the form in which a text is compared; `cut` says that the text goes on."""
    cut = cut or len(text) > MAX_TEXT
    text = text[:MAX_TEXT]
    plain = text.lower().replace("\r", "") if text.isascii() else folded(text).casefold()
    return Folded(plain[:MAX_TEXT], cut or len(plain) > MAX_TEXT)


def fold_read(text: str) -> Folded:
    """Do the same with a text of `Content.texts`, which is without widths and kinds of signs already."""
    looked_at = text[:MAX_TEXT]
    plain = "".join([_casefolded(looked_at[at : at + PIECE]) for at in range(0, len(looked_at), PIECE)])
    return Folded(plain[:MAX_TEXT], max(len(text), len(plain)) > MAX_TEXT)


def _casefolded(text: str) -> str:
    """Return `text.casefold()`, which looks up each character: only from the first on that may have a case."""
    caseless = _CASELESS.match(text)
    at = caseless.end() if caseless is not None else 0
    return text[:at] + text[at:].casefold() if at < len(text) else text


def contains(needle: str) -> TextTest:
    """Return a test whether a text holds `needle`."""
    wanted = fold(needle).text
    return lambda text: wanted in text.text or _unless(text.cut)


def pattern(source: str) -> TextTest:
    """Return a test whether a text matches `source` anywhere; raises ValueError that says what is wrong."""
    engine = read_pattern(source)
    return lambda text: engine.found(text.text) or _unless(text.cut or len(text.text) > engine.looked_at)


def glob(pattern: str) -> NameTest:
    """Return a test for a file name pattern: `*` any characters, `?` one; everything else is itself."""
    # fnmatch.translate matches the parts between stars one after the other, never going back (bpo-40480).
    compiled = re.compile(translate(fold(pattern).text.replace("[", "[[]")))

    def test(name: str) -> bool | None:
        text = fold(name)
        return compiled.match(text.text) is not None or _unless(text.cut)

    return test


def _unless(cut: bool) -> bool | None:
    return None if cut else False
