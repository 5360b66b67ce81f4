"""Find what a local file asks for that would get round the floor, though it only adds (docs/decisions/0052-tiers.md).

A demand may tighten the mail and loosen something beside it: a copy shows the mail to somebody, a second value of a tag
contradicts the first, another next hop stands before the floor's, a dropped recipient is the floor's own copy.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from gateway.message.address import Address, parse_path
from gateway.message.domains import DomainSet
from gateway.policy import schema
from gateway.policy.people import People
from gateway.policy.sources import Source
from gateway.policy.tiers import Tier
from gateway.values import dataclass
from gateway.yaml_source import Path, Problem

Finding = tuple[Path, str, str]


@dataclass(frozen=True, slots=True)
class _Floor:
    """What the floor says: who is inside, whom its groups name, the rule that sets a tag, asks for a route, for a copy.

    Rules are named by their place, `file:line`.
    """

    inside: DomainSet
    people: People
    tags: dict[tuple[str, str], str]
    routes: str
    copies: dict[str, str]


def check_local(sources: list[Source]) -> Iterator[Problem]:
    """Report demands of local rules that would weaken what the floor asks for."""
    floor = _floor([source for source in sources if source.tier is Tier.FLOOR])
    if floor is None:
        return
    for source in sources:
        if source.tier is not Tier.LOCAL:
            continue
        for path, message, hint in _findings(source.file, floor):
            yield source.problem(path, message, hint)


def _floor(sources: list[Source]) -> _Floor | None:
    organisation = next((s.file.organisation for s in sources if s.file.organisation is not None), None)
    if organisation is None:
        return None
    groups = [group for source in sources for group in source.file.groups.values()]
    rules = [
        (rule, source.place(("rules", index)))
        for source in sources
        for index, rule in enumerate(source.file.rules)
    ]
    return _Floor(
        inside=DomainSet(organisation.internal),
        people=_people(groups),
        tags={(name.casefold(), value): place for rule, place in rules for name, value in _tags(rule)},
        routes=next((place for rule, place in rules if rule.then.route is not None), ""),
        copies={address: place for rule, place in rules for address in rule.then.bcc_to or ()},
    )


def _tags(rule: schema.Rule) -> list[tuple[str, str]]:
    return list((rule.then.tag or {}).items())


def _people(groups: list[schema.Group]) -> People:
    named = [person for group in groups for person in (*group.senders, *(group.approvers or ()))]
    return People((*named, *(proxy.by for group in groups for proxy in group.proxies)))


def _findings(file: schema.PolicyFile, floor: _Floor) -> Iterator[Finding]:
    for path, address in _told(file):
        person = parse_path(address)
        if not floor.inside.matches(person) and not floor.people.include(person, in_doubt=False):
            hint = "a local file names people inside, or those of a group of the floor"
            yield path, f"{address} is outside, and would be told of mail", hint
    for index, rule in enumerate(file.rules):
        for path, message, hint in _of_rule(rule, floor):
            yield ("rules", index, "then", *path), message, hint


def _told(file: schema.PolicyFile) -> Iterator[tuple[Path, str]]:
    """Yield everybody to whom the file shows mail: who gets a copy or a notice, and who decides about it."""
    for index, rule in enumerate(file.rules):
        then: Path = ("rules", index, "then")
        yield from _addresses((*then, "bcc_to"), rule.then.bcc_to)
        yield from _addresses((*then, "notify"), rule.then.notify)
        if rule.then.approve is not None:
            yield from _addresses((*then, "approve", "by"), rule.then.approve.by)
            for number, step in enumerate(rule.then.approve.escalate):
                yield from _addresses((*then, "approve", "escalate", number, "to"), step.to)
    for name, group in file.groups.items():
        yield from _addresses(("groups", name, "approvers"), group.approvers)
        for number, proxy in enumerate(group.proxies):
            yield ("groups", name, "proxies", number, "by"), proxy.by


def _addresses(path: Path, names: Collection[str] | None) -> Iterator[tuple[Path, str]]:
    for number, name in enumerate(names or ()):
        if "@" in name:
            yield (*path, name if isinstance(names, dict) else number), name


def _of_rule(rule: schema.Rule, floor: _Floor) -> Iterator[Finding]:
    for name, value in _tags(rule):
        places = {said: place for (tag, said), place in floor.tags.items() if tag == name.casefold()}
        if places and value not in places:
            hint = f"at {next(iter(places.values()))}; choose another name"
            yield ("tag", name), f"the tag {name} belongs to the floor", hint
    if rule.then.route is not None and floor.routes:
        hint = f"at {floor.routes}; ask whoever writes the floor"
        yield ("route",), "the floor says by which way mail leaves", hint
    if rule.then.drop_recipient is not None:
        for address, place in floor.copies.items():
            if _dropped(rule, rule.then.drop_recipient.for_, parse_path(address), floor.inside):
                hint = f"at {place}; name others in recipient:"
                yield ("drop_recipient",), f"{address} would miss the copy that the floor asks for", hint


def _dropped(rule: schema.Rule, whom: str, address: Address, inside: DomainSet) -> bool:
    """Tell whether the rule may drop this one and leave others; where all are dropped there is nothing to copy."""
    if whom == "matching":
        named = (rule.when.recipient if rule.when is not None else None) or ()
        return People(named).include(address, in_doubt=True)
    return whom == "external" and not inside.matches(address)
