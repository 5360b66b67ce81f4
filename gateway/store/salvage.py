"""Copies every row that can still be read from a damaged SQLite database into a fresh one, which builds its indexes anew.

Damage takes pages, not databases: a table is read up to a page that cannot be read, and on from the first row behind it. Reads
only; whoever calls works on a copy. What the rows say to one another is not looked at here (spool/mending.py does).
"""

# ruff: noqa: S608 - what stands in the SQL are names of our own schema and its states; values are bound

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from gateway.store.schema import metadata
from gateway.store.sqlite import is_damaged

FIRST_ROWID, LAST_ROWID = 0, 1 << 62  # SQLite counts from 1; nobody writes ids of his own into our tables
ONE_BY_ONE = 4_000  # row ids tried singly behind damage; a page holds some dozens to some hundreds
Row = tuple[object, ...]


def salvage(damaged: Path, fresh: Path) -> dict[str, int]:
    """Copy what can be read into `fresh`, which has our schema; return how many rows of each table it has then.

    Raises sqlite3.DatabaseError where not even the list of tables can be read.
    """
    source_uri = f"file:{damaged}?mode=rw"  # a WAL cannot be read without writing its index
    with closing(sqlite3.connect(source_uri, uri=True)) as source, closing(sqlite3.connect(fresh)) as target:
        source.text_factory = lambda octets: octets.decode("utf-8", "replace")
        source.execute("SELECT count(*) FROM sqlite_schema").fetchall()
        # Those that are looked for by queue id come last.
        tables = sorted(metadata.sorted_tables, key=_is_keyed)
        return {table.name: _copy(source, target, table) for table in tables}


def _is_keyed(table: sa.Table) -> bool:
    """Tell whether a table has no row ids: it can only be searched by its key."""
    return table.dialect_options["sqlite"]["with_rowid"] is False


def _copy(source: sqlite3.Connection, target: sqlite3.Connection, table: sa.Table) -> int:
    columns = _columns_of(source, table.name) or _columns_of(target, table.name)
    columns = [name for name in _columns_of(target, table.name) if name in columns]
    names = ", ".join(f'"{name}"' for name in columns)
    marks = ", ".join("?" * len(columns))
    known = _queue_ids(target) if _is_keyed(table) else []
    with target:
        target.execute(f'DELETE FROM "{table.name}"')
        insert = f'INSERT OR IGNORE INTO "{table.name}" ({names}) VALUES ({marks})'
        rows = (
            _by_key(source, table.name, names, known)
            if _is_keyed(table)
            else _by_rowid(source, table.name, names)
        )
        target.executemany(insert, rows)
    return int(target.execute(f'SELECT count(*) FROM "{table.name}"').fetchone()[0])


def _columns_of(connection: sqlite3.Connection, table: str) -> list[str]:
    return [str(row[1]) for row in connection.execute(f'PRAGMA table_info("{table}")')]


def _by_rowid(source: sqlite3.Connection, table: str, names: str) -> Iterator[Row]:
    """Yield rows in the order of their ids, going on behind whatever cannot be read."""
    wanted = f'SELECT rowid, {names} FROM "{table}" NOT INDEXED WHERE rowid >= ? ORDER BY rowid'
    at: int | None = FIRST_ROWID
    while at is not None:
        try:
            for row in source.execute(wanted, [at]):
                at = int(row[0]) + 1
                yield tuple(row[1:])
            return
        except sqlite3.DatabaseError as error:
            if not is_damaged(error):
                raise
        at = _behind(source, f"{wanted} LIMIT 1", at)


def _behind(source: sqlite3.Connection, one: str, at: int) -> int | None:
    """Return the first id behind damage at which a row can be read again; None where there is none."""
    step = 1
    for tries in range(1, ONE_BY_ONE + 64):
        at += step
        if at > LAST_ROWID:
            return None
        if tries > ONE_BY_ONE:
            step *= 2
        try:
            found = source.execute(one, [at]).fetchone()
        except sqlite3.DatabaseError:
            continue
        return at if found is not None else None
    return None


def _by_key(source: sqlite3.Connection, table: str, names: str, queue_ids: Sequence[str]) -> Iterator[Row]:
    """Yield rows from the beginning up to damage; where there is any, from the end too, and of every mail that is known."""
    everything = f'SELECT {names} FROM "{table}" ORDER BY queue_id'
    if (yield from _until_damage(source, everything)):
        return
    yield from _until_damage(source, f"{everything} DESC")
    for queue_id in queue_ids:
        one = f'SELECT {names} FROM "{table}" WHERE queue_id = ? ORDER BY idx'
        if not (yield from _until_damage(source, one, queue_id)):
            yield from _until_damage(source, f"{one} DESC", queue_id)


def _until_damage(source: sqlite3.Connection, wanted: str, *bound: str) -> Generator[Row, None, bool]:
    """Yield rows up to the first that cannot be read; return whether all could be."""
    try:
        yield from source.execute(wanted, bound)
    except sqlite3.DatabaseError as error:
        if not is_damaged(error):
            raise
        return False
    return True


def _queue_ids(target: sqlite3.Connection) -> list[str]:
    """Return all mails that what was salvaged so far speaks of."""
    keyed = ("second_looks", "message_keys", "key_sendings", "shares", "reminders")
    tables = ("messages", "bodies", "outbox", *keyed, "events")
    union = " UNION ".join(f"SELECT queue_id FROM {table} WHERE queue_id IS NOT NULL" for table in tables)
    return [str(row[0]) for row in target.execute(union)]
