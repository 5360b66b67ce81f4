"""Add up what another policy would have done with many mails, in bounded memory. Pure.

Mails of which it cannot be told what would have become of them are counted by themselves, and in no other figure.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import field
from datetime import datetime

from gateway.message.facts import Facts
from gateway.policy.decision import Decision
from gateway.policy.difference import Difference, Fate, differences, fates, forms
from gateway.policy.replay import Tried, Verdict, verdict
from gateway.values import dataclass

MAX_SENDERS = 10_000  # senders and rules counted by name; further ones are counted together as OTHERS
OTHERS = "…"


@dataclass(frozen=True, slots=True)
class Differing:
    """A mail that the other policy treats differently: the rules that apply on one side only, and what differs."""

    queue_id: str
    at: datetime
    sender: str
    subject: str
    verdict: Verdict
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    differences: tuple[Difference, ...]


@dataclass(slots=True)
class RuleCount:
    """In how many mails a rule applied then, and now; only watched now; and differently: applied now alone, then alone."""

    then: int = 0
    now: int = 0
    watched: int = 0
    gained: int = 0
    lost: int = 0
    untold: int = 0


@dataclass(slots=True)
class Tally:
    """All figures. `listed` holds the first `keep` mails that differ; `skipped` counts what could not be tried, by cause."""

    keep: int
    mails: int = 0
    recipients: int = 0
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    fates_then: Counter[Fate] = field(default_factory=Counter)
    fates_now: Counter[Fate] = field(default_factory=Counter)
    forms_then: Counter[str] = field(default_factory=Counter)
    forms_now: Counter[str] = field(default_factory=Counter)
    rules: dict[str, RuleCount] = field(default_factory=dict)
    senders: Counter[str] = field(default_factory=Counter)
    listed: list[Differing] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)

    @property
    def differ(self) -> int:
        return sum(self.verdicts[each] for each in (Verdict.STRICTER, Verdict.MILDER, Verdict.DIFFERENT))

    def add(self, name: str, at: datetime, facts: Facts, then: Tried, now: Tried) -> None:
        """Count one mail: `then` is what was decided, `now` what the other policy decides.

        Counted is what is certain; rules of which the record cannot tell whether they apply are counted as that.
        """
        found = verdict(then, now)
        self.mails += 1
        self.verdicts[found] += 1
        for rule, _ in now.untold | then.untold:
            self._rule(rule).untold += 1
        if found is Verdict.UNTOLD:
            return
        before, after = then.least, now.least
        self.recipients += len(after.assigned)
        self.fates_then += fates(before)
        self.fates_now += fates(after)
        self.forms_then += forms(before)
        self.forms_now += forms(after)
        gained, lost = self._count_rules(before, after)
        if found is not Verdict.SAME:
            self._differing(name, at, facts, found, gained, lost, differences(before, after))

    def _count_rules(self, then: Decision, now: Decision) -> tuple[set[str], set[str]]:
        before, after = ({reason.rule for reason in each.reasons} for each in (then, now))
        for rule in before:
            self._rule(rule).then += 1
        for rule in after:
            self._rule(rule).now += 1
        for watched in now.watched:
            self._rule(watched.rule).watched += 1
        return after - before, before - after

    def _differing(
        self,
        name: str,
        at: datetime,
        facts: Facts,
        found: Verdict,
        gained: set[str],
        lost: set[str],
        differ: tuple[Difference, ...],
    ) -> None:
        for rule in gained:
            self._rule(rule).gained += 1
        for rule in lost:
            self._rule(rule).lost += 1
        sender = str(facts.envelope.sender or "<>")
        known = sender in self.senders or len(self.senders) < MAX_SENDERS
        self.senders[sender if known else OTHERS] += 1
        if len(self.listed) < self.keep:
            rules = tuple(sorted(gained)), tuple(sorted(lost))
            self.listed.append(Differing(name, at, sender, facts.subject, found, *rules, differ))

    def _rule(self, rule: str) -> RuleCount:
        known = rule in self.rules or len(self.rules) < MAX_SENDERS
        return self.rules.setdefault(rule if known else OTHERS, RuleCount())
