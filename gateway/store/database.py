"""A state directory, opened: lock, schema, master key, committer, readers and bodies, in the order a start needs them."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from gateway.store.bodies import CORRUPT, Bodies, Vault
from gateway.store.chains import open_chain
from gateway.store.checkpoints import Checkpoints
from gateway.store.committer import Committer
from gateway.store.damage import refuse_damaged
from gateway.store.damage_met import DamageMet
from gateway.store.errors import StoreUnavailable, WrongMasterKey
from gateway.store.events import Seal
from gateway.store.failures import is_unavailable
from gateway.store.files import FILE, Files
from gateway.store.instance import Instance
from gateway.store.keys import MasterKey
from gateway.store.migrate import upgrade
from gateway.store.readers import Readers
from gateway.store.reclaim import remove_dead
from gateway.store.schema import bodies, master_keys
from gateway.store.segments import Segments
from gateway.store.sqlite import reader_engine, writer_engine
from gateway.store.turn import Turn
from gateway.store.tx import Queries
from gateway.store.where import Where

if TYPE_CHECKING:
    from gateway.store.pulse import Pulse

FILE_NAME = "sekisho.db"
TURN = "writing.lock"


def event_seal(master: MasterKey) -> Seal:
    """Return what signs the head of the event chain."""
    current, *previous = master.derived("event chain head")
    return Seal(current, previous, master.key_ids)


class Database:
    """Everything below the spool. `serve` takes the state directory's lock and sweeps what a crash left.

    `pulse` is None where no other process shares the work: on SQLite, and in a command.
    """

    def __init__(self, where: Path | Where, master: MasterKey, *, serve: bool) -> None:
        started = time.time()
        self.where = where if isinstance(where, Where) else Where(where)
        self.where.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        first = serve and self.where.worker == 0
        self.instance = Instance(self.where.state, exclusive=first, worker=serve and not first)
        self.chain = self.where.chain(serve=serve)
        self.pulse: Pulse | None = None
        self._checkpoints: Checkpoints | None = None
        self.damage = DamageMet()
        self.master = master
        try:
            if first and not self.shared:
                refuse_damaged(self.where.state / FILE_NAME)
            self._open(master, serve)
            if first:
                self.bodies.sweep(self._with_file, started)
                self.remove_dead_segments()
        except BaseException:
            self.instance.close()
            raise

    def close(self) -> None:
        """Commit what waits and let go of everything."""
        self.committer.close()
        if self.pulse is not None:
            self.pulse.close()
        if self._checkpoints is not None:
            self._checkpoints.close()
        self.readers.close()
        self.bodies.close()
        if self.segments is not None:
            self.segments.close()
        self._engine.dispose()
        if self._turn is not None:
            self._turn.close()
        self.instance.close()

    def adopt(self, master: MasterKey) -> None:
        """Wrap and seal with this key from now on, while running; what is under way ends with the one before."""
        self.master = master
        self.bodies.adopt(master)
        self.committer.adopt(event_seal(master))

    def known_keys(self) -> frozenset[str]:
        """Return the ids of the master keys that the store was written under, without those that were retired."""
        chosen = sa.select(master_keys.c.key_id)
        return self.readers.read(lambda q: frozenset(q.connection.execute(chosen).scalars()))

    def remove_dead_segments(self) -> int:
        """Delete segments that no row points to, where this process has the lock; return how many."""
        if self.segments is None or not self.instance.exclusive:
            return 0
        return remove_dead(self.segments, self.readers)

    @property
    def shared(self) -> bool:
        """Tell whether other gateways may work on the same database."""
        return bool(self.where.url)

    def _open(self, master: MasterKey, serve: bool) -> None:
        self._engine, reading = engines(self.where)
        try:
            self._prepare(master)
        except BaseException:
            self._engine.dispose()
            raise
        self.readers = Readers(reading, self.damage.told)
        self.segments = None if self.shared else Segments(self.where.state, self.instance.name)
        self.bodies = Bodies(self._vault(), master, self.segments)
        if self.shared and serve:
            self._begin_pulse()
        self._turn = Turn(self.where.state / TURN) if serve and not self.shared else None
        self.committer = Committer(
            self._engine, event_seal(master), self.chain, self._turn, self.damage.told, self.segments
        )
        if self._turn is not None and self.instance.exclusive:
            self._checkpoints = Checkpoints(self.where.state / FILE_NAME, Turn(self.where.state / TURN))

    def _prepare(self, master: MasterKey) -> None:
        """Bring the schema up to date, check the key and open our chain, one process at a time."""
        try:
            with self._engine.begin() as connection:
                upgrade(connection)
                _check_key(connection, master, shared=self.shared)
                open_chain(connection, self.chain, event_seal(master))
        except Exception as error:
            if not is_unavailable(error):
                raise
            what = f"{self.where.state / FILE_NAME}" if not self.shared else "the database"
            raise StoreUnavailable(f"{what} cannot be opened: {error}") from error
        if not self.shared:
            (self.where.state / FILE_NAME).chmod(0o600)

    def _vault(self) -> Vault:
        if not self.shared:
            return Files(self.where.state, self.instance.name)
        from gateway.store import postgres
        from gateway.store.chunks import Chunks

        return Chunks(postgres.chunk_engine(self.where))

    def _begin_pulse(self) -> None:
        from gateway.store.pulse import Pulse

        self.pulse = Pulse(self.where, self.instance.name)
        try:
            self.pulse.start()
        except Exception as error:
            if is_unavailable(error):
                raise StoreUnavailable(f"the database cannot be opened: {error}") from error
            raise

    def _with_file(self, queue_ids: Collection[str]) -> set[str]:
        return {queue_id for queue_id in queue_ids if self.readers.read(_has_file(queue_id))}


def fresh_database(path: Path) -> None:
    """Make an empty database with our schema, for a repair to fill."""
    engine = writer_engine(path)
    try:
        with engine.begin() as connection:
            upgrade(connection)
    finally:
        engine.dispose()


def engines(where: Where) -> tuple[sa.Engine, sa.Engine]:
    """Return the engines for the writing connection and for reads; PostgreSQL's driver is loaded only where it is used."""
    if not where.url:
        path = where.state / FILE_NAME
        return writer_engine(path), reader_engine(path)
    from gateway.store import postgres

    return postgres.writer_engine(where), postgres.reader_engine(where)


def _has_file(queue_id: str) -> Callable[[Queries], bool]:
    """Ask for a row that wants its file: a body told damaged does, because its file may have been put back."""
    kept = bodies.c.place.in_((FILE, CORRUPT))
    wanted = sa.select(bodies.c.queue_id).where(bodies.c.queue_id == queue_id, kept)
    return lambda queries: queries.connection.execute(wanted).first() is not None


def _check_key(connection: sa.Connection, master: MasterKey, *, shared: bool) -> None:
    """Refuse a master key that the store was not written under; note a new one.

    A new one is taken where a key that the store knows is given with it as a previous one: that proves who brings it. Where
    nodes share the store, the newest must be held: without it a node could open nothing of what the others take in.
    """
    ordered = sa.select(master_keys.c.key_id).order_by(master_keys.c.since)
    known = list(connection.execute(ordered).scalars())
    if known and not set(known).intersection(master.key_ids):
        raise WrongMasterKey(
            f"the store was written under master key {', '.join(sorted(known))}; the given one is {master.key_id}"
        )
    if shared and known and known[-1] not in master.key_ids:
        raise WrongMasterKey(
            f"the other nodes use master key {known[-1]}; the key file here has {', '.join(master.key_ids)}: copy theirs"
        )
    if master.key_id not in known:
        connection.execute(master_keys.insert().values(key_id=master.key_id, since=time.time_ns() // 1000))
