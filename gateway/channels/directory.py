"""The directory: a CSV file with the telephone numbers of recipients, `address,number`, that an administrator keeps.

Read at the start and again when it changes; a broken edit, or a file that is gone, leaves in force what was good, and says so.
From the start that is nobody: mail whose key should have gone to a number then waits for its sender to say one. Questions are
answered from memory. Numbers are personal data: none is ever logged, a problem names the line only.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Mapping
from io import StringIO
from pathlib import Path

import structlog

from gateway.message.address import AddressError, parse_path
from gateway.telephone import NoNumber, e164
from gateway.yaml_source import Problem, Problems

MAX_OCTETS = 16 << 20  # some 400,000 entries; read into memory as a whole
MAX_ENTRIES = 200_000  # about 60 MiB in memory
MAX_PROBLEMS = 20  # told at once: who sees twenty lines knows what is wrong
HEADING = ("address", "number")

Stamp = tuple[int, int, int]  # modified, size, inode

log = structlog.get_logger()


class Directory:
    """The numbers in force. Without a path nobody has one. `problems` is what is wrong with the file as it is now."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._stamp: Stamp | None = None
        self._numbers: Mapping[str, str] = {}
        self.problems: Problems | None = None
        if path is not None:
            self._stamp = _stamp(path)
            self._read(path)

    def __len__(self) -> int:
        return len(self._numbers)

    def number_of(self, address: str) -> str:
        """Return the number of an address, in E.164; empty where there is none."""
        return self._numbers.get(_key(address), "")

    def numbers_known(self, addresses: Collection[str]) -> frozenset[str]:
        """Return those of the addresses, as they were given, that have a number."""
        return frozenset(address for address in addresses if self.number_of(address))

    def refresh(self) -> None:
        """Read the file if it changed; one that is broken or gone keeps the numbers that were good. Blocks: on a thread."""
        if self._path is None or (stamp := _stamp(self._path)) == self._stamp:
            return
        self._stamp = stamp
        self._read(self._path)

    def _read(self, path: Path) -> None:
        try:
            self._numbers = read(path)
        except Problems as problems:
            self.problems = problems
            found = [str(problem) for problem in problems.problems]
            log.error("directory.broken", problems=found, kept=len(self._numbers))
        else:
            self.problems = None
            log.info("directory.read", entries=len(self._numbers))


def read(path: Path) -> Mapping[str, str]:
    """Return numbers by the key of their address; raises `Problems` that name each line."""
    text = _text(path)
    numbers: dict[str, str] = {}
    problems: list[Problem] = []
    for line, row in _rows(path, text):
        try:
            _enter(row, numbers)
        except ValueError as error:
            problems.append(Problem(str(path), line, 1, "", str(error)))
        if len(problems) == MAX_PROBLEMS:
            break
        if len(numbers) > MAX_ENTRIES:
            problems.append(Problem(str(path), line, 1, "", f"more than {MAX_ENTRIES} entries"))
            break
    if problems:
        raise Problems(problems)
    return numbers


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            octets = file.read(MAX_OCTETS + 1)
        if len(octets) > MAX_OCTETS:
            raise Problems([Problem(str(path), 1, 1, "", f"larger than {MAX_OCTETS >> 20} MiB")])
        return octets.decode("utf-8-sig")  # with the mark that Excel writes before UTF-8
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise Problems([Problem(str(path), line, 1, "", "not UTF-8; save it as CSV UTF-8")]) from None
    except OSError as error:
        cause = error.strerror or "error"
        raise Problems([Problem(str(path), 1, 1, "", f"cannot be read: {cause}")]) from None


def _rows(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that say something, with the line where each ends; a heading and lines with # say nothing."""
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            while cells and not cells[-1]:
                cells.pop()
            if not cells or cells[0].startswith("#") or _is_heading(reader.line_num, cells):
                continue
            yield reader.line_num, cells
    except csv.Error as error:
        raise Problems([Problem(str(path), reader.line_num, 1, "", f"not CSV: {error}")]) from None


def _is_heading(line: int, cells: list[str]) -> bool:
    return line == 1 and tuple(cell.lower() for cell in cells) == HEADING


def _enter(row: list[str], numbers: dict[str, str]) -> None:
    if len(row) != 2:
        raise ValueError("two columns are expected here, an address and a number")
    try:
        address = parse_path(row[0])
    except AddressError:
        raise ValueError("the first column is no address") from None
    if address.ambiguous:
        raise ValueError("the address can be read in two ways")
    try:
        number = e164(row[1])
    except NoNumber as error:
        raise ValueError(_WORDS[error.why]) from None
    if numbers.setdefault(address.key, number) != number:
        raise ValueError("this address stands further up with another number")


def _key(address: str) -> str:
    """Return what the address stands under; empty for one that could be somebody else's."""
    try:
        parsed = parse_path(address)
    except AddressError:
        return ""
    return "" if parsed.ambiguous else parsed.key


def _stamp(path: Path) -> Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


_WORDS = {
    "empty": "no number stands here",
    "long": "the number is too long",
    "letters": "the number holds something that is no digit",
    "country": "the number needs the country's code: write 090… or +81 90…",
    "digits": "the number has too many or too few digits; a spreadsheet may have eaten the 0 before it",
    "landline": "a landline takes no text messages",
}
