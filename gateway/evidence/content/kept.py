"""The texts kept for keyword and pattern conditions: as many characters as are allowed for a mail, those that come first."""

from __future__ import annotations


class Kept:
    """What is left to be kept."""

    def __init__(self, characters: int) -> None:
        self._left = characters

    def keep(self, text: str) -> tuple[str, bool]:
        """Return what is kept of a text, and whether it was cut."""
        kept = text[: self._left]
        self._left -= len(kept)
        return kept, len(kept) < len(text)
