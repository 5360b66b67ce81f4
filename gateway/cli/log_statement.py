"""`sekisho log statement`: who opened and fetched the files of one mail, or that nobody did, with the check of the log."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from gateway.audit.log import EventLog
from gateway.audit.testimony import testify
from gateway.cli.place import Place, find_place, place_options
from gateway.cli.printable import printable
from gateway.clock import utc_now
from gateway.log import escaped
from gateway.spool.share_contract import Happened
from gateway.spool.testimony import Proof, Testimony, Witness
from gateway.store.database import event_seal
from gateway.store.errors import StoreUnavailable
from gateway.store.events import Seal
from gateway.store.keys import MasterKey, MasterKeyError


@click.command()
@place_options
@click.argument("queue_id")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def statement(state: Path | None, config: Path | None, queue_id: str, as_json: bool) -> None:
    """Say who opened the files of a mail behind links, or that nobody did. Exit code 1 where the log does not prove it."""
    place = find_place(state, config)
    try:
        with EventLog(place.store) as log:
            made = testify(log, queue_id, _seal(place), utc_now())
    except StoreUnavailable as error:
        raise click.ClickException(str(error).splitlines()[0]) from error
    if as_json:
        click.echo(escaped(json.dumps(_json(made), ensure_ascii=False)))
    else:
        for line in _lines(made):
            click.echo(printable(line))
    sys.exit(0 if made.complete and made.proof.sealed else 1)


def _seal(place: Place) -> Seal | None:
    try:
        return event_seal(MasterKey.load(place.key_file))
    except MasterKeyError as error:
        click.echo(f"the seal of the chain is not checked: {error}", err=True)
        return None


def _lines(made: Testimony) -> Iterator[str]:
    if made.accepted_at is None:
        yield f"{made.queue_id}: the event log has no acceptance of such a mail"
    else:
        yield f"Mail {made.queue_id} from {made.sender}, {_local(made.accepted_at)}: {made.subject}"
    yield _proof_line(made.proof)
    for proof in made.proof.last:
        yield "Last event {}{}: {}".format(f"of {proof[0]} " if proof[0] else "", proof[1], proof[2])
    if made.taken_back_at is not None:
        yield f"Taken back at {_local(made.taken_back_at)}."
    for witness in made.witnesses:
        yield from _witness_lines(witness)
    yield _conclusion(made)


def _proof_line(proof: Proof) -> str:
    at = _local(proof.checked_at)
    if not proof.intact:
        return f"Event log checked at {at}: NOT WHOLE: {proof.problem}. Nothing below is proved."
    how = "sealed under the master key" if proof.sealed else "seal not checked"
    return f"Event log checked at {at}: whole, {proof.events} events, {how}."


def _witness_lines(witness: Witness) -> Iterator[str]:
    closed = f"; closed for good at {_local(witness.ended_at)}" if witness.ended_at is not None else ""
    if witness.untouched:
        yield f"{witness.address}: not opened, nothing fetched{closed}"
        return
    yield f"{witness.address}: opened{closed}"
    for each in sorted((*witness.opened, *witness.fetched), key=lambda event: event.at):
        what = f"fetched {each.name}" if each.place is not None else "opened"
        yield f"  {_local(each.at)}  {what}  from {each.client or '(unknown)'}"


def _conclusion(made: Testimony) -> str:
    if made.nobody_opened:
        return "Nobody opened or fetched any of these files."
    if not made.witnesses:
        return "The event log names no file of this mail behind a link."
    if not made.complete:
        return "Nothing can be concluded from this log."
    opened = sum(not each.untouched for each in made.witnesses)
    return f"{opened} of {len(made.witnesses)} recipients opened or fetched them."


def _json(made: Testimony) -> dict[str, object]:
    return {
        "queue_id": made.queue_id,
        "accepted_at": made.accepted_at.isoformat() if made.accepted_at else None,
        "sender": made.sender,
        "subject": made.subject,
        "taken_back_at": made.taken_back_at.isoformat() if made.taken_back_at else None,
        "complete": made.complete,
        "nobody_opened": made.nobody_opened,
        "proof": asdict(made.proof) | {"checked_at": made.proof.checked_at.isoformat()},
        "recipients": [
            {
                "address": each.address,
                "opened": [_event_json(event) for event in each.opened],
                "fetched": [_event_json(event) for event in each.fetched],
                "denied": each.denied,
                "ended_at": each.ended_at.isoformat() if each.ended_at else None,
            }
            for each in made.witnesses
        ],
    }


def _event_json(event: Happened) -> dict[str, object]:
    return {"at": event.at.isoformat(), "client": event.client, "place": event.place, "name": event.name}


def _local(at: datetime) -> str:
    return at.astimezone().isoformat(timespec="seconds")
