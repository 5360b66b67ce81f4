"""`sekisho log rules`: what each rule did, from the event log; and the rules of the policy that did nothing."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path

import click

from gateway.audit.entries import Question
from gateway.audit.log import EventLog
from gateway.audit.rules import KINDS, Effect, RuleEffects
from gateway.cli.place import find_place, place_options
from gateway.cli.printable import printable
from gateway.cli.when import WHEN
from gateway.config.load import load_settings
from gateway.config.policies import read_policy
from gateway.log import escaped
from gateway.policy.demands import Language
from gateway.policy.model import Policy
from gateway.store.errors import StoreUnavailable
from gateway.units import format_duration

_FIGURES = ("matched", "watched", "held", "refused", "waived", "overridden", "cancelled")
_WORDS = {
    Language.JA: {
        "mails": "メール{mails}通",
        "rule": "ルール",
        "matched": "該当",
        "watched": "記録のみ",
        "held": "保留",
        "refused": "拒否",
        "waived": "早送り",
        "overridden": "理由付き",
        "cancelled": "取消",
        "wait": "平均待ち",
        "nothing": "この期間に一度も該当していないルール",
        "lost": "最後まで追えなかった保留メール: {count}通",
    },
    Language.EN: {
        "mails": "{mails} mails",
        "rule": "rule",
        "matched": "matched",
        "watched": "watched",
        "held": "held",
        "refused": "refused",
        "waived": "waived",
        "overridden": "reason",
        "cancelled": "cancelled",
        "wait": "mean wait",
        "nothing": "rules that matched nothing in this time, and so prove nothing",
        "lost": "held mails that could not be followed to their end: {count}",
    },
}


@click.command()
@place_options
@click.option("--since", type=WHEN, default="30d", show_default=True, help="From this time on.")
@click.option("--until", type=WHEN, help="Before this time.")
@click.option(
    "--policies",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the policy whose rules to list; default: the settings' own.",
)
@click.option("--language", type=click.Choice(["ja", "en"]), help="Default: the organisation's.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def rules(
    state: Path | None,
    config: Path | None,
    since: datetime,
    until: datetime | None,
    policies: Path | None,
    language: str | None,
    as_json: bool,
) -> None:
    """Show for each rule how often it matched, held, was waived or led to a cancel, and the waiting it cost."""
    place = find_place(state, config)
    policy = _policy(policies, config)
    counted = RuleEffects({rule.id: rule.holds for rule in policy.rules} if policy is not None else {})
    try:
        with EventLog(place.store) as events:
            counted.add(events.stream(Question(since=since, until=until, kinds=KINDS)))
    except (StoreUnavailable, ValueError) as error:
        raise click.ClickException(str(error).splitlines()[0]) from error
    if as_json:
        click.echo(escaped(json.dumps(_json(counted, policy), ensure_ascii=False)))
        return
    chosen = Language(language) if language else policy.language if policy is not None else Language.JA
    for line in _lines(counted, chosen):
        click.echo(printable(line))


def _policy(policies: Path | None, config: Path | None) -> Policy | None:
    """Return the policy whose rules are listed; None where nobody says which, and ./policies is not there."""
    folder = policies or (load_settings(config).policies if config is not None else Path("policies"))
    return read_policy(folder) if policies or config or folder.is_dir() else None


def _lines(counted: RuleEffects, language: Language) -> Iterator[str]:
    words = _WORDS[language]
    yield words["mails"].format(mails=counted.mails)
    shown = {rule: effect for rule, effect in counted.effects.items() if not effect.proves_nothing}
    table = [[words["rule"], *(words[key] for key in _FIGURES), words["wait"]]] if shown else []
    for rule, effect in sorted(shown.items(), key=lambda item: (-item[1].matched - item[1].watched, item[0])):
        table.append([rule, *(str(getattr(effect, key)) for key in _FIGURES), _wait(effect)])
    yield from aligned(table)
    if nothing := sorted(rule for rule, effect in counted.effects.items() if effect.proves_nothing):
        yield f"{words['nothing']}: {', '.join(nothing)}"
    if counted.not_followed:
        yield words["lost"].format(count=counted.not_followed)


def aligned(table: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield lines whose columns stand below one another, the first to the left; Japanese characters are two columns wide."""
    widths = [max(map(_width, column)) for column in zip(*table, strict=True)]
    for first, *figures in table:
        right = [" " * (width - _width(cell)) + cell for width, cell in zip(widths[1:], figures, strict=True)]
        yield "  ".join([first + " " * (widths[0] - _width(first)), *right])


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _wait(effect: Effect) -> str:
    mean = effect.mean_wait_s
    return "-" if mean is None else format_duration(timedelta(seconds=round(mean)))


def _json(counted: RuleEffects, policy: Policy | None) -> dict[str, object]:
    in_force = {rule.id: rule.monitor for rule in policy.rules} if policy is not None else {}
    return {
        "mails": counted.mails,
        "not_followed": counted.not_followed,
        "rules": [
            {
                "rule": rule,
                "in_force": rule in in_force,
                "monitor": in_force.get(rule, False),
                **{key: value for key, value in asdict(effect).items() if not key.startswith("waited")},
                "mean_wait_s": effect.mean_wait_s,
                "proves_nothing": effect.proves_nothing,
            }
            for rule, effect in sorted(counted.effects.items())
        ],
    }
