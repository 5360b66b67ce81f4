"""Find approvals that nobody, or too few, can give: a mail that waits for them would always run out of time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.message.address import Address
from gateway.policy import schema
from gateway.policy.actions.second_look import OWN_APPROVERS, Approve, Confirm
from gateway.policy.people import People
from gateway.units import format_duration
from gateway.yaml_source import Path, nearest

Finding = tuple[Path, str, str]
Groups = Mapping[str, schema.Group]


def idle_proxies(group: schema.Group) -> Iterator[Finding]:
    """Report proxies for somebody who is no approver of the group; paths are relative to it."""
    approvers = group.approvers or ()
    for index, proxy in enumerate(group.proxies):
        if proxy.for_ not in approvers:
            message = f"{proxy.for_} is no approver of this group: the proxy could never approve"
            yield ("proxies", index, "for"), message, nearest(proxy.for_, approvers)


def idle_approvals(rule: schema.Rule, groups: Groups) -> Iterator[Finding]:
    """Report what is wrong with what a rule asks of people; paths are relative to the rule."""
    if rule.then.confirm is not None:
        yield from _idle_reminders(rule.then.confirm, "confirm")
    approve = rule.then.approve
    if approve is None:
        return
    yield from _idle_reminders(approve, "approve")
    named = [*_unknown(approve, rule, groups)]
    yield from named
    yield from _late(approve)
    if not named:
        yield from _too_few(approve, rule, groups)


def _unknown(approve: Approve, rule: schema.Rule, groups: Groups) -> Iterator[Finding]:
    for path, names in _lists(approve):
        for name in names:
            if "@" in name:
                continue
            if name == OWN_APPROVERS:
                if _own_group(rule) is None:
                    hint = "write when: {sender_in: one group}, or name the group here"
                    yield path, "approvers of which group?", hint
            elif name not in groups:
                hint = nearest(name, [*groups, OWN_APPROVERS])
                yield path, f"no group is called {name!r}, and it is no address", hint
            elif not groups[name].approvers:
                yield (
                    path,
                    f"the group {name!r} has no approvers",
                    "write approvers: [somebody@…] in the group",
                )


def _late(approve: Approve) -> Iterator[Finding]:
    for index, step in enumerate(approve.escalate):
        if step.after >= approve.within:
            after, within = format_duration(step.after), format_duration(approve.within)
            message = f"after {after} it is too late: it ends after {within} (within)"
            yield ("then", "approve", "escalate", index, "after"), message, "write a shorter time"


def _idle_reminders(asked: Approve | Confirm, key: str) -> Iterator[Finding]:
    for index, span in enumerate(asked.remind):
        if span >= asked.within:
            after, within = format_duration(span), format_duration(asked.within)
            message = f"a reminder after {after} comes too late: it ends after {within} (within)"
            yield ("then", key, "remind", index), message, "write a shorter time"


def _too_few(approve: Approve, rule: schema.Rule, groups: Groups) -> Iterator[Finding]:
    """Count without proxies: they are there on some days only."""
    everybody = sorted({key for _, names in _lists(approve) for key in _people(names, rule, groups)})
    path: Path = ("then", "approve", "at_least") if approve.at_least > 1 else ("then", "approve", "by")
    if len(everybody) < approve.at_least:
        message = f"{approve.at_least} people have to approve, and only {len(everybody)} may"
        yield path, message, "name more people, or ask for fewer"
    elif len(everybody) == approve.at_least:
        hit = next((key for key in everybody if _may_send(key, rule, groups)), None)
        if hit is not None:
            hint = "name one more person in by or escalate: nobody approves a mail of their own"
            yield path, f"a mail that {hit} sends can never be approved: nobody else is left to do it", hint


def _lists(approve: Approve) -> Iterator[tuple[Path, tuple[str, ...]]]:
    yield ("then", "approve", "by"), approve.by
    for index, step in enumerate(approve.escalate):
        yield ("then", "approve", "escalate", index, "to"), step.to


def _own_group(rule: schema.Rule) -> str | None:
    named = rule.when.sender_in if rule.when is not None else None
    return named[0] if named and len(named) == 1 else None


def _people(names: tuple[str, ...], rule: schema.Rule, groups: Groups) -> Iterator[str]:
    for name in names:
        if "@" in name:
            yield name
            continue
        group = groups.get(_own_group(rule) or "" if name == OWN_APPROVERS else name)
        yield from (group.approvers or ()) if group is not None else ()


def _may_send(key: str, rule: schema.Rule, groups: Groups) -> bool:
    """Tell whether mail of this person comes under the rule, as far as its conditions on the sender tell."""
    local, _, domain = key.rpartition("@")
    address = Address(local, domain)
    when, unless = rule.when, rule.unless
    if unless is not None and unless.model_fields_set == {"sender"} and _among(unless.sender, address):
        return False
    if when is None:
        return True
    if when.null_sender or (when.sender is not None and not _among(when.sender, address)):
        return False
    senders = [pattern for name in when.sender_in or () if name in groups for pattern in groups[name].senders]
    return when.sender_in is None or _among(tuple(senders), address)


def _among(patterns: tuple[str, ...] | None, address: Address) -> bool:
    return People(patterns or ()).include(address, in_doubt=True)
