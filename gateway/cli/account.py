"""`sekisho account`: who may submit. Edits the accounts file; a running gateway notices by itself.

A password is asked for at the terminal or read from standard input, never taken from the command line, where
other users of the machine could see it.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from gateway.config.load import load_settings
from gateway.people.passwords import MAX_PASSWORD, hasher
from gateway.policy.demands import Language
from gateway.receive.account import Account
from gateway.receive.accounts_file import read, write

Given = tuple[Path | None, Path | None]  # the group's --config and --file
MIN_PASSWORD = 8  # characters (NIST SP 800-63B 5.1.1.2)


def _where(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--config` and `--file`, which may stand before the verb and behind it."""
    kind = click.Path(path_type=Path, dir_okay=False)
    options = (
        click.option("--config", type=kind, help="The settings file. [default: sekisho.yaml]"),
        click.option(
            "--file", type=kind, help="The accounts file itself, instead of the one the settings name."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _on_file(command: Callable[..., None]) -> Callable[..., None]:
    """Hand a verb the accounts file that its own options name, or else the group's."""

    @_where
    @wraps(command)
    def with_file(config: Path | None, file: Path | None, **asked: Any) -> None:
        given: Given = click.get_current_context().obj
        command(_chosen(*((config, file) if config or file else given)), **asked)

    return with_file


@click.group()
@_where
@click.pass_context
def account(ctx: click.Context, config: Path | None, file: Path | None) -> None:
    """Add, change and list the accounts that may send."""
    ctx.obj = (config, file)


def _chosen(config: Path | None, file: Path | None) -> Path:
    return file if file is not None else _file_of(config or Path("sekisho.yaml"))


def _file_of(config: Path) -> Path:
    accounts = load_settings(config).accounts
    if accounts is None:
        raise click.ClickException(f"{config} names no accounts file; add `accounts: accounts.yaml`")
    return accounts


@account.command()
@click.argument("login")
@click.option(
    "--address", "-a", "addresses", multiple=True, required=True, help="name@example.jp or @example.jp"
)
@click.option("--language", type=click.Choice([language.value for language in Language]))
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@_on_file
def add(
    path: Path,
    login: str,
    addresses: tuple[str, ...],
    language: str | None,
    password_stdin: bool,
) -> None:
    """Add the account LOGIN with the addresses it may send from."""
    if any(known.login.casefold() == login.casefold() for known in read(path)):
        raise click.ClickException(f"{login} is there already")
    hashed = _password(password_stdin)
    new = _account(login, hashed, addresses, Language(language) if language else None)
    with _locked(path):
        write(path, (*read(path), new))
    click.echo(f"added {login}")


@account.command()
@click.argument("login")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@_on_file
def passwd(path: Path, login: str, password_stdin: bool) -> None:
    """Set the password of LOGIN anew."""
    _find(path, login)
    hashed = _password(password_stdin)
    _replace(path, login, lambda known: known.model_copy(update={"password": hashed}))
    click.echo(f"changed the password of {login}")


@account.command()
@click.argument("login")
@_on_file
def suspend(path: Path, login: str) -> None:
    """Stop LOGIN from sending, at once, in open sessions too."""
    _replace(path, login, lambda known: known.model_copy(update={"suspended": True}))
    click.echo(f"suspended {login}")


@account.command()
@click.argument("login")
@_on_file
def resume(path: Path, login: str) -> None:
    """Let LOGIN send again."""
    _replace(path, login, lambda known: known.model_copy(update={"suspended": False}))
    click.echo(f"resumed {login}")


@account.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
@_on_file
def list_accounts(path: Path, as_json: bool) -> None:
    """List the accounts, without their password hashes."""
    accounts = read(path)
    if as_json:
        values = [known.model_dump(mode="json", exclude={"password"}) for known in accounts]
        click.echo(json.dumps(values, ensure_ascii=False, indent=2))
        return
    for known in accounts:
        state = "suspended" if known.suspended else "active"
        click.echo(f"{known.login}\t{state}\t{' '.join(known.addresses)}")


def _account(login: str, hashed: str, addresses: tuple[str, ...], language: Language | None) -> Account:
    try:
        return Account(login=login, password=hashed, addresses=addresses, language=language)
    except ValidationError as error:
        raise click.ClickException("; ".join(str(e["msg"]) for e in error.errors())) from None


def _find(path: Path, login: str) -> Account:
    for known in read(path):
        if known.login.casefold() == login.casefold():
            return known
    raise click.ClickException(f"no account {login} in {path}")


def _replace(path: Path, login: str, change: Callable[[Account], Account]) -> None:
    with _locked(path):
        found = _find(path, login)
        write(path, tuple(change(known) if known == found else known for known in read(path)))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep two of these commands from undoing each other's change; the lock dies with the process."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path.with_name(f".{path.name}.lock"), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _password(from_stdin: bool) -> str:
    """Return the hash of a password that somebody types or pipes in."""
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    if len(password) < MIN_PASSWORD:
        raise click.ClickException(f"a password has at least {MIN_PASSWORD} characters")
    if len(password.encode()) > MAX_PASSWORD or "\0" in password:
        raise click.ClickException(f"a password has at most {MAX_PASSWORD} octets and no NUL")
    return hasher().hash(password)
