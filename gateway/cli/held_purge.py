"""`sekisho held purge`: destroy the body of a finished mail before its time, because somebody asked for it."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.cli.place import find_place, place_options
from gateway.cli.with_spool import who, with_spool
from gateway.clock import utc_now
from gateway.spool.destroying import MAX_REASON, Destroyed
from gateway.spool.sql import SqlSpool
from gateway.spool.values import Actor

_SAID = {
    Destroyed.DONE: "its body is destroyed; the record and the events stay",
    Destroyed.ALREADY: "there is no body any more",
    Destroyed.NOT_FINISHED: "it is not finished: somebody is still to get it, or to be told of it; cancel first, or wait",
    Destroyed.SHARED: "files of it can still be fetched: take it back first",
    Destroyed.INCIDENT: "an incident about it is open: close that first",
    Destroyed.UNKNOWN: "there is no such mail",
}


@click.command()
@place_options
@click.argument("queue_id")
@click.option("--because", required=True, help="Who asked for it and why; it stands in the event log.")
def purge(state: Path | None, config: Path | None, queue_id: str, because: str) -> None:
    """Destroy the key and the octets of a finished mail's body now, for good. Exit code 1 where it was not done."""
    if not because.strip() or len(because) > MAX_REASON:
        raise click.BadParameter(f"1 to {MAX_REASON} characters", param_hint="--because")

    async def destroy(spool: SqlSpool) -> Destroyed:
        return await spool.ageing.destroy_body(queue_id, because, Actor("admin", who()), utc_now())

    done = with_spool(find_place(state, config), destroy)
    if done is not Destroyed.DONE:
        raise click.ClickException(f"nothing was destroyed: {_SAID[done]}")
    click.echo(_SAID[done])
