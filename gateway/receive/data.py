"""The content of one mail, taken apart as it arrives: pure readers without sockets, fed with octets in any portions.

Only CRLF "." CRLF ends the data (RFC 5321 4.1.1.4); every other dot line is content or a fault, so that
nobody can smuggle a second mail past us. In BDAT nothing in the content ends it. Bare CR, bare LF, NUL, long
lines and size are judged alike in both, block by block, with a handful of scans in C for each block and no loop
over lines. After a fault a reader keeps nothing.
"""

from __future__ import annotations

from enum import Enum
from io import IncrementalNewlineDecoder

END = b"\r\n.\r\n"
_DOT_LINE = b"\r\n."
FEW_DOTS = 256  # octets to a dot, above which it is cheaper to look at each dot than at each octet
_STRADDLE = len(END) - 1  # octets of an end that may already stand in what was read


class Fault(Enum):
    """Why content cannot be taken."""

    BARE_CR = "a CR without LF"
    BARE_LF = "an LF without CR"
    NUL = "a NUL octet"
    LONG_LINE = "an over-long line"
    SIZE = "too large"
    NO_ROOM = "no room at the moment"


class LineReader:
    """Collects one message. `size_limit` counts octets as stored; `line_limit` counts a line with its CRLF and stuffed dot.

    The start of the content counts as the start of a line: `_pending` begins with a CRLF that is not part of the
    message, and from then on always begins with the CRLF that ended the last whole line. So a line end is the
    same search everywhere, across chunk borders and on line one.
    """

    KEPT_AFTER_FAULT = 0  # octets at the end of what was read that are still looked at

    def __init__(self, size_limit: int, line_limit: int) -> None:
        self._size_limit = size_limit
        self._line_limit = line_limit
        self._pending = bytearray(b"\r\n")
        self._blocks: list[bytes] = []
        self._stored = 0
        self._first = True
        self._dots = False  # whether lines of what is pending begin with a dot
        self.received = 0
        self.fault: Fault | None = None
        self.eight_bit = False
        self.ended = False

    @property
    def held(self) -> int:
        """Return how many octets this reader keeps in memory."""
        return self._stored + len(self._pending)

    def give_up(self, fault: Fault) -> None:
        """Keep nothing of this message; from here on only its end is looked for."""
        self.fault = self.fault or fault
        self._blocks.clear()
        self._stored = 0
        del self._pending[: max(0, len(self._pending) - self.KEPT_AFTER_FAULT)]

    def content(self) -> bytes:
        """Return the message; call it once, after the end and without a fault."""
        blocks, self._blocks = self._blocks, []
        return blocks[0] if len(blocks) == 1 else b"".join(blocks)

    def _take_whole_lines(self) -> None:
        at = self._pending.rfind(b"\r\n")
        if at > 0:
            self._take(at)
        if self.fault is not None:
            self.give_up(self.fault)
        elif len(self._pending) - 2 > self._line_limit:
            begun = self._pending.decode("latin-1").removesuffix("\r")  # its LF may come with the next chunk
            self.give_up(line_fault(begun, self._line_limit) or Fault.LONG_LINE)

    def _take(self, end: int) -> None:
        """Judge and keep the whole lines before `end`; what stands behind it stays pending."""
        if self.fault is not None:
            return
        lines, self._pending = self._pending, self._pending[end:]
        del lines[end:]
        text = lines.decode("latin-1")  # a character for each octet
        fault = line_fault(text, self._line_limit)
        if self._dots:
            lines = lines.replace(_DOT_LINE, b"\r\n")
        if self._first:
            self._first = False
            del lines[:2]  # the CRLF that is not part of the message
        self._stored += len(lines)
        if fault is None and self._stored > self._size_limit:
            fault = Fault.SIZE
        if fault is not None:
            self.give_up(fault)
            return
        self.eight_bit = self.eight_bit or not text.isascii()
        self._blocks.append(bytes(lines))


class DataReader(LineReader):
    """The content of DATA: dots are stuffed, and CRLF "." CRLF ends it."""

    KEPT_AFTER_FAULT = _STRADDLE

    def feed(self, octets: bytes | bytearray) -> bytes | None:
        """Take the next octets; return None while more are needed, else what follows the end of the data."""
        pending = self._pending
        pending += octets
        self.received += len(octets)
        dot = at = _first_dot_line(pending)  # in most mails this is the end itself
        if dot >= 0 and not pending.startswith(END, dot):
            at = pending.find(END, dot)
        self._dots = dot != at
        if at < 0:
            self._take_whole_lines()
            return None
        rest = bytes(pending[at + len(END) :])
        self.received -= len(rest)
        self._take(at + 2)
        self._pending.clear()
        self.ended = True
        return rest


class ChunkReader(LineReader):
    """The content of BDAT chunks (RFC 3030): octets as they are. Whoever counts the octets tells the end."""

    def feed(self, octets: bytes | bytearray) -> None:
        """Take the next octets of this chunk or of the next one."""
        self._pending += octets
        self.received += len(octets)
        self._take_whole_lines()

    def finish(self) -> None:
        """End the message. A last line without its CRLF gets one, as DATA would have made its client send."""
        if self.fault is None:
            if not self._pending.endswith(b"\r\n"):
                self._pending += b"\r\n"
            self._take(len(self._pending))
        self._pending.clear()
        self.ended = True


def _first_dot_line(octets: bytearray) -> int:
    """Find CRLF "."; what holds few dots, such as base64, is gone through for dots alone, ten times as fast."""
    at = -1
    for _ in range(1 + len(octets) // FEW_DOTS):
        at = octets.find(b".", at + 1)
        if at < 0:
            return -1
        if octets.endswith(_DOT_LINE, 0, at + 1):
            return at - 2
    return octets.find(_DOT_LINE, at + 1)


def line_fault(lines: str, line_limit: int) -> Fault | None:
    """Return what is wrong with lines read as Latin-1: CRLF, a line, CRLF, a line ... (RFC 5321 2.3.8)."""
    if _line_ends(lines) not in (None, "\r\n"):
        return Fault.BARE_LF if lines.count("\n") != lines.count("\r\n") else Fault.BARE_CR
    if "\0" in lines:
        return Fault.NUL
    return Fault.LONG_LINE if _has_long_line(lines, line_limit) else None


def _line_ends(lines: str) -> str | tuple[str, ...] | None:
    """Return which line ends there are, as a text file tells it: in one pass, where counting each kind takes three."""
    decoder = IncrementalNewlineDecoder(None, translate=False)
    decoder.decode(lines, final=True)
    return decoder.newlines


def _has_long_line(lines: str, limit: int) -> bool:
    """Jump from line end to line end, a whole limit at a time: about one search for each `limit` octets."""
    start = 2
    while len(lines) - start > limit - 2:
        end = lines.rfind("\n", start, start + limit)
        if end < 0:
            return True
        start = end + 1
    return False
