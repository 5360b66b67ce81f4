"""Excel workbooks before 2007 (MS-XLS, BIFF8): strings and numbers of all sheets, in their columns."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from gateway.evidence.content.bounds import MAX_COLUMNS
from gateway.evidence.content.files import File
from gateway.evidence.content.gathering import Gathering, Unread
from gateway.evidence.content.octets import whole
from gateway.evidence.content.ole import Compound
from gateway.evidence.content.sheets import number_text

_BOF, _EOF, _FILEPASS, _CONTINUE = 0x0809, 0x000A, 0x002F, 0x003C
_BOUNDSHEET, _SST, _LABELSST, _LABEL = 0x0085, 0x00FC, 0x00FD, 0x0204
_NUMBER, _RK, _MULRK, _FORMULA, _STRING, _TXO = 0x0203, 0x027E, 0x00BD, 0x0006, 0x0207, 0x01B6
_XF, _FORMAT = 0x00E0, 0x041E
_BIFF8 = 0x0600
_WIDE, _RICH, _PHONETIC = 0x01, 0x08, 0x04
_DATE_FORMATS = frozenset({*range(14, 18), 22, *range(27, 37), *range(50, 59)})
_DATE_LETTERS = frozenset("yYeEdD年月日")


class _Record(NamedTuple):
    kind: int
    octets: bytes
    at: int


class _Strings:
    """Characters that go on over CONTINUE records: each record begins with a new flag for the width (MS-XLS 2.5.293)."""

    def __init__(self, blocks: list[bytes]) -> None:
        self._blocks = blocks
        self._number = 0
        self._at = 0

    def skip(self, octets: int) -> None:
        self.take(octets)

    def take(self, octets: int) -> bytes:
        out = b""
        while len(out) < octets and self._number < len(self._blocks):
            block = self._blocks[self._number]
            piece = block[self._at : self._at + octets - len(out)]
            out += piece
            self._at += len(piece)
            if self._at >= len(block):
                self._number += 1
                self._at = 0
        if len(out) < octets:
            raise Unread("damaged")
        return out

    def text(self) -> str:
        """Read one string with its formatting runs and its phonetics, which are the same words once more."""
        characters, flags = struct.unpack("<HB", self.take(3))
        runs = struct.unpack("<H", self.take(2))[0] if flags & _RICH else 0
        phonetic = struct.unpack("<I", self.take(4))[0] if flags & _PHONETIC else 0
        text = self._characters(characters, bool(flags & _WIDE))
        self.skip(4 * runs + phonetic)
        return text

    def _characters(self, left: int, wide: bool) -> str:
        out: list[str] = []
        while left and self._number < len(self._blocks):
            block = self._blocks[self._number]
            here = (len(block) - self._at) // (2 if wide else 1)
            count = min(here, left)
            piece = self.take(count * (2 if wide else 1))
            out.append(piece.decode("utf-16-le" if wide else "latin-1", "replace"))
            left -= count
            if left:
                wide = bool(self._next_flags() & _WIDE)
        return "".join(out)

    def _next_flags(self) -> int:
        if self._at:  # one octet of a character is left over: the record is broken
            self._number, self._at = self._number + 1, 0
        return self.take(1)[0]


def read(compound: Compound, _: File, into: Gathering) -> None:
    """Read all sheets of a workbook; each is a table."""
    entry = compound.find("Workbook") or compound.find("Book")
    stream = compound.stream(entry) if entry is not None else b""
    if len(stream) < 6 or struct.unpack_from("<HHH", stream, 0)[2] != _BIFF8:
        raise Unread("unknown-kind")
    book = _Book(into)
    try:
        for record in _records(stream):
            book.take(record)
    finally:
        book.end_sheet()


def _records(stream: bytes) -> Iterator[_Record]:
    at = 0
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        if at + 4 + length > len(stream):
            raise Unread("damaged")
        yield _Record(kind, stream[at + 4 : at + 4 + length], at)
        at += 4 + length


class _Book:
    def __init__(self, into: Gathering) -> None:
        self._into = into
        self._strings: list[str] = []
        self._pending: list[bytes] = []  # of the shared strings, until another record comes
        self._formats: dict[int, bool] = {}
        self._dates: list[bool] = []
        self._rows: dict[int, dict[int, str]] = {}
        self._last: tuple[int, int] | None = None

    def take(self, record: _Record) -> None:
        """Act on one record."""
        if record.kind == _CONTINUE:
            if self._pending:
                self._pending.append(record.octets)
            return
        self._end_strings()
        if record.kind == _FILEPASS:
            raise Unread("encrypted")
        if record.kind == _SST:
            self._pending = [record.octets[8:]]
        elif record.kind == _EOF:
            self.end_sheet()
        elif record.kind in (_XF, _FORMAT, _BOUNDSHEET):
            self._globals(record)
        else:
            self._cell(record.kind, record.octets)

    def end_sheet(self) -> None:
        """Tell the rows that were gathered."""
        rows, self._rows = self._rows, {}
        self._into.tabulate([_row(rows[number]) for number in sorted(rows)])

    def _end_strings(self) -> None:
        if not self._pending:
            return
        blocks, self._pending = _Strings(self._pending), []
        try:
            while True:
                self._strings.append(whole(blocks.text()))
        except Unread:  # the end of the table
            return

    def _globals(self, record: _Record) -> None:
        octets = record.octets
        if record.kind == _XF and len(octets) >= 4:
            number = struct.unpack_from("<H", octets, 2)[0]
            self._dates.append(self._formats.get(number, number in _DATE_FORMATS))
        elif record.kind == _FORMAT and len(octets) >= 5:
            code = octets[5:].decode("utf-16-le" if octets[4] & _WIDE else "latin-1", "replace")
            self._formats[struct.unpack_from("<H", octets, 0)[0]] = not _DATE_LETTERS.isdisjoint(code)
        elif record.kind == _BOUNDSHEET and len(octets) > 8:
            name = octets[8:].decode("utf-16-le" if octets[7] & _WIDE else "latin-1", "replace")
            self._into.say(whole(name) + "\n")

    def _cell(self, kind: int, octets: bytes) -> None:
        if kind == _STRING and self._last is not None:  # what a formula gives
            self._put(*self._last, whole(_Strings([octets]).text()))
        if len(octets) < 6:
            return
        row, column, style = struct.unpack_from("<HHH", octets, 0)
        self._last = (row, column) if kind == _FORMULA else None
        if kind == _LABELSST and len(octets) >= 10:
            number = struct.unpack_from("<I", octets, 6)[0]
            self._put(row, column, self._strings[number] if number < len(self._strings) else "")
        elif kind == _LABEL:
            self._put(row, column, whole(_Strings([octets[6:]]).text()))
        elif kind in (_NUMBER, _FORMULA) and len(octets) >= 14:
            if kind == _FORMULA and octets[12:14] == b"\xff\xff":  # a text, which comes in the next record
                return
            self._number(row, column, style, struct.unpack_from("<d", octets, 6)[0])
        elif kind == _RK and len(octets) >= 10:
            self._number(row, column, style, _rk(struct.unpack_from("<I", octets, 6)[0]))
        elif kind == _MULRK:
            for place in range((len(octets) - 6) // 6):
                its_style, value = struct.unpack_from("<HI", octets, 4 + 6 * place)
                self._number(row, column + place, its_style, _rk(value))

    def _number(self, row: int, column: int, style: int, value: float) -> None:
        is_date = style < len(self._dates) and self._dates[style]
        self._put(row, column, number_text(repr(value), is_date=is_date))

    def _put(self, row: int, column: int, text: str) -> None:
        if text and column < MAX_COLUMNS:
            self._rows.setdefault(row, {})[column] = text


def _row(cells: dict[int, str]) -> list[str]:
    return [cells.get(column, "") for column in range(max(cells) + 1)]


def _rk(value: int) -> float:
    """Read a number in four octets (MS-XLS 2.5.122)."""
    if value & 2:
        whole_number = value >> 2
        number = float(whole_number - (1 << 30) if whole_number & (1 << 29) else whole_number)
    else:
        number = float(struct.unpack("<d", b"\0\0\0\0" + struct.pack("<I", value & 0xFFFFFFFC))[0])
    return number / 100 if value & 1 else number
