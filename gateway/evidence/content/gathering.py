"""What reading has told so far: of one file with all that is in it, within what is left of a mail's budget.

Promise: nothing here grows beyond its bound, and reaching a bound leaves a word behind. No parsing here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gateway.evidence.content.bounds import (
    FILE_CHARACTERS,
    MAX_COLUMNS,
    MAX_INVITED,
    MAX_NAME,
    MAX_SHOWN_MEMBERS_OCTETS,
    Bounds,
)
from gateway.message.address import Address
from gateway.message.text import one_line

_LINE_ENDS = str.maketrans(dict.fromkeys("\t\n\r\v\f\x85\u2028\u2029", " "))


class Unread(Exception):
    """A file, or the rest of it, is not read; `word` is one of gateway.message.evidence.UNREAD."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


class TooSlow(BaseException):
    """The time for a file is over. Not an Exception: parsers that swallow those must not swallow this."""


@dataclass(slots=True)
class Budget:
    """What is left for one mail."""

    octets: int
    members: int
    depth: int
    name_characters: int = MAX_SHOWN_MEMBERS_OCTETS
    invited: list[Address] = field(default_factory=list)

    @classmethod
    def of(cls, bounds: Bounds) -> Budget:
        return cls(bounds.unpacked_octets, bounds.members, bounds.depth)

    def unpack(self, octets: int) -> None:
        """Take unpacked octets from the budget; raises Unread where there are not as many left."""
        self.octets -= octets
        if self.octets < 0:
            raise Unread("too-large")

    def invite(self, address: Address) -> None:
        if len(self.invited) < MAX_INVITED:
            self.invited.append(address)


class Gathering:
    """What one file tells, the files in it included.

    `prose` are texts, `sheets` tables as lines with tabs between cells. `encrypted` and `macros` are true as soon as one
    file in it is, else None as soon as it cannot be told of one.
    """

    def __init__(self, budget: Budget, characters: int = FILE_CHARACTERS) -> None:
        self.budget = budget
        self.left = characters
        self.prose: list[str] = []
        self.sheets: list[str] = []
        self.members: list[str] = []
        self.complete = True
        self.encrypted: bool | None = False
        self.macros: bool | None = False
        self.unread = ""

    def note(self, word: str) -> None:
        """Note why something was not read; the first word stays."""
        self.unread = self.unread or word

    def tell(self, *, encrypted: bool | None, macros: bool | None) -> None:
        """Join what one file in it is with what is known of the others."""
        self.encrypted = _either(self.encrypted, encrypted)
        self.macros = _either(self.macros, macros)

    def say(self, text: str) -> None:
        """Add a text; raises Unread where the bound is reached, after what fits was added."""
        if text:
            self.prose.append(self._fitting(text))
            self._check()

    def tabulate(self, rows: Iterable[Sequence[str]]) -> None:
        """Add a table; raises Unread where the bound is reached, after the rows that fit were added."""
        lines: list[str] = []
        try:
            for row in rows:
                lines.append(self._fitting("\t".join([_cell(cell) for cell in row[:MAX_COLUMNS]])))
                self._check()
        finally:
            if lines:
                self.sheets.append("\n".join(lines))

    def member(self, name: str) -> None:
        """Add the name of a file in it; raises Unread where there are too many."""
        shown = one_line(name)[-MAX_NAME:]
        self.budget.members -= 1
        self.budget.name_characters -= len(shown)
        if self.budget.members < 0 or self.budget.name_characters < 0:
            self.complete = False
            self.tell(encrypted=None, macros=None)  # of those that were not looked at
            raise Unread("too-large")
        self.members.append(shown)

    def _fitting(self, text: str) -> str:
        kept = text[: max(self.left, 0)]
        self.left -= len(text) + 1
        return kept

    def _check(self) -> None:
        if self.left < 0:
            raise Unread("too-large")


def _cell(cell: str) -> str:
    return (cell if cell.isprintable() else cell.translate(_LINE_ENDS)).strip()


def _either(one: bool | None, other: bool | None) -> bool | None:
    if one is True or other is True:
        return True
    return None if one is None or other is None else False
