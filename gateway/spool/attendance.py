"""Who of the approvers is there, and when too few are: pure functions of a look, of absences and of the time.

Somebody who is away may decide all the same; nobody counts on them. Where fewer are there than approvals are missing, the next
step of the escalation need not be waited for (docs/decisions/0086-nobody-waits-for-who-is-away.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from gateway.policy.demands import Approval, Approver
from gateway.policy.handling import Missing
from gateway.spool.second_look import Look
from gateway.values import dataclass

MAX_NOTE = 200  # characters of the note of an absence


@dataclass(frozen=True, slots=True, order=True)
class Absence:
    """When somebody (the key of an address) is away: from `since` on, and before `until`."""

    person: str
    since: datetime
    until: datetime
    note: str = ""

    def at(self, instant: datetime) -> bool:
        """Tell whether they are away at that moment."""
        return self.since <= instant < self.until


Absences = Sequence[Absence]


@dataclass(frozen=True, slots=True)
class Rung:
    """From `at` on the people of `step` are asked as well, before its time where the others are away (`early`)."""

    at: datetime
    step: int
    early: bool = False


def approvers_of(look: Look) -> Iterator[Approver]:
    """Yield all who may ever decide, of all steps and days."""
    if isinstance(look.demand, Approval):
        for step in look.demand.steps:
            yield from step.approvers


def asked_now(look: Look, at: datetime) -> list[str]:
    """Return who may decide at that moment and has not, in order."""
    given = {each.person for each in look.consents}
    return sorted({each.address for each in look.approvers() if each.may_at(at)} - given)


def there(look: Look, absences: Absences, at: datetime) -> list[str]:
    """Return those of them who are not away then."""
    away = {each.person for each in absences if each.at(at)}
    return [person for person in asked_now(look, at) if person not in away]


def too_few(look: Look, absences: Absences, at: datetime) -> bool:
    """Tell whether fewer are there than approvals are missing."""
    return len(there(look, absences, at)) < look.missing


def back_at(person: str, absences: Absences, at: datetime) -> datetime | None:
    """Return when somebody who is away then is back, over absences that follow each other; None for who is there."""
    end = None
    moment = at
    for absence in sorted(each for each in absences if each.person == person):
        if absence.at(moment):
            end = moment = absence.until
    return end


def ladder(look: Look, absences: Absences, received_at: datetime, now: datetime) -> list[Rung]:
    """Return the steps that are still to come before the deadline, each with its moment."""
    rungs: list[Rung] = []
    at = now
    while (rung := _next_rung(look, absences, received_at, at)) is not None:
        rungs.append(rung)
        look, at = replace(look, step=rung.step), max(rung.at, now)
    return rungs


def next_moment(look: Look, absences: Absences, received_at: datetime, after: datetime) -> datetime:
    """Return when to look at a demand next: a reminder, somebody's first day as a proxy, or too few; else its deadline."""
    moments = [*_reminders(look, received_at), *(each.since for each in approvers_of(look))]
    rung = _next_rung(look, absences, received_at, after)
    moments += [rung.at] if rung is not None else []
    return min((moment for moment in moments if after < moment < look.deadline), default=look.deadline)


def reminder_due(look: Look, received_at: datetime, last: datetime, now: datetime) -> bool:
    """Tell whether a reminder's moment came since `last`; several that were slept through are one."""
    return any(last < moment <= now for moment in _reminders(look, received_at))


def begun(look: Look, last: datetime, now: datetime) -> list[str]:
    """Return whose first moment as an approver of the steps so far came since `last`: proxies whose days began."""
    return sorted(
        {each.address for each in look.approvers() if last < each.since <= now and each.may_at(now)}
    )


def needs_looking_at(look: Look, received_at: datetime) -> bool:
    """Tell whether something may happen to a demand before its own due time."""
    if isinstance(look.demand, Missing) or look.due_at is None:
        return False
    if look.demand.remind:
        return True
    if not isinstance(look.demand, Approval):
        return False
    return len(look.demand.steps) > 1 or any(each.since > received_at for each in approvers_of(look))


def _reminders(look: Look, received_at: datetime) -> list[datetime]:
    if isinstance(look.demand, Missing):
        return []
    return [received_at + span for span in look.demand.remind]


def _next_rung(look: Look, absences: Absences, received_at: datetime, at: datetime) -> Rung | None:
    approval = look.demand
    if not isinstance(approval, Approval) or look.step + 1 >= len(approval.steps) or not look.missing:
        return None
    regular = received_at + approval.steps[look.step + 1].after
    limit = min(regular, look.deadline)
    for moment in _changes(look, absences, at, limit):
        if too_few(look, absences, moment):
            return Rung(moment, look.step + 1, early=True)
    return Rung(max(regular, at), look.step + 1) if regular < look.deadline else None


def _changes(look: Look, absences: Absences, at: datetime, limit: datetime) -> list[datetime]:
    """Return the moments from `at` on, before `limit`, at which somebody goes, comes back, begins or ends to be a proxy."""
    people = {each.address for each in look.approvers()}
    moments = {at}
    moments |= {end for each in look.approvers() for end in (each.since, each.until)}
    moments |= {end for each in absences if each.person in people for end in (each.since, each.until)}
    return sorted(moment for moment in moments if at <= moment < limit)
