"""A password in clear: a word for it, and behind it something that can be typed.

"パスワードは別途お送りします" and "reset your password" hold none. What is found is returned, because it may open an
attachment of the same mail; nobody stores or logs it.
"""

from __future__ import annotations

import re

MAX_FOUND = 20  # of one text
_WORDS = r"(?:パスワード|パスフレーズ|暗証番号|暗号キー|pw|pass(?:word|code|phrase)?)"
_LINK = r"(?:は|が|【|「|『|:|=|→|->|is|\]|】|」|\)|》|>|\n){1,3}"
_VALUE = r"[!-~]{4,64}"
_CLEAR = re.compile(
    rf"{_WORDS}[ ]{{0,4}}(?:\([^()\n]{{1,12}}\)[ ]{{0,4}})?{_LINK}\s{{0,20}}[「『\"'(<【\[]?(?P<value>{_VALUE})",
    re.IGNORECASE,
)
_ENDS = re.compile(r"[」』】)>\]\"'。、,.;]+$")
_NO_VALUE = re.compile(
    r"^(?:https?:|mailto:|www\.)|@|^(?:is|are|was|will|has|have|must|should|can|may|not|sent|reset|the|your|for|and|by|to|in"
    r"|here|below|required|protected|follows|changed?|expired?|separately)\b",
    re.IGNORECASE,
)


def passwords(text: str) -> list[str]:
    """Return what a folded text tells as a password, each once, at most MAX_FOUND."""
    found: dict[str, None] = {}
    for match in _CLEAR.finditer(text):
        value = _ENDS.sub("", match["value"])
        if _is_one(value):
            found.setdefault(value)
        if len(found) >= MAX_FOUND:
            break
    return list(found)


def _is_one(value: str) -> bool:
    """A word of a sentence is none: digits, signs or changing case speak for a password."""
    if len(value) < 4 or _NO_VALUE.search(value) or len(set(value)) == 1:
        return False
    letters_only = value.isalpha()
    return not letters_only or (
        value != value.lower() and value != value.capitalize() and not value.isupper()
    )
