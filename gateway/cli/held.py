"""`sekisho held`: what is held, and the administrator's second thought. Exit code 1 where it was, or may be, too late."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from gateway.cli.held_absences import away, outlook_of
from gateway.cli.held_approvals import approve, needs_json, needs_of, reject
from gateway.cli.held_halts import correct, extend, freeze, thaw
from gateway.cli.held_keys import key_json, key_line, with_keys
from gateway.cli.held_list import Asked, found
from gateway.cli.held_naming import indexes_of
from gateway.cli.held_purge import purge
from gateway.cli.held_take_back import take_back
from gateway.cli.place import find_place, place_options
from gateway.cli.printable import printable
from gateway.cli.when import WHEN
from gateway.cli.with_spool import who, with_spool
from gateway.clock import utc_now
from gateway.log import escaped
from gateway.spool.halt_contract import Freeze
from gateway.spool.lifecycle import Reason, State
from gateway.spool.list_contract import Order, Waits
from gateway.spool.second_look import unmet
from gateway.spool.sql import SqlSpool
from gateway.spool.values import Actor, Change, Recipient, Stored

PERHAPS = "cancelled, but it may have arrived already (取り消しましたが、すでに届いている可能性があります)"
MAX_LIMIT = 10_000  # messages in one list


@click.group(name="held")
def held() -> None:
    """List, show, cancel, release, approve and reject held mail; take back what left."""


@held.command(name="list")
@place_options
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, MAX_LIMIT))
@click.option("--before", help="Go on behind this queue id.")
@click.option("--words", default="", help="Words in the subject and in addresses; each has to be there.")
@click.option("--sender", default="", help="Part of the sender's address.")
@click.option("--recipient", default="", help="Part of a recipient's address.")
@click.option("--group", default="", help="A group of the policy that the sender is in.")
@click.option("--rule", default="", help="A rule that asked for something.")
@click.option("--waits", type=click.Choice([kind.value for kind in Waits]), help="What it waits for.")
@click.option("--since", type=WHEN, help="Received at that time or later.")
@click.option("--until", type=WHEN, help="Received before.")
@click.option("--order", default="received", type=click.Choice([order.value for order in Order]))
@click.option("--ascending", is_flag=True, help="Oldest first, or A to Z.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(state: Path | None, config: Path | None, as_json: bool, **asked: Any) -> None:
    """List mails with held recipients, newest first."""
    mails = with_spool(find_place(state, config), lambda spool: found(spool, Asked(**asked)))
    if as_json:
        click.echo(escaped(json.dumps([_json(message) for message in mails], ensure_ascii=False)))
        return
    for message in mails:
        click.echo(_summary(message))


@held.command()
@place_options
@click.argument("queue_id")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(state: Path | None, config: Path | None, queue_id: str, as_json: bool) -> None:
    """Show one mail and each of its recipients, and how far the keys of its attachments are."""
    message, keys = with_spool(find_place(state, config), lambda spool: with_keys(spool, queue_id))
    if as_json:
        told = {str(index): key_json(status) for index, status in keys.items()}
        click.echo(escaped(json.dumps(_json(message) | {"keys": told}, ensure_ascii=False)))
        return
    click.echo(_summary(message))
    for line in (*needs_of(message), *outlook_of(message)):
        click.echo(line)
    for recipient in message.recipients:
        click.echo(_recipient_line(recipient))
        if (status := keys.get(recipient.index)) is not None:
            click.echo(key_line(status))


def _verb(name: str, summary: str, done: str) -> click.Command:
    """Make the command of one verb: cancel and release differ in nothing but the verb."""

    def act(
        state: Path | None, config: Path | None, queue_id: str, recipients: tuple[str, ...], as_json: bool
    ) -> None:
        place = find_place(state, config)
        message, change = with_spool(place, lambda spool: _act(spool, name, queue_id, recipients))
        _tell(message, change, done, as_json, all_asked=not recipients)
        sys.exit(0 if change.done and not change.not_done and not change.perhaps else 1)

    act = click.option("--json", "as_json", is_flag=True, help="Print JSON.")(act)
    act = click.option(
        "--recipient",
        "recipients",
        multiple=True,
        metavar="ADDRESS",
        help="Only this recipient; may be repeated.",
    )(act)
    act = place_options(click.argument("queue_id")(act))
    return click.command(name=name, help=summary)(act)


held.add_command(
    _verb("cancel", "Stop a mail, or some of its recipients, for good.", "cancelled, it does not leave")
)
held.add_command(
    _verb(
        "release",
        "Let a held mail, or some of its recipients, go now. Approvals, confirmations and missing keys cannot be waived.",
        "released",
    )
)
held.add_command(purge)
held.add_command(approve)
held.add_command(reject)
held.add_command(take_back)
held.add_command(away)
for _halt in (freeze, thaw, extend, correct):
    held.add_command(_halt)


async def _act(spool: SqlSpool, verb: str, queue_id: str, addresses: Sequence[str]) -> tuple[Stored, Change]:
    message = await spool.get(queue_id)
    chosen = indexes_of(message, addresses) if addresses else None
    do = spool.cancel if verb == "cancel" else spool.release
    change = await do(queue_id, chosen, Actor("admin", who()), Reason.BY_ADMIN, utc_now())
    return message, change


def _tell(message: Stored, change: Change, done: str, as_json: bool, *, all_asked: bool) -> None:
    names = {recipient.index: str(recipient.address) for recipient in message.recipients}
    late = [(names[index], state.value) for index, state in change.not_done]
    if as_json:
        answer = {
            "queue_id": message.queue_id,
            "done": [names[index] for index in change.done],
            "not_done": late,
            "perhaps": [names[index] for index in change.perhaps],
        }
        click.echo(escaped(json.dumps(answer, ensure_ascii=False)))
        return
    for index in change.done:
        told = PERHAPS if index in change.perhaps else done
        click.echo(printable(f"{names[index]}: {told}"))
    for index, state in change.not_done:
        at_once = all_asked and _left_at_once(message, index, state)
        told = "sent at once, as intended: no rule held it" if at_once else _not_done(message, index, state)
        click.echo(printable(f"{names[index]}: {told}"))


def _not_done(message: Stored, index: int, state: State) -> str:
    if state is State.HELD and unmet(message.looks, index):
        return "not done: it waits for people, or cannot be protected, which nobody can waive; see sekisho held show"
    return f"not done, it is {state.value}"


def _left_at_once(message: Stored, index: int, state: State) -> bool:
    return state is State.DELIVERED and not message.decision.of(index).waits


def _summary(message: Stored) -> str:
    waiting = [r for r in message.recipients if r.state == "held"]
    due = min((r.due_at for r in waiting if r.due_at), default=None)
    sender = str(message.envelope.sender) if message.envelope.sender else "<>"
    if message.unreadable:
        sender = "(its record cannot be read)"
    people = "held until people have done their part" if waiting else "nothing held"
    if message.frozen is not None:
        people = f"frozen by {message.frozen.name or message.frozen.kind}, cancelled {_local(message.frozen.until)}"
    until = f"held until {_local(due)}" if due else people
    counted = f"{len(waiting)} of {len(message.recipients)} held"
    words = (message.queue_id, _local(message.received_at), sender, counted, until, message.subject)
    return printable("  ".join(words))


def _recipient_line(recipient: Recipient) -> str:
    due = f"due {_local(recipient.due_at)}" if recipient.due_at else ""
    perhaps = "may have arrived already" if recipient.perhaps and recipient.state != "delivered" else ""
    words = (f"  {recipient.address}", recipient.state.value, perhaps, due, recipient.reply)
    return printable("  ".join(word for word in words if word))


def _local(at: datetime) -> str:
    return at.astimezone().isoformat(timespec="seconds")


def _json(message: Stored) -> dict[str, Any]:
    return {
        "queue_id": message.queue_id,
        "received_at": message.received_at.isoformat(),
        "sender": str(message.envelope.sender) if message.envelope.sender else None,
        "subject": message.subject,
        "unreadable": message.unreadable,
        "waits_for": needs_json(message),
        "frozen": None if message.frozen is None else _frozen_json(message.frozen),
        "size_bytes": message.size_bytes,
        "recipients": [
            {
                "index": r.index,
                "address": str(r.address),
                "external": r.external,
                "state": r.state.value,
                "due_at": r.due_at.isoformat() if r.due_at else None,
                "attempts": r.attempts,
                "perhaps": r.perhaps,
                "reply": r.reply,
            }
            for r in message.recipients
        ],
    }


def _frozen_json(frozen: Freeze) -> dict[str, str]:
    return {
        "since": frozen.at.isoformat(),
        "until": frozen.until.isoformat(),
        "by": f"{frozen.kind} {frozen.name}".strip(),
        "because": frozen.because,
    }
