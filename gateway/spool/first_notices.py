"""The outbox rows that a mail is accepted with: who is told of it, and by what kind of notice. Pure.

The rows of a report and of "it left" are written here and read when the fate of all recipients is known
(statements.TELLABLE): whoever settles the last one, on whatever node, they are told of once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.message.domains import domain_set
from gateway.policy.colleagues import colleagues_of
from gateway.policy.demands import Approval
from gateway.spool.coming import Coming
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


def first_notices(mail: Coming) -> list[Row]:
    """Return the rows for a new mail; our own never asks for more of it."""
    rows: list[Row] = []
    if not mail.new.from_gateway:
        if mail.held or mail.dropped:
            rows += _to_sender(mail)
        rows += _to_others(mail)
    return rows + requests(mail.queue_id, mail.looks, mail.at) if mail.looks else rows


def _to_others(mail: Coming) -> list[Row]:
    """Return the rows of those whom rules let know; nearly no mail has any."""
    queue_id, decision, at = mail.queue_id, mail.new.decision, mail.at
    rows: list[Row] = []
    if decision.notify:
        everybody = _known(mail)
        rows += [
            notice_row(NoticeKind.COPY, queue_id, address, everybody, at)
            for address in sorted(decision.notify)
        ]
    if decision.colleagues_by_letter:
        rows += [
            notice_row(NoticeKind.COLLEAGUE, queue_id, mail.people[index], [index], at)
            for index in colleagues_of(decision, mail.new.envelope)
        ]
    if decision.report_to:
        everybody = _known(mail)
        rows += [
            notice_row(NoticeKind.REPORT, queue_id, address, everybody, at)
            for address in sorted(decision.report_to)
        ]
    return rows


def _to_sender(mail: Coming) -> list[Row]:
    """Return the notices to the sender, who never hears of a copy that a rule asked for."""
    queue_id, decision, at = mail.queue_id, mail.new.decision, mail.at
    if mail.new.envelope.sender is None:
        return []
    known = len(mail.people) - decision.copied
    shown = [index for index in mail.held if index < known]
    gone = [index for index in mail.dropped if index < known]
    rows = []
    if shown and (decision.notify_sender or _has_to_act(mail.new)):
        rows.append(notice_row(NoticeKind.HOLD, queue_id, mail.sender, shown, at))
    if shown and decision.tell_left:
        rows.append(notice_row(NoticeKind.LEFT, queue_id, mail.sender, _known(mail), at))
    if decision.tells_dropped and gone:
        rows.append(notice_row(NoticeKind.DROPPED, queue_id, mail.sender, gone, at))
    return rows


def _known(mail: Coming) -> range:
    """Return the indexes of all but copies that a rule asked for."""
    return range(len(mail.people) - mail.new.decision.copied)


def _has_to_act(new: NewMessage) -> bool:
    """Tell whether files cannot leave protected unless the sender does something: told without a rule that says so.

    But nobody outside is: a hold notice shows whom an alias stands for, and lets its reader cancel.
    """
    if all(missing_of(outcome) is None for outcome in new.decision.outcomes):
        return False
    envelope = new.envelope
    inside = envelope.sender is not None and domain_set(new.decision.internal).matches(envelope.sender)
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
