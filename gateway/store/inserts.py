"""New rows of one table, many to a statement.

A statement for each row would hand the interpreter from thread to thread a hundred times in one group commit. Statements come
in a few fixed lengths, so that the driver prepares each of them once. To PostgreSQL they go with numbered parameters: psycopg
looks for named ones, and keeps what it found only of statements with few.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import sqlalchemy as sa

Row = tuple[object, ...]

USUAL = 16
LENGTHS = (64, *range(USUAL, 0, -1))
"""Rows in one statement: times the columns of any table below SQLite's 32,766 parameters, and a usual group in one piece."""


class Inserts:
    """Inserts into `table`; a row is a tuple in the order of `columns` (all of the table's where none are named).

    `always` are columns that say the same in every row: they stand in the statement, not in the rows. What is in neither is
    NULL. A parameter that is not there costs nothing, and of the driver's, those that are NULL cost most.
    """

    def __init__(self, table: sa.Table, *columns: str, **always: str | int) -> None:
        self.columns = columns or tuple(column.name for column in table.columns)
        self._always: Mapping[str, str | int] = always
        self.order = list(table.metadata.sorted_tables).index(table)  # parents before children
        self._table = table
        self._texts: dict[tuple[str, int], str] = {}

    def write(self, cursor: Any, dialect: sa.Dialect, rows: Sequence[Row]) -> None:
        """Insert the rows through a cursor from `numbered`."""
        for piece in (rows,) if 0 < len(rows) <= USUAL else _pieces(rows):
            cursor.execute(self._text(dialect, len(piece)), tuple(chain.from_iterable(piece)))

    def _text(self, dialect: sa.Dialect, rows: int) -> str:
        found = self._texts.get((dialect.name, rows))
        if found is None:
            found = self._texts[dialect.name, rows] = self._compile(dialect, rows)
        return found

    def _compile(self, dialect: sa.Dialect, rows: int) -> str:
        quote = dialect.identifier_preparer.quote
        mark = "?" if dialect.name == "sqlite" else "$"
        width = len(self.columns)
        same = "".join(f", {_literal(value)}" for value in self._always.values())
        values = ", ".join(f"({_marks(mark, row * width + 1, width)}{same})" for row in range(rows))
        names = ", ".join(map(quote, (*self.columns, *self._always)))
        return f"INSERT INTO {quote(self._table.name)} ({names}) VALUES {values}"  # noqa: S608 - names


def numbered(dialect: sa.Dialect, driver: Any, cursor: Any) -> Any:
    """Return a cursor that `Inserts.write` writes through: the transaction's own, where that takes numbered parameters."""
    if dialect.name == "sqlite":
        return cursor
    from psycopg import RawCursor  # loaded only where it is used

    return RawCursor(driver)


def _literal(value: str | int) -> str:
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"


def _marks(mark: str, first: int, count: int) -> str:
    """Return the marks of a row's parameters: SQLite's (`?1`) and PostgreSQL's (`$1`) are numbered alike."""
    return ", ".join(f"{mark}{number}" for number in range(first, first + count))


def _pieces(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    at = 0
    for length in LENGTHS:
        while len(rows) - at >= length:
            yield rows[at : at + length]
            at += length
