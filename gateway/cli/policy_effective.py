"""`sekisho policy effective`: what applies to a sender, and in which file and line each demand stands.

Reads files only. Exit code 0; 1 where the policy has problems; 2 for wrong use.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from gateway.cli.printable import printable
from gateway.config.policy_files import below, read_files
from gateway.message.address import Address, parse_path
from gateway.policy.compile import context_of
from gateway.policy.demands import Form, Language
from gateway.policy.effective import Effect, Effective, Known, effective
from gateway.policy.load import compile_sources, digest, load_sources
from gateway.policy.protection import protection_text
from gateway.units import format_duration
from gateway.values import dataclass
from gateway.yaml_source import Problems

_WORDS = {
    Language.JA: {
        "always": "必ず適用",
        "maybe": "条件により適用",
        "never": "適用されない",
        "when": "条件",
        "unless": "例外",
        "at_least": "外部の宛先には、少なくとも",
        "window": "保留 {}",
        "firm": "うち短縮できない {}",
        "nothing": "何も求められません",
        "monitor": "記録のみ",
        "refused": "拒否",
    },
    Language.EN: {
        "always": "applies",
        "maybe": "may apply",
        "never": "never applies",
        "when": "when",
        "unless": "unless",
        "at_least": "external recipients have at least",
        "window": "hold {}",
        "firm": "of which nobody can waive {}",
        "nothing": "nothing is asked for",
        "monitor": "only watches",
        "refused": "refused",
    },
}


@dataclass(frozen=True, slots=True)
class _Written:
    """A rule as its file has it."""

    when: dict[str, Any]
    unless: dict[str, Any]
    then: dict[str, Any]

    def value(self, where: str, key: str) -> str:
        part = self.when if where == "when" else self.unless
        return f"{key}: {_flow(part.get(key))}"


@click.command("effective")
@click.option("--sender", required=True, metavar="ADDRESS", help="Whose mail.")
@click.option(
    "--to", "recipients", multiple=True, metavar="ADDRESS", help="To these; default: somebody outside."
)
@click.option("--at", metavar="TIME", help="When: 2026-05-03T10:00; default: at any time.")
@click.option(
    "--policies",
    "folder",
    default="policies",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the policy files.",
)
@click.option("--language", type=click.Choice(["ja", "en"]), help="Default: the organisation's.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def effective_command(
    sender: str,
    recipients: tuple[str, ...],
    at: str | None,
    folder: Path,
    language: str | None,
    as_json: bool,
) -> None:
    """Show which rules apply to a sender, and what every mail of theirs has at least."""
    try:
        files = read_files(folder)
        sources = load_sources(files)
    except Problems as found:
        raise click.ClickException(str(below(folder, found))) from None
    policy = compile_sources(sources, digest(files))
    people = tuple(_address("--to", text) for text in recipients)
    known = Known(_address("--sender", sender), people, _time(at, policy.zone) if at else None)
    rules = {rule.id: rule for source in sources for rule in source.file.rules}
    context = context_of({source.document.file: source.file for source in sources})
    found_effects = effective(rules, policy, context, known)
    written = {
        each["id"]: _Written(each.get("when") or {}, each.get("unless") or {}, each["then"])
        for source in sources
        for each in source.document.data.get("rules") or ()
    }
    if as_json:
        click.echo(json.dumps(_json(found_effects, written), ensure_ascii=False, indent=2))
    else:
        chosen = Language(language) if language else policy.language
        click.echo("\n".join(printable(line) for line in _text(found_effects, written, chosen)))


def _address(option: str, text: str) -> Address:
    try:
        return parse_path(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from None


def _time(text: str, zone: Any) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("write it as 2026-05-03T10:00", param_hint="--at") from None
    return at if at.tzinfo is not None else at.replace(tzinfo=zone)


def _text(found: Effective, written: dict[str, _Written], language: Language) -> Iterator[str]:
    words = _WORDS[language]
    for effect in found.effects:
        rule = effect.rule
        watching = f" ({words['monitor']})" if rule.monitor else ""
        yield f"{words[effect.applies]}: {rule.id}{watching}  {rule.place}  {rule.reason.in_(language)}"
        yield f"    {_flow(written[rule.id].then)}"
        for where, key in (*effect.open, *effect.because):
            yield f"    {words[where]} {written[rule.id].value(where, key)}"
    yield f"{words['at_least']}: {', '.join(_demands(found, language)) or words['nothing']}"


def _demands(found: Effective, language: Language) -> Iterator[str]:
    words, demands = _WORDS[language], found.demands
    yield from (f"{words['refused']} ({refusal.rule})" for refusal in sorted(found.for_mail.refusals))
    if demands.window:
        yield words["window"].format(format_duration(demands.window))
    if demands.firm:
        yield words["firm"].format(format_duration(demands.firm))
    if demands.form > Form.ORIGINAL:
        yield f"recipients: {demands.form.name.lower()}"
    yield from (f"{name}: {value}" for name, value in sorted(demands.tags))
    yield from (f"attachments: {protection_text(each)}" for each in sorted(found.of_files))


def _json(found: Effective, written: dict[str, _Written]) -> dict[str, Any]:
    return {
        "rules": [_one(effect, written[effect.rule.id]) for effect in found.effects],
        "at_least": _least(found),
        "refused_by": sorted(refusal.rule for refusal in found.for_mail.refusals),
    }


def _one(effect: Effect, written: _Written) -> dict[str, Any]:
    rule = effect.rule
    return {
        "rule": rule.id,
        "file": rule.file,
        "line": rule.line,
        "tier": rule.tier,
        "applies": effect.applies,
        "monitor": rule.monitor,
        "then": written.then,
        "open": [written.value(*each) for each in effect.open],
        "because": [written.value(*each) for each in effect.because],
    }


def _least(found: Effective) -> dict[str, Any]:
    demands = found.demands
    return {
        "hold": format_duration(demands.window),
        "firm": format_duration(demands.firm),
        "form": demands.form.name.lower(),
        "tags": [list(tag) for tag in sorted(demands.tags)],
        "attachments": [protection_text(each) for each in sorted(found.of_files)],
    }


def _flow(value: Any) -> str:
    """Write a value as it may stand in a policy file, on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)
