"""`sekisho restored`: a PostgreSQL was put back by its own tools. What was open in it is held until an admin decides.

The same reasons and the same end as `sekisho restore`: mail that left after the dump was made would leave twice. It refuses
while any gateway works on the database, because what it has not held yet would leave.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click
import sqlalchemy as sa

from gateway.cli.place import Place, find_place
from gateway.cli.printable import printable
from gateway.cli.restore import EXPECTED, Counts, checked_chain, reopened, tell
from gateway.cli.settings_file import settings_file
from gateway.spool.times import from_us
from gateway.store.database import engines
from gateway.store.errors import StateInUse
from gateway.store.readers import Readers
from gateway.store.schema import events

SQLITE = "the store is SQLite: sekisho restore puts a backup back and holds what is open in it"


@click.command()
@settings_file
@click.option("--quick", is_flag=True, help="Do not open every body.")
@click.option(
    "--made-at", help="When the dump was made, for the texts; without it the time of the newest event."
)
def restored(config: Path, quick: bool, made_at: str | None) -> None:
    """Hold everything that is open in a PostgreSQL that was just restored, before any gateway starts on it."""
    place = find_place(None, config)
    if not place.store.url:
        raise click.ClickException(SQLITE)
    try:
        counts = _hold(place, quick, made_at)
    except (*EXPECTED, OSError) as error:
        raise click.ClickException(printable(f"not held: {error}")) from error
    sys.exit(tell(counts, "the database", quick=quick, resume=False))


def _hold(place: Place, quick: bool, made_at: str | None) -> Counts:
    from gateway.store.silence import wait_for_silence

    wait_for_silence(place.store, _told)
    master = place.master()
    made_at = made_at or _newest_event(place)
    checked = checked_chain(place.store, master)
    held, opened, unreadable = asyncio.run(reopened(place.store, master, made_at, quick=quick, resume=False))
    try:  # who came meanwhile may have let something go before it was held
        wait_for_silence(place.store, _told)
    except StateInUse as error:
        raise click.ClickException(
            printable(f"{held} recipients are held, but {error}, and run this again")
        ) from error
    return Counts(held, checked, opened, unreadable)


def _told(words: str) -> None:
    click.echo(printable(words), err=True)


def _newest_event(place: Place) -> str:
    readers = Readers(engines(place.store)[1])
    try:
        at = readers.read(
            lambda queries: queries.connection.execute(sa.select(sa.func.max(events.c.at))).scalar()
        )
    finally:
        readers.close()
    return from_us(at).isoformat(timespec="seconds") if at is not None else "an empty database"
