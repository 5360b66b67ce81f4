"""Find what is well-formed and still wrong in policy files: names nobody defined, rules that can never do anything.

Only what is certain is reported: a rule flagged here applies to no mail at all, asks for something no recipient gets, or
has an exception that takes in all of `when` but bounces and mail that cannot be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gateway.policy import leaving_checks, schema
from gateway.policy.actions.attachments import Protect
from gateway.policy.actions.hold import Hold
from gateway.policy.actions.leaving import Drop, NextHop, TextUnder
from gateway.policy.actions.recipients import Recipients
from gateway.policy.actions.second_look import Approve, Confirm
from gateway.policy.approval_checks import idle_approvals, idle_proxies
from gateway.policy.bounds import Range, SizeRange
from gateway.policy.conditions.condition import Condition
from gateway.policy.local_checks import check_local
from gateway.policy.names import check_names
from gateway.policy.sources import Source
from gateway.policy.tiers import Tier
from gateway.policy.time_checks import check_times
from gateway.yaml_source import Document, Path, Problem

_EXACT = ("external", "internal", "size")  # the keys that mean the same in `when` and in `unless`


def empty_values(document: Document) -> Iterator[Problem]:
    """Report every key and list item without a value: no policy key takes none."""
    for path in document.values:
        if path and _at(document.data, path) is None:
            yield document.problem(path, "a value is missing here", "write one, or remove the key")


def _at(data: Any, path: Path) -> Any:
    for step in path:
        data = data[step]
    return data


def across_files(sources: list[Source]) -> Iterator[Problem]:
    """Report what only shows when all files are read together."""
    unclear = list(check_names(sources))
    yield from unclear
    if not unclear:
        yield from check_times(sources)
    yield from leaving_checks.reports_and_copies(sources)
    yield from check_local(sources)
    yield from _approvals(sources)
    if sources and not any(source.file.rules for source in sources):
        yield sources[0].document.problem((), "the policy has no rule: no mail would be held or changed")


def _approvals(sources: list[Source]) -> Iterator[Problem]:
    everywhere = {name: group for source in sources for name, group in source.file.groups.items()}
    floor = [source for source in sources if source.tier is Tier.FLOOR]
    of_floor = {name: group for source in floor for name, group in source.file.groups.items()}
    for source in sources:
        groups = of_floor if source.tier is Tier.FLOOR else everywhere  # who approves is not in local hands
        for name, group in source.file.groups.items():
            for path, message, hint in idle_proxies(group):
                yield source.problem(("groups", name, *path), message, hint)
        for index, rule in enumerate(source.file.rules):
            for path, message, hint in idle_approvals(rule, groups):
                yield source.problem(("rules", index, *path), message, hint)


def idle_rules(source: Source) -> Iterator[Problem]:
    """Report the rules of one file that can never apply, and demands that can never reach anybody."""
    for index, rule in enumerate(source.file.rules):
        for below, message, hint in (*_never(rule), *_reaches_nobody(rule)):
            yield source.document.problem(("rules", index, *below), message, hint)


_Finding = tuple[Path, str, str]


def _never(rule: schema.Rule) -> Iterator[_Finding]:
    if _none(rule.when, "external") and _none(rule.when, "internal"):
        yield ("when",), "can never match: every mail has a recipient", "drop one of the two"
    if rule.when is not None and _none(rule.when, "external"):
        for key in _asks_for_outsiders(rule.when):
            hint = "drop one of the two"
            yield ("when", key), "can never match: `external` asks for no external recipient", hint
    if rule.unless is None:
        return
    if _implies(rule.when, rule.unless):
        yield ("unless",), "the exception takes in every mail of `when`: the rule never applies", "narrow it"
    elif _implies(rule.when, rule.unless, ordinary=True):
        yield ("unless",), f"the exception takes in every mail of `when` {_ORDINARY}", _PLAINLY


_ORDINARY = "that has a sender and can be read: the rule applies to nearly none"
_PLAINLY = "narrow it; a rule for bounces says when: {null_sender: true}"


def _asks_for_outsiders(condition: Condition) -> Iterator[str]:
    """Yield the keys that only a mail with an external recipient can fit."""
    domains, free = condition.external_domains, condition.free_mail
    asked = {
        "external_domains": domains is not None and (domains.at_least or 0) > 0,
        "free_mail": free is not None and ((free.at_least or 0) > 0 or free.at_most is None),
        "bcc_only_external": condition.bcc_only_external,
        "domain_state": condition.domain_state is not None,
        "look_alike": condition.look_alike,
    }
    yield from (key for key, yes in asked.items() if yes)


def _none(condition: Condition | None, key: str) -> bool:
    bounds = getattr(condition, key, None)
    return bounds is not None and bounds.at_most == 0


def _excepts_all_with(rule: schema.Rule, key: str) -> bool:
    """Tell whether `unless` takes in each ordinary mail where the count of `key` is not 0, though not each mail."""
    unless = rule.unless
    if unless is None or _implies(rule.when, unless, ordinary=True):
        return False  # said already (see _never)
    return _implies(rule.when, unless, ordinary=True, present=key)


def _implies(when: Condition | None, unless: Condition, *, ordinary: bool = False, present: str = "") -> bool:
    """Tell whether every mail that fits `when` certainly fits `unless`; looks only at keys without doubt.

    `ordinary` asks it of mail that has a sender (unless `when` asks for none) and can be read; `present` of mail
    where the count of that key is at least 1.
    """
    ranges = (*_EXACT, "visible_external") if ordinary else _EXACT
    if not unless.model_fields_set <= {*ranges, "null_sender"}:
        return False
    null_sender = when.null_sender if when is not None else None
    if null_sender is None and ordinary:
        null_sender = False
    if unless.null_sender is not None and null_sender is not unless.null_sender:
        return False
    return all(_within(getattr(when, key, None), getattr(unless, key), int(key == present)) for key in ranges)


def _within(inner: Range | SizeRange | None, outer: Range | SizeRange | None, least: int) -> bool:
    if outer is None:
        return True
    low = max(least, (inner.at_least if inner is not None else None) or 0)
    high = inner.at_most if inner is not None else None
    if low < (outer.at_least or 0):
        return False
    return outer.at_most is None or (high is not None and high <= outer.at_most)


def _reaches_nobody(rule: schema.Rule) -> Iterator[_Finding]:
    then = rule.then
    asks: Mapping[str, Hold | Recipients | Confirm | Approve | Drop | NextHop | TextUnder | Protect | None]
    asks = {
        "hold": then.hold,
        "recipients": then.recipients,
        "confirm": then.confirm,
        "approve": then.approve,
        "drop_recipient": then.drop_recipient,
        "route": then.route,
        "disclaimer": then.disclaimer,
        "attachments": then.attachments,
    }
    for key, ask in asks.items():
        if ask is None:
            continue
        if ask.for_ == "matching" and (rule.when is None or rule.when.recipient is None):
            here = ("then", key, "for") if "for_" in ask.model_fields_set else ("then", key)
            yield here, "matching what?", "write when: {recipient: …} in this rule"
        if ask.for_ == "external" and _none(rule.when, "external"):
            hint = "write for: all, or let `when` allow external recipients"
            yield ("then", key), "reaches nobody: `when` asks for no external recipient", hint
        if ask.for_ == "external" and _excepts_all_with(rule, "external"):
            yield (
                ("unless",),
                f"{key} reaches nobody: every mail with an external recipient is excepted",
                "narrow it",
            )
    if rule.then.recipients is not None and _excepts_all_with(rule, "visible_external"):
        hint = "narrow it; a rule for mail that shows nobody says when: {visible_external: {at_most: 0}}"
        yield ("unless",), "recipients hides nobody outside: every mail that shows one is excepted", hint
