"""`sekisho log record|certificate|verify-certificate`: papers out of the event log, as text or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from gateway.audit.certificates import Certificate, TooMany, certify, destroyed, question, verify_certificate
from gateway.audit.key_turns import Wrong
from gateway.audit.log import EventLog
from gateway.audit.record import Record, month
from gateway.audit.record import record as read_record
from gateway.cli.log_proof import trusted_key
from gateway.cli.place import find_place, place_options
from gateway.cli.printable import printable
from gateway.cli.when import WHEN
from gateway.cli.with_spool import who, with_spool
from gateway.clock import utc_now
from gateway.config.load import load_settings
from gateway.spool.sql import SqlSpool
from gateway.spool.values import Actor
from gateway.store.errors import StoreUnavailable

TOKYO = ZoneInfo("Asia/Tokyo")  # where nobody says another zone


@click.command()
@place_options
@click.argument("group")
@click.argument("when", metavar="MONTH")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def record(state: Path | None, config: Path | None, group: str, when: str, as_json: bool) -> None:
    """Show what happened in one month (2026-11) to the mail of one group: the figures of the management record."""
    zone = ZoneInfo(load_settings(config).timezone) if config is not None else TOKYO
    try:
        since, until = month(when, zone)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="MONTH") from error
    try:
        with EventLog(find_place(state, config).store) as log:
            made = read_record(log, group, since, until, utc_now())
    except (StoreUnavailable, ValueError) as error:
        raise click.ClickException(str(error).splitlines()[0]) from error
    if as_json:
        click.echo(json.dumps(_record_json(made), ensure_ascii=False))
        return
    for line in _record_lines(made):
        click.echo(printable(line))


@click.command()
@place_options
@click.option("--since", type=WHEN, required=True, help="From this time on.")
@click.option("--until", type=WHEN, help="Before this time; default: now.")
@click.option("--group", help="Of mails whose sender was in this group of the policy only.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="A file; standard output without it."
)
def certificate(
    state: Path | None,
    config: Path | None,
    since: datetime,
    until: datetime | None,
    group: str | None,
    output: Path | None,
) -> None:
    """Make a signed certificate of what was destroyed in a time: bodies by their key, and records."""
    now = utc_now()
    asked = question(since, until or now, group)

    async def make(spool: SqlSpool) -> Certificate:
        rows = destroyed(EventLog.over(spool.database.readers), asked)
        job = certify(rows, asked, spool.database.master, Actor("admin", who()), now)
        return await spool.database.committer.run(job)

    try:
        made = with_spool(find_place(state, config), make)
        if output is not None:
            output.write_text(made.file + "\n", encoding="utf-8")
    except TooMany as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror}") from error
    click.echo(
        made.file if output is None else f"certificate {made.number}: {len(made.told['destroyed'])} deletions"
    )


@click.command(name="verify-certificate")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--key",
    "public",
    required=True,
    help="The public key that signed it: ed25519:..., or a file that holds it.",
)
def verify_certificate_command(file: Path, public: str) -> None:
    """Verify a certificate of deletion, without a gateway. Exit code 1 where it was altered, or another key signed it."""
    try:
        told = verify_certificate(file.read_text(encoding="utf-8"), trusted_key(public))
    except (Wrong, UnicodeDecodeError) as error:
        click.echo(printable(f"NOT PROVED: {error}"))
        sys.exit(1)
    click.echo(
        printable(
            f"certificate {told['number']} of {told['at']}, by {told['by']}: "
            f"{told['bodies']} bodies and {told['records']} records destroyed from {told['since']} to {told['until']}"
        )
    )


def _record_json(made: Record) -> dict[str, object]:
    times = {name: getattr(made, name).isoformat() for name in ("since", "until", "made_at")}
    return {"group": made.group, **times, "over": made.over, **asdict(made.figures)} | {
        "incidents": [{"at": each.at.isoformat(), "queue_id": each.queue_id} for each in made.incidents]
    }


def _record_lines(made: Record) -> Iterator[str]:
    yield f"{made.group}  {made.since.date()} - {made.until.date()}{'' if made.over else '  (not over)'}"
    for name, value in asdict(made.figures).items():
        if isinstance(value, dict):
            yield from (f"{name}  {who}  {times}" for who, times in sorted(value.items()))
        else:
            yield f"{name}  {value}"
    for each in made.incidents:
        yield f"incident  {each.at.isoformat()}  {each.queue_id}"
