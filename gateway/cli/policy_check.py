"""`sekisho policy check`: every problem at once, and what is well-formed but worth a second look (warnings).

Exit code 0: no problem (and with --strict no warning); 1: problems; 2: wrong use.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

import click

from gateway.cli.case_files import ReadCases, facts_of_cases, read_cases
from gateway.cli.printing import dump, print_problems
from gateway.config.policy_files import below, read_files
from gateway.policy.case_findings import CaseFile, weak_cases
from gateway.policy.load import compile_sources, digest, load_policy, load_sources
from gateway.policy.model import Policy
from gateway.policy.protection import Way
from gateway.policy.protection_checks import weak_protections
from gateway.policy.redundancy import idle_beside_others
from gateway.policy.sources import Source
from gateway.policy.tiers import Tier, tier_of
from gateway.policy.unmatched import never_met
from gateway.values import dataclass
from gateway.yaml_source import Problem, Problems

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Checked:
    """A folder without a problem; `floor` is the policy that the floor's cases are for: the floor alone."""

    sources: list[Source]
    policy: Policy
    cases: list[ReadCases]
    floor: Policy


@click.command()
@click.argument(
    "folder",
    metavar="[DIR]",
    default="policies",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@click.option("--strict", is_flag=True, help="Warnings end with exit code 1, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(folder: Path, strict: bool, as_json: bool) -> None:
    """Report every problem of the policy files and cases in DIR (default: policies), with file, line and a hint.

    Warnings name rules that add nothing, that can never match or that no case meets, attachments that are protected
    weakly, and cases that prove nothing.
    """
    problems: list[Problem] = []
    checked = _checked(folder, problems)
    if checked is None:
        print_problems(Problems(problems), as_json)
        sys.exit(1)
    warnings = below(folder, Problems(list(_warnings(checked)))).problems
    click.echo(dump(_json(checked, warnings)) if as_json else "\n".join(_lines(checked, warnings)))
    sys.exit(1 if strict and warnings else 0)


def _checked(folder: Path, problems: list[Problem]) -> _Checked | None:
    """Read policy and cases; add all their problems, of which one is enough to have no policy."""
    files = _or_problems(lambda: read_files(folder), problems)
    sources = _sources(folder, files, problems) if files is not None else None
    cases = _or_problems(lambda: read_cases(folder), problems) or []
    if problems or files is None or sources is None:
        return None
    policy = compile_sources(sources, digest(files))
    floor = {name: text for name, text in files.items() if tier_of(name) is Tier.FLOOR}
    return _Checked(sources, policy, cases, load_policy(floor) if floor else policy)


def _or_problems(read: Callable[[], T], problems: list[Problem]) -> T | None:
    try:
        return read()
    except Problems as found:
        problems += found.problems
        return None


def _sources(folder: Path, files: dict[str, str], problems: list[Problem]) -> list[Source] | None:
    try:
        return load_sources(files)
    except Problems as found:
        problems += below(folder, found).problems
        return None


def _warnings(checked: _Checked) -> Iterator[Problem]:
    yield from never_met(checked.sources, checked.policy.domains)
    yield from idle_beside_others(checked.sources, checked.policy)
    yield from weak_protections(checked.sources)
    files = []
    for read in checked.cases:
        policy = checked.floor if tier_of(read.name) is Tier.FLOOR else checked.policy
        facts = facts_of_cases(read.cases, policy.needs)
        files.append(CaseFile(read.document, read.cases, policy, facts))
    yield from weak_cases(files, checked.sources)


def _json(checked: _Checked, warnings: tuple[Problem, ...]) -> dict[str, object]:
    policy = checked.policy
    summary: dict[str, object] = {
        "ok": True,
        "rules": len(policy.rules),
        "cases": _count(checked),
        "digest": policy.digest,
        "warnings": [asdict(warning) for warning in warnings],
    }
    needs = {"routes": list(policy.routes), "ways": list(policy.ways), "links": policy.links}
    return summary | {key: value for key, value in needs.items() if value}


def _lines(checked: _Checked, warnings: tuple[Problem, ...]) -> Iterator[str]:
    policy = checked.policy
    yield from (f"warning: {warning}" for warning in warnings)
    said = f", {len(warnings)} warnings" if warnings else ""
    yield f"ok: {len(policy.rules)} rules, {_count(checked)} cases, {policy.digest}{said}"
    if policy.routes:
        yield f"needs in the settings, under delivery.routes: {', '.join(policy.routes)}"
    if policy.links:
        yield "needs in the settings: web.public_url, an address that recipients outside can open (attachments: link)"
    if Way.SMS in policy.ways:
        yield "needs in the settings: channels.sms; without it no key goes by SMS"


def _count(checked: _Checked) -> int:
    return sum(len(read.cases) for read in checked.cases)
