"""`sekisho keys`: a new master key while the gateway runs, and the end of the old one when nothing needs it any more.

Each step can be cut off and run again: the key file is replaced as a whole before anything uses the new key, and it keeps the
old one until `retire`. No key is ever printed.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import click

from gateway.cli.place import Place, find_place, place_options
from gateway.cli.with_spool import who, with_spool
from gateway.clock import utc_now
from gateway.config.load import load_settings
from gateway.config.settings import Web
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.rekeying import Pass, forget, reseal_all, rewrap_all, since, uses
from gateway.spool.sql import SqlSpool
from gateway.spool.times import from_us
from gateway.spool.values import Actor
from gateway.store.keys import ENVIRONMENT, MasterKey
from gateway.store.living import names_of_living

# A running gateway looks at the key file every 5 s: before that it could not open what is wrapped anew.
SETTLE_S = 7.0
MAX_PASSES = 10  # the second finds what was on its way to the disk during the first

ANNOUNCED = (
    "key {key} was made and stands behind the one in use in {file}; nothing uses it yet.\n"
    "Copy that file to every other node (running: {nodes}), wait 10 s, then run: sekisho keys rotate --to {key}"
)
LED = (
    "copy {file} to every other node again (running: {nodes}): until then they wrap new mail under the old key; "
    "after that run the same command once more"
)

KEEP = (
    "backups made so far need key {old}: keep a copy of the old key as long as you keep them, and put a copy of the new key "
    "where you keep copies of the key"
)


@click.group(name="keys")
def keys() -> None:
    """List, rotate and retire master keys."""


@keys.command(name="list")
@place_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(state: Path | None, config: Path | None, as_json: bool) -> None:
    """List the ids of the master keys: in use since when, by how many messages, and whether they are held here."""
    place = find_place(state, config)
    master = place.master()
    used, began = with_spool(place, _usage, master)
    names = dict.fromkeys((*master.key_ids, *began, *used))
    rows = [
        {
            "key_id": key_id,
            "current": key_id == master.key_id,
            "held": key_id in master.key_ids,
            "since": from_us(began[key_id]).isoformat() if key_id in began else None,
            "messages": used.get(key_id, 0),
        }
        for key_id in names
    ]
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        what = "current" if row["current"] else "previous" if row["held"] else "NOT HELD HERE"
        click.echo(f"{row['key_id']}  {what}  since {row['since'] or '-'}  {row['messages']} messages")


@keys.command()
@place_options
@click.option(
    "--to", "key_id", help="Where gateways share a store: the key that every node's file holds by now."
)
def rotate(state: Path | None, config: Path | None, key_id: str | None) -> None:
    """Make a new master key and wrap every message's key under it, while the gateway runs; goes on where it was cut off.

    Gateways that share a store: the first run puts the new key behind the old one in the file, for you to copy to all; the
    second, with --to, uses it.
    """
    place = find_place(state, config)
    master = place.master()
    if key_id is not None:
        master, made = _led(place, master, key_id), True
    else:
        master, made = _next_key(place, master)
    old = ", ".join(master.key_ids[1:])
    done = with_spool(place, lambda spool: _rotated(spool, master, made), master)
    click.echo(f"key {master.key_id} is in use; {done.changed} message keys wrapped anew; previous: {old}")
    click.echo(KEEP.format(old=old), err=True)
    for queue_id in done.stranded:
        click.echo(
            f"the key of message {queue_id} cannot be wrapped anew: its master key is not here", err=True
        )
    sys.exit(1 if done.stranded else 0)


def _next_key(place: Place, master: MasterKey) -> tuple[MasterKey, bool]:
    """Return the key to go to, and whether it was made now: none is where an earlier rotation has not come to its end."""
    used, began = with_spool(place, _usage, master)
    unfinished = any(key_id in used for key_id in master.key_ids[1:])
    if ENVIRONMENT in os.environ:
        if not master.previous:
            raise click.ClickException(
                f"the key comes from {ENVIRONMENT}: put a new one there, the old one into {ENVIRONMENT}_PREVIOUS, "
                "restart, and run this again with the same environment"
            )
        return master, False
    if unfinished:
        click.echo(f"going on with the rotation to {master.key_id}", err=True)
        return master, False
    unused = [key_id for key_id in master.key_ids if key_id not in began]
    if unused and place.store.url:
        raise click.ClickException(
            f"key {unused[0]} is in {place.key_file} already and nothing uses it: copy the file to every node and run "
            f"sekisho keys rotate --to {unused[0]}, or take it out by sekisho keys retire"
        )
    if place.store.url:
        _announce(place, master)
    made = master.successor()
    made.replace(place.key_file)
    return made, True


def _announce(place: Place, master: MasterKey) -> NoReturn:
    """Put a new key behind the present one in this node's file and end: no node may wrap with it before all can open it."""
    announced = master.announcing()
    announced.replace(place.key_file)
    key_id = announced.key_ids[-1]
    click.echo(ANNOUNCED.format(file=place.key_file, key=key_id, nodes=_nodes(place, master)))
    sys.exit(0)


def _led(place: Place, master: MasterKey, key_id: str) -> MasterKey:
    """Return the keys with this one in front, and put them so into the key file."""
    try:
        found = master.led_by(key_id)
    except KeyError:
        raise click.ClickException(f"{place.key_file} does not hold key {key_id}") from None
    if ENVIRONMENT in os.environ:
        raise click.ClickException(f"the key comes from {ENVIRONMENT}: exchange the keys there")
    found.replace(place.key_file)
    if place.store.url:
        click.echo(LED.format(file=place.key_file, nodes=_nodes(place, master)), err=True)
    return found


def _nodes(place: Place, master: MasterKey) -> str:
    """Return the names of the nodes that live on the same store."""
    found = with_spool(place, living_nodes, master)
    return ", ".join(found) or "none runs"


async def living_nodes(spool: SqlSpool) -> list[str]:
    return await spool.database.readers.run(names_of_living)


async def _usage(spool: SqlSpool) -> tuple[dict[str, int], dict[str, int]]:
    return await uses(spool), await since(spool)


async def _rotated(spool: SqlSpool, master: MasterKey, made: bool) -> Pass:
    changed, stranded = 0, tuple[str, ...]()
    await asyncio.sleep(SETTLE_S)
    for _ in range(MAX_PASSES):
        done = await rewrap_all(spool, master)
        changed, stranded = changed + done.changed, done.stranded
        if not done.changed:
            break
    said = {"key": master.key_id, "previous": master.key_ids[1:], "wrapped": changed, "made": made}
    await spool.note(Kind.KEY, Reason.BY_ADMIN, Actor("admin", who()), said, utc_now())
    return Pass(changed, stranded)


@keys.command()
@place_options
@click.option(
    "--now",
    "at_once",
    is_flag=True,
    help="Also while links signed under it are valid: they stop working.",
)
def retire(state: Path | None, config: Path | None, at_once: bool) -> None:
    """Remove the previous keys when no message needs them and no link signed under them is valid any more."""
    place = find_place(state, config)
    master = place.master()
    valid = load_settings(config).web.link_valid if config is not None else Web().link_valid
    if not master.previous:
        raise click.ClickException("there is no previous key")
    gone = master.key_ids[1:]
    wait = timedelta(0) if at_once else valid
    with_spool(place, lambda spool: _retired(spool, master, wait), master)

    if ENVIRONMENT in os.environ:
        click.echo(f"remove {ENVIRONMENT}_PREVIOUS and restart: nothing needs it", err=True)
    else:
        master.alone().replace(place.key_file)
    if place.store.url:
        click.echo(f"copy {place.key_file} to every other node", err=True)
    click.echo(f"retired: {', '.join(gone)}; key {master.key_id} stays")


async def _retired(spool: SqlSpool, master: MasterKey, valid: timedelta) -> None:
    used, began = await _usage(spool)
    needed = {key_id: used[key_id] for key_id in master.key_ids[1:] if key_id in used}
    if needed:
        said = ", ".join(f"{count} messages need {key_id}" for key_id, count in needed.items())
        raise click.ClickException(f"not retired: {said}; run sekisho keys rotate first")
    free_at = from_us(began[master.key_id]) + valid
    if utc_now() < free_at:
        raise click.ClickException(
            f"not retired: links in notices signed under the old key are valid until {free_at.isoformat(timespec='seconds')}"
        )
    await reseal_all(spool, master)
    for key_id in master.key_ids[1:]:
        await forget(spool, key_id)
    told = {"key": master.key_id, "retired": master.key_ids[1:]}
    await spool.note(Kind.KEY, Reason.BY_ADMIN, Actor("admin", who()), told, utc_now())
