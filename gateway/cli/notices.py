"""`sekisho notices`: the letters that Sekisho writes itself, before anybody gets one.

Exit code 1 where a template is broken or a letter has no such name.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from gateway.cli.settings_file import settings_file
from gateway.config.load import load_settings
from gateway.config.settings import Settings
from gateway.languages import LANGUAGES
from gateway.log import escaped
from gateway.notices.dkim import KeyUnfit
from gateway.notices.own_templates import NOTHING, Own, read_own
from gateway.notices.samples import samples
from gateway.notices.signing import read_signers
from gateway.notices.wording import Said, Wording
from gateway.service.own_letters import key_places

CHUNK = 250  # characters of one string of a TXT record: 255 octets are the most (RFC 1035 3.3.14)


@click.group(name="notices")
def notices() -> None:
    """Check an organisation's own templates, show every letter with sample values, and the DNS record of the signing key."""


@notices.command()
@settings_file
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(config: Path, as_json: bool) -> None:
    """Try every template of `notices.templates` with sample values; exit with 1 where one is broken."""
    settings = load_settings(config)
    own = _own(settings)
    if as_json:
        told = [{"file": each.file, "line": each.line, "problem": each.what} for each in own.troubles]
        good = sorted(f"{language}/{name}" for name, language in own.forms)
        click.echo(escaped(json.dumps({"problems": told, "own": good}, ensure_ascii=False)))
    else:
        for trouble in own.troubles:
            click.echo(escaped(str(trouble)))
        click.echo(_verdict(settings, own))
    sys.exit(1 if own.troubles else 0)


@notices.command()
@settings_file
@click.argument("kind", required=False)
@click.option("--language", type=click.Choice(sorted(LANGUAGES)), default="ja", show_default=True)
@click.option("--html", "as_html", is_flag=True, help="Print the HTML form instead of the text.")
def show(config: Path, kind: str | None, language: str, as_html: bool) -> None:
    """Show the letter KIND as people will get it, with sample values; without KIND, list the letters."""
    settings = load_settings(config)
    zone = ZoneInfo(settings.timezone)
    tried = samples(zone)
    names = sorted({name for name, _ in tried})
    if kind is None:
        click.echo("\n".join(names))
        return
    if kind not in names:
        raise click.UsageError(f"no letter is called {kind!r}; there are {', '.join(names)}")
    own = _own(settings)
    for trouble in own.troubles:
        click.echo(escaped(str(trouble)), err=True)
    said = Wording(zone, own.forms).say(kind, language, tried[kind, language][0])
    click.echo(said.html if as_html else _as_text(said))


@notices.command()
@settings_file
def dkim(config: Path) -> None:
    """Print the DNS records that the keys of `notices.dkim` need, as they stand in a zone file."""
    try:
        signers = read_signers(key_places(load_settings(config)))
    except KeyUnfit as error:
        raise click.ClickException(str(error)) from None
    if not signers:
        raise click.ClickException("notices.dkim is not set: our own mail is not signed")
    for signer in signers:
        text = signer.record
        strings = [f'"{text[start : start + CHUNK]}"' for start in range(0, len(text), CHUNK)]
        click.echo(f"{signer.name}. IN TXT ( {' '.join(strings)} )")


def _own(settings: Settings) -> Own:
    folder = settings.notices.templates
    return NOTHING if folder is None else read_own(folder, ZoneInfo(settings.timezone))


def _verdict(settings: Settings, own: Own) -> str:
    if settings.notices.templates is None:
        return "notices.templates is not set: all letters are the built-in ones"
    good = len(own.forms)
    if not own.troubles:
        return f"ok, {good} letters of your own (each language counts)"
    return f"{len(own.troubles)} problems; {good} letters are your own, the others the built-in ones"


def _as_text(said: Said) -> str:
    return f"Subject: {said.subject}\n\n{said.text}"
