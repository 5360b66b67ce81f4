"""The outbox rows that a mail is accepted with: who is told of it, and by what kind of notice. Pure.

The rows of a report and of "it left" are written here and read when the fate of all recipients is known
(statements.TELLABLE): whoever settles the last one, on whatever node, they are told of once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.message.domains import DomainSet
from gateway.policy.colleagues import colleagues_of
from gateway.policy.demands import Approval
from gateway.spool.notice import NoticeKind
from gateway.spool.ranges import to_ranges
from gateway.spool.second_look import Look, asked_at, missing_of
from gateway.spool.times import from_us
from gateway.spool.values import NewMessage
from gateway.store.events import storable
from gateway.store.inserts import Row


def notice_row(
    kind: NoticeKind, queue_id: str, to: str, recipients: Sequence[int], at: int, actor: str = ""
) -> Row:
    """Return an outbox row."""
    return str(kind), queue_id, storable(to), to_ranges(recipients), at, storable(actor)


def first_notices(queue_id: str, new: NewMessage, at: int, held: list[int], dropped: list[int]) -> list[Row]:
    """Return the rows for a new mail; `held` and `dropped` are indexes."""
    if new.from_gateway:  # our own mail never asks for more of it
        return []
    decision = new.decision
    everybody = range(len(new.envelope.recipients) - decision.copied)
    rows = _to_sender(queue_id, new, at, held, dropped)
    rows += [
        notice_row(NoticeKind.COPY, queue_id, address, everybody, at) for address in sorted(decision.notify)
    ]
    if decision.colleagues_by_letter:
        rows += [
            notice_row(NoticeKind.COLLEAGUE, queue_id, str(new.envelope.recipients[index]), [index], at)
            for index in colleagues_of(decision, new.envelope)
        ]
    rows += [
        notice_row(NoticeKind.REPORT, queue_id, address, everybody, at)
        for address in sorted(decision.report_to)
    ]
    return rows


def _to_sender(queue_id: str, new: NewMessage, at: int, held: list[int], dropped: list[int]) -> list[Row]:
    """Return the notices to the sender, who never hears of a copy that a rule asked for."""
    sender, decision = new.envelope.sender, new.decision
    if sender is None:
        return []
    shown = [index for index in held if not decision.is_copy(index)]
    gone = [index for index in dropped if not decision.is_copy(index)]
    rows = []
    if shown and (decision.notify_sender or _has_to_act(new)):
        rows.append(notice_row(NoticeKind.HOLD, queue_id, str(sender), shown, at))
    if shown and decision.tell_left:
        everybody = range(len(new.envelope.recipients) - decision.copied)
        rows.append(notice_row(NoticeKind.LEFT, queue_id, str(sender), everybody, at))
    if decision.tells_dropped and gone:
        rows.append(notice_row(NoticeKind.DROPPED, queue_id, str(sender), gone, at))
    return rows


def _has_to_act(new: NewMessage) -> bool:
    """Tell whether files cannot leave protected unless the sender does something: told without a rule that says so.

    But nobody outside is: a hold notice shows whom an alias stands for, and lets its reader cancel.
    """
    if all(missing_of(outcome) is None for outcome in new.decision.outcomes):
        return False
    envelope = new.envelope
    inside = envelope.sender is not None and DomainSet(new.decision.internal).matches(envelope.sender)
    return inside or envelope.client.authenticated


def requests(queue_id: str, looks: Iterable[Look], at: int) -> list[Row]:
    """Return a notice to everybody who may approve from the beginning."""
    asked: dict[str, set[int]] = {}
    for look in looks:
        if isinstance(look.demand, Approval):
            for person in asked_at(look.demand, 0, from_us(at)):
                asked.setdefault(person, set()).update(look.shown)
    return [
        notice_row(NoticeKind.APPROVAL, queue_id, person, sorted(recipients), at)
        for person, recipients in sorted(asked.items())
    ]
