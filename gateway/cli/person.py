"""`sekisho person`: who signs in to the pages, and what they may do there. Works beside a running gateway.

A password is asked for at the terminal or read from standard input, never taken from the command line, where other users of
the machine could see it. What the gateway makes (a temporary password, a token) is printed once.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click

from gateway.cli.person_token import token, token_value
from gateway.cli.person_words import as_line, as_value, asked_password, grants_of, me, on_people
from gateway.cli.place import place_options
from gateway.cli.printable import printable
from gateway.cli.printing import dump
from gateway.clock import utc_now
from gateway.log import escaped
from gateway.people.contract import Grant, Person
from gateway.people.grants import in_order
from gateway.people.sql import SqlPeople
from gateway.policy.demands import Language

PAGE = 1_000  # people in one read

_LOGIN = click.argument("login")
_ROLE = click.argument("roles", metavar="ROLE...", nargs=-1, required=True)
_STDIN = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
_TEMPORARY = click.option(
    "--temporary", is_flag=True, help="Make one and print it; good for one week and one use."
)
_JSON = click.option("--json", "json_wanted", is_flag=True, help="Print JSON.")

Where = tuple[Path | None, Path | None]


@click.group()
def person() -> None:
    """Add, change, suspend and remove the people who sign in to the pages.

    A ROLE is sender, approver, admin, auditor or ordering-body; each but approver also for one group of the policy:
    sender@sports-centre.
    """


person.add_command(token)


@person.command()
@place_options
@_LOGIN
@click.option("--name", help="What the person is called. [default: the login]")
@click.option("--address", "-a", "addresses", multiple=True, help="A mailbox of theirs; may be given again.")
@click.option(
    "--role", "-r", "roles", multiple=True, required=True, help="What they may do; may be given again."
)
@click.option("--language", type=click.Choice([language.value for language in Language]))
@_STDIN
@_TEMPORARY
@click.option("--no-password", is_flag=True, help="For somebody who signs in through the OpenID provider.")
def add(
    state: Path | None,
    config: Path | None,
    login: str,
    name: str | None,
    addresses: tuple[str, ...],
    roles: tuple[str, ...],
    language: str | None,
    password_stdin: bool,
    temporary: bool,
    no_password: bool,
) -> None:
    """Add LOGIN."""
    if password_stdin + temporary + no_password > 1:
        raise click.UsageError("--password-stdin, --temporary and --no-password exclude each other")
    spoken = Language(language) if language else None
    wanted = Person(login, name or login, addresses, grants_of(roles), spoken)
    password = "" if temporary or no_password else asked_password(password_stdin)

    async def work(people: SqlPeople) -> str:
        if password:
            people.own.check(wanted, password)
        await people.add(wanted, me(), utc_now())
        if password:
            await people.own.set_password(login, password, me(), utc_now())
        return await people.own.temporary_password(login, me(), utc_now()) if temporary else ""

    made = on_people(state, config, work)
    if made:
        click.echo(made)
    click.echo(printable(f"added {login}"), err=temporary)


@person.command(name="list")
@place_options
@click.argument("words", default="")
@_JSON
def list_(state: Path | None, config: Path | None, words: str, json_wanted: bool) -> None:
    """List people whose login or name holds WORDS; all of them without."""

    async def work(people: SqlPeople) -> list[Person]:
        found = list(await people.find(words, PAGE))
        while len(found) % PAGE == 0 and found:
            more = await people.find(words, PAGE, found[-1].login.casefold())
            if not more:
                break
            found += more
        return found

    found = on_people(state, config, work)
    if json_wanted:
        click.echo(escaped(json.dumps([as_value(each) for each in found], ensure_ascii=False)))
        return
    for each in found:
        click.echo(as_line(each))


@person.command()
@place_options
@_LOGIN
@_JSON
def show(state: Path | None, config: Path | None, login: str, json_wanted: bool) -> None:
    """Show LOGIN: roles, addresses, second factor, sessions and tokens; never a secret."""

    async def work(people: SqlPeople) -> dict[str, object]:
        found, had = await people.get(login), await people.own.of(login)
        return as_value(found) | {
            "password": had.password is not None,
            "second_factor": had.totp_at is not None,
            "recovery_codes": await people.own.codes_left(login),
            "sessions": len(await people.sessions(login)),
            "tokens": [token_value(each) for each in await people.tokens.of(login)],
        }

    value = on_people(state, config, work)
    if json_wanted:
        click.echo(dump(value))
        return
    for key, each in value.items():
        text = ", ".join(map(str, each)) if isinstance(each, list) else str(each)
        click.echo(printable(f"{key}: {text}"))


@person.command()
@place_options
@_LOGIN
@_ROLE
def grant(state: Path | None, config: Path | None, login: str, roles: tuple[str, ...]) -> None:
    """Give LOGIN more roles."""
    given = grants_of(roles)
    _regrant(state, config, login, lambda had: (*had, *given))


@person.command()
@place_options
@_LOGIN
@_ROLE
def revoke(state: Path | None, config: Path | None, login: str, roles: tuple[str, ...]) -> None:
    """Take roles from LOGIN."""
    taken = grants_of(roles)
    _regrant(state, config, login, lambda had: tuple(each for each in had if each not in taken))


@person.command()
@place_options
@_LOGIN
def suspend(state: Path | None, config: Path | None, login: str) -> None:
    """Stop LOGIN at once: no pages, no tokens, and no mail from the account of the same login, in open sessions too."""
    on_people(state, config, lambda people: people.suspend(login, me(), utc_now()))
    click.echo(printable(f"suspended {login}"))


@person.command()
@place_options
@_LOGIN
def resume(state: Path | None, config: Path | None, login: str) -> None:
    """Let LOGIN in again."""
    on_people(state, config, lambda people: people.resume(login, me(), utc_now()))
    click.echo(printable(f"resumed {login}"))


@person.command()
@place_options
@_LOGIN
def remove(state: Path | None, config: Path | None, login: str) -> None:
    """Forget LOGIN; the log keeps what they did. An account of the same login in the accounts file stays as it is."""
    on_people(state, config, lambda people: people.remove(login, me(), utc_now()))
    click.echo(printable(f"removed {login}"))


@person.command()
@place_options
@_LOGIN
@_STDIN
@_TEMPORARY
def password(
    state: Path | None, config: Path | None, login: str, password_stdin: bool, temporary: bool
) -> None:
    """Set the password of LOGIN anew, and end their sessions."""
    if password_stdin and temporary:
        raise click.UsageError("--password-stdin and --temporary exclude each other")
    typed = "" if temporary else asked_password(password_stdin)

    async def work(people: SqlPeople) -> str:
        if temporary:
            return await people.own.temporary_password(login, me(), utc_now())
        await people.own.set_password(login, typed, me(), utc_now())
        return ""

    made = on_people(state, config, work)
    if made:
        click.echo(made)
    click.echo(printable(f"changed the password of {login}"), err=temporary)


@person.command(name="reset-totp")
@place_options
@_LOGIN
def reset_totp(state: Path | None, config: Path | None, login: str) -> None:
    """Forget the second factor and the recovery codes of LOGIN, and end their sessions."""
    had = on_people(state, config, lambda people: people.own.drop_totp(login, me(), utc_now()))
    click.echo(printable(f"removed the second factor of {login}" if had else f"{login} has no second factor"))
    sys.exit(0 if had else 1)


def _regrant(
    state: Path | None,
    config: Path | None,
    login: str,
    change: Callable[[tuple[Grant, ...]], tuple[Grant, ...]],
) -> None:
    async def work(people: SqlPeople) -> Person:
        had = await people.get(login)
        await people.change(replace(had, grants=in_order(change(had.grants))), me(), utc_now())
        return await people.get(login)

    click.echo(as_line(on_people(state, config, work)))
