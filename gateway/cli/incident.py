"""`sekisho incident`: misdirected mail that was reported; read only, beside a running gateway. To open and close is for pages.

`show` and `report` print what people wrote: whoever runs them has the master key.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from gateway.cli.place import find_place, place_options
from gateway.cli.printable import printable
from gateway.cli.with_spool import with_spool
from gateway.clock import utc_now
from gateway.config.load import load_settings
from gateway.incidents import wording
from gateway.incidents.contract import Incident, IncidentLine, UnknownIncident
from gateway.incidents.door import JAPAN, Duty, Incidents
from gateway.incidents.draft import draft
from gateway.languages import Words
from gateway.log import escaped
from gateway.spool.contract import UnknownMessage
from gateway.spool.list_contract import Scope
from gateway.spool.sql import SqlSpool
from gateway.spool.values import Stored

EVERYTHING = Scope(everything=True)
MAX_LIMIT = 10_000  # incidents in one list

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def incident() -> None:
    """List and show misdirected mail that was reported; write the draft of a report."""


@incident.command(name="list")
@place_options
@click.option("--open", "only_open", is_flag=True, help="Only those that are being handled.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, MAX_LIMIT))
@_JSON
def list_(state: Path | None, config: Path | None, only_open: bool, limit: int, as_json: bool) -> None:
    """List incidents, newest first."""

    async def read(spool: SqlSpool) -> list[IncidentLine]:
        incidents, lines, after = Incidents(spool.database, Duty()), list[IncidentLine](), ""
        while len(lines) < limit:
            page = await incidents.page(EVERYTHING, after, only_open=only_open)
            lines += page.lines
            after = page.after
            if not after:
                break
        return lines[:limit]

    found = with_spool(find_place(state, config), read)
    if as_json:
        click.echo(escaped(json.dumps([_line_json(each) for each in found], ensure_ascii=False)))
        return
    for each in found:
        persons = "?" if each.persons is None else each.persons
        how = "open" if each.open else "closed"
        asked = f"asked {each.asked}, answered {each.answered}"
        at = each.opened_at.astimezone().isoformat(timespec="seconds")
        line = f"{each.queue_id}  {at}  {how}  {each.what.value}  persons {persons}  {asked}  {each.subject}"
        click.echo(printable(line))


@incident.command()
@place_options
@click.argument("queue_id")
@_JSON
def show(state: Path | None, config: Path | None, queue_id: str, as_json: bool) -> None:
    """Show one incident: what was told, the clocks of the law, who was asked to delete, the notes."""
    duty = _duty(config)
    found, message = with_spool(find_place(state, config), lambda spool: _read(spool, duty, queue_id))
    words = Words("en", duty.zone)
    if as_json:
        told = _json(found, message, duty)
        click.echo(escaped(json.dumps(told, ensure_ascii=False)))
        return
    for line in _lines(found, message, duty, words, utc_now()):
        click.echo(printable(line))


@incident.command()
@place_options
@click.argument("queue_id")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, writable=True))
def report(state: Path | None, config: Path | None, queue_id: str, file: Path) -> None:
    """Write the draft of the report that the law asks for, in Japanese, as a Word document."""
    duty = _duty(config)

    async def read(spool: SqlSpool) -> bytes:
        found, message = await _read(spool, duty, queue_id)
        words = Words("ja", duty.zone)
        story = await Incidents(spool.database, duty).timeline(queue_id, words)
        judged = duty.verdict(found.account, found.organisation)
        return draft(found, message, story, judged, duty.zone, utc_now())

    made = with_spool(find_place(state, config), read)
    try:
        with file.open("xb") as written:
            written.write(made)
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}") from error
    click.echo(f"{file}: {len(made)} bytes; what only people know is marked 要記入")


async def _read(spool: SqlSpool, duty: Duty, queue_id: str) -> tuple[Incident, Stored | None]:
    try:
        found = await Incidents(spool.database, duty).get(queue_id)
    except UnknownIncident:
        raise UnknownMessage(f"no incident about {queue_id}") from None
    try:
        return found, await spool.get(queue_id)
    except UnknownMessage:
        return found, None


def _duty(config: Path | None) -> Duty:
    zone = JAPAN if config is None else ZoneInfo(load_settings(config).timezone)
    return Duty(zone=zone)


def _lines(found: Incident, message: Stored | None, duty: Duty, words: Words, now: datetime) -> Iterator[str]:
    account, judged = found.account, duty.verdict(found.account, found.organisation)
    yield f"{found.queue_id}  {'open' if found.open else 'closed'}  {wording.what_names(words)[account.what]}"
    yield f"opened {wording.moment(found.opened_at, words)} by {found.opener.kind} {found.opener.name}"
    yield f"known since {wording.moment(account.known_at, words)}; {wording.persons(account.persons, words)}"
    for ground in wording.grounds(judged, found.organisation, words):
        yield f"  because: {ground}"
    for each in wording.deadlines(found, judged, words, now):
        yield f"  {each.name}: {each.until}{f', handed in {each.done}' if each.done else ''}"
    yield f"  {wording.caution(words)}"
    for group in wording.taken_groups(message, found.taken, words):
        for index, who in group.members:
            asked = "" if group.good else f"; {wording.asked_of(found.request(index), words)}"
            yield f"{who}: {group.title}{asked}"
    for note in found.notes:
        kind = wording.note_names(words)[note.kind]
        yield f"{kind} ({wording.moment(note.at, words)}, {note.writer}): {note.text or ''}"


def _line_json(line: IncidentLine) -> dict[str, object]:
    return {
        "queue_id": line.queue_id,
        "opened_at": line.opened_at.isoformat(),
        "open": line.open,
        "subject": line.subject,
        "sender": line.sender,
        "what": line.what.value,
        "persons": line.persons,
        "asked": line.asked,
        "answered": line.answered,
    }


def _json(found: Incident, message: Stored | None, duty: Duty) -> dict[str, object]:
    judged = duty.verdict(found.account, found.organisation)
    names = {} if message is None else {row.index: str(row.address) for row in message.recipients}
    return {
        "queue_id": found.queue_id,
        "open": found.open,
        "opened_at": found.opened_at.isoformat(),
        "opener": [found.opener.kind, found.opener.name],
        "what": found.account.what.value,
        "wrong": [names.get(index, str(index)) for index in found.account.wrong],
        "data": sorted(found.account.data),
        "persons": found.account.persons,
        "known_at": found.account.known_at.isoformat(),
        "grounds": list(judged.grounds),
        "clocks": [{"report": each.report.value, "due": each.due.isoformat()} for each in judged.clocks],
        "reported": {report.value: at.isoformat() for report, at in found.reported},
        "requests": [
            {
                "recipient": names.get(each.recipient, str(each.recipient)),
                "asked_at": each.asked_at.isoformat(),
                "answer": None if each.answer is None else each.answer.value,
                "reminders": each.reminders,
            }
            for each in found.requests
        ],
        "notes": [[note.kind.value, note.at.isoformat(), note.writer, note.text] for note in found.notes],
    }
