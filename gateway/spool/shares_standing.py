"""Whether a share is open, and what it is to its recipient. Pure: rows in, a word or a value out.

A share is open from the moment the mail may have arrived until it is locked, ended or over. The link arrives before the row
says delivered, so a mail that is being sent opens its share; who has the link has the mail.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from gateway.message.address import Address
from gateway.message.envelope import Envelope
from gateway.policy.decision import Decision
from gateway.policy.protection import Way
from gateway.spool.lifecycle import State
from gateway.spool.mail_json import parsed
from gateway.spool.share_contract import Share
from gateway.spool.shares_rows import Facts, ShareRow, places
from gateway.spool.times import from_us, span_us

LONGEST = timedelta(days=90)
"""From acceptance: no share lives longer, however often it is extended."""

_ARRIVED = frozenset({State.ACTIVE, State.DELIVERED})
_UNCERTAIN = frozenset({State.DEFERRED, State.QUEUED})


def why_closed(row: ShareRow, facts: Facts, now: int) -> str:
    """Return why a share is not open to its recipient, empty where it is."""
    if row.ended_at is not None:
        return "ended"
    if now >= row.expires_at:
        return "expired"
    if row.locked_at is not None:
        return "locked"
    state = State(facts.state)
    if state in _ARRIVED or (facts.perhaps and state in _UNCERTAIN):
        return ""
    return "not-sent"


def share_of(row: ShareRow, facts: Facts) -> Share:
    """Return the share as other rooms see it; raises ValueError where its mail's record cannot be read."""
    envelope, decision = parsed(facts.envelope, facts.decision)
    return of_decision(
        row, envelope, decision, from_us(facts.received_at), Way(facts.way) if facts.way else None
    )


def of_decision(
    row: ShareRow, envelope: Envelope, decision: Decision, received_at: datetime, way: Way | None
) -> Share:
    """Return the same from what is read already."""
    handling = decision.of(row.recipient).handling
    files = tuple(places(decision, row.recipient))
    counts = row.counts
    downloads = handling.downloads if handling is not None else 0
    left = [(place, max(0, downloads - counts.get(place, 0)) if downloads else None) for place, _ in files]
    decided = handling.way if handling is not None else None
    return Share(
        queue_id=row.queue_id,
        recipient=row.recipient,
        files=files,
        expires_at=from_us(row.expires_at),
        needs_key=handling is not None and handling.needs_key,
        way=way or decided,
        locked_at=from_us(row.locked_at),
        opened_at=from_us(row.opened_at),
        left=tuple(left),
        fetched=tuple([(place, counts[place]) for place, _ in files if counts.get(place)]),
        ended_at=from_us(row.ended_at),
        extendable_until=received_at + LONGEST,
        sender=str(envelope.sender or ""),
        sent_at=received_at,
        attached=tuple([file for file in decision.files if file.place in dict(files)]),
    )


def address_of(row: ShareRow, facts: Facts) -> Address:
    """Return to whom the mail went."""
    return parsed(facts.envelope, facts.decision)[0].recipients[row.recipient]


def longest(row: ShareRow, decision: Decision, received_at: int, now: int) -> int:
    """Return until when a share may live if it is extended now: as long again as the rule gave, and LONGEST in all."""
    handling = decision.of(row.recipient).handling
    given = span_us(handling.expires) if handling is not None else 0
    return min(now + given, received_at + span_us(LONGEST))


def within(at: int | None, now: int, span: timedelta) -> bool:
    """Tell whether something was less than a span ago; a clock that was set back counts as little as one that ran ahead."""
    return at is not None and abs(now - at) < span_us(span)
