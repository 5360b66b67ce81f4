"""`sekisho log key|checkpoint|verify-export`: what makes the log provable to people without access to the gateway."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from gateway.audit.checkpoints import ChainAltered, Checkpoint, make, newest
from gateway.audit.offline import Report, verify_export
from gateway.audit.proof import NothingToProve, Part, part, write_proof
from gateway.audit.signed import NoPublicKey, Signer, read_public
from gateway.audit.signing_keys import PublicKey, public_keys, succeed
from gateway.cli.place import Place, find_place, place_options
from gateway.cli.printable import printable
from gateway.cli.with_spool import who, with_spool
from gateway.clock import utc_now
from gateway.spool.sql import SqlSpool
from gateway.spool.values import Actor


@click.command()
@place_options
@click.option("--rotate", is_flag=True, help="Make a new key; the old one signs it and is destroyed.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def key(state: Path | None, config: Path | None, rotate: bool, as_json: bool) -> None:
    """Show the public keys that verify checkpoints, exports and certificates; the last one signs now."""
    place = find_place(state, config)

    async def change(spool: SqlSpool) -> Signer:
        job = succeed(spool.database.master, Actor("admin", who()), utc_now())
        return await spool.database.committer.run(job)

    async def read(spool: SqlSpool) -> list[PublicKey]:
        return await spool.database.readers.run(public_keys)

    if rotate:
        with_spool(place, change)
    keys = with_spool(place, read)
    if not keys:
        raise click.ClickException(
            "there is no signing key yet: the first checkpoint makes it (sekisho log checkpoint)"
        )
    for each in keys:
        told = {"number": each.number, "since": each.since.isoformat(), "public": each.text}
        click.echo(json.dumps(told) if as_json else f"{each.number}  {told['since']}  {each.text}")


@click.command()
@place_options
def checkpoint(state: Path | None, config: Path | None) -> None:
    """Sign now where all chains of events end, and print the statement, to be kept elsewhere."""
    place = find_place(state, config)

    async def sign(spool: SqlSpool) -> Checkpoint:
        job = make(spool.database.master, utc_now(), Actor("admin", who()))
        return await spool.database.committer.run(job)

    try:
        made = with_spool(place, sign)
    except ChainAltered as error:
        raise click.ClickException(printable(f"nothing was signed: {error}")) from error
    click.echo(json.dumps({"statement": made.statement, "signature": made.signature.hex()}))


@click.command(name="verify-export")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--key",
    "public",
    required=True,
    help="The public key that you trust: ed25519:..., or a file that holds it.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify_export_command(file: Path, public: str, as_json: bool) -> None:
    """Verify an export with proof, without a gateway: no settings, no database. Exit code 1 where something is wrong."""
    found = verify_export(file, trusted_key(public))
    if as_json:
        click.echo(json.dumps(asdict(found) | {"good": found.good}))
    else:
        for line in _told(found):
            click.echo(printable(line))
    sys.exit(0 if found.good else 1)


def trusted_key(text: str) -> bytes:
    """Read a public key, or the file that holds it; ends the command with code 2 where it is none."""
    path = Path(text)
    try:
        return read_public(path.read_text(encoding="ascii") if path.is_file() else text)
    except (NoPublicKey, OSError, UnicodeDecodeError) as error:
        raise click.BadParameter(str(error), param_hint="--key") from error


def write_export(
    place: Place, since: datetime | None, until: datetime | None, target: Path
) -> tuple[Part, int]:
    """Write an export with proof; ends the command with one line where that fails."""

    async def write(spool: SqlSpool) -> tuple[Part, int]:
        readers, now = spool.database.readers, utc_now()
        last = await readers.run(newest)
        if last is None or until is None or last.at < until <= now:  # the end is there to be signed
            job = make(spool.database.master, now, Actor("admin", who()))
            await spool.database.committer.run(job)
        chosen = part(readers, since, until)
        return chosen, write_proof(readers, chosen, target)

    try:
        return with_spool(place, write)
    except (NothingToProve, ChainAltered) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{target} cannot be written: {error.strerror}") from error


def _told(found: Report) -> list[str]:
    if not found.good:
        return [f"NOT PROVED: {found.problem}"]
    begin = f"from {found.since}" if found.since else "from the first event"
    return [
        f"{found.events} events {begin} to {found.until}: complete and unaltered",
        f"{found.checkpoints} checkpoints, signed by {found.keys[-1]}",
    ]
