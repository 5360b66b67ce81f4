"""`sekisho doctor --repair`: what can be read of a damaged SQLite database becomes a sound one; what is lost is named.

Works on a copy while nobody serves. The damaged files are kept. Whatever was open is held afterwards until an admin decides,
because a cancel or a delivery may be among what is lost. A sound database is left alone; where nothing can be read,
nothing is changed.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import click

from gateway.cli.backup import refuse_postgresql
from gateway.cli.place import where
from gateway.cli.with_spool import who
from gateway.clock import utc_now
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.mending import Losses, mend
from gateway.spool.reopening import hold_all
from gateway.spool.sql import open_spool
from gateway.spool.times import to_us
from gateway.spool.values import Actor
from gateway.store import mended
from gateway.store.damage import whole
from gateway.store.database import FILE_NAME, event_seal, fresh_database
from gateway.store.errors import StateInUse, StoreMisconfigured, StoreUnavailable, WrongMasterKey
from gateway.store.events import Event
from gateway.store.instance import Instance
from gateway.store.keys import MasterKey, MasterKeyError
from gateway.store.salvage import salvage
from gateway.store.tx import Tx

EXPECTED = (
    MasterKeyError,
    StateInUse,
    StoreMisconfigured,
    StoreUnavailable,
    WrongMasterKey,
    OSError,
    sqlite3.Error,
)
NOT_REPAIRED = "not repaired, nothing was changed: {error}"
HOPELESS = "nothing can be read in {path} ({said}): restore a backup (sekisho restore)"
WORDS = "held by a repair of the database: may have left, or been cancelled; release or cancel it"
UNTOUCHED = ("alembic_version", "compatibility")


@dataclass
class Repair:
    """What a repair found and did."""

    said: str
    rows: dict[str, int] = field(default_factory=dict)
    losses: Losses = field(default_factory=Losses)
    held: int = 0
    stray: list[str] = field(default_factory=list)
    segments: list[str] = field(default_factory=list)
    kept: Path = Path()


def repair(config: Path) -> None:
    """Repair the database that the settings name; ends the command, with 1 where something was lost or could not be done."""
    refuse_postgresql(config)
    state, key_path = where(None, config)
    try:
        lock = Instance(state, exclusive=True)
        try:
            made = _repair(state, MasterKey.load(key_path))
        finally:
            lock.close()
    except EXPECTED as error:
        raise click.ClickException(NOT_REPAIRED.format(error=error)) from error
    sys.exit(_tell(made, state))


def _repair(state: Path, master: MasterKey) -> Repair | None:
    """Return what was done; None where the database is sound."""
    now, path = utc_now(), state / FILE_NAME
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    if mended.cut_off(state):
        return Repair("a repair that was cut off", kept=mended.put_in_place(state, stamp))
    if not path.exists():
        raise OSError(f"there is no {path}")
    work = mended.begin(state)
    said = whole(work / mended.DAMAGED / FILE_NAME)  # a check of the file itself would already write to it
    if said is None:
        shutil.rmtree(work)
        return None
    made = Repair(said)
    _salvaged(made, work, path, master, now)
    made.held = asyncio.run(_held(state / mended.WORK, master, made, now))
    made.stray = mended.bodies_without_record(state, _known(state / mended.WORK / FILE_NAME))
    made.segments = mended.octets_without_record(state, stamp)
    made.kept = mended.end(state, stamp)
    return made


def _salvaged(made: Repair, work: Path, path: Path, master: MasterKey, now: datetime) -> None:
    fresh = work / FILE_NAME
    fresh_database(fresh)
    try:
        made.rows = salvage(work / mended.DAMAGED / FILE_NAME, fresh)
    except sqlite3.DatabaseError as error:
        raise StoreUnavailable(HOPELESS.format(path=path, said=error)) from error
    if not any(count for table, count in made.rows.items() if table not in UNTOUCHED):
        raise StoreUnavailable(HOPELESS.format(path=path, said=made.said))
    with closing(sqlite3.connect(fresh)) as connection:
        made.losses = mend(connection, event_seal(master), master.key_id, to_us(now))


async def _held(work: Path, master: MasterKey, made: Repair, now: datetime) -> int:
    """Hold what is open and write down what happened; the new database is whole afterwards."""
    actor = Actor("admin", who())
    spool = await asyncio.to_thread(open_spool, work, master, serve=True)
    try:
        lost = {
            "damage": made.said,
            "rows": made.rows,
            "lost_events": made.losses.events,
            "mails": len(made.losses.mails),
        }
        await spool.note(Kind.REPAIRED, Reason.SYSTEM, actor, lost, now)
        for queue_id, what in made.losses.mails.items():
            await spool.database.committer.run(_telling(queue_id, "; ".join(what), actor, now))
        await spool.recover(now)
        return await hold_all(spool, "", actor, now, WORDS)
    finally:
        await spool.close()
        damage = whole(work / FILE_NAME)
        if damage is not None:
            raise StoreUnavailable(f"the new database is not whole: {damage}")


def _telling(queue_id: str, what: str, actor: Actor, now: datetime) -> Callable[[Tx], None]:
    who_ = actor.kind, actor.name
    event = Event(to_us(now), queue_id, Kind.REPAIRED, Reason.UNREADABLE, *who_, detail={"lost": what})
    return lambda tx: tx.event(event)


def _known(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {str(row[0]) for row in connection.execute("SELECT queue_id FROM bodies")}


def _tell(made: Repair | None, state: Path) -> int:
    if made is None:
        click.echo(f"{state / FILE_NAME} is sound: nothing to repair")
        return 0
    click.echo(f"repaired ({made.said}); the damaged files are kept in {made.kept}")
    for table, count in sorted(made.rows.items()):
        if table not in UNTOUCHED:
            click.echo(f"  {table}: {count} rows")
    if made.losses.events:
        click.echo(f"lost events: {made.losses.events}; sekisho log verify will say so from now on")
    for queue_id, what in sorted(made.losses.mails.items()):
        click.echo(f"lost of {queue_id}: {'; '.join(what)}")
    for name in made.stray:
        click.echo(f"lost of {name}: its record and key; its body file is kept in {state / 'corrupt'}")
    if made.segments:
        click.echo(
            f"{len(made.segments)} segments hold octets without a record, of deleted bodies or of lost ones; they are kept in "
            f"{state / 'corrupt'}: delete them there when nobody needs them"
        )
    click.echo(
        f"{made.held} recipients were open; all are HELD and nothing of them leaves by itself.\n"
        "sekisho held list shows them; release or cancel each one."
    )
    lost = made.losses.mails or made.losses.events or made.stray or "acknowledged commits" in made.said
    return 1 if lost else 0
