"""`sekisho backup`: a consistent copy of the state directory, made beside the running gateway.

Exit code 1 where the backup was not made, or lacks a body.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gateway.cli.place import find_place, place_options
from gateway.clock import utc_now
from gateway.config.load import load_settings
from gateway.store.backup import KEY_NAME, PURGED_SINCE, back_up
from gateway.store.manifest import BackupError, Manifest

WITHOUT_KEY = (
    "NOTE: the master key is NOT in this backup. Without key {keys} no mail in it can be opened:\n"
    "      keep a copy of the key elsewhere, apart from the backups."
)
WITH_KEY = (
    "NOTE: the master key IS in this backup ({name}): whoever has the backup can read every mail in it."
)
POSTGRESQL = (
    "the store is PostgreSQL: back it up with its own tools (pg_dump, or base backups with PITR), and run "
    "sekisho restored when one was put back; docs/operations.md, Backup and restore, says what to mind"
)


@click.command()
@place_options
@click.option(
    "--with-key", is_flag=True, help="Copy the master key file too: the backup is then as secret as it."
)
@click.argument("folder", type=click.Path(path_type=Path))
def backup(state: Path | None, config: Path | None, with_key: bool, folder: Path) -> None:
    """Copy the state directory into the new FOLDER while the gateway runs; it has its name only when it is complete."""
    refuse_postgresql(config)
    place = find_place(state, config)
    if with_key and not place.key_file.is_file():
        raise click.ClickException(f"--with-key: there is no file {place.key_file}")
    try:
        made = back_up(place.state, folder.absolute(), utc_now(), place.key_file if with_key else None)
    except BackupError as error:
        raise click.ClickException(str(error)) from error
    sys.exit(_tell(made, folder))


def refuse_postgresql(config: Path | None) -> None:
    """End the command where the settings name a PostgreSQL store."""
    if config is not None and load_settings(config).store.url:
        raise click.ClickException(POSTGRESQL)


def _tell(made: Manifest, folder: Path) -> int:
    size = sum(file.size for file in made.files)
    click.echo(
        f"{folder}: {made.messages} messages, {made.open_recipients} recipients open, "
        f"{len(made.files)} files, {size} octets, schema {made.schema}"
    )
    words = WITH_KEY.format(name=KEY_NAME) if made.with_key else WITHOUT_KEY.format(keys=", ".join(made.keys))
    click.echo(words, err=True)
    lost = [(queue_id, why) for queue_id, why in made.missing if why != PURGED_SINCE]
    purged = len(made.missing) - len(lost)
    if purged:
        click.echo(f"{purged} bodies were purged while the backup was made", err=True)
    for queue_id, why in lost:
        click.echo(f"the body of {queue_id} is not in the backup: {why}", err=True)
    return 1 if lost else 0
