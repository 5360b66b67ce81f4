"""Telephone numbers as people write them, and as the world dials them (ITU-T E.164).

A number that begins with 0 is a Japanese one. Only numbers that take text messages are let through where that can be told:
Japanese mobile (060, 070, 080, 090) and IP telephones (050), never a line at a desk. Pure; no exception holds a number.
"""

from __future__ import annotations

import re
import unicodedata

MAX_WRITTEN = 40  # characters, with everything that people put between digits
MIN_DIGITS, MAX_DIGITS = (
    8,
    15,
)  # with the country's (E.164 6.1; shorter ones are short codes, which nobody owns)

_BETWEEN = re.compile(r"[\s().\-‐‑‒–—―ー−･・]+")  # what separates, typed on either keyboard
_TRUNK_ZERO = re.compile(r"^\+81[\s\-]*\(0\)")  # "+81(0)90": the zero of the trunk, which is not dialled
_MOBILE = re.compile(r"\+81(?:[6789]0|50)")
_MOBILE_DIGITS = 10  # behind the country's
_LAST = 4  # digits that may be shown: enough to know one's own by


class NoNumber(ValueError):
    """Not a number that a text message can be sent to; `why` is empty, long, letters, country, digits or landline."""

    def __init__(self, why: str) -> None:
        super().__init__(f"not a telephone number for text messages: {why}")
        self.why = why


def e164(written: str) -> str:
    """Return a number as `+819012345678`; raises NoNumber. Full-width digits are read, and `+81 (0)90-…`."""
    if len(written) > MAX_WRITTEN:
        raise NoNumber("long")
    text = unicodedata.normalize("NFKC", written).strip()
    bare = _BETWEEN.sub("", _TRUNK_ZERO.sub("+81", text))
    if not bare:
        raise NoNumber("empty")
    if not re.fullmatch(r"\+?[0-9]+", bare):
        raise NoNumber("letters")
    return _checked(_international(bare))


def last_digits(number: str) -> str:
    """Return what of a number may be shown to those who know it anyway: `…5678`; empty for none."""
    return f"…{number[-_LAST:]}" if number else ""


def _international(bare: str) -> str:
    if bare.startswith("+"):
        return bare
    if bare.startswith("0") and not bare.startswith("00"):
        return "+81" + bare[1:]
    raise NoNumber("country")


def _checked(number: str) -> str:
    if number.startswith("+0"):
        raise NoNumber("country")
    if not MIN_DIGITS <= len(number) - 1 <= MAX_DIGITS:
        raise NoNumber("digits")
    if number.startswith("+81"):
        _check_japanese(number)
    return number


def _check_japanese(number: str) -> None:
    digits = len(number) - len("+81")
    if _MOBILE.match(number):
        if digits != _MOBILE_DIGITS:
            raise NoNumber("digits")
    else:
        raise NoNumber("landline" if digits in (_MOBILE_DIGITS - 1, _MOBILE_DIGITS) else "digits")
