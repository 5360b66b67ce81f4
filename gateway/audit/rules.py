"""What each rule did in some time, added up from the event log. Bounded memory; no I/O of its own.

Held mails are followed to their end: how long they waited, whether the sender let them go early, said why, or cancelled. A
mail counts for every rule that held it. Only mails that were accepted in the time asked for are followed, MAX_OPEN at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gateway.audit.entries import Entry
from gateway.spool.lifecycle import OF_THE_SENDER, Kind
from gateway.spool.ranges import from_ranges

KINDS = (Kind.ACCEPTED.value, Kind.REFUSED.value, Kind.RELEASED.value, Kind.CANCELLED.value)
MAX_OPEN = (
    100_000  # held mails followed at once, some 50 MiB; of further ones, the oldest are followed no more
)
MAX_RULES = 10_000  # rules counted; a log cannot be made to name more than the policies of its time had


@dataclass(slots=True)
class Effect:
    """Figures of one rule, in mails; `overridden`: waived with a reason. What waited are recipients."""

    matched: int = 0
    watched: int = 0
    held: int = 0
    refused: int = 0
    waived: int = 0
    overridden: int = 0
    cancelled: int = 0
    waited: int = 0
    waited_s: float = 0.0

    @property
    def mean_wait_s(self) -> float | None:
        return self.waited_s / self.waited if self.waited else None

    @property
    def proves_nothing(self) -> bool:
        return not self.matched and not self.watched


@dataclass(slots=True)
class _Open:
    """A held mail: since when, by which rules, how many recipients are still held, and what was counted already."""

    at: datetime
    rules: tuple[str, ...]
    left: int
    counted: set[str] = field(default_factory=set)


class RuleEffects:
    """Adds up events, oldest first. `holds` tells of each rule in force whether it may hold mail."""

    def __init__(self, holds: Mapping[str, bool]) -> None:
        self._holds = holds
        self._open: dict[str, _Open] = {}
        self.effects: dict[str, Effect] = {rule: Effect() for rule in holds}
        self.mails = 0
        self.not_followed = 0

    def add(self, entries: Iterable[Entry]) -> RuleEffects:
        """Count the events; returns itself."""
        count: dict[str, Callable[[Entry], None]] = {
            Kind.ACCEPTED: self._accepted,
            Kind.REFUSED: self._refused,
            Kind.RELEASED: self._released,
            Kind.CANCELLED: self._cancelled,
        }
        for entry in entries:
            if entry.kind in count:
                count[entry.kind](entry)
        return self

    def _accepted(self, entry: Entry) -> None:
        if entry.detail.get("from_gateway"):
            return
        self.mails += 1
        outcomes = [each for each in _list(entry, "outcomes") if isinstance(each, dict)]
        self._count("matched", {rule for each in outcomes for rule in _rules(each)})
        self._count("watched", map(str, _list(entry, "watched")))
        held = len(from_ranges(str(entry.detail.get("held", ""))))
        if held and entry.queue_id is not None:
            waiting = {rule for each in outcomes if _waits(each) for rule in _rules(each)}
            rules = tuple(sorted(rule for rule in waiting if self._holds.get(rule, True)))
            self._count("held", rules)
            self._follow(entry.queue_id, _Open(entry.at, rules, held))

    def _refused(self, entry: Entry) -> None:
        self.mails += 1
        rules = list(map(str, _list(entry, "rules")))
        self._count("matched", rules)
        self._count("refused", rules)

    def _released(self, entry: Entry) -> None:
        mail = self._open.get(entry.queue_id or "")
        if mail is None:
            return
        if entry.reason in OF_THE_SENDER:
            self._once(mail, "waived")
            if entry.detail.get("because"):
                self._once(mail, "overridden")
        if not {"leaves_at", "waits_for_people"} & entry.detail.keys():  # those were only shortened
            self._left(entry, mail)

    def _cancelled(self, entry: Entry) -> None:
        mail = self._open.get(entry.queue_id or "")
        if mail is not None:
            if entry.actor_kind == "sender":
                self._once(mail, "cancelled")
            self._left(entry, mail)

    def _left(self, entry: Entry, mail: _Open) -> None:
        count = len(from_ranges(entry.recipients))
        seconds = max(0.0, (entry.at - mail.at).total_seconds())
        for rule in mail.rules if entry.kind == Kind.RELEASED else ():
            effect = self._effect(rule)
            effect.waited += count
            effect.waited_s += seconds * count
        mail.left -= count
        if mail.left <= 0:
            del self._open[entry.queue_id or ""]

    def _follow(self, queue_id: str, mail: _Open) -> None:
        if len(self._open) >= MAX_OPEN:
            del self._open[next(iter(self._open))]
            self.not_followed += 1
        self._open[queue_id] = mail

    def _once(self, mail: _Open, what: str) -> None:
        if what not in mail.counted:
            mail.counted.add(what)
            self._count(what, mail.rules)

    def _count(self, what: str, rules: Iterable[str]) -> None:
        for rule in rules:
            effect = self._effect(rule)
            setattr(effect, what, getattr(effect, what) + 1)

    def _effect(self, rule: str) -> Effect:
        if rule not in self.effects and len(self.effects) >= MAX_RULES:
            return Effect()
        return self.effects.setdefault(rule, Effect())


def _list(entry: Entry, key: str) -> list[Any]:
    found = entry.detail.get(key)
    return found if isinstance(found, list) else []


def _rules(outcome: Mapping[str, Any]) -> list[str]:
    rules = outcome.get("rules")
    return list(map(str, rules)) if isinstance(rules, list) else []


def _waits(outcome: Mapping[str, Any]) -> bool:
    return any(outcome.get(key) for key in ("window_s", "confirm", "approve"))
