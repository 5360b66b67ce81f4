"""Rows of one table, many to a statement: every row once and in order, however many there are."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from gateway.store.inserts import LENGTHS, Inserts

TABLE = sa.Table("t", sa.MetaData(), sa.Column("a", sa.Integer), sa.Column("b", sa.Text))


class Heard:
    """A cursor that also counts its statements."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._cursor = cursor
        self.statements = 0

    def execute(self, text: str, values: tuple[object, ...]) -> None:
        self.statements += 1
        self._cursor.execute(text, values)


@given(st.integers(0, 300))
def test_every_row_is_inserted_once_and_in_order(count: int) -> None:
    rows = [(number, f"row {number}") for number in range(count)]
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (a, b)")
        cursor = Heard(connection.cursor())
        Inserts(TABLE).write(cursor, sqlite.dialect(), rows)
        assert connection.execute("SELECT a, b FROM t ORDER BY rowid").fetchall() == rows
    assert cursor.statements <= 1 or count > 16


@given(st.integers(1, 40))
def test_what_is_always_the_same_stands_in_every_row_and_the_rest_is_null(count: int) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (a, b, c)")
        into = Inserts(TABLE, "a", b="o'clock")
        into.write(connection.cursor(), sqlite.dialect(), [(number,) for number in range(count)])
        rows = connection.execute("SELECT a, b, c FROM t ORDER BY rowid").fetchall()
        assert rows == [(number, "o'clock", None) for number in range(count)]


def test_no_statement_has_more_parameters_than_a_database_takes() -> None:
    assert max(LENGTHS) * 16 < 32_766
