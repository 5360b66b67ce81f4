"""Try a policy on recorded facts and compare with what was decided, or with what another policy decides. Pure.

What a record does not hold cannot be told: header fields, texts, and what nobody looked up at that time. So a mail is decided
twice, with and without the rules that ask for such things; where both come to the same, they did not matter. A mail is the
same or different only where that is certain, else it is untold. `now` is the mail's own time.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from gateway.message.facts import Facts
from gateway.policy.conditions.context import Need
from gateway.policy.decide import decide
from gateway.policy.decision import Decision
from gateway.policy.difference import covers, same_effect
from gateway.policy.model import Policy, Rule
from gateway.values import dataclass


class Verdict(StrEnum):
    SAME = "same"
    STRICTER = "stricter"
    MILDER = "milder"
    DIFFERENT = "different"  # stricter in one thing, milder in another
    UNTOLD = "untold"


@dataclass(frozen=True, slots=True)
class Tried:
    """What a policy decides: at most `decision`, at least `least`.

    `untold` are the rules that may or may not apply: id, and the rule as it was written.
    """

    decision: Decision
    least: Decision
    untold: frozenset[tuple[str, str]] = frozenset()

    @property
    def told(self) -> bool:
        """Tell whether it did not matter what could not be told."""
        return not self.untold or same_effect(self.decision, self.least)


def as_decided(decision: Decision) -> Tried:
    """Return what was decided in earnest: there is no doubt about it."""
    return Tried(decision, decision)


def tried(facts: Facts, policy: Policy, now: datetime) -> Tried:
    """Decide from facts; from recorded ones also without the rules of which they cannot tell whether they apply."""
    decision = decide(facts, policy, now)
    if not facts.recorded:
        return as_decided(decision)
    applying = {reason.rule for reason in decision.reasons}
    untold = [rule for rule in policy.rules if rule.id in applying and not _tells(facts, rule)]
    if not untold:
        return as_decided(decision)
    without = replace(policy, rules=tuple(rule for rule in policy.rules if rule not in untold))
    named = frozenset((rule.id, rule.written) for rule in untold)
    return Tried(decision, decide(facts, without, now), named)


def tried_again(facts: Facts, policy: Policy, now: datetime, then: Decision) -> Tried:
    """Decide as `tried` does; the policy that decided then decides the same, whatever the record does not hold."""
    return as_decided(then) if policy.digest == then.digest else tried(facts, policy, now)


def verdict(then: Tried, now: Tried) -> Verdict:
    """Compare two tries on the same mail."""
    if then.told and now.told:
        return _SAME_OR[_direction(then.decision, now.decision)]
    if then.untold == now.untold:
        return _under_the_same_doubt(then, now)
    if covers(now.decision, then.least) and covers(then.decision, now.least):
        return Verdict.UNTOLD  # what was decided lies within what the other may decide
    if covers(now.least, then.decision):
        return Verdict.STRICTER
    return Verdict.MILDER if covers(then.least, now.decision) else Verdict.DIFFERENT


def _under_the_same_doubt(then: Tried, now: Tried) -> Verdict:
    """Compare where the very same rules may or may not apply: whichever do, they are joined to both sides.

    What differs with all of them differs with any of them; what is alike, or stricter, without them is so with any.
    """
    with_all, without = _direction(then.decision, now.decision), _direction(then.least, now.least)
    if without == (True, True):
        return Verdict.SAME
    if with_all == (True, True):
        return Verdict.UNTOLD
    if with_all == (False, False) or without != (False, False):
        return _SAME_OR[without]
    return Verdict.UNTOLD


def _direction(then: Decision, now: Decision) -> tuple[bool, bool]:
    """Tell whether `now` is at least as strict, and whether `then` is."""
    if same_effect(then, now):
        return True, True
    stricter, milder = covers(now, then), covers(then, now)
    return (
        (False, False) if stricter and milder else (stricter, milder)
    )  # told apart by no demand: inside or outside


_SAME_OR = {
    (True, True): Verdict.SAME,
    (True, False): Verdict.STRICTER,
    (False, True): Verdict.MILDER,
    (False, False): Verdict.DIFFERENT,
}


def _tells(facts: Facts, rule: Rule) -> bool:
    """Tell whether the record holds everything that the rule asks for."""
    return not rule.words and not rule.needs & _missing(facts)


def _missing(facts: Facts) -> Need:
    """Return what nobody looked up for this mail."""
    evidence = facts.evidence
    looked_up = {
        Need.CONTENT: evidence.content,
        Need.WRITERS: evidence.writers,
        Need.VOLUME: evidence.volume,
        Need.EARLIER: evidence.replies,
        Need.DOMAINS: evidence.domains,
        Need.LOOK_ALIKES: evidence.look_alikes,
        Need.HALVES: evidence.halves,
    }
    missing = Need.NOTHING
    for need, found in looked_up.items():
        if found is None:
            missing |= need
    return missing
