"""MTA-STS (RFC 8461), the pure half: the TXT record, the policy file, and which hosts a policy admits.

What does not parse is no policy: it must neither stop mail nor replace a policy that was good.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

from gateway.values import dataclass

MAX_AGE = timedelta(days=366)  # RFC 8461 3.2: 31557600 seconds
MIN_AGE = timedelta(minutes=5)
"""A policy is good for the mail it was fetched for and for those right behind it; RFC 8461 3.2 thinks of weeks."""
MAX_PATTERNS = 100
"""`mx` lines of one policy; real ones have a handful."""

_ID = re.compile(r"v=STSv1[ \t]*;(?:.*;)?[ \t]*id[ \t]*=[ \t]*([A-Za-z0-9]{1,32})[ \t]*(?:;.*)?")
_LINE = re.compile(r"([A-Za-z0-9_.-]{1,32})[ \t]*:(.*)")
_PATTERN = re.compile(r"(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]{0,252}[a-z0-9_])?")

Mode = Literal["enforce", "testing", "none"]
_MODES: dict[str, Mode] = {"enforce": "enforce", "testing": "testing", "none": "none"}


class BadPolicy(Exception):
    """The policy file breaks RFC 8461 3.2; the text says where."""


@dataclass(frozen=True, slots=True)
class StsPolicy:
    """What a domain's owner says: the hosts that take its mail, and how strictly that is meant."""

    mode: Mode
    patterns: tuple[str, ...]
    max_age: timedelta

    def admits(self, host: str) -> bool:
        """Tell whether a mail exchanger is one of the policy's; `*.` stands for exactly one label (RFC 8461 4.1)."""
        return any(
            host == pattern or (pattern.startswith("*.") and host.partition(".")[2] == pattern[2:])
            for pattern in self.patterns
        )


def policy_id(texts: Sequence[str]) -> str | None:
    """Return the id of the domain's one STSv1 record; with none, or with several, there is no policy (RFC 8461 3.1)."""
    records = [text for text in texts if text.startswith("v=STSv1")]
    match = _ID.fullmatch(records[0].strip()) if len(records) == 1 else None
    return match[1] if match else None


def read_policy(octets: bytes) -> StsPolicy:
    """Read a policy file; raises BadPolicy. The first of repeated fields counts, unknown ones are skipped."""
    fields: dict[str, list[str]] = {}
    for line in octets.decode("utf-8", "replace").splitlines():
        match = _LINE.fullmatch(line)
        if match is not None:
            # Not in the pattern: there a long run of blanks takes time by its square, and stops the event loop.
            fields.setdefault(match[1], []).append(match[2].strip(" \t"))
    mode = _MODES.get(fields.get("mode", [""])[0])
    age = fields.get("max_age", [""])[0]
    if fields.get("version", [""])[0] != "STSv1" or mode is None:
        raise BadPolicy("no version STSv1 or no mode that is known")
    if not (age.isascii() and age.isdigit() and len(age) <= 10):
        raise BadPolicy("max_age is no number of seconds")
    patterns = tuple(text.lower() for text in fields.get("mx", []))
    if len(patterns) > MAX_PATTERNS or not all(map(_PATTERN.fullmatch, patterns)):
        raise BadPolicy("an mx line is no host name, or there are too many")
    if mode != "none" and not patterns:
        raise BadPolicy("no mx line")
    return StsPolicy(mode, patterns, max(MIN_AGE, min(timedelta(seconds=int(age)), MAX_AGE)))
