"""`sekisho held take-back`: stop what can be stopped of a mail that may have left, and say truthfully what cannot."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from gateway.cli.held_naming import indexes_of
from gateway.cli.place import find_place, place_options
from gateway.cli.printable import printable
from gateway.cli.with_spool import who, with_spool
from gateway.clock import utc_now
from gateway.log import escaped
from gateway.spool.share_contract import TakenBack
from gateway.spool.sql import SqlSpool
from gateway.spool.values import Actor, Stored


@click.command(name="take-back")
@place_options
@click.argument("queue_id")
@click.option(
    "--recipient",
    "recipients",
    multiple=True,
    metavar="ADDRESS",
    help="Only this recipient; may be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def take_back(
    state: Path | None, config: Path | None, queue_id: str, recipients: tuple[str, ...], as_json: bool
) -> None:
    """Cancel, close links, stop keys: whatever a mail still allows. Exit code 1 where somebody has it all the same."""

    async def act(spool: SqlSpool) -> tuple[Stored, TakenBack]:
        message = await spool.get(queue_id)
        chosen = indexes_of(message, recipients) if recipients else None
        actor = Actor("admin", who())
        return message, await spool.shares.take_back(queue_id, chosen, actor, utc_now())

    message, taken = with_spool(find_place(state, config), act)
    names = {recipient.index: str(recipient.address) for recipient in message.recipients}
    if as_json:
        click.echo(escaped(json.dumps(_json(queue_id, taken, names), ensure_ascii=False)))
    else:
        for line in _lines(taken, names):
            click.echo(printable(line))
    sys.exit(1 if taken.opened or taken.gone else 0)


def _lines(taken: TakenBack, names: dict[int, str]) -> Iterator[str]:
    said = {
        "it never leaves": taken.stopped,
        "it left with a link that nobody opened, and nobody can open it now": taken.locked,
        "it left, but its key was never sent and never will be": taken.unkeyed,
        "too late: it left, and nothing keeps it from being read": taken.gone,
    }
    for sentence, indexes in said.items():
        for index in indexes:
            yield f"{names[index]}: {sentence}"
    for index, at in taken.opened:
        moment = at.astimezone().isoformat(timespec="seconds")
        yield f"{names[index]}: too late: its link was first opened at {moment}; nothing more can be fetched"


def _json(queue_id: str, taken: TakenBack, names: dict[int, str]) -> dict[str, object]:
    def named(indexes: tuple[int, ...]) -> list[str]:
        return [names[index] for index in indexes]

    return {
        "queue_id": queue_id,
        "at": taken.at.isoformat(),
        "stopped": named(taken.stopped),
        "locked": named(taken.locked),
        "opened": [{"address": names[index], "at": at.isoformat()} for index, at in taken.opened],
        "unkeyed": named(taken.unkeyed),
        "gone": named(taken.gone),
    }
