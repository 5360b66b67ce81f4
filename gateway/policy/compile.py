"""Turn checked policy files into a `Policy`. Everything that can be wrong was found before (load.py)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from zoneinfo import ZoneInfo

from gateway.message.domains import DomainSet
from gateway.policy import schema
from gateway.policy.actions.action import asks, for_mail
from gateway.policy.actions.proxies import with_proxies
from gateway.policy.calendar_keys import calendar
from gateway.policy.conditions.condition import Condition, asks_for_words, build, needs
from gateway.policy.conditions.context import Context, Need, Test
from gateway.policy.decision import ToLine
from gateway.policy.demands import Language
from gateway.policy.disclaimers import by_key
from gateway.policy.memberships import Memberships
from gateway.policy.model import Circle, Policy, Rule
from gateway.policy.people import People
from gateway.policy.sources import rule_conditions
from gateway.policy.tiers import tier_of


def compile_policy(
    files: Mapping[str, schema.PolicyFile], digest: str, lines: Mapping[str, int] | None = None
) -> Policy:
    """Build the policy of all files together; exactly one of them has the organisation.

    `lines` says in which line of its file each rule (by id) begins.
    """
    organisation = _organisation(files)
    context = context_of(files)
    lines = lines or {}
    named = _names(files)
    rules = [
        _rule(rule, name, lines.get(rule.id, 0), context, named)
        for name, f in files.items()
        for rule in f.rules
    ]
    return Policy(
        digest=digest,
        organisation=organisation.name,
        internal=organisation.internal,
        domains=DomainSet(organisation.internal),
        to_line=ToLine(organisation.to_line.group),
        language=Language(organisation.language),
        rules=tuple(sorted(rules, key=lambda rule: rule.id)),
        seats=_seats(files),
        tag_names=frozenset(
            name.lower()
            for rule in rules
            for ask in rule.asks
            for name, _ in ask.demands.tags
            if not rule.monitor
        ),
        needs=_needs(files),
        disclaimers=by_key(
            {name: text for f in files.values() for name, text in f.disclaimers.items()},
            Language(organisation.language),
        ),
        zone=context.zone,
        protects=any(rule.protects for rule in rules),
        reports=context.reports,
        memberships=Memberships(context.senders),
    )


def context_of(files: Mapping[str, schema.PolicyFile]) -> Context:
    """Return everything that rules may refer to by name."""
    zone = ZoneInfo(_organisation(files).timezone)
    return Context(
        zone=zone,
        calendars={name: calendar(part, zone) for f in files.values() for name, part in f.calendars.items()},
        circles={name: frozenset(m) for f in files.values() for name, m in f.circles.items()},
        senders={name: group.senders for f in files.values() for name, group in f.groups.items()},
        keywords={name: words for f in files.values() for name, words in f.keywords.items()},
        reports={name: group.report_to or () for f in files.values() for name, group in f.groups.items()},
        approvers={
            name: with_proxies(group.approvers or (), group.proxies, zone)
            for f in files.values()
            for name, group in f.groups.items()
        },
    )


def _organisation(files: Mapping[str, schema.PolicyFile]) -> schema.Organisation:
    return next(f.organisation for f in files.values() if f.organisation is not None)


def _needs(files: Mapping[str, schema.PolicyFile]) -> Need:
    found = Need.NOTHING
    for rule in (rule for file in files.values() for rule in file.rules):
        found |= _needs_of(rule)
    return found


def _needs_of(rule: schema.Rule) -> Need:
    found = Need.NOTHING
    for condition in _conditions(rule):
        found |= needs(condition)
    return found


def _conditions(rule: schema.Rule) -> list[Condition]:
    return [condition for _, condition in rule_conditions(rule)]


def _seats(files: Mapping[str, schema.PolicyFile]) -> dict[str, tuple[Circle, ...]]:
    seats: dict[str, tuple[Circle, ...]] = {}
    for name, file in files.items():
        for members in file.circles.values():
            circle = Circle(name, frozenset(members))
            for key in circle.members:
                seats[key] = (*seats.get(key, ()), circle)
    return seats


def _names(files: Mapping[str, schema.PolicyFile]) -> str:
    """Return what stands for everything that rules refer to by name, and for who is inside."""
    told = [f"{name}\n{file.model_dump_json(exclude={'rules'})}" for name, file in sorted(files.items())]
    return hashlib.sha256("\n".join(told).encode("utf-8", "surrogatepass")).hexdigest()


def _rule(rule: schema.Rule, file: str, line: int, context: Context, names: str) -> Rule:
    wanted = rule.when.recipient if rule.when is not None else None
    groups = rule.when.sender_in if rule.when is not None else None
    context = replace(context, own_group=groups[0]) if groups and len(groups) == 1 else context
    return Rule(
        id=rule.id,
        file=file,
        tier=tier_of(file),
        line=line,
        reason=rule.reason.text(),
        applies=_applies(rule, context),
        asks=tuple(asks(rule.then, rule.id, context)),
        for_mail=for_mail(rule.then, rule.id, context),
        matching=People(wanted) if wanted is not None else None,
        monitor=rule.monitor,
        needs=_needs_of(rule),
        words=any(asks_for_words(condition) for condition in _conditions(rule)),
        written=f"{names}\n{file}\n{rule.model_dump_json(exclude_defaults=True)}",
    )


def _applies(rule: schema.Rule, context: Context) -> Test:
    when = build(rule.when, context, in_doubt=True) if rule.when is not None else _always
    if rule.unless is None:
        return when
    unless = build(rule.unless, context, in_doubt=False)
    return lambda mail: when(mail) and not unless(mail)


def _always(_mail: object) -> bool:
    return True
