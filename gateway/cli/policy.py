"""`sekisho policy`: check, test and explain policy files before they decide about real mail.

Prints to people by default and JSON to programs with --json. Exit code 0: fine; 1: there are problems or a case differs;
2: wrong use. Reads files only; never touches the policy a running gateway has in force.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click

from gateway.cli.explanation import explanation_json
from gateway.cli.offline import not_looked_up, said, with_files_here, with_what_is_here
from gateway.cli.policy_cases import test
from gateway.cli.policy_check import check
from gateway.cli.policy_effective import effective_command
from gateway.cli.policy_replay import diff, replay
from gateway.cli.policy_words import explanation_text
from gateway.cli.printing import dump
from gateway.clock import utc_now
from gateway.config.policy_files import read_policy
from gateway.message.address import Address, parse_path
from gateway.message.envelope import Client, Envelope
from gateway.message.gather import gather
from gateway.policy.copies import with_copies
from gateway.policy.decide import decide
from gateway.policy.decision import Decision
from gateway.policy.demands import Language
from gateway.policy.explain import explain as explain_decision
from gateway.policy.reference import filled, reference
from gateway.policy.schema import json_schema
from gateway.transform.disclaiming import with_left_out
from gateway.transform.preview import header_of
from gateway.transform.render import prepare

MAX_MAIL = 256 << 20  # octets of a mail to explain; more than any gateway accepts

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_folder = click.argument("folder", metavar="[DIR]", default="policies", type=_FOLDER)
_as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def policy() -> None:
    """Check, test and explain policy files; try them on past mail."""


policy.add_command(effective_command)
policy.add_command(check)
policy.add_command(test)
policy.add_command(replay)
policy.add_command(diff)


@policy.command()
@click.argument("mail", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--from", "sender", required=True, metavar="ADDRESS", help="Envelope sender; <> for none.")
@click.option(
    "--to", "recipients", required=True, multiple=True, metavar="ADDRESS", help="Envelope recipient."
)
@click.option("--policies", "folder", default="policies", type=_FOLDER, help="Folder of the policy files.")
@click.option("--language", type=click.Choice(["ja", "en"]), help="Default: the organisation's.")
@_as_json
def explain(
    mail: Path,
    sender: str,
    recipients: tuple[str, ...],
    folder: Path,
    language: str | None,
    as_json: bool,
) -> None:
    """Show for every recipient of MAIL what it gets, when, under which header section, and which rules ask for it.

    MAIL is a mail in a file (.eml), or - for standard input.
    """
    envelope = _envelope(sender, recipients)
    raw = _wire_form(_octets(mail))
    now = utc_now()
    in_force = read_policy(folder)
    facts = with_what_is_here(gather(envelope, raw), raw, in_force)
    envelope, decision = with_copies(facts, decide(facts, in_force, now), in_force, now)
    decision = with_left_out(decision, raw)
    if envelope.sender is None:
        # There is nobody to tell (RFC 5321 4.5.5).
        decision = replace(decision, notify_sender=False, tells_dropped=False, tell_left=False)
    headers = _headers(
        raw, envelope, decision, now
    )  # of a mail whose files are as they came: nothing is sealed here
    decision = with_files_here(decision, envelope, raw)
    places = {rule.id: rule.place for rule in in_force.rules}
    explained = explain_decision(decision, envelope.recipients, now.astimezone(in_force.zone), places)
    if as_json:
        told = {"not_looked_up": not_looked_up(in_force)}
        click.echo(dump(explanation_json(decision, explained, headers, places) | told))
    else:
        chosen = Language(language) if language else decision.language
        click.echo(explanation_text(decision, explained, headers, chosen) + said(in_force, chosen), nl=False)


@policy.command()
def schema() -> None:
    """Print the JSON Schema of policy files, for editors."""
    click.echo(schema_text(), nl=False)


@policy.command()
@click.option("--language", type=click.Choice(["ja", "en"]), default="en", show_default=True)
@click.option(
    "--write",
    "page",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Renew the tables of a page instead, such as docs/policy.md.",
)
def docs(language: str, page: Path | None) -> None:
    """Print the reference of all keys of policy files and cases, as Markdown."""
    if page is None:
        click.echo(reference(Language(language)), nl=False)
        return
    try:
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{page} is left as it is: {error}") from error


def schema_text() -> str:
    """Return what stands in policies/schema.json."""
    return dump(json_schema()) + "\n"


def _envelope(sender: str, recipients: tuple[str, ...]) -> Envelope:
    people = {address.key: address for address in (_address("--to", text) for text in recipients)}
    claimed = None if sender in ("", "<>") else _address("--from", sender)
    return Envelope(claimed, tuple(people.values()), Client(ip="127.0.0.1", helo="localhost"))


def _address(option: str, text: str) -> Address:
    try:
        return parse_path(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from None


def _octets(mail: Path) -> bytes:
    with click.open_file(str(mail), "rb") as file:
        octets: bytes = file.read(MAX_MAIL + 1)
    return octets


def _wire_form(raw: bytes) -> bytes:
    """Return the mail with CRLF line ends, as SMTP would carry it."""
    if len(raw) > MAX_MAIL:
        raise click.BadParameter(f"larger than {MAX_MAIL >> 20} MiB", param_hint="MAIL")
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _headers(raw: bytes, envelope: Envelope, decision: Decision, now: datetime) -> list[bytes]:
    """Return the header section each recipient would get, by the functions that delivery uses."""
    original = prepare(raw, envelope, decision, "QUEUE-ID", now, "gateway.example")
    return [header_of(original, index) for index in range(len(envelope.recipients))]
