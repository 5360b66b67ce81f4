"""Find what is wrong with demands on what leaves: reports to strangers or to nobody, too many copies."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.message.address import parse_path
from gateway.message.domains import DomainSet
from gateway.policy.sources import Source
from gateway.yaml_source import Path, Problem

MAX_COPIES = 50
"""Different addresses that all rules together may copy to: every mail could have them all as further recipients."""


def reports_and_copies(sources: list[Source]) -> Iterator[Problem]:
    """Report groups that say no address to report to, addresses outside that would get reports, and too many copies."""
    groups = {name: group for source in sources for name, group in source.file.groups.items()}
    for source in sources:
        for path, name in _reported(source):
            if "@" not in name and name in groups and groups[name].report_to is None:
                hint = f"write report_to: in groups: {{{name}: …}}, or an address here"
                yield source.problem(path, f"the group {name!r} says no report_to", hint)
    yield from _outside(sources)


def _outside(sources: list[Source]) -> Iterator[Problem]:
    organisation = next((s.file.organisation for s in sources if s.file.organisation is not None), None)
    if organisation is None:
        return
    inside = DomainSet(organisation.internal)
    copied: set[str] = set()
    for source in sources:
        for path, address in _reported(source):
            if "@" in address and not inside.matches(parse_path(address)):
                hint = "a report names recipients; it goes to addresses of organisation.internal only"
                yield source.problem(path, f"{address} is outside", hint)
        for index, rule in enumerate(source.file.rules):
            copied.update(rule.then.bcc_to or ())
            if len(copied) > MAX_COPIES:
                message = f"more than {MAX_COPIES} addresses get copies"
                yield source.document.problem(
                    ("rules", index, "then", "bcc_to"), message, "use a list address"
                )
                return


def _reported(source: Source) -> Iterator[tuple[Path, str]]:
    for index, rule in enumerate(source.file.rules):
        for number, address in enumerate(rule.then.report_to or ()):
            yield ("rules", index, "then", "report_to", number), address
    for name, group in source.file.groups.items():
        for number, address in enumerate(group.report_to or ()):
            yield ("groups", name, "report_to", number), address
