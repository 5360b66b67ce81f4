"""The content of DATA from a listed device that ends lines with LF alone (`smtp.bare_lf_networks`): read as if it did not.

Nothing else is forgiven. CRLF "." CRLF as it was sent ends the data and nothing that only looks like it once its lines are
mended: a lone dot at the side of a bare LF, which the next server might take for an end, is refused, and so is a bare CR.
"""

from __future__ import annotations

import re

from gateway.receive.data import END, DataReader, Fault

_BARE = re.compile(rb"(?<!\r)\n")
_LONE_DOT = re.compile(rb"(?<!\r)\n\.\r?\n|\n\.\n")


class MendingReader(DataReader):
    """Mends whole lines as they come. `_sent` begins with the line end, as it was sent, of the last line that was taken."""

    def __init__(self, size_limit: int, line_limit: int) -> None:
        super().__init__(size_limit, line_limit)
        self._sent = bytearray(b"\r\n")
        self._dots = True  # any line may begin with one

    @property
    def held(self) -> int:
        return super().held + len(self._sent)

    def give_up(self, fault: Fault) -> None:
        super().give_up(fault)
        del self._sent[: max(0, len(self._sent) - self.KEPT_AFTER_FAULT)]

    def feed(self, octets: bytes | bytearray) -> bytes | None:
        """Take the next octets; return None while more are needed, else what follows the end of the data."""
        sent = self._sent
        sent += octets
        self.received += len(octets)
        at = sent.find(END)
        if at < 0:
            self._mend_whole_lines()
            return None
        rest = bytes(sent[at + len(END) :])
        self.received -= len(rest)
        self._mend(at + 2, at + 2)
        sent.clear()
        self.ended = True
        return rest

    def _mend_whole_lines(self) -> None:
        end = self._sent.rfind(b"\n") + 1
        last = end - (2 if end > 1 and self._sent.startswith(b"\r\n", end - 2) else 1)
        if last > 0:
            self._mend(last, end)
        if self.fault is not None or len(self._sent) - 2 > self._line_limit:
            self.give_up(Fault.LONG_LINE)

    def _mend(self, last: int, end: int) -> None:
        """Judge and keep the lines before `last`, which ends a line, or where one ends; `end` stands behind that line end."""
        if self.fault is None and _LONE_DOT.search(self._sent, 0, end):
            self.give_up(Fault.BARE_LF)
        if self.fault is None:
            self._pending = bytearray(_BARE.sub(b"\r\n", self._sent[:last]))
            del self._sent[:last]
            self._take(len(self._pending))
