"""The names of files inside an archive: as people know them, and harmless on every system they are unpacked on.

A name has no folder, nothing that is no character to see, nothing that Windows refuses, and none occurs twice, also where
capitals do not count. Names are put together (NFC): Windows shows the marks of names from a Mac apart otherwise.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from gateway.message.mime_fields import safe_name

MAX_NAME_OCTETS = 200
"""Octets of a name in UTF-8: file systems hold 255, and Windows 260 characters of path, with the folder around it."""

_MAX_SUFFIX_OCTETS = 20
_NAMELESS = "file"
_RESERVED = re.compile(
    r"(?:con|prn|aux|nul|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3])(?:\.|$)", re.IGNORECASE
)
_WIDE_SPACE = "\u3000"
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def member_names(names: Iterable[str]) -> tuple[str, ...]:
    """Return one name for each, in their order; of equal names the later ones are numbered, `list (2).csv`."""
    taken: set[str] = set()
    return tuple([_free(_cleaned(name), taken) for name in names])


def _cleaned(name: str) -> str:
    shown = unicodedata.normalize("NFC", safe_name(name))
    shown = "".join([_seen(each) for each in shown]).strip()
    shown = shown.rstrip(". ").lstrip(". ")  # a dot in front hides a file, one behind is lost on Windows
    if not shown.strip("._ "):
        return _NAMELESS
    return _cut("_" + shown if _RESERVED.match(shown) else shown)


def _seen(character: str) -> str:
    kind = unicodedata.category(character)
    if kind == "Zs" and character != _WIDE_SPACE:
        return " "
    return "_" if kind in _UNSEEN else character


def _cut(name: str, more: str = "") -> str:
    """Shorten the stem until the name fits with `more` before its suffix; a suffix that is none belongs to the stem."""
    stem, dot, suffix = name.rpartition(".")
    if not dot or not stem or len(suffix.encode()) > _MAX_SUFFIX_OCTETS:
        stem, dot, suffix = name, "", ""
    room = MAX_NAME_OCTETS - len((more + dot + suffix).encode())
    return stem.encode()[:room].decode(errors="ignore") + more + dot + suffix


def _free(name: str, taken: set[str]) -> str:
    candidate, number = name, 1
    while candidate.casefold() in taken:
        number += 1
        candidate = _cut(name, f" ({number})")
    taken.add(candidate.casefold())
    return candidate
