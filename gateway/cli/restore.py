"""`sekisho restore`: a backup becomes a state directory again. What was open in it is held until an admin decides.

Mail that was released after the backup was made has left, and the backup does not know: sent again by itself, it would arrive
twice. So every open recipient is held far away and marked; `--resume` leaves all as it was, for a service that was stopped
before the backup was made.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

import click

from gateway.audit.log import EventLog
from gateway.audit.verify import verify
from gateway.cli.backup import refuse_postgresql
from gateway.cli.place import place_options, where
from gateway.cli.with_spool import who
from gateway.clock import utc_now
from gateway.durable import sync_directory
from gateway.spool.contract import BodyUnreadable
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.reopening import bodies_to_check, hold_all
from gateway.spool.sql import SqlSpool, open_spool
from gateway.spool.values import Actor
from gateway.store.backup import KEY_NAME
from gateway.store.database import event_seal
from gateway.store.errors import StateInUse, StoreMisconfigured, StoreUnavailable, WrongMasterKey
from gateway.store.instance import Instance
from gateway.store.keys import MasterKey, MasterKeyError
from gateway.store.manifest import BackupError, Manifest, read_manifest
from gateway.store.restore import put_in_place, refuse_unless_empty, stage
from gateway.store.where import Where
from gateway.values import dataclass

EXPECTED = (BackupError, MasterKeyError, StateInUse, StoreMisconfigured, StoreUnavailable, WrongMasterKey)


@dataclass(frozen=True, slots=True)
class Counts:
    """What a restore found and did."""

    held: int
    events: int
    opened: int
    unreadable: tuple[str, ...]


@click.command()
@place_options
@click.option(
    "--quick", is_flag=True, help="Do not open every body; files are compared with the manifest all the same."
)
@click.option(
    "--resume", is_flag=True, help="Let open mail go on as it was: only where nothing left since the backup."
)
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
def restore(state: Path | None, config: Path | None, quick: bool, resume: bool, folder: Path) -> None:
    """Put the backup FOLDER into an empty state directory; open mail is held until `sekisho held release` or `cancel`."""
    refuse_postgresql(config)
    target, key_path = where(state, config)
    try:
        counts = _restore(folder, target, key_path, quick=quick, resume=resume)
    except EXPECTED as error:
        raise click.ClickException(f"not restored: {error}") from error
    except OSError as error:
        raise click.ClickException(f"not restored: {error}") from error
    sys.exit(tell(counts, str(target), quick=quick, resume=resume))


def _restore(backup: Path, state: Path, key_path: Path, *, quick: bool, resume: bool) -> Counts:
    manifest = read_manifest(backup)
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = Instance(state, exclusive=True)
    try:
        refuse_unless_empty(state, [key_path])
        master = _master(backup, manifest, key_path)
        staged = stage(backup, manifest, state)
        events = checked_chain(staged, master)
        held, opened, unreadable = asyncio.run(
            reopened(staged, master, manifest.made_at, quick=quick, resume=resume)
        )
        put_in_place(staged, state)
    finally:
        lock.close()
    return Counts(held, events, opened, unreadable)


def _master(backup: Path, manifest: Manifest, key_path: Path) -> MasterKey:
    """Load the key that stands here, else the one in the backup; raises WrongMasterKey before anything is copied."""
    if manifest.with_key and not key_path.exists():
        shutil.copyfile(backup / KEY_NAME, key_path)
        key_path.chmod(0o600)
        sync_directory(key_path.parent)
    master = MasterKey.load(key_path)
    if not set(master.key_ids) & set(manifest.keys):
        raise WrongMasterKey(
            f"the backup was written under master key {', '.join(manifest.keys)}; {key_path} is {master.key_id}"
        )
    return master


def checked_chain(store: Path | Where, master: MasterKey) -> int:
    """Return how many events were checked; raises BackupError where a chain is broken."""
    with EventLog(store) as events:
        verdict = verify(events, event_seal(master))
    if not verdict.intact:
        raise BackupError(f"the event chain in the backup is broken: {verdict.problem}")
    return verdict.checked


async def reopened(
    store: Path | Where, master: MasterKey, made_at: str, *, quick: bool, resume: bool
) -> tuple[int, int, tuple[str, ...]]:
    """Hold what is open, note the restore and open every body; return how many are held, and opened, and which are not."""
    spool = await asyncio.to_thread(open_spool, store, master, serve=True)
    try:
        await spool.recover(utc_now())
        actor = Actor("admin", who())
        held = 0 if resume else await hold_all(spool, made_at, actor, utc_now())
        said = {"backup": made_at, "held": held, "resume": resume}
        await spool.note(Kind.RESTORED, Reason.RESTORED, actor, said, utc_now())
        opened, unreadable = (0, ()) if quick else await _opened(spool)
    finally:
        await spool.close()
    return held, opened, unreadable


async def _opened(spool: SqlSpool) -> tuple[int, tuple[str, ...]]:
    """Open every body once; one that does not is marked as it would be in service, and told."""
    opened, bad, after = 0, [], ""
    while queue_ids := await bodies_to_check(spool, after):
        for queue_id in queue_ids:
            try:
                await spool.raw(queue_id)
                opened += 1
            except BodyUnreadable as error:
                bad.append(f"{queue_id}: {error}")
        after = queue_ids[-1]
    return opened, tuple(bad)


def tell(counts: Counts, what: str, *, quick: bool, resume: bool) -> int:
    """Print what was found and done in `what`; return the command's exit code."""
    bodies = "bodies not opened (--quick)" if quick else f"{counts.opened} bodies open"
    click.echo(f"{what}: {counts.events} events, an unbroken chain; {bodies}")
    if resume:
        click.echo("open mail goes on as it was when the service starts (--resume)")
    else:
        click.echo(
            f"{counts.held} recipients were open; all are HELD and nothing of them leaves by itself: some may have left after "
            "the backup was made.\nsekisho held list shows them; release or cancel each one."
        )
    for line in counts.unreadable:
        click.echo(f"cannot be opened: {line}", err=True)
    return 1 if counts.unreadable else 0
