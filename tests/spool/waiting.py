"""A model of mail that waits for people, in a few lines: what is open, for whom, until when."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.policy.demands import Approval, Confirmation
from gateway.policy.handling import Missing
from gateway.spool.lifecycle import State

Key = tuple[str, int]


@dataclass
class Asked:
    """One demand of one mail, on all its recipients or on those it `concerns`. `alive`: time may still do something to it."""

    demand: Approval | Confirmation | Missing
    people: set[str] = field(default_factory=set)
    ticked: set[int] = field(default_factory=set)
    met: bool = False
    alive: bool = True
    concerns: frozenset[int] | None = None

    def open_for(self, index: int) -> bool:
        if self.concerns is not None and index not in self.concerns:
            return False
        return not self.met and index not in self.ticked


@dataclass
class WaitingMail:
    """A mail whose recipients `count` all wait; the demands in the order that numbers them."""

    queue_id: str
    received: datetime
    window: timedelta
    count: int
    asked: list[Asked]
    ends: dict[int, datetime] = field(default_factory=dict)  # of windows that were made longer

    def window_ends(self, index: int) -> datetime:
        return self.ends.get(index, self.received + self.window)

    def keys(self, states: dict[Key, State], one: Asked) -> list[Key]:
        """Return who is held by this demand."""
        held = [(self.queue_id, index) for index in range(self.count) if one.open_for(index)]
        return [key for key in held if states[key] is State.HELD]

    def is_open(self, index: int) -> bool:
        return any(one.open_for(index) for one in self.asked)

    def approve(self, states: dict[Key, State], person: str, now: datetime) -> bool:
        """Count a word; tell whether it counts."""
        asking = [one for one in self._approvals(states, person, now) if person not in one.people]
        for one in asking:
            assert isinstance(one.demand, Approval)
            one.people.add(person)
            one.met = len(one.people) >= one.demand.at_least
            one.alive = one.alive and not one.met
        return bool(asking)

    def reject(self, states: dict[Key, State], person: str, now: datetime) -> bool:
        asking = self._approvals(states, person, now)
        for one in asking:
            states |= dict.fromkeys(self.keys(states, one), State.CANCELLED)
            one.alive = False
        return bool(asking)

    def confirm(self, states: dict[Key, State], ticked: set[int]) -> None:
        for one in self.asked:
            if isinstance(one.demand, Confirmation) and self.keys(states, one) and not ticked <= one.ticked:
                one.ticked |= ticked
                if not self.keys(states, one):
                    one.met, one.alive = True, False

    def supply(self, states: dict[Key, State], index: int) -> None:
        """Say a way for a recipient who waits for one."""
        for one in self.asked:
            if isinstance(one.demand, Missing) and self.keys(states, one) and one.open_for(index):
                one.ticked.add(index)
                if not self.keys(states, one):
                    one.met, one.alive = True, False

    def pass_deadlines(self, states: dict[Key, State], now: datetime) -> bool:
        """Do what time does; tell whether there was anything."""
        due = [one for one in self.asked if one.alive and now >= self.received + one.demand.within]
        for one in due:
            one.alive = False
            if keys := self.keys(states, one):
                if one.demand.otherwise == "cancel":
                    states |= dict.fromkeys(keys, State.CANCELLED)
                else:
                    one.met = True
        return bool(due)

    def settle(
        self,
        states: dict[Key, State],
        due: dict[Key, datetime | None],
        now: datetime,
        frozen: Collection[Key] = (),
    ) -> None:
        """Let go who has everything, and is not frozen."""
        for index in range(self.count):
            key = self.queue_id, index
            waits = states[key] is State.HELD and due[key] is None and key not in frozen
            if waits and not self.is_open(index):
                ends = self.window_ends(index)
                due[key] = max(ends, now)
                if ends <= now:
                    states[key] = State.QUEUED

    def _approvals(self, states: dict[Key, State], person: str, now: datetime) -> list[Asked]:
        return [
            one
            for one in self.asked
            if isinstance(one.demand, Approval)
            and any(each.address == person for each in one.demand.steps[0].approvers)
            and self.keys(states, one)
            and now < self.received + one.demand.within
        ]
