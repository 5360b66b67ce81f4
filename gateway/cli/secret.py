"""`sekisho secret`: keys of attachments that were agreed on with a receiver, once and by another way than mail.

A key is asked for at the terminal or read from standard input, never taken from the command line, where other users of the
machine could see it. No verb shows one again; only a generated one is printed, once.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click

from gateway.cli.place import find_place, place_options
from gateway.cli.printable import printable
from gateway.cli.with_spool import who, with_spool
from gateway.clock import utc_now
from gateway.log import escaped
from gateway.protect.keys import DEFAULT_BITS, MAX_BITS, MIN_BITS, Style, new_key
from gateway.spool.agreed_keys import MAX_KEY, Agreed, checked, who_of
from gateway.spool.values import Actor

_WHOM = click.argument("whom", metavar="ADDRESS|@DOMAIN")


@click.group()
def secret() -> None:
    """Set, list and remove the keys of attachments that were agreed on with an address or a domain."""


@secret.command(name="set")
@place_options
@_WHOM
@click.option("--stdin", "from_stdin", is_flag=True, help="Read the key from standard input.")
@click.option("--generate", is_flag=True, help="Make a key, and print it once.")
@click.option(
    "--style",
    type=click.Choice([style.value for style in Style]),
    default=Style.WORDS_EN.value,
    show_default=True,
    help="What a generated key is made of.",
)
@click.option("--bits", type=click.IntRange(MIN_BITS, MAX_BITS), default=DEFAULT_BITS, show_default=True)
def set_(
    state: Path | None,
    config: Path | None,
    whom: str,
    from_stdin: bool,
    generate: bool,
    style: str,
    bits: int,
) -> None:
    """Keep a key agreed on with ADDRESS, or with everybody at @DOMAIN; one that is there is replaced."""
    if from_stdin and generate:
        raise click.UsageError("--stdin and --generate exclude each other")
    place, name = find_place(state, config), _name(whom)
    key = new_key(Style(style), os.urandom, bits).text if generate else _given(from_stdin)
    with_spool(place, lambda spool: spool.keys.agree(name, key, _me(), utc_now()))
    if generate:
        click.echo(key)
    click.echo(printable(f"kept for {name}"), err=generate)


@secret.command(name="list")
@place_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(state: Path | None, config: Path | None, as_json: bool) -> None:
    """List with whom a key is agreed on, when it was set last, by whom, and how many days ago; never a key."""
    found = with_spool(find_place(state, config), lambda spool: spool.keys.agreements())
    now = utc_now()
    if as_json:
        click.echo(escaped(json.dumps(_rows(found, now), ensure_ascii=False)))
        return
    for each in found:
        age = f"{(now - each.set_at).days} days ago"
        at = each.set_at.astimezone().isoformat(timespec="seconds")
        click.echo(printable("  ".join((each.who, at, age, each.set_by))))


@secret.command()
@place_options
@_WHOM
def remove(state: Path | None, config: Path | None, whom: str) -> None:
    """Forget the key agreed on with ADDRESS or @DOMAIN; mail that waits to be sealed with it waits until one is set again."""
    name = _name(whom)
    gone = with_spool(find_place(state, config), lambda spool: spool.keys.disagree(name, _me(), utc_now()))
    click.echo(printable(f"removed for {name}" if gone else f"none is kept for {name}"))
    sys.exit(0 if gone else 1)


def _name(whom: str) -> str:
    try:
        return who_of(whom)
    except ValueError as error:
        raise click.UsageError(printable(f"{whom}: {error}")) from None


def _given(from_stdin: bool) -> str:
    """Return the key that somebody types or pipes in."""
    if from_stdin:
        text = sys.stdin.readline(MAX_KEY + 2).rstrip("\r\n")
    else:
        text = str(click.prompt("Key", hide_input=True, confirmation_prompt=True))
    try:
        return checked(text)
    except ValueError as error:
        raise click.ClickException(str(error)) from None


def _me() -> Actor:
    return Actor("admin", who())


def _rows(found: Sequence[Agreed], now: datetime) -> list[dict[str, object]]:
    return [
        {
            "who": each.who,
            "set_at": each.set_at.isoformat(),
            "set_by": each.set_by,
            "age_days": (now - each.set_at).days,
        }
        for each in found
    ]
