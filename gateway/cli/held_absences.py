"""`sekisho held away`: an administrator says for an approver that they are away, and `held show` tells what follows from it.

An approver says so on the console (/approvals/absence); who fell ill cannot. The event names the person and the administrator.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click

from gateway.cli.place import find_place, place_options
from gateway.cli.printable import printable
from gateway.cli.when import WHEN
from gateway.cli.with_spool import who, with_spool
from gateway.clock import utc_now
from gateway.languages import shown
from gateway.message.address import AddressError, parse_path
from gateway.policy.demands import Approval
from gateway.spool.absences import TooManyAbsences
from gateway.spool.attendance import MAX_NOTE, Absence, asked_now, back_at, ladder
from gateway.spool.second_look import Look
from gateway.spool.sql import SqlSpool
from gateway.spool.values import Actor, Stored
from gateway.waiting import NAME, open_looks

_WRONG = {
    "order": "--until has to lie behind --from",
    "past": "this time is over already",
    "long": "at most one year at a time",
    "far": "too far ahead: is the year right?",
}


@click.command()
@place_options
@click.argument("address")
@click.option("--from", "since", type=WHEN, help="Since when; without it, from now on.")
@click.option("--until", type=WHEN, help="Until when (local time).")
@click.option("--note", default="", metavar="TEXT", help=f"Shown to senders; at most {MAX_NOTE} characters.")
@click.option("--over", is_flag=True, help="Forget all absences of this person instead.")
def away(
    state: Path | None,
    config: Path | None,
    address: str,
    since: datetime | None,
    until: datetime | None,
    note: str,
    over: bool,
) -> None:
    """Say that an approver is away: the next ones are asked at once where too few are left."""
    if over == (until is not None):
        raise click.UsageError("give --until TIME, or --over")
    person, place = _key(address), find_place(state, config)
    if until is None:
        count = with_spool(place, lambda spool: _forget(spool, person))
        click.echo(printable(f"{count} absences of {person} forgotten"))
        return
    absence = Absence(person, since or utc_now(), until, note)
    try:
        with_spool(place, lambda spool: spool.absences.say(absence, Actor("admin", who()), utc_now()))
    except ValueError as error:
        raise click.UsageError(_WRONG[str(error)]) from None
    except TooManyAbsences:
        raise click.ClickException("there are too many absences of this person already: --over") from None
    click.echo(printable(f"{person} is away until {_local(until)}"))


async def _forget(spool: SqlSpool, person: str) -> int:
    now = utc_now()
    actor, known = Actor("admin", who()), await spool.absences.of([person], now)
    return sum([await spool.absences.take_back(person, each.since, actor, now) for each in known])


def _key(address: str) -> str:
    try:
        return parse_path(address).key
    except AddressError as error:
        raise click.UsageError(printable(f"not a mail address: {address} ({error})")) from None


def outlook_of(message: Stored) -> list[str]:
    """Return a line for each approver who is or will be away, and for each step that is still to come."""
    now = utc_now()
    looks = [look for look in open_looks(message) if isinstance(look.demand, Approval)]
    return [printable(f"    {line}") for look in looks for line in _lines(message, look, now)]


def _lines(message: Stored, look: Look, now: datetime) -> Iterator[str]:
    asked = asked_now(look, now)
    for each in sorted(message.absences):
        if each.person in asked and each.until > now and each.since < look.deadline:
            until = back_at(each.person, message.absences, max(each.since, now)) or each.until
            since = f"from {_local(each.since)} " if each.since > now else ""
            yield f"away: {shown(each.person, NAME)} {since}until {_local(until)} {shown(each.note, MAX_NOTE)}".rstrip()
    for rung in ladder(look, message.absences, message.received_at, now):
        people = look.demand.steps[rung.step].approvers if isinstance(look.demand, Approval) else ()
        names = ", ".join(shown(each.address, NAME) for each in people if each.may_at(rung.at)) or "nobody"
        why = ", because too few are there" if rung.early else ""
        yield f"asks {names} as well at {_local(rung.at)}{why}"


def _local(at: datetime) -> str:
    return at.astimezone().isoformat(timespec="seconds")
