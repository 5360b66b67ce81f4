"""`sekisho person token`: tokens of the API. A token is printed once, when it is made."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path

import click

from gateway.cli.person_words import me, on_people
from gateway.cli.place import place_options
from gateway.cli.printable import printable
from gateway.clock import utc_now
from gateway.log import escaped
from gateway.people.contract import ApiToken, TokenScope
from gateway.people.sql import SqlPeople
from gateway.people.tokens import LONGEST

_LOGIN = click.argument("login")
_JSON = click.option("--json", "json_wanted", is_flag=True, help="Print JSON.")


@click.group()
def token() -> None:
    """Make, list and revoke tokens of the API."""


@token.command(name="make")
@place_options
@_LOGIN
@click.option("--name", required=True, help="What it is for.")
@click.option(
    "--scope",
    "-s",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([scope.value for scope in TokenScope]),
    help="What it may be used for; may be given again.",
)
@click.option("--days", type=click.IntRange(1, LONGEST.days), default=90, show_default=True)
def make_token(
    state: Path | None, config: Path | None, login: str, name: str, scopes: tuple[str, ...], days: int
) -> None:
    """Make a token for LOGIN and print it, once."""
    wanted = [TokenScope(scope) for scope in scopes]

    async def work(people: SqlPeople) -> tuple[ApiToken, str]:
        now = utc_now()
        return await people.tokens.make(login, name, wanted, now + timedelta(days=days), me(), now)

    made, text = on_people(state, config, work)
    click.echo(text)
    click.echo(f"number {made.number}, until {made.expires_at.isoformat(timespec='seconds')}", err=True)


@token.command(name="list")
@place_options
@_LOGIN
@_JSON
def list_tokens(state: Path | None, config: Path | None, login: str, json_wanted: bool) -> None:
    """List the tokens of LOGIN: number, name, scopes, until when, last used on."""
    found = on_people(state, config, lambda people: people.tokens.of(login))
    if json_wanted:
        click.echo(escaped(json.dumps([token_value(each) for each in found], ensure_ascii=False)))
        return
    for each in found:
        click.echo("\t".join(printable(str(value)) for value in token_value(each).values()))


@token.command(name="revoke")
@place_options
@_LOGIN
@click.argument("number")
def revoke_token(state: Path | None, config: Path | None, login: str, number: str) -> None:
    """End the token NUMBER of LOGIN at once."""
    there = on_people(state, config, lambda people: people.tokens.revoke(login, number, me(), utc_now()))
    click.echo(printable(f"revoked {number}" if there else f"{login} has no token {number}"))
    sys.exit(0 if there else 1)


def token_value(token: ApiToken) -> dict[str, object]:
    """Return a token as JSON says it."""
    return {
        "number": token.number,
        "name": token.name,
        "scopes": " ".join(sorted(token.scopes)),
        "expires_at": token.expires_at.isoformat(),
        "used_on": token.used_on.isoformat() if token.used_on else None,
    }
