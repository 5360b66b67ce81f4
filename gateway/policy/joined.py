"""Rules that apply together, and what they ask for: joined once, for all mails to which these and no others apply. Pure.

Most mails are not the first to which their rules apply. What a rule asks for hangs on the mail only where it is worked out
from it (a window until an office opens); all else is as it was for the mail before.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gateway.policy.decision import Outcome, Reason
from gateway.policy.demands import NOTHING, Demands, Form, join_all, join_all_for_mail
from gateway.policy.mail import Mail

if TYPE_CHECKING:
    from gateway.policy.model import Rule

MAX_REMEMBERED = 256
"""Sets of rules, and outcomes of each set, that are remembered: more than a policy's mails come to in practice."""

Kind = tuple[bool, tuple[bool, ...]]
"""Whether a recipient is external, and which of the rules that choose among recipients chose this one."""


class Joined:
    """Rules that apply to one mail. `choosy` are those that choose among its recipients; `watching` ask for nothing."""

    __slots__ = (
        "_outcomes",
        "_sees_files",
        "_settled",
        "choosy",
        "reasons",
        "refusals",
        "rules",
        "watching",
        "whole",
    )

    def __init__(self, applying: Iterable[Rule]) -> None:
        applying = tuple(applying)
        self.rules = tuple([rule for rule in applying if not rule.monitor])
        self.watching = tuple([rule for rule in applying if rule.monitor])
        self.choosy = tuple([rule for rule in self.rules if any(ask.whom == "matching" for ask in rule.asks)])
        self.reasons = tuple([Reason(rule.id, rule.reason) for rule in self.rules])
        self.whole = join_all_for_mail([rule.for_mail for rule in self.rules])
        self.refusals = tuple(sorted(self.whole.refusals))
        asks = [ask for rule in self.rules for ask in rule.asks]
        self._settled = all(ask.worked_out is None for ask in asks)
        self._sees_files = any(ask.of_files for ask in asks)
        self._outcomes: dict[tuple[Kind, bool], Outcome] = {}

    def outcome(self, mail: Mail, kind: Kind) -> Outcome:
        """Return what recipients of a kind get; whom they may see is not looked at."""
        if not self._settled:
            return self._outcome(mail, kind)
        case = (kind, self._sees_files and mail.may_have_files)
        known = self._outcomes.get(case)
        if known is None:
            known = self._outcome(mail, kind)
            if len(self._outcomes) < MAX_REMEMBERED:
                self._outcomes[case] = known
        return known

    def _outcome(self, mail: Mail, kind: Kind) -> Outcome:
        asking = self.asking(mail, kind)
        demands = join_all([asked for _, asked in asking])
        return Outcome(kind[0], demands, rules=tuple([rule.id for rule, _ in asking]))

    def asking(self, mail: Mail, kind: Kind) -> list[tuple[Rule, Demands]]:
        """Return the rules that ask for anything for recipients of a kind, and what."""
        external, hits = kind
        chosen = {rule.id for rule, hit in zip(self.choosy, hits, strict=True) if hit}
        return [
            (rule, asked)
            for rule in self.rules
            if (asked := asked_by(rule, mail, external=external, chosen=rule.id in chosen)) != NOTHING
        ]

    def hiding(self, mail: Mail, kind: Kind) -> set[str]:
        """Return the files whose rules hide recipients of a kind from one another."""
        return {rule.file for rule, asked in self.asking(mail, kind) if asked.form > Form.ORIGINAL}


def asked_by(rule: Rule, mail: Mail, *, external: bool, chosen: bool) -> Demands:
    """Return what one rule asks for somebody."""
    touched = {"all": True, "external": external, "matching": chosen}
    return join_all([ask.of(mail) for ask in rule.asks if touched[ask.whom]])


class Remembered:
    """The sets of rules that applied together so far, of one policy. A rule is known by its id."""

    __slots__ = ("_by_ids",)

    def __init__(self) -> None:
        self._by_ids: dict[tuple[str, ...], Joined] = {}

    def of(self, applying: list[Rule]) -> Joined:
        """Return what these rules ask for together."""
        ids = tuple([rule.id for rule in applying])
        known = self._by_ids.get(ids)
        if known is None:
            known = Joined(applying)
            if len(self._by_ids) < MAX_REMEMBERED:
                self._by_ids[ids] = known
        return known
