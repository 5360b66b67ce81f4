"""`sekisho log`: ask the event log, export it, check that nobody altered it. Exit code 1 where it was altered."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from gateway.audit.entries import MAX_LIMIT, Entry, Question
from gateway.audit.export import as_json, to_csv, to_json_lines
from gateway.audit.exports import Counted, exported
from gateway.audit.exports import asked as asked_for
from gateway.audit.log import EventLog
from gateway.audit.signed_walk import Signed, verify_checkpoints
from gateway.audit.verify import Verdict, together, verify_chains
from gateway.cli.log_papers import certificate, record, verify_certificate_command
from gateway.cli.log_proof import checkpoint, key, verify_export_command, write_export
from gateway.cli.log_rules import rules
from gateway.cli.log_statement import statement
from gateway.cli.place import Place, find_place, place_options
from gateway.cli.printable import printable
from gateway.cli.with_spool import who, with_spool
from gateway.clock import utc_now
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.sql import SqlSpool
from gateway.spool.times import to_us
from gateway.spool.values import Actor
from gateway.store.database import event_seal
from gateway.store.errors import StoreUnavailable
from gateway.store.keys import MasterKey, MasterKeyError
from gateway.store.where import Where

_WHEN = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"])


@click.group(name="log")
def log() -> None:
    """Ask, export and verify the event log; what each rule did, who opened files."""


log.add_command(rules)
log.add_command(statement)
log.add_command(record)
log.add_command(certificate)
log.add_command(verify_certificate_command)
log.add_command(key)
log.add_command(checkpoint)
log.add_command(verify_export_command)


def _question_options(command: Callable[..., Any]) -> Callable[..., Any]:
    options = (
        click.option("--since", type=_WHEN, help="From this time on; local time unless an offset is given."),
        click.option("--until", type=_WHEN, help="Before this time."),
        click.option("--queue-id", help="Events of one mail."),
        click.option("--sender", help="Events of mails from this address, or from @domain."),
        click.option("--recipient", help="Events of mails to this address, or to @domain."),
        click.option("--subject", help="Events of mails whose subject holds these words."),
        click.option("--group", help="Events of mails whose sender is in this group of the policy."),
        click.option("--rule", help="Events of mails of which this rule asked something."),
        click.option("--actor", help="Events of what somebody did whose name holds this."),
        click.option("--kind", "kinds", multiple=True, type=click.Choice([k.value for k in Kind])),
        click.option("--reason", "reasons", multiple=True, type=click.Choice([r.value for r in Reason])),
        click.option("--node", help="Events of this gateway only, where several share a database."),
        click.option(
            "--after", default=0, help="Go on behind this event number (of --node, where there are several)."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@log.command()
@place_options
@_question_options
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, MAX_LIMIT))
@click.option("--json", "as_json_", is_flag=True, help="Print JSON lines.")
def query(state: Path | None, config: Path | None, limit: int, as_json_: bool, **asked: Any) -> None:
    """Print matching events, oldest first."""
    question = replace(_question(**asked), limit=limit)
    with _opened(find_place(state, config).store) as events:
        entries = events.query(question)
    for line in to_json_lines(entries) if as_json_ else map(_line, entries):
        click.echo(line, nl=not as_json_)


@log.command()
@place_options
@_question_options
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True)
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="A file; standard output without it."
)
@click.option("--proof", is_flag=True, help="Write a ZIP that anybody can verify with `log verify-export`.")
def export(
    state: Path | None, config: Path | None, form: str, output: Path | None, proof: bool, **asked: Any
) -> None:
    """Write all matching events as CSV for Excel or as JSON lines; or, with proof, all of a time. It is an event itself."""
    question, place = _question(**asked), find_place(state, config)
    if proof:
        _export_proof(place, question, output)
        return
    with _opened(place.store) as events:
        entries = Counted(events.stream(question))
        try:
            _write(to_csv(entries) if form == "csv" else to_json_lines(entries), output)
        finally:  # what was read before a pipe broke was read
            if entries.begun:
                _note_export(place, question, form, entries.count)


def _export_proof(place: Place, question: Question, output: Path | None) -> None:
    if output is None or asked_for(question).keys() - {"since", "until"}:
        raise click.UsageError(
            "--proof needs --output FILE, and takes --since and --until only: it proves that nothing is missing"
        )
    chosen, count = write_export(place, question.since, question.until, output)
    _note_export(place, question, "proof", count)
    begin = "the first event" if chosen.first is None else chosen.first.at.isoformat()
    click.echo(f"{count} events from {begin} to {chosen.last.at.isoformat()}")


def _note_export(place: Place, question: Question, form: str, count: int) -> None:
    """Write the event of an export; where it cannot be written, say so: who can read the database can copy it anyway."""
    event = exported(question, form, count, Actor("admin", who()), to_us(utc_now()))

    async def note(spool: SqlSpool) -> None:
        await spool.database.committer.run(lambda tx: tx.event(event))

    try:
        with_spool(place, note)
    except click.ClickException as error:
        click.echo(f"this export is not in the log: {error.message}", err=True)


@log.command(name="verify")
@place_options
@click.option("--json", "as_json_", is_flag=True, help="Print JSON.")
def verify_command(state: Path | None, config: Path | None, as_json_: bool) -> None:
    """Check the chains of events; name, for each, the first that was altered or is missing."""
    place = find_place(state, config)
    try:
        seal = event_seal(MasterKey.load(place.key_file))
    except MasterKeyError as error:
        click.echo(f"the seal of the chain is not checked: {error}", err=True)
        seal = None
    with _opened(place.store) as events:
        verdicts = verify_chains(events, seal)
        signed = verify_checkpoints(events)
    _tell(verdicts, signed, as_json_)
    sys.exit(0 if signed.intact and all(verdict.intact for verdict in verdicts) else 1)


def _tell(verdicts: Sequence[Verdict], signed: Signed, as_json_: bool) -> None:
    if as_json_:
        chains = [{"node": verdict.node} | _verdict_json(verdict) for verdict in verdicts]
        checkpoints = {"checked": signed.checked, "intact": signed.intact, "problem": signed.problem}
        told = _verdict_json(together(verdicts)) | {"chains": chains, "checkpoints": checkpoints}
        click.echo(json.dumps(told))
        return
    for verdict in verdicts:
        click.echo(printable((f"{verdict.node}: " if verdict.node else "") + _sentence(verdict)))
    if signed.problem:
        click.echo(printable(f"CHECKPOINTS: {signed.problem}; {signed.checked} before it agree with the log"))
    elif signed.checked:
        click.echo(f"{signed.checked} signed checkpoints agree with the log")


@contextmanager
def _opened(store: Where) -> Iterator[EventLog]:
    """Open the log; end the command with code 1 and one line where it, or an event in it, cannot be read."""
    try:
        with EventLog(store) as events:
            yield events
    except StoreUnavailable as error:
        raise click.ClickException(str(error).splitlines()[0]) from error
    except ValueError as error:
        said = f"an event cannot be read ({error}); `sekisho log verify` names the first that was altered"
        raise click.ClickException(said) from error


def _question(since: datetime | None, until: datetime | None, **asked: Any) -> Question:
    return Question(since=since and since.astimezone(UTC), until=until and until.astimezone(UTC), **asked)


def _line(entry: Entry) -> str:
    actor = f"{entry.actor_kind} {entry.actor_name}".rstrip()
    said = json.dumps(as_json(entry)["detail"], ensure_ascii=False)
    at = entry.at.astimezone().isoformat(timespec="seconds")
    words = (
        f"{entry.node}:{entry.seq}" if entry.node else str(entry.seq),
        at,
        entry.queue_id or "-",
        entry.kind,
        entry.reason,
        actor,
        f"[{entry.recipients}]",
        said,
    )
    return printable("  ".join(words))


def _write(lines: Iterable[str], output: Path | None) -> None:
    if output is None:
        for line in lines:
            click.echo(line.encode(), nl=False)
        return
    try:
        with output.open("w", encoding="utf-8", newline="") as file:
            file.writelines(lines)
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror}") from error


def _verdict_json(verdict: Verdict) -> dict[str, object]:
    return {
        "intact": verdict.intact,
        "sealed": verdict.sealed,
        "checked": verdict.checked,
        "seq": verdict.seq,
        "problem": verdict.problem,
    }


def _sentence(verdict: Verdict) -> str:
    if verdict.intact:
        how = "sealed under the master key" if verdict.sealed else "seal not checked"
        return f"{verdict.checked} events, an unbroken chain, {how}"
    return f"ALTERED: {verdict.problem}; {verdict.checked} events before it are as they were written"
