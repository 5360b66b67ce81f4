"""Which texts a part carries already, as a reply does that quotes a mail with them: those are not put there twice. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import unescape

from gateway.message import charset
from gateway.policy.disclaimers import Disclaimer

_TAG = re.compile(r"<[^<>]*>")
_QUOTED = re.compile(r"(?m)^[> \t]++")


def not_carried(plain: bytes, label: str, texts: Sequence[Disclaimer], *, html: bool) -> list[Disclaimer]:
    """Return the texts that do not stand in the part yet, each once; white space and marks of quotation do not count."""
    there = charset.decode(plain, label)
    squeezed = _squeezed(_words(there) if html else there)
    missing: list[Disclaimer] = []
    for text in texts:
        mark = _squeezed(_words(text.html)) if html and text.html else _squeezed(text.text)
        if (mark and mark in squeezed) or any(_says_the_same(text, other) for other in missing):
            continue
        missing.append(text)
    return missing


def _says_the_same(one: Disclaimer, other: Disclaimer) -> bool:
    return (one.text, one.html) == (other.text, other.html)


def _words(html: str) -> str:
    return unescape(_TAG.sub("", html))


def _squeezed(text: str) -> str:
    return "".join(_QUOTED.sub("", text).split())
