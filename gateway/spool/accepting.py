"""Accept: what one new mail writes. The rows are computed first (pure), the job only hands them to the transaction.

With a lease, the recipients that nothing holds are leased in the transaction that accepts them: the attempt is on disk with
the mail, and no other transaction has to find and lease them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field

from gateway.policy.decision import Decision, Outcome
from gateway.spool.acceptance_events import accepted, first_attempt
from gateway.spool.first_notices import first_notices, requests
from gateway.spool.halves import NEW_HALVES, half_rows
from gateway.spool.key_making import NO_KEYS, NewKeys
from gateway.spool.leases import Lease
from gateway.spool.leaving import dropped_events, dropped_of
from gateway.spool.lifecycle import State
from gateway.spool.listing import Standing, groups_json, listing_row, name_rows, whose_of
from gateway.spool.look_rows import NEW_LOOKS, new_rows
from gateway.spool.records import decision_json, envelope_json, facts_json
from gateway.spool.relisting import NEW_LISTINGS, NEW_NAMES
from gateway.spool.reminder_rows import NEW_REMINDERS, reminder_rows
from gateway.spool.second_look import SOMEBODY, Look, copies_wait, fresh_looks
from gateway.spool.sendings import slice_of
from gateway.spool.shares_rows import NEW_SHARES, share_rows
from gateway.spool.statements import NEW_BODIES, NEW_MESSAGES, NEW_NOTICES, NEW_RECIPIENTS
from gateway.spool.threads import NEW_THREADS, thread_rows
from gateway.spool.times import from_us, span_us, to_us
from gateway.spool.values import Claim, NewMessage, Recipient, Stored
from gateway.store.bodies import Body
from gateway.store.events import Event, storable
from gateway.store.inserts import Row
from gateway.store.tx import Tx
from gateway.values import dataclass

_SOMEBODY = to_us(SOMEBODY)
SMALL_RECIPIENTS = 32  # of a mail whose rows the event loop may write itself
SHORT_ENVELOPE = (
    1_000  # recipients of a mail whose row, which holds its envelope, the event loop may write anew
)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """All rows of one accepted mail, in the order of the tables' columns."""

    message: Row
    recipients: list[Row]
    events: list[Event]
    notices: list[Row]
    looks: list[Row]
    held: int
    leased: int
    threads: list[Row] = field(default_factory=list)
    halves: list[Row] = field(default_factory=list)
    sent: tuple[str, int] | None = None
    dropped: int = 0
    copied: int = 0
    shares: list[Row] = field(default_factory=list)
    keys: NewKeys = NO_KEYS
    reminders: list[Row] = field(default_factory=list)
    listings: list[Row] = field(default_factory=list)

    @property
    def small(self) -> bool:
        """Tell whether writing it is a matter of a millisecond at most."""
        return len(self.recipients) <= SMALL_RECIPIENTS

    def with_body(self, body: Body) -> Callable[[Tx], str]:
        """Return the job that inserts everything."""
        return lambda tx: self.write(tx, body)

    def write(self, tx: Tx, body: Body) -> str:
        """Insert everything; return the queue id."""
        tx.insert(NEW_MESSAGES, [self.message])
        tx.insert(NEW_RECIPIENTS, self.recipients)
        tx.insert(NEW_BODIES, [_body_row(body)])
        tx.under(body.key_id)
        tx.insert(NEW_NOTICES, self.notices)
        if self.looks:
            tx.insert(NEW_LOOKS, self.looks)
        if self.reminders:
            tx.insert(NEW_REMINDERS, self.reminders)
        for event in self.events:
            tx.event(event)
        tx.tally(State.HELD, self.held)
        tx.tally(State.ACTIVE, self.leased)
        tx.tally(State.CANCELLED, self.dropped)
        tx.tally(State.QUEUED, len(self.recipients) - self.held - self.leased - self.dropped)
        if self.threads:
            tx.insert(NEW_THREADS, self.threads)
        if self.halves:
            tx.insert(NEW_HALVES, self.halves)
        if self.shares:
            tx.insert(NEW_SHARES, self.shares)
        if self.listings:
            tx.insert(NEW_LISTINGS, self.listings)
            tx.insert(NEW_NAMES, [name for row in self.listings for name in name_rows(row)])
        self.keys.write(tx)
        if self.sent is not None:
            tx.sent(*self.sent, len(self.recipients) - self.copied)
        return body.queue_id


def acceptance(
    queue_id: str, new: NewMessage, lease: Lease | None = None, keys: NewKeys = NO_KEYS
) -> Acceptance:
    """Compute the rows: held recipients are due when their window ends, dropped ones never, the others now, or leased."""
    at = to_us(new.received_at)
    ends = _ends(new.decision, at)
    looks = fresh_looks(new.decision, new.received_at)
    held, free = split_by_hold(new.decision)
    dropped = dropped_of(new.decision)
    rows = [_recipient_row(queue_id, index, end, at, lease) for index, end in enumerate(ends)]
    leased = free if lease is not None else []
    return Acceptance(
        message=_message_row(queue_id, new, at, len(held), len(rows) - len(dropped)),
        recipients=rows,
        events=[
            accepted(queue_id, new, at, held),
            *dropped_events(queue_id, new.decision, at, dropped),
            *first_attempt(queue_id, at, leased),
        ],
        notices=[*first_notices(queue_id, new, at, held, dropped), *requests(queue_id, looks, at)],
        looks=new_rows(queue_id, looks, at),
        held=len(held),
        leased=len(leased),
        threads=thread_rows(queue_id, new.noted),
        halves=half_rows(queue_id, at, new.noted),
        sent=(storable(new.noted.counted_as), slice_of(at)) if new.noted.counted_as else None,
        dropped=len(dropped),
        copied=new.decision.copied,
        shares=share_rows(queue_id, new.decision, at),
        keys=keys,
        reminders=reminder_rows(queue_id, looks, at),
        listings=[_listing(queue_id, new, at, looks, held, ends)] if held else [],
    )


def split_by_hold(decision: Decision) -> tuple[list[int], list[int]]:
    """Return the indexes of the recipients that are held, and of those that may leave at once; dropped ones are neither."""
    held: list[int] = []
    free: list[int] = []
    waits = [outcome.waits for outcome in decision.outcomes]
    staying = copies_wait(decision)
    drops = [outcome.demands.drop for outcome in decision.outcomes]
    for index, number in enumerate(decision.assigned):
        if not drops[number]:
            stays = waits[number] or (staying and decision.is_copy(index))
            (held if stays else free).append(index)
    return held, free


def claim_of(queue_id: str, new: NewMessage, lease: Lease) -> Claim:
    """Return the claim on what was leased with its acceptance."""
    _, free = split_by_hold(new.decision)
    recipients = tuple(
        Recipient(
            index=index,
            address=new.envelope.recipients[index],
            external=new.decision.of(index).external,
            state=State.ACTIVE,
            due_at=None,
            attempts=1,
            changed_at=new.received_at,
        )
        for index in free
    )
    message = Stored(
        queue_id=queue_id,
        envelope=new.envelope,
        decision=new.decision,
        received_at=new.received_at,
        subject=new.subject,
        size_bytes=len(new.raw),
        from_gateway=new.from_gateway,
        recipients=recipients,
    )
    return Claim(message, lease.token, from_us(lease.until))


def _message_row(queue_id: str, new: NewMessage, at: int, held: int, opened: int) -> Row:
    sender = new.envelope.sender
    return (
        queue_id,
        at,
        None if sender is None else storable(str(sender)),
        storable(new.subject),
        len(new.raw),
        envelope_json(new.envelope, new.decision.assigned),
        decision_json(new.decision),
        int(new.from_gateway),
        new.about,
        opened,
        held,
        None if opened or not new.envelope.recipients else at,  # finished_at
        None,  # delay_noticed_at
        None if new.facts is None else facts_json(new.facts),
        groups_json(new.groups),
    )


def _listing(
    queue_id: str, new: NewMessage, at: int, looks: tuple[Look, ...], held: list[int], ends: list[int | None]
) -> Row:
    authors = () if new.facts is None else new.facts.authors
    whose = whose_of(new.envelope, authors, new.groups, looks)
    standing = Standing([(index, ends[index] or at) for index in held])
    return listing_row(queue_id, at, new.envelope, new.subject, whose, new.decision, looks, standing)


def _ends(decision: Decision, at: int) -> list[int | None]:
    """Return for each recipient when the hold ends by itself."""
    by_class = [_hold_ends(outcome, at) for outcome in decision.outcomes]
    ends = [by_class[number] for number in decision.assigned]
    if copies_wait(decision):
        known = len(ends) - decision.copied
        ends[known:] = [None if end is None else _SOMEBODY for end in ends[known:]]
    return ends


def _hold_ends(outcome: Outcome, at: int) -> int | None:
    """Return when a hold ends by itself, which is never where it waits for people; now for no hold, None for dropped ones."""
    if outcome.demands.drop:
        return None
    return at + span_us(outcome.demands.window) if outcome.waits_for_nobody else _SOMEBODY


def _recipient_row(queue_id: str, index: int, ends: int | None, at: int, lease: Lease | None) -> Row:
    # state, due_at, queued_at, changed_at, attempts, reply, lease, owner, lease_until, perhaps
    if ends is None:
        return queue_id, index, "cancelled", None, None, at, 0, "", None, None, None, 0
    if ends > at:
        return queue_id, index, "held", ends, None, at, 0, "", None, None, None, 0
    if lease is None:
        return queue_id, index, "queued", at, at, at, 0, "", None, None, None, 0
    return queue_id, index, "active", None, at, at, 1, "", lease.token, lease.owner, lease.until, 0


def _body_row(body: Body) -> Row:
    sealed = body.queue_id, body.place, body.format, body.key_id, body.wrapped_key, body.data
    return *sealed, *(body.spot or (None, None, None))
