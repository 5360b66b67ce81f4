"""A state directory, opened: lock, schema, master key, committer, readers and bodies, in the order a start needs them."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from pathlib import Path

import sqlalchemy as sa

from gateway.store.bodies import CORRUPT, FILE, Bodies
from gateway.store.chains import open_chain
from gateway.store.committer import Committer
from gateway.store.damage import refuse_damaged
from gateway.store.errors import StoreUnavailable, WrongMasterKey
from gateway.store.events import Seal
from gateway.store.instance import Instance
from gateway.store.keys import MasterKey
from gateway.store.migrate import upgrade
from gateway.store.readers import Readers
from gateway.store.schema import bodies, master_keys
from gateway.store.sqlite import reader_engine, writer_engine
from gateway.store.tx import Queries

FILE_NAME = "sekisho.db"


def event_seal(master: MasterKey) -> Seal:
    """Return what signs the head of the event chain."""
    current, *previous = master.derived("event chain head")
    return Seal(current, previous)


class Database:
    """Everything below the spool. `serve` takes the state directory's lock and sweeps what a crash left."""

    def __init__(self, state: Path, master: MasterKey, *, serve: bool) -> None:
        started = time.time()
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.instance = Instance(state, exclusive=serve)
        try:
            if serve:
                refuse_damaged(state / FILE_NAME)
            self._open(state, master)
            if serve:
                self.bodies.sweep(self._with_file, started)
        except BaseException:
            self.instance.close()
            raise

    def close(self) -> None:
        """Commit what waits and let go of everything."""
        self.committer.close()
        self.readers.close()
        self._engine.dispose()
        self.instance.close()

    def adopt(self, master: MasterKey) -> None:
        """Wrap and seal with this key from now on, while running; what is under way ends with the one before."""
        self.bodies.adopt(master)
        self.committer.adopt(event_seal(master))

    def _open(self, state: Path, master: MasterKey) -> None:
        path = state / FILE_NAME
        seal = event_seal(master)
        self._engine = writer_engine(path)
        try:
            with self._engine.begin() as connection:
                upgrade(connection)
                _check_key(connection, master)
                open_chain(connection, "", seal)
        except sa.exc.DBAPIError as error:
            raise StoreUnavailable(f"{path} cannot be opened: {error}") from error
        path.chmod(0o600)
        self.bodies = Bodies(state, master, self.instance.name)
        self.readers = Readers(reader_engine(path))
        self.committer = Committer(self._engine, seal)

    def _with_file(self, queue_ids: Collection[str]) -> set[str]:
        return {queue_id for queue_id in queue_ids if self.readers.read(_has_file(queue_id))}


def _has_file(queue_id: str) -> Callable[[Queries], bool]:
    """Ask for a row that wants its file: a body told damaged does, because its file may have been put back."""
    kept = bodies.c.place.in_((FILE, CORRUPT))
    wanted = sa.select(bodies.c.queue_id).where(bodies.c.queue_id == queue_id, kept)
    return lambda queries: queries.connection.execute(wanted).first() is not None


def _check_key(connection: sa.Connection, master: MasterKey) -> None:
    """Refuse a master key that the store was not written under; note a new one.

    A new one is taken where a key that the store knows is given with it as a previous one: that proves who brings it.
    """
    known = set(connection.execute(sa.select(master_keys.c.key_id)).scalars())
    if known and not known.intersection(master.key_ids):
        raise WrongMasterKey(
            f"the store was written under master key {', '.join(sorted(known))}; the given one is {master.key_id}"
        )
    if master.key_id not in known:
        connection.execute(master_keys.insert().values(key_id=master.key_id, since=time.time_ns() // 1000))
