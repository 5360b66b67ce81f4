"""A transaction as a job sees it: statements compiled once, new rows collected, events linked into the chain, tallies kept.

Statements are written in Core and compiled at first use per dialect; running one costs a cursor call and nothing else,
because this is the path every accepted mail takes. What only adds (rows, events, counts) is collected over all jobs of the
transaction and written before COMMIT, many rows to a statement: no job may count on reading what it has just inserted.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from operator import attrgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPICursor

from gateway.store.counts import COUNT_DOWN, SENT, TALLY, UNLIST, Counts
from gateway.store.events import EVENT_COLUMNS, Event, Head, Seal, link
from gateway.store.failures import is_damaged
from gateway.store.inserts import Inserts, Row, numbered
from gateway.store.known_keys import new_key
from gateway.store.schema import chain, events, master_keys

Params = Mapping[str, object]


class Prepared:
    """A Core statement that is compiled once for each dialect and run by the driver's own cursor."""

    __slots__ = ("_compiled", "statement")

    def __init__(self, statement: sa.sql.ClauseElement) -> None:
        self.statement = statement
        self._compiled: dict[str, tuple[str, dict[str, Any]]] = {}

    def compiled(self, dialect: sa.Dialect) -> tuple[str, dict[str, Any]]:
        """Return the SQL text and the parameters it brings itself."""
        found = self._compiled.get(dialect.name)
        if found is None:
            made = self.statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
            own = {name: value for name, value in made.params.items() if value is not None}
            found = self._compiled[dialect.name] = (str(made), own)
        return found


class Queries:
    """Reads inside one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self._dialect = connection.dialect
        driver: Any = connection.connection.dbapi_connection
        self._driver = driver
        self._cursor: DBAPICursor = driver.cursor()

    def rows(self, statement: Prepared, params: Params | None = None) -> list[Any]:
        """Return all rows as plain tuples."""
        sql, own = statement.compiled(self._dialect)
        self._cursor.execute(sql, {**own, **(params or {})})
        return list(self._cursor.fetchall())

    def row(self, statement: Prepared, params: Params | None = None) -> Any:
        """Return the first row or None."""
        found = self.rows(statement, params)
        return found[0] if found else None

    def until_damage(self, statement: Prepared, params: Params) -> Iterator[Any]:
        """Yield rows up to the first that a damaged page keeps from being read; one statement at a time."""
        sql, own = statement.compiled(self._dialect)
        try:
            self._cursor.execute(sql, {**own, **params})
            while (row := self._cursor.fetchone()) is not None:
                yield row
        except Exception as error:
            if not is_damaged(error):
                raise

    def close(self) -> None:
        self._cursor.close()


class Tx(Queries):
    """Reads and writes inside one transaction of the committer."""

    def __init__(self, connection: sa.Connection, seal: Seal, node: str = "") -> None:
        super().__init__(connection)
        self._seal = seal
        self._node = node
        self._events: list[Event] = []
        self._inserts: defaultdict[Inserts, list[Row]] = defaultdict(list)
        self._counts = Counts(node)
        self._keys = set(seal.key_ids[:1])

    def run(self, statement: Prepared, params: Params) -> int:
        """Execute once; return the number of rows it touched."""
        sql, own = statement.compiled(self._dialect)
        self._cursor.execute(sql, {**own, **params} if own else params)
        return self._cursor.rowcount

    def many(self, statement: Prepared, rows: Sequence[Params]) -> int:
        """Execute for each row of parameters in one call; return the number of rows touched in all."""
        if not rows:
            return 0
        sql, own = statement.compiled(self._dialect)
        self._cursor.executemany(sql, [{**own, **row} for row in rows] if own else rows)
        return self._cursor.rowcount

    def insert(self, into: Inserts, rows: Sequence[Row]) -> None:
        """Add rows before COMMIT, together with those of the other jobs; a conflict fails the transaction then."""
        self._inserts[into].extend(rows)

    def event(self, event: Event) -> None:
        """Put an event into the chain, behind those of the jobs before."""
        self._events.append(event)

    def tally(self, state: str, change: int) -> None:
        """Note that `change` more recipients are in `state`."""
        self._counts.states[state] += change

    def count_down(self, queue_id: str, closed: int, held: int, at: int) -> None:
        """Note that of a message so many more recipients are closed, and so many fewer held."""
        self._counts.moved(queue_id, closed, held, at)

    def sent(self, sender: str, number: int, recipients: int) -> None:
        """Note that a sender handed in a mail to so many, in the slice of time with this number."""
        self._counts.sent(sender, number, recipients)

    def unlist(self, queue_id: str, at: int) -> None:
        """Note that a mail's line in lists is out of date; what moves held recipients says so itself."""
        self._counts.unlisted[queue_id] = at

    def under(self, key_id: str) -> None:
        """Note that something that is written here can be opened by this master key only."""
        self._keys.add(key_id)

    def flush(self) -> None:
        """Write what was collected; the committer calls it before COMMIT. Raises StoreUnavailable."""
        head = self._locked_head() if self._events else None
        with self._without_waiting():
            if head is not None:
                self._link_events(head)
            self._write()

    def _write(self) -> None:
        cursor = numbered(self._dialect, self._driver, self._cursor)
        for into in sorted(self._inserts, key=_ORDER):
            into.write(cursor, self._dialect, self._inserts[into])
        counts = self._counts
        if counts.messages:
            self.many(_COUNT_DOWN, counts.of_messages())
        if counts.states:
            self.many(_TALLY, counts.of_states())
        if counts.unlisted:
            self.many(_UNLIST, counts.of_lists())
        if counts.mails:
            self.many(_SENT, counts.of_senders())

    def _locked_head(self) -> Head:
        """Return the head of the chain, locked, so that several processes cannot fork it; a look at the keys goes with it."""
        seq, hash_, keys = self.row(_HEAD_AND_KEYS, {"b_node": self._node})
        if self._keys:
            self._look_at_keys((keys or "").split())
        return Head(seq, hash_, self._node)

    def _link_events(self, head: Head) -> None:
        """Link the events into the chain."""
        rows = self._inserts[NEW_EVENTS]
        for event in self._events:
            head, row = link(head, event)
            rows.append(row)
        moved = {"b_node": self._node, "b_seq": head.seq, "b_hash": head.hash, "b_seal": self._seal.of(head)}
        self.run(_MOVE_HEAD, moved)

    def _look_at_keys(self, known: Sequence[str]) -> None:
        if (key_id := new_key(self._keys, self._seal.key_ids, known)) is not None:
            self.run(_NEW_KEY, {"b_key_id": key_id, "b_since": time.time_ns() // 1000})

    def _without_waiting(self) -> AbstractContextManager[object]:
        """Let statements whose results nobody needs go to PostgreSQL in one round trip; SQLite has none to save."""
        return _NOTHING if self._dialect.name == "sqlite" else self._driver.pipeline()


_NOTHING = nullcontext()
_ORDER = attrgetter("order")
_NEW_KEY = Prepared(
    master_keys.insert().values(key_id=sa.bindparam("b_key_id"), since=sa.bindparam("b_since"))
)
NEW_EVENTS = Inserts(events, *EVENT_COLUMNS)
_OURS = chain.c.node == sa.bindparam("b_node")
_SPACE: Any = sa.literal_column("' '")  # in the statement: a parameter would be asked for at compiling
_KNOWN_KEYS = sa.select(sa.func.aggregate_strings(master_keys.c.key_id, _SPACE)).scalar_subquery()
_HEAD_AND_KEYS = Prepared(sa.select(chain.c.seq, chain.c.hash, _KNOWN_KEYS).where(_OURS).with_for_update())
_MOVE_HEAD = Prepared(
    chain.update()
    .where(_OURS)
    .values(seq=sa.bindparam("b_seq"), hash=sa.bindparam("b_hash"), seal=sa.bindparam("b_seal"))
)
_TALLY = Prepared(TALLY)
_SENT = Prepared(SENT)
_UNLIST = Prepared(UNLIST)
_COUNT_DOWN = Prepared(COUNT_DOWN)
