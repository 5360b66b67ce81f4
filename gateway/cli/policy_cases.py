"""`sekisho policy test`: run the cases, and say of those that differ where they stand, what differs and which rules applied.

Exit code 0: all as expected; 1: differences, problems, or no case at all; 2: wrong use.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from gateway.cli.case_files import facts_of_cases, read_cases, seen_of_cases
from gateway.cli.printable import printable
from gateway.cli.printing import dump, print_problems
from gateway.config.policy_files import read_files, read_policy
from gateway.policy.cases import decided, run_case
from gateway.policy.load import load_policy
from gateway.policy.model import Policy
from gateway.policy.tiers import Tier, tier_of
from gateway.values import dataclass
from gateway.yaml_source import Problems


@dataclass(frozen=True, slots=True)
class _Ran:
    """How a case went, where it stands, and the rules that applied to its mail (`id (file:line)`)."""

    file: str
    line: int
    name: str
    differences: tuple[str, ...]
    applied: tuple[str, ...]


@click.command()
@click.argument(
    "folder",
    metavar="[DIR]",
    default="policies",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def test(folder: Path, as_json: bool) -> None:
    """Run the cases (*.cases.yaml) of DIR (default: policies) and print what differs.

    Cases of the floor run against the floor alone, local ones against both.
    """
    try:
        ran = list(_run(folder))
    except Problems as found:
        print_problems(found, as_json)
        sys.exit(1)
    click.echo(dump([_json(each) for each in ran]) if as_json else "\n".join(_lines(folder, ran)))
    sys.exit(1 if not ran or any(each.differences for each in ran) else 0)


def _run(folder: Path) -> Iterator[_Ran]:
    policy = read_policy(folder)
    floor = floor_of(folder, policy)
    for read in read_cases(folder):
        against = floor if tier_of(read.name) is Tier.FLOOR else policy
        places = {rule.id: f"{rule.id} ({rule.place})" for rule in against.rules}
        facts = facts_of_cases(read.cases, against.needs)
        seen = seen_of_cases(read.cases, against)
        for index, (case, of_mail, files) in enumerate(zip(read.cases, facts, seen, strict=True)):
            result = run_case(case, against, of_mail, files)
            applied = [places[reason.rule] for reason in decided(case, against, of_mail).reasons]
            yield _Ran(read.name, read.line(index), result.name, result.differences, tuple(applied))


def floor_of(folder: Path, whole: Policy) -> Policy:
    """Return the policy that the floor's cases are for: the floor alone, whatever a local file adds to it."""
    if not whole.has_floor:
        return whole
    return load_policy({n: text for n, text in read_files(folder).items() if tier_of(n) is Tier.FLOOR})


def _lines(folder: Path, ran: list[_Ran]) -> Iterator[str]:
    if not ran:
        yield "no cases found; write some into a file ending in .cases.yaml"
        return
    for each in ran:
        if each.differences:
            yield printable(f"{folder / each.file}:{each.line}: {each.name}")
            yield from (printable(f"    {difference}") for difference in each.differences)
            yield f"    rules that applied: {', '.join(each.applied) or 'none'}"
    failed = sum(bool(each.differences) for each in ran)
    yield f"{len(ran) - failed} of {len(ran)} cases as expected"


def _json(each: _Ran) -> dict[str, object]:
    return {
        "file": each.file,
        "line": each.line,
        "name": each.name,
        "differences": list(each.differences),
        "applied": list(each.applied),
    }
