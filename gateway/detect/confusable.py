"""Characters that look alike: the form in which two names are the same when an eye takes them for the same.

A table of its own for what a domain name can hold after IDNA (lower case, letters of all scripts), after Unicode's
confusables (UTS 39). It compares names; it never shows them.
"""

from __future__ import annotations

import unicodedata

_LOOK = {
    "a": "аαɑａ",
    "b": "ьƅв",
    "c": "сϲᴄ",
    "d": "ԁɗđ",
    "e": "еєҽεё",
    "f": "ƒϝ",
    "g": "ɡցǥ",
    "h": "һհнħ",
    "i": "іıιɩɪ",
    "j": "јϳ",
    "k": "кκќ",
    "l": "ӏłǀ1|ⅼ",
    "m": "мⅿ",
    "n": "пηոռ",
    "o": "оοσօ0〇ഠөø○",
    "p": "рρþ",
    "q": "ԛգ",
    "r": "гᴦ",
    "s": "ѕꜱƽ5",
    "t": "тτŧ",
    "u": "υսцʋ",
    "v": "νѵᴠ",
    "w": "ԝωшѡա",
    "x": "хχ×",
    "y": "уγүყ",
    "z": "ᴢƶʐ",
    "-": "ー一‐‑–—−ｰ",
    "ニ": "二",
    "ロ": "口",
    "エ": "工",
    "カ": "力",
    "タ": "夕",
    "ト": "卜",
    "ハ": "八",
    "ヘ": "へ",
    "ベ": "べ",
    "ペ": "ぺ",
    "リ": "り",
    "オ": "才",
    "メ": "乂",
    "チ": "千",
    "ミ": "三",
    "シ": "ツ",
    "ソ": "ン",
}
_SAME = {ord(other): plain for plain, others in _LOOK.items() for other in others}
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"))


def skeleton(label: str) -> str:
    """Return the form of one label of a domain name (ASCII or xn--) that all labels looking like it share."""
    plain = unicodedata.normalize("NFKC", decoded(label)).casefold().translate(_SAME)
    marks_apart = unicodedata.normalize("NFD", plain)
    bare = "".join(c for c in marks_apart if not "\u0300" <= c <= "\u036f")
    for pair, one in _PAIRS:
        bare = bare.replace(pair, one)
    return unicodedata.normalize("NFC", bare)


def decoded(label: str) -> str:
    """Return a label as people see it (RFC 3492); one that cannot be decoded stays as it is."""
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except (UnicodeError, ValueError, OverflowError):
        return label
