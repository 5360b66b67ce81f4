"""The second look: what people have to do before a held recipient may leave, and what they have done. Pure.

What is asked for stands in the decision, numbered here: to confirm, to approve, and to say how a key gets to whom it has no
way to (`Missing`), which nothing else can stand in for. What was given stands in the spool. What is not known to be given is
not given: whatever gets lost, nothing leaves for it. The lifecycle has no state for it: a recipient stays HELD until its
window is over and every demand is met (docs/decisions/0053-second-look.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum

from gateway.message.envelope import Envelope
from gateway.message.same_person import is_among, senders_of
from gateway.policy.decision import Decision, Outcome
from gateway.policy.demands import Approval, Approver, Confirmation
from gateway.policy.handling import Missing
from gateway.values import dataclass

SOMEBODY = datetime(3000, 1, 1, tzinfo=UTC)
"""The due time on disk of a recipient that waits for people: no clock reaches it, and every version can read it."""

FROZEN = datetime(3000, 1, 2, tzinfo=UTC)
"""The due time on disk of a recipient of a mail that somebody froze (docs/decisions/0083-frozen-mail.md)."""

COMMENT = 500  # characters of a comment, or of a reason, that are kept

Demand = Approval | Confirmation | Missing
WAY = "way"  # what is missing where the sender can say it; all else is an obstacle, which nobody can remove


class Said(StrEnum):
    """What became of somebody's word."""

    COUNTED = "counted"
    AGAIN = "again"  # this person has approved already, and counts once
    OVER = "over"  # nothing waits for it any more: decided, cancelled or out of time
    NOT_ASKED = "not-asked"  # not among those who may decide now
    OWN_MAIL = "own-mail"  # nobody approves a mail of their own


@dataclass(frozen=True, slots=True)
class Consent:
    """One person's word. `by` is the administrator who gave it for them; empty where they did it themselves."""

    person: str
    at: datetime
    comment: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """One demand of a mail on people: whom it concerns, what was given, and when something happens by itself.

    `recipients` are all who bear the demand, whatever became of them. `due_at` is the next escalation or the time-out, None
    where nothing is waited for any more. `met_at` says that nobody is waited for: enough was given, or its time ran out and
    the rule says `release`. `copies` were added by a rule: the sender cannot tick them, they go along with the first who goes.
    `along` are copies that lack nothing of what is missing (`Missing`) for others, and wait for them all the same.
    """

    number: int
    demand: Demand
    recipients: frozenset[int]
    deadline: datetime
    due_at: datetime | None = None
    step: int = 0
    met_at: datetime | None = None
    consents: tuple[Consent, ...] = ()
    rejected: Consent | None = None
    ticked: frozenset[int] = frozenset()
    attachments: bool = False
    copies: frozenset[int] = frozenset()
    along: frozenset[int] = frozenset()

    @property
    def shown(self) -> tuple[int, ...]:
        """Return the recipients that the sender knows of."""
        return tuple(sorted(self.recipients - self.copies))

    def met_for(self, index: int) -> bool:
        """Tell whether this demand keeps that recipient no longer."""
        if isinstance(self.demand, Missing):
            return self._supplied_for(index)
        if self.met_at is not None:
            return True
        if index in self.copies and self.due_at is None:
            return True  # whom it held is cancelled: a copy of what the others get waits for nobody on their behalf
        if isinstance(self.demand, Approval):
            return False
        goes_along = index in self.copies and bool(self.ticked)
        ticked = not self.demand.of_recipients or index in self.ticked or goes_along
        return ticked and (not self.demand.of_attachments or self.attachments)

    def _supplied_for(self, index: int) -> bool:
        """Tell whether a recipient's key has a way: nothing else counts, no time that ran out and no word of anybody."""
        if index in self.along:
            return self.due_at is None or bool(self.ticked)
        return isinstance(self.demand, Missing) and self.demand.what == WAY and index in self.ticked

    def may_decide(self, person: str, at: datetime) -> bool:
        """Tell whether this person (a key) is asked, or may decide unasked, at this step."""
        return any(each.address == person and each.may_at(at) for each in self.approvers())

    def approvers(self) -> Iterator[Approver]:
        """Yield those who may decide by now, proxies of all days among them."""
        if isinstance(self.demand, Approval):
            for step in self.demand.steps[: self.step + 1]:
                yield from step.approvers

    @property
    def missing(self) -> int:
        """How many approvals are still needed."""
        if self.met_at is not None or not isinstance(self.demand, Approval):
            return 0
        return max(0, self.demand.at_least - len(self.consents))


@dataclass(frozen=True, slots=True)
class Waiver:
    """The sender shortened a window, with a reason where one was asked for. `ends` says when it is over for each."""

    person: str
    at: datetime
    because: str
    ends: dict[int, datetime]


def demands_on_people(decision: Decision) -> tuple[Demand, ...]:
    """Return what the decision asks of people, in the order that numbers it."""
    sent = [outcome.demands for outcome in decision.outcomes if not outcome.demands.drop]
    confirmations = {each for demands in sent for each in demands.confirm}
    approvals = {each for demands in sent for each in demands.approvals}
    missing = {each for outcome in decision.outcomes if (each := missing_of(outcome)) is not None}
    return *sorted(confirmations), *sorted(approvals), *sorted(missing)


def missing_of(outcome: Outcome) -> Missing | None:
    """Return what keeps files from being protected for these recipients: a way of the key, or an obstacle; None if nothing."""
    handling = outcome.handling
    if handling is None or handling.is_complete or outcome.demands.drop:
        return None
    rule = handling.rules[0] if handling.rules else ""
    if handling.obstacle:
        return Missing(rule, handling.obstacle, (), handling.within)
    return Missing(rule, WAY, handling.ways, handling.within)


def copies_wait(decision: Decision) -> bool:
    """Tell whether copies (`bcc_to`) wait because files cannot leave protected to others: nobody gets what they do not."""
    return bool(decision.copied) and any(missing_of(outcome) is not None for outcome in decision.outcomes)


def asks_people(decision: Decision) -> bool:
    """Tell whether some recipient waits for people, or may be let go early for a reason."""
    return any(not o.waits_for_nobody or o.demands.reasoned for o in decision.outcomes)


def fresh_looks(decision: Decision, received_at: datetime) -> tuple[Look, ...]:
    """Return what a mail waits for when it comes, before anybody has done anything."""
    if all(outcome.waits_for_nobody for outcome in decision.outcomes):
        return ()  # nearly every mail: it pays nothing
    demands = demands_on_people(decision)
    return tuple([_fresh(number, demand, decision, received_at) for number, demand in enumerate(demands)])


def next_due(demand: Demand, step: int, received_at: datetime) -> datetime:
    """Return when the next step is reached, or the time is over."""
    if isinstance(demand, Approval) and step + 1 < len(demand.steps):
        return received_at + min(demand.steps[step + 1].after, demand.within)
    return received_at + demand.within


def unmet(looks: tuple[Look, ...], index: int) -> list[Look]:
    """Return what a recipient still waits for; what the spool knows nothing of is not met."""
    return [look for look in looks if index in look.recipients and not look.met_for(index)]


def is_sender(person: str, envelope: Envelope) -> bool:
    """Tell whether a person (a key) is who sent the mail: by its envelope, or by the account that handed it in."""
    return is_among(person, senders_of(envelope))


def asked_at(approval: Approval, step: int, at: datetime) -> list[str]:
    """Return whom to tell that they may decide from this step on: nobody who was told at an earlier one."""
    told = {
        each.address for earlier in approval.steps[:step] for each in earlier.approvers if each.may_at(at)
    }
    asked = {each.address for each in approval.steps[step].approvers if each.may_at(at)}
    return sorted(asked - told)


def _fresh(number: int, demand: Demand, decision: Decision, received_at: datetime) -> Look:
    numbers = {
        place
        for place, outcome in enumerate(decision.outcomes)
        if _bears(outcome, demand) and not outcome.demands.drop
    }
    bearers = frozenset([index for index, place in enumerate(decision.assigned) if place in numbers])
    along = _along(decision) - bearers if isinstance(demand, Missing) else frozenset()
    bearers |= along
    return Look(
        number=number,
        demand=demand,
        recipients=bearers,
        copies=frozenset([index for index in bearers if decision.is_copy(index)]),
        along=along,
        deadline=received_at + demand.within,
        due_at=next_due(demand, 0, received_at),
    )


def _along(decision: Decision) -> frozenset[int]:
    """Return the copies that anybody gets."""
    copies = range(len(decision.assigned) - decision.copied, len(decision.assigned))
    return frozenset([index for index in copies if not decision.of(index).demands.drop])


def _bears(outcome: Outcome, demand: Demand) -> bool:
    if isinstance(demand, Missing):
        return missing_of(outcome) == demand
    return demand in outcome.demands.confirm or demand in outcome.demands.approvals
