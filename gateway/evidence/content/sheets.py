"""The sheets of an Excel workbook (ECMA-376 part 1, 18.3): shared and inline strings, numbers, dates, in their columns.

Dates stand as day counts in the file; where the cell's style makes a date of it, it is read as one, because a birth date is
what a detector looks for. Streams; each sheet is one table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

from gateway.evidence.content.bounds import MAX_COLUMNS
from gateway.evidence.content.gathering import Gathering
from gateway.evidence.content.xml_text import feed, parser_of

_REFERENCE = re.compile("[A-Z]{1,3}")
_DATE_FORMATS = frozenset({*range(14, 18), 22, *range(27, 37), *range(50, 59)})
_DATE_CODE = re.compile(r"[yYeEgG]|[dD]|m+[/\-月]")
_QUOTED = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')
_FIRST_DAY = date(1899, 12, 30)  # Excel counts a 29 February 1900 that never was
_MAX_DAY = 2_958_465  # 9999-12-31
_BATCH = 256


class Workbook:
    """Reads the parts of one workbook, the strings and styles before the sheets."""

    def __init__(self, into: Gathering) -> None:
        self._into = into
        self._strings: list[str] = []
        self._dates: list[bool] = []

    def read(self, name: str, octets: bytes) -> None:
        """Read a part by its name in lower case."""
        if name.endswith("sharedstrings.xml"):
            self._read_strings(octets)
        elif name.endswith("styles.xml"):
            self._dates = _date_styles(octets)
        elif name.endswith("workbook.xml"):
            self._read_names(octets)
        else:
            self._read_sheet(octets)

    def _read_strings(self, octets: bytes) -> None:
        pieces: list[str] = []
        inside = phonetic = False

        def start(name: str, _: dict[str, str]) -> None:
            nonlocal inside, phonetic
            name = name.rpartition(":")[2]
            if name == "si":
                pieces.clear()
            elif name == "rPh":  # furigana: the same words once more
                phonetic = True
            inside = name == "t" and not phonetic

        def end(name: str) -> None:
            nonlocal inside, phonetic
            name = name.rpartition(":")[2]
            inside = False
            if name == "si":
                self._strings.append("".join(pieces))
            elif name == "rPh":
                phonetic = False

        def characters(text: str) -> None:
            if inside:
                pieces.append(text)

        parser = parser_of()
        parser.StartElementHandler, parser.EndElementHandler = start, end
        parser.CharacterDataHandler = characters
        feed(parser, octets)

    def _read_names(self, octets: bytes) -> None:
        names: list[str] = []

        def start(name: str, attributes: dict[str, str]) -> None:
            if name.rpartition(":")[2] == "sheet":
                names.append(attributes.get("name", ""))

        parser = parser_of()
        parser.StartElementHandler = start
        feed(parser, octets)
        self._into.say("\n".join(names) + "\n")

    def _read_sheet(self, octets: bytes) -> None:
        sheet = _Sheet(self._strings, self._dates)
        parser = parser_of()
        parser.StartElementHandler, parser.EndElementHandler = sheet.start, sheet.end
        parser.CharacterDataHandler = sheet.characters
        try:
            feed(parser, octets)
        finally:
            self._into.tabulate(sheet.taken())


class _Sheet:
    """One sheet: rows of cells as they come, blanks kept so that columns stay columns."""

    def __init__(self, strings: list[str], dates: list[bool]) -> None:
        self._strings = strings
        self._dates = dates
        self._rows: list[list[str]] = []
        self._row: list[str] = []
        self._type = ""
        self._is_date = False
        self._column = 0
        self._value: list[str] | None = None
        self._cell = ""
        self.text: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        if name == "c":
            self._begin_cell(attributes)
        elif name in ("v", "t", "oddHeader", "oddFooter"):
            self._value = []
        elif name == "row":
            self._row = []

    def end(self, name: str) -> None:
        name = name.rpartition(":")[2]
        if name in ("v", "t") and self._value is not None:
            self._cell += self._meaning("".join(self._value))
            self._value = None
        elif name in ("oddHeader", "oddFooter") and self._value is not None:
            self._rows.append(["".join(self._value)])
            self._value = None
        elif name == "c":
            self._end_cell()
        elif name == "row" and self._row:
            self._rows.append(self._row)
            self._row = []

    def characters(self, text: str) -> None:
        if self._value is not None:
            self._value.append(text)

    def taken(self) -> Iterator[list[str]]:
        return iter(self._rows)

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        self._type = attributes.get("t", "n")
        self._cell = ""
        style = attributes.get("s", "")
        self._is_date = bool(self._dates) and style.isdecimal() and self._dated(style)
        found = _REFERENCE.match(attributes.get("r", ""))
        self._column = _column(found[0]) if found else len(self._row)

    def _dated(self, style: str) -> bool:
        number = int(style[:6])
        return number < len(self._dates) and self._dates[number]

    def _end_cell(self) -> None:
        if not self._cell or self._column >= MAX_COLUMNS:
            return
        self._row.extend([""] * (self._column - len(self._row)))
        if self._column == len(self._row):
            self._row.append(self._cell)

    def _meaning(self, value: str) -> str:
        if self._type == "s":
            number = int(value[:9]) if value.isdecimal() else -1
            return self._strings[number] if 0 <= number < len(self._strings) else ""
        if self._type == "n":
            return number_text(value, is_date=self._is_date)
        return value


def number_text(value: str, *, is_date: bool) -> str:
    """Return a number as a person sees it: whole where it is whole, a date where its style says so."""
    try:
        number = float(value)
    except ValueError:
        return value
    if is_date and 1 <= number <= _MAX_DAY:
        return (_FIRST_DAY + timedelta(days=int(number))).strftime("%Y/%m/%d")
    return str(int(number)) if number.is_integer() and abs(number) < 1e17 else value


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _date_styles(octets: bytes) -> list[bool]:
    """Return for every cell style whether its number format shows a date."""
    own: dict[str, bool] = {}
    styles: list[bool] = []
    inside = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal inside
        name = name.rpartition(":")[2]
        if name == "numFmt":
            code = _QUOTED.sub("", attributes.get("formatCode", "")[:200])
            own[attributes.get("numFmtId", "")] = _DATE_CODE.search(code) is not None
        elif name == "cellXfs":
            inside = True
        elif name == "xf" and inside:
            number = attributes.get("numFmtId", "0")
            built_in = number.isdecimal() and int(number[:6]) in _DATE_FORMATS
            styles.append(own.get(number, built_in))

    def end(name: str) -> None:
        nonlocal inside
        inside = inside and name.rpartition(":")[2] != "cellXfs"

    parser = parser_of()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    feed(parser, octets)
    return styles
