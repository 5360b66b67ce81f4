"""A letter that greets somebody else than it goes to: 「佐藤様」 in a mail to suzuki@.

Told only where it is plain: the greeting stands at the top, its surname is a known one, and of those who get the mail at least
one is named by a known surname too, and none by the one that is greeted. Local parts write surnames in Latin letters, in more
than one way (satou, sato, satoh; shimizu, simizu), and so do display names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources

TOP_LINES = 12  # of a text, blank ones not counted, in which a greeting stands
MAX_LINE = 60  # characters; a longer line is a sentence
MAX_READ = 20_000  # characters

_HONORIFIC = r"(?:様|さま|さん|殿|先生|君|くん)"
_WORD = re.compile("[a-z]+")
_VARIANTS = (("ou", "o"), ("oo", "o"), ("uu", "u"), ("ou", "oh"), ("oo", "oh"))
_OTHER_SPELLING = (
    ("shi", "si"),
    ("chi", "ti"),
    ("tsu", "tu"),
    ("fu", "hu"),
    ("ji", "zi"),
    ("sha", "sya"),
    ("shu", "syu"),
    ("sho", "syo"),
)


def greets_somebody_else(text: str, local_parts: Iterable[str], names: Iterable[str] = ()) -> bool:
    """Tell whether a folded text greets a person that the mail does not go to.

    `local_parts` are those of all recipients, `names` the display names of their addresses, folded.
    """
    greeted = greetings(text)
    if not greeted:
        return False
    shown, written = list(names), [frozenset(_WORD.findall(local.lower())) for local in local_parts]
    if any(_goes_to(surname, shown, written) for surname in greeted):
        return False
    return any(_names_somebody(name, words) for name in shown or [""] for words in written or [frozenset()])


def greetings(text: str) -> list[str]:
    """Return the known surnames that the top of a folded text greets."""
    lines = [line.strip() for line in text[:MAX_READ].split("\n") if line.strip()][:TOP_LINES]
    found = [
        match["long"] or match["short"]
        for line in lines
        if len(line) <= MAX_LINE
        for match in _greeting().finditer(line)
    ]
    return list(dict.fromkeys(found))


def _goes_to(surname: str, shown: list[str], written: list[frozenset[str]]) -> bool:
    readings = _readings()[surname]
    return any(surname in name for name in shown) or any(_writes(readings, words) for words in written)


def _names_somebody(name: str, words: frozenset[str]) -> bool:
    by_name = any(name.startswith(surname) for surname in _readings())
    return by_name or any(_writes(readings, words) for readings in _readings().values())


def _writes(readings: frozenset[str], words: frozenset[str]) -> bool:
    """Tell whether a word of a local part is a reading, or begins or ends with one of five letters or more."""
    return any(w == r or (len(r) > 4 and (w.startswith(r) or w.endswith(r))) for w in words for r in readings)


@cache
def _greeting() -> re.Pattern[str]:
    """A surname of one kanji needs a blank before the given name: 関係者様 greets no Mr. Seki."""
    ordered = sorted(_readings(), key=len, reverse=True)
    short, long = ("|".join(name for name in ordered if (len(name) == 1) is one) for one in (True, False))
    given = "[一-鿿々ぁ-んァ-ヶー]{1,4}"
    before = "(?:^|[ 、,・)」]|[部課係室長任会社店校園所当者])"
    return re.compile(
        rf"{before}(?:(?P<long>{long})(?: ?{given})?|(?P<short>{short})(?: {given})?) ?{_HONORIFIC}(?=[ 、,。!)」:]|へ|$)"
    )


@cache
def _readings() -> Mapping[str, frozenset[str]]:
    """Return every way to write a surname in Latin letters, by its kanji."""
    text = resources.files("gateway.detect").joinpath("surnames.txt").read_text("utf-8")
    pairs = (line.split(":") for line in text.splitlines() if line and not line.startswith("#"))
    return {
        name: frozenset(v for one in read.split(",") for v in _variants(one.strip())) for name, read in pairs
    }


def _variants(reading: str) -> set[str]:
    made = {reading, *(reading.replace(long, short) for long, short in _VARIANTS)}
    for hepburn, other in _OTHER_SPELLING:
        made |= {one.replace(hepburn, other) for one in made}
    return made
