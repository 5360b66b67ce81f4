"""`sekisho held freeze`, `thaw`, `extend` and `correct`: an administrator makes a mail wait, or names the right address.

Exit code 1 where some recipient was not reached by it: it had left, or nothing was to be done.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import click

from gateway.cli.held_naming import indexes_of
from gateway.cli.place import find_place, place_options
from gateway.cli.printable import printable
from gateway.cli.with_spool import who, with_spool
from gateway.clock import utc_now
from gateway.config.load import load_settings
from gateway.log import escaped
from gateway.spool.halt_contract import LONGEST
from gateway.spool.second_look import COMMENT
from gateway.spool.sql import SqlSpool
from gateway.spool.values import Actor, Change, Stored
from gateway.units import parse_duration

Act = Callable[[SqlSpool, Stored], Awaitable[Change]]

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.command()
@place_options
@click.argument("queue_id")
@click.option(
    "--because", default="", metavar="TEXT", help=f"Why; the sender sees it. At most {COMMENT} characters."
)
@_JSON
def freeze(state: Path | None, config: Path | None, queue_id: str, because: str, as_json: bool) -> None:
    """Stop the timer of a mail: nothing of it leaves until somebody thaws it; cancelled after retention.frozen."""
    lasts = load_settings(config).retention.frozen if config is not None else None

    async def act(spool: SqlSpool, message: Stored) -> Change:
        if lasts is not None:
            spool.halts.frozen_for = lasts
        return await spool.halts.freeze(message.queue_id, _actor(), because, utc_now())

    _done(state, config, queue_id, act, "frozen, it does not leave", as_json)


@click.command()
@place_options
@click.argument("queue_id")
@_JSON
def thaw(state: Path | None, config: Path | None, queue_id: str, as_json: bool) -> None:
    """Let the timer of a frozen mail run on; who has nothing left to wait for goes at once."""

    async def act(spool: SqlSpool, message: Stored) -> Change:
        return await spool.halts.thaw(message.queue_id, _actor(), utc_now())

    _done(state, config, queue_id, act, "thawed", as_json)


@click.command()
@place_options
@click.argument("queue_id")
@click.option("--by", "longer", required=True, metavar="TIME", help="How much longer from now: 30m, 2h, 3d.")
@_JSON
def extend(state: Path | None, config: Path | None, queue_id: str, longer: str, as_json: bool) -> None:
    """Let a held mail wait longer, never shorter, and 30 days after acceptance at most."""
    span = _span(longer)

    async def act(spool: SqlSpool, message: Stored) -> Change:
        now = utc_now()
        return await spool.halts.extend(message.queue_id, now + span, _actor(), now)

    _done(state, config, queue_id, act, "waits longer", as_json)


@click.command()
@place_options
@click.argument("queue_id")
@click.option("--recipient", required=True, metavar="ADDRESS", help="The recipient that is wrong.")
@click.option("--meant", required=True, metavar="ADDRESS", help="The address that was meant.")
@_JSON
def correct(
    state: Path | None, config: Path | None, queue_id: str, recipient: str, meant: str, as_json: bool
) -> None:
    """Cancel one recipient and tell the sender to whom to send again; the mail itself is never changed."""

    async def act(spool: SqlSpool, message: Stored) -> Change:
        (index,) = indexes_of(message, [recipient])
        try:
            return await spool.halts.correct(message.queue_id, index, meant, _actor(), utc_now())
        except ValueError as error:
            raise click.UsageError(printable(str(error))) from None

    _done(state, config, queue_id, act, "cancelled, the sender is told to whom to send again", as_json)


def _actor() -> Actor:
    return Actor("admin", who())


def _span(text: str) -> timedelta:
    try:
        span = parse_duration(text)
    except ValueError as error:
        raise click.UsageError(printable(str(error))) from None
    if not timedelta(0) < span <= LONGEST:
        raise click.UsageError(f"not between 1s and {LONGEST.days}d: {text}")
    return span


def _done(state: Path | None, config: Path | None, queue_id: str, act: Act, done: str, as_json: bool) -> None:
    async def work(spool: SqlSpool) -> tuple[Stored, Change]:
        message = await spool.get(queue_id)
        return message, await act(spool, message)

    message, change = with_spool(find_place(state, config), work)
    names = {row.index: str(row.address) for row in message.recipients}
    late = [(names[index], found.value) for index, found in change.not_done]
    if as_json:
        told = {
            "queue_id": queue_id,
            "done": [names[index] for index in change.done],
            "not_done": late,
            "perhaps": [names[index] for index in change.perhaps],
        }
        click.echo(escaped(json.dumps(told, ensure_ascii=False)))
    else:
        for index in change.done:
            click.echo(printable(f"{names[index]}: {done}"))
        for name, found in late:
            click.echo(printable(f"{name}: not done, it is {found}"))
    sys.exit(0 if change.done and not change.perhaps else 1)
