"""Passwords in clear: a word for it, and near it something that can be typed; and what it is a password of.

"パスワードは別途お送りします" and "reset your password" hold none. What is found is returned, because it may open an
attachment of the same mail (evidence/content/tried.py); nobody stores or logs it. Linear, never raises; works on folded
text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gateway.detect.password_forms import LEADS_NOWHERE, alone, bare, told_at
from gateway.detect.password_words import purpose, words
from gateway.message.evidence import PASSWORD_OF

MAX_FOUND = 20  # of one text
_MAX_ASKED = 60  # times in one text that it is asked what a password is for
_NEAR = 3  # lines above one that tells a password that may say what it is for

_QUOTE = re.compile(r"^[ \t]{0,8}(?:>[ \t]?){1,20}", re.MULTILINE)
_TOPIC = re.compile(
    r"管理|漏|流出|付き|教え|ポリシー|ルール|運用|廃止|禁止|攻撃|入力|解除|について$|policy|manage|leak|rotat|hygiene",
    re.IGNORECASE,
)
_TYPED = re.compile(r"[!-~]{3,64}")
_NEVER_TRIED = re.compile(r"^(?:https?:|mailto:|www\.)|@[a-z0-9-]+\.", re.IGNORECASE)
_MIN_TRIED = 3
_TRIED_ABOVE, _TRIED_BELOW = 40, 200
"""Characters around the word in which anything typed is tried."""


class Told(NamedTuple):
    """A password that a text tells, and what it is `of`: `file`, `elsewhere` (a meeting, an account), or `unsaid`."""

    value: str
    of: str


def passwords(text: str) -> list[str]:
    """Return what a folded text tells as a password, each once, at most MAX_FOUND."""
    return [each.value for each in told("", text)]


def told(subject: str, text: str) -> list[Told]:
    """Return what subject and text of a mail, folded, tell as passwords; each once, at most MAX_FOUND."""
    plain = _QUOTE.sub("", text) if ">" in text else text
    found: dict[str, str] = {}
    asked = 0
    for at, value in _every(subject, plain):
        if found.get(value, "unsaid") == "unsaid" and asked < _MAX_ASKED:
            asked += 1
            found[value] = purpose(*_context(subject, plain, at))
        if len(found) >= MAX_FOUND:
            break
    return [Told(value, of) for value, of in found.items()]


def password_of(subject: str, text: str) -> str:
    """Return what subject and text tell passwords of: a word of `message.evidence.PASSWORD_OF`."""
    found = {each.of for each in told(subject, text)}
    return next((word for word in reversed(PASSWORD_OF) if word in found), PASSWORD_OF[0])


def candidates(subject: str, texts: Iterable[str], limit: int) -> list[str]:
    """Return what folded texts give to be tried as a key: what they tell, then what else is typed near a word for it."""
    pieces = [(subject, text) for text in texts] or [(subject, "")]
    found: dict[str, None] = {}
    for about, text in pieces:
        found.update(dict.fromkeys(each.value for each in told(about, text)))
    for about, text in pieces:
        for value in _typed(f"{about}\n{text}"):
            if len(found) >= limit:
                break
            found.setdefault(value)
    return list(found)[:limit]


def _every(subject: str, text: str) -> Iterator[tuple[int, str]]:
    """Yield where a password is told, and it; -1 is the subject."""
    in_subject = list(words(subject))
    for start, end in in_subject:
        yield from ((-1, value) for value in told_at(subject, start, end))
    for start, end in words(text):
        yield from ((start, value) for value in told_at(text, start, end))
    if in_subject and not LEADS_NOWHERE.search(subject) and not _TOPIC.search(subject):
        yield from ((-1, value) for value in alone(text[:1000]))


def _context(subject: str, text: str, at: int) -> tuple[str, list[str]]:
    """Return the line in which a password is told, and the lines around it, the nearest first."""
    if at < 0:
        return subject, text[:200].split("\n")
    above = text[max(0, at - 300) : at].split("\n")
    line = above[-1] + text[at : at + 100].lstrip("\n").split("\n")[0]
    near = [each for each in above[:-1] if each.strip()][-_NEAR:]
    return line, [*reversed(near), subject]


def _typed(text: str) -> Iterator[str]:
    """Yield what is typed in Latin letters near a word for a password, as it stands and without what ends a sentence."""
    for start, end in words(text):
        for typed in _TYPED.finditer(text, max(0, start - _TRIED_ABOVE), end + _TRIED_BELOW):
            for value in (typed[0], bare(typed[0])):
                if len(value) >= _MIN_TRIED and not _NEVER_TRIED.search(value):
                    yield value
