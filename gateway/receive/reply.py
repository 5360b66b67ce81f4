"""Replies: the one type that reaches the wire, and how text from a peer is made fit to be shown.

A reply is public: code, enhanced code (RFC 2034, RFC 3463), text. What went wrong inside belongs in the log,
under the opaque id that the reply names. A reply never repeats what the peer sent unless `printable` made it
safe.
"""

from __future__ import annotations

from typing import Literal

from gateway.values import dataclass

SHOWN = 80  # characters of a peer's text that a log line or a reply repeats: enough to recognise it
LINE = 400  # octets of text in one reply line; RFC 5321 4.5.3.1.5 allows 512 with codes and CRLF

Why = Literal[
    "",
    "policy",
    "syntax",
    "size",
    "recipients",
    "auth",
    "sender",
    "rate",
    "loop",
    "content",
    "store",
    "timeout",
    "error",
]


@dataclass(frozen=True, slots=True)
class Reply:
    """What the client is told. `text` may hold several lines; `why` is the metric's label of a refusal, never sent.

    `closes` says that the connection ends after this reply. An empty `enhanced` is for replies that have
    none: 220, 221 before EHLO, 250 to EHLO, 334, 354 (RFC 2034 section 4).
    """

    code: int
    enhanced: str
    text: str
    why: Why = ""
    closes: bool = False

    def wire(self, *, utf8: bool = False) -> bytes:
        """Return the reply's octets; characters beyond ASCII go out only to a client that asked for SMTPUTF8."""
        if len(self.text) <= LINE and self.text.isascii() and self.text.isprintable():  # nearly all of them
            status = f"{self.enhanced} " if self.enhanced else ""
            return f"{self.code} {status}{self.text}\r\n".encode("ascii")
        return self._wire_of_many(utf8)

    def _wire_of_many(self, utf8: bool) -> bytes:
        lines = [part for line in self.text.split("\n") for part in _fold(_clean(line, utf8))]
        code = b"%d" % self.code
        status = self.enhanced.encode("ascii") + b" " if self.enhanced else b""
        last = len(lines) - 1
        return b"".join(
            code + (b"-" if number < last else b" ") + status + line + b"\r\n"
            for number, line in enumerate(lines)
        )


def printable(text: str | bytes) -> str:
    """Return a peer's text cut to `SHOWN` characters, in ASCII, with control characters written as escapes."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "backslashreplace")
    shown = text[:SHOWN].encode("unicode_escape").decode("ascii")
    return shown + "..." if len(text) > SHOWN else shown


def _clean(line: str, utf8: bool) -> bytes:
    if line.isascii() and line.isprintable():
        return line.encode("ascii")
    safe = "".join(c if c.isprintable() else " " for c in line)
    return safe.encode("utf-8") if utf8 else safe.encode("ascii", "replace")


def _fold(line: bytes) -> list[bytes]:
    """Cut an over-long line without cutting a UTF-8 character in two."""
    if len(line) <= LINE:
        return [line]
    at = LINE
    while line[at] & 0xC0 == 0x80:
        at -= 1
    return [line[:at], *_fold(line[at:])]


SHUTTING_DOWN = Reply(421, "4.3.2", "the service is stopping; try again later", closes=True)
TIMED_OUT = Reply(421, "4.4.2", "timeout; closing the connection", "timeout", closes=True)
TOO_MANY = Reply(421, "4.7.0", "too many connections; try again later", "rate", closes=True)
TOO_EARLY = Reply(554, "5.5.0", "wait for the greeting before you speak", "syntax", closes=True)
OVERLONG = Reply(500, "5.5.2", "command line too long", "syntax")
