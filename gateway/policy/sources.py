"""Policy files as they were read: what each says, where it says it, and which conditions and names stand in it.

For checks and tools that have to say `file:line`; deciding works on the compiled policy (model.py).
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.policy import schema
from gateway.policy.conditions.condition import Condition
from gateway.policy.conditions.history import RESERVED
from gateway.policy.tiers import Tier, tier_of
from gateway.values import dataclass
from gateway.yaml_source import Document, Path, Problem


@dataclass(frozen=True, slots=True)
class Source:
    """One file: what it says, and where. The document's `file` is its name below the policy folder."""

    document: Document
    file: schema.PolicyFile

    @property
    def tier(self) -> Tier | None:
        return tier_of(self.document.file)

    def place(self, path: Path) -> str:
        """Return `file:line` of what stands at `path`."""
        return f"{self.document.file}:{self.document.position(path)[0]}"

    def problem(self, path: Path, message: str, hint: str = "") -> Problem:
        """Report at the path, without those of its steps that a short form leaves out."""
        here: Path = ()
        for step in path:
            here = (*here, step) if (*here, step) in self.document.values else here
        return self.document.problem(here, message, hint)


@dataclass(frozen=True, slots=True)
class Name:
    """A name that a file defines or uses. `kind` is the word for it in messages."""

    kind: str
    name: str
    path: Path


def rule_lines(sources: list[Source]) -> dict[str, int]:
    """Return the line in which each rule begins."""
    return {
        rule.id: source.document.position(("rules", index))[0]
        for source in sources
        for index, rule in enumerate(source.file.rules)
    }


def conditions(file: schema.PolicyFile) -> Iterator[tuple[Path, Condition]]:
    """Yield every condition of a file, wherever it stands."""
    for index, rule in enumerate(file.rules):
        for path, condition in rule_conditions(rule):
            yield ("rules", index, *path), condition


def rule_conditions(rule: schema.Rule) -> Iterator[tuple[Path, Condition]]:
    """Yield every condition of a rule, and where in the rule it stands."""
    if rule.when is not None:
        yield ("when",), rule.when
    if rule.unless is not None:
        yield ("unless",), rule.unless
    if rule.then.hold is not None:
        for index, growth in enumerate(rule.then.hold.grows):
            yield ("then", "hold", "grows", index, "when"), growth.when


def defined(file: schema.PolicyFile) -> Iterator[Name]:
    """Yield every name that a file defines."""
    for index, rule in enumerate(file.rules):
        yield Name("rule id", rule.id, ("rules", index, "id"))
    for name in file.circles:
        yield Name("circle", name, ("circles", name))
    for name in file.groups:
        yield Name("group", name, ("groups", name))
    for name in file.keywords:
        yield Name("keyword list", name, ("keywords", name))
    for name in file.disclaimers:
        yield Name("disclaimer", name, ("disclaimers", name))
    for name in file.calendars:
        yield Name("calendar", name, ("calendars", name))


def used(file: schema.PolicyFile) -> Iterator[Name]:
    """Yield every name that a file uses."""
    for path, condition in conditions(file):
        yield from _several("circle", condition.circle, (*path, "circle"))
        yield from _several("group", condition.sender_in, (*path, "sender_in"))
        if condition.new_recipient is not None and condition.new_recipient.of not in RESERVED:
            yield Name("group", condition.new_recipient.of, (*path, "new_recipient", "of"))
        if condition.text is not None:
            yield from _several("keyword list", condition.text.keywords, (*path, "text", "keywords"))
        yield from _several("calendar", condition.during, (*path, "during"))
        yield from _several("calendar", condition.outside, (*path, "outside"))
    for index, rule in enumerate(file.rules):
        then: Path = ("rules", index, "then")
        if rule.then.disclaimer is not None:
            yield Name("disclaimer", rule.then.disclaimer.name, (*then, "disclaimer", "name"))
        reported = _several("group", rule.then.report_to, (*then, "report_to"))
        yield from (use for use in reported if "@" not in use.name)
        if rule.then.approve is not None and rule.then.approve.calendar is not None:
            yield Name("calendar", rule.then.approve.calendar, (*then, "approve", "calendar"))
        if rule.then.confirm is not None and rule.then.confirm.calendar is not None:
            yield Name("calendar", rule.then.confirm.calendar, (*then, "confirm", "calendar"))
        hold = rule.then.hold
        if hold is not None and hold.until is not None and hold.until.calendar is not None:
            yield Name("calendar", hold.until.calendar, (*then, "hold", "until", "calendar"))


def _several(kind: str, names: tuple[str, ...] | None, path: Path) -> Iterator[Name]:
    for index, name in enumerate(names or ()):
        yield Name(kind, name, (*path, index))
