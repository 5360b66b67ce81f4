"""Replies of a next hop, read strictly (RFC 5321 4.2) and within bounds.

What is not a reply raises `BadReply`, after which the connection must be given up: who lost count of replies
once could take the refusal of one recipient for the acceptance of another. Pure: octets in, replies out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import field
from functools import lru_cache

from gateway.values import dataclass

MAX_LINE = 2048
"""Octets in one reply line. RFC 5321 4.5.3.1.5 says 512; real servers put long links into refusals."""

MAX_LINES = 100
"""Lines in one reply. An EHLO reply has about 15."""

MAX_TEXT = 500
"""Characters of a reply's text that are kept for the record, the log and the DSN."""

USUAL = 128
"""Octets of a line that is remembered with what it says; one that names somebody is not."""

_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])([^\r\n]*))?\r?")  # without its LF
_ENHANCED = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?=\s|$)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class DeliveryError(Exception):
    """Something prevented the hand-over. Temporary unless a subclass says otherwise (see errors.py)."""


class BadReply(DeliveryError):
    """The peer sent something that is no SMTP reply, or more of it than it may."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One complete reply: its code and the text of its lines, control characters replaced."""

    code: int
    lines: tuple[str, ...] = ()

    @property
    def positive(self) -> bool:
        return 200 <= self.code < 300

    @property
    def temporary(self) -> bool:
        return 400 <= self.code < 500

    @property
    def permanent(self) -> bool:
        return 500 <= self.code < 600

    @property
    def enhanced(self) -> str:
        """Return the enhanced status code (RFC 2034), or "" where there is none or its class contradicts the
        code."""
        match = _ENHANCED.match(self.lines[0]) if self.lines else None
        return match[0] if match and match[1] == str(self.code)[0] else ""

    def __str__(self) -> str:
        return f"{self.code} {' '.join(self.lines)}".strip()[:MAX_TEXT]


@dataclass(slots=True)
class ReplyParser:
    """Cut a stream of octets into replies. A lone LF ends a line as CRLF does; nothing else is forgiven."""

    _rest: bytes = b""
    _code: bytes = b""
    _lines: list[str] = field(default_factory=list)

    @property
    def idle(self) -> bool:
        """Tell whether no part of a reply is waiting for its rest."""
        return not self._rest and not self._lines

    def feed(self, data: bytes) -> Iterator[Reply]:
        """Take octets and yield the replies they complete; raises BadReply, after those that came before it: a 250 with
        garbage behind it is a 250."""
        *lines, self._rest = (self._rest + data).split(b"\n") if self._rest else data.split(b"\n")
        for line in lines:
            usual = not self._lines and len(line) <= USUAL and b"@" not in line
            reply = (_single(line) if usual else None) or self._take(line)
            if reply is not None:
                yield reply
        if len(self._rest) > MAX_LINE:
            raise BadReply(f"a reply line is longer than {MAX_LINE} octets")

    def _take(self, line: bytes) -> Reply | None:
        match = _LINE.fullmatch(line)
        if match is None or len(line) >= MAX_LINE:
            raise BadReply(f"not an SMTP reply: {clean(line[:80])!r}")
        code, mark, text = match[1], match[2], match[3] or b""
        if self._lines and code != self._code:
            raise BadReply(f"the code changes within one reply: {clean(self._code)} to {clean(code)}")
        self._code = code
        self._lines.append(clean(text))
        if len(self._lines) > MAX_LINES:
            raise BadReply(f"a reply has more than {MAX_LINES} lines")
        if mark == b"-":
            return None
        reply = Reply(int(code), tuple(self._lines))
        self._lines.clear()
        return reply


@lru_cache(maxsize=256)
def _single(line: bytes) -> Reply | None:
    """Return the reply that a line is all of; None for any other line. A hop says the same few lines to every mail."""
    match = _LINE.fullmatch(line)
    if match is None or match[2] == b"-":
        return None
    return Reply(int(match[1]), (clean(match[3] or b""),))


def clean(octets: bytes) -> str:
    """Return a peer's words as text without control characters and changes of direction, for records and logs."""
    text = octets.decode("utf-8", "replace")
    return (text if text.isprintable() else _CONTROL.sub(" ", text)).strip()
