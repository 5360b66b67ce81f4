"""A mail that comes, as all the rows and events of its acceptance need it: worked out once. Pure."""

from __future__ import annotations

from gateway.policy.decision import Decision
from gateway.spool.decided import Decided, decided
from gateway.spool.leaving import linked_of
from gateway.spool.ranges import to_ranges
from gateway.spool.second_look import SOMEBODY, Look, copies_wait, fresh_looks
from gateway.spool.times import span_us, to_us
from gateway.spool.values import NewMessage
from gateway.values import dataclass

_SOMEBODY = to_us(SOMEBODY)


@dataclass(frozen=True, slots=True)
class Coming:
    """One new mail: when it came, its people as text, and what becomes of them first (indexes of recipients).

    `sender` is empty for the null reverse-path, `everybody` all recipients as `to_ranges` writes them. `due` tells of each
    held recipient when the hold ends by itself, which is never where it waits for people; for those `linked`, files wait
    behind a link.
    """

    queue_id: str
    new: NewMessage
    at: int
    sender: str
    people: list[str]
    everybody: str
    held: list[int]
    free: list[int]
    dropped: list[int]
    due: list[tuple[int, int]]
    looks: tuple[Look, ...]
    linked: list[int]
    decided: Decided

    @property
    def held_ranges(self) -> str:
        """Return who is held, as `to_ranges` writes it."""
        return self.everybody if len(self.held) == len(self.people) else to_ranges(self.held)


def coming(queue_id: str, new: NewMessage) -> Coming:
    """Work out what all rows of a new mail need."""
    envelope, decision, at = new.envelope, new.decision, to_us(new.received_at)
    ends = _ends(decision, at)
    due, free, dropped = _fates(decision, ends, at)
    return Coming(
        queue_id=queue_id,
        new=new,
        at=at,
        sender="" if envelope.sender is None else str(envelope.sender),
        people=[str(address) for address in envelope.recipients],
        everybody=to_ranges(range(len(envelope.recipients))),
        held=[index for index, _ in due],
        free=free,
        dropped=dropped,
        due=due,
        looks=fresh_looks(decision, new.received_at) if _SOMEBODY in ends else (),
        linked=linked_of(decision),
        decided=decided(decision),
    )


def split_by_hold(decision: Decision) -> tuple[list[int], list[int]]:
    """Return the indexes of the recipients that are held, and of those that may leave at once; dropped ones are neither."""
    due, free, _ = _fates(decision, _ends(decision, 0), 0)
    return [index for index, _ in due], free


def _ends(decision: Decision, at: int) -> list[int | None]:
    """Return for each class of recipients when its hold ends by itself, never where it waits for people.

    That is now where there is no hold, None where the recipients are dropped.
    """
    return [
        None
        if outcome.demands.drop
        else at + span_us(outcome.demands.window)
        if outcome.waits_for_nobody
        else _SOMEBODY
        for outcome in decision.outcomes
    ]


def _fates(
    decision: Decision, ends: list[int | None], at: int
) -> tuple[list[tuple[int, int]], list[int], list[int]]:
    """Return who is held and until when, who may leave at once, and who is dropped."""
    due: list[tuple[int, int]] = []
    free: list[int] = []
    dropped: list[int] = []
    staying = decision.copied > 0 and copies_wait(decision)
    for index, number in enumerate(decision.assigned):
        end = ends[number]
        if end is None:
            dropped.append(index)
        elif staying and decision.is_copy(index):
            due.append((index, _SOMEBODY))
        elif end > at:
            due.append((index, end))
        else:
            free.append(index)
    return due, free, dropped
