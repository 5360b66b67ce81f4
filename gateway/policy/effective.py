"""What applies to a sender before any mail is written: every rule for certain, perhaps or never, and what is asked at least.

Conditions are worked out on what is known (the sender, perhaps the recipients, perhaps the time) and left open on everything
else; what is said to apply always does apply to every such mail, and what never, never. Assumes that the author (From) is the
sender, and that the mail goes to exactly the recipients given or, without any, to somebody outside. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

from gateway.message.address import Address
from gateway.message.domains import DomainSet
from gateway.policy import schema
from gateway.policy.actions import hold
from gateway.policy.actions.ask import Ask
from gateway.policy.bounds import Range, between
from gateway.policy.conditions.condition import Condition
from gateway.policy.conditions.context import Context
from gateway.policy.conditions.time import moment_tests
from gateway.policy.demands import NO_TIME, Demands, MailDemands, join_all, join_all_for_mail
from gateway.policy.model import Policy, Rule
from gateway.policy.people import People
from gateway.policy.protection import Protection
from gateway.values import dataclass


class Applies(StrEnum):
    """Whether a rule applies to the mail of this sender."""

    ALWAYS = "always"
    MAYBE = "maybe"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the mail. Without recipients it goes to somebody outside; without a time, at any."""

    sender: Address
    recipients: tuple[Address, ...] = ()
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """One rule. `open` are the conditions still to be met, `because` those that rule it out, as (when or unless, key)."""

    rule: Rule
    applies: Applies
    open: tuple[tuple[str, str], ...] = ()
    because: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Effective:
    """All rules in the order of their ids, and what every such mail has at least; a rule that only watches asks nothing.

    `of_files` is what is asked at least of a mail with files.
    """

    effects: tuple[Effect, ...]
    demands: Demands
    for_mail: MailDemands
    of_files: frozenset[Protection] = frozenset()


def effective(written: dict[str, schema.Rule], policy: Policy, context: Context, known: Known) -> Effective:
    """Return what applies; `written` are the rules as their files have them, by id."""
    see = _Eyes(policy.domains, context, known)
    effects = tuple(_effect(rule, written[rule.id], see) for rule in policy.rules)
    certain = [e.rule for e in effects if e.applies is Applies.ALWAYS and not e.rule.monitor]
    return Effective(
        effects,
        join_all(asked for rule in certain for asked in _asked(rule, written[rule.id], see)),
        join_all_for_mail(rule.for_mail for rule in certain),
        frozenset(
            asked
            for rule in certain
            for ask in rule.asks
            if ask.of_files and _reaches(ask, rule, see)
            for asked in ask.demands.protections
        ),
    )


@dataclass(frozen=True, slots=True)
class _Eyes:
    internal: DomainSet
    context: Context
    known: Known

    @property
    def outside(self) -> list[Address]:
        return [each for each in self.known.recipients if not self.internal.matches(each)]

    def tells(self, condition: Condition, *, in_doubt: bool) -> dict[str, bool | None]:
        """Return for every key that is set whether it holds; None where that is open."""
        found: dict[str, bool | None] = {
            key: None for key in type(condition).model_fields if getattr(condition, key) is not None
        }
        if self.known.at is not None:
            found |= {key: test(self.known.at) for key, test in moment_tests(condition, self.context).items()}
        found |= {key: tell(self, condition, in_doubt) for key, tell in _TELLERS.items() if key in found}
        return found


def _effect(rule: Rule, written: schema.Rule, see: _Eyes) -> Effect:
    when = see.tells(written.when, in_doubt=True) if written.when is not None else {}
    unless = see.tells(written.unless, in_doubt=False) if written.unless is not None else None
    if missing := tuple(("when", key) for key, holds in when.items() if holds is False):
        return Effect(rule, Applies.NEVER, because=missing)
    if unless is not None and all(unless.values()):
        return Effect(rule, Applies.NEVER, because=tuple(("unless", key) for key in unless))
    left = [("when", key) for key, holds in when.items() if holds is None]
    if unless is not None and False not in unless.values():
        left += [("unless", key) for key, holds in unless.items() if holds is None]
    return Effect(rule, Applies.MAYBE if left else Applies.ALWAYS, tuple(left))


def _asked(rule: Rule, written: schema.Rule, see: _Eyes) -> list[Demands]:
    """Return what the rule asks at least for each of the external recipients."""
    found = [ask.demands for ask in rule.asks if not ask.of_files and _reaches(ask, rule, see)]
    wanted = written.then.hold
    if wanted is not None and _reaches(Ask(wanted.for_), rule, see):
        grows = [g.by for g in wanted.grows if all(see.tells(g.when, in_doubt=True).values())]
        found.append(hold.asked(wanted, sum(grows, NO_TIME), see.known.at, see.context))
    return found


def _reaches(ask: Ask, rule: Rule, see: _Eyes) -> bool:
    outside = see.outside
    if ask.whom == "all" or (ask.whom == "external" and (outside or not see.known.recipients)):
        return True
    matching = rule.matching
    if ask.whom != "matching" or matching is None:
        return False
    return bool(outside) and all(matching.include(each, in_doubt=True) for each in outside)


def _sender(see: _Eyes, condition: Condition, in_doubt: bool) -> bool:
    return People(condition.sender or ()).include(see.known.sender, in_doubt=in_doubt)


def _sender_in(see: _Eyes, condition: Condition, in_doubt: bool) -> bool:
    names = condition.sender_in or ()
    people = People([pattern for name in names for pattern in see.context.senders[name]])
    return people.include(see.known.sender, in_doubt=in_doubt)


def _external(see: _Eyes, condition: Condition, _in_doubt: bool) -> bool | None:
    return _counted(condition.external, len(see.outside) if see.known.recipients else None, least=1)


def _internal(see: _Eyes, condition: Condition, _in_doubt: bool) -> bool | None:
    inside = len(see.known.recipients) - len(see.outside)
    return _counted(condition.internal, inside if see.known.recipients else None, least=0)


def _counted(bounds: Range | None, count: int | None, least: int) -> bool | None:
    if bounds is None:
        return None
    if count is not None:
        return between(bounds.at_least, bounds.at_most)(count)
    if bounds.at_most is not None:
        return False if bounds.at_most < least else None
    return True if (bounds.at_least or 0) <= least else None


def _recipient(see: _Eyes, condition: Condition, in_doubt: bool) -> bool | None:
    if not see.known.recipients:
        return None
    people = People(condition.recipient or ())
    if any(people.include(each, in_doubt=in_doubt) for each in see.known.recipients):
        return True if in_doubt else None  # an exception also asks whom the header section names
    return False


_TELLERS: dict[str, Callable[[_Eyes, Condition, bool], bool | None]] = {
    "sender": _sender,
    "sender_in": _sender_in,
    "null_sender": lambda _see, condition, _in_doubt: condition.null_sender is False,
    "external": _external,
    "internal": _internal,
    "recipient": _recipient,
}
