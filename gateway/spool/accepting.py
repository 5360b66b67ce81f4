"""Accept: what one new mail writes. The rows are computed first (pure), the job only hands them to the transaction.

With a lease, the recipients that nothing holds are leased in the transaction that accepts them: the attempt is on disk with
the mail, and no other transaction has to find and lease them.
"""

from __future__ import annotations

from collections.abc import Callable

from gateway.spool.acceptance_events import accepted, first_attempt
from gateway.spool.coming import Coming, coming
from gateway.spool.first_notices import first_notices
from gateway.spool.halves import NEW_HALVES, half_rows
from gateway.spool.key_making import NO_KEYS, NewKeys
from gateway.spool.leases import Lease
from gateway.spool.leaving import dropped_events
from gateway.spool.lifecycle import State
from gateway.spool.listing import Standing, groups_json, listing_row, name_rows, whose_of
from gateway.spool.look_rows import NEW_LOOKS, new_rows
from gateway.spool.mail_json import envelope_json, facts_json
from gateway.spool.relisting import NEW_LISTINGS, NEW_NAMES
from gateway.spool.reminder_rows import NEW_REMINDERS, reminder_rows
from gateway.spool.sendings import slice_of
from gateway.spool.shares_rows import NEW_SHARES, share_rows
from gateway.spool.statements import (
    NEW_ACTIVE,
    NEW_BODIES,
    NEW_CANCELLED,
    NEW_HELD,
    NEW_MESSAGES,
    NEW_NOTICES,
    NEW_QUEUED,
)
from gateway.spool.threads import NEW_THREADS, thread_rows
from gateway.spool.times import from_us
from gateway.spool.values import Claim, NewMessage, Recipient, Stored
from gateway.store.bodies import Body
from gateway.store.events import Event, storable
from gateway.store.inserts import Inserts, Row
from gateway.store.tx import Tx
from gateway.values import dataclass

SMALL_RECIPIENTS = 32  # of a mail whose rows the event loop may write itself
SHORT_ENVELOPE = (
    1_000  # recipients of a mail whose row, which holds its envelope, the event loop may write anew
)

Rows = list[tuple[Inserts, list[Row]]]  # by table and kind, where there are any


@dataclass(frozen=True, slots=True)
class Acceptance:
    """All rows of one accepted mail but its body's, each in the order of its columns, and what is counted of it.

    `free` are the recipients that nothing holds, `states` how many come in which state, `sent` whose volume it adds to, in
    which slice, by how many.
    """

    message: Row
    notices: list[Row]
    others: Rows
    events: list[Event]
    states: list[tuple[State, int]]
    recipients: int
    free: list[int]
    sent: tuple[str, int, int] | None
    keys: NewKeys

    @property
    def small(self) -> bool:
        """Tell whether writing it is a matter of a millisecond at most."""
        return self.recipients <= SMALL_RECIPIENTS

    def with_body(self, body: Body) -> Callable[[Tx], str]:
        """Return the job that inserts everything."""
        return lambda tx: self.write(tx, body)

    def write(self, tx: Tx, body: Body) -> str:
        """Insert everything; return the queue id."""
        tx.insert(NEW_MESSAGES, [self.message])
        tx.insert(NEW_BODIES, [_body_row(body)])
        tx.under(body.key_id)
        if self.notices:
            tx.insert(NEW_NOTICES, self.notices)
        for into, rows in self.others:
            tx.insert(into, rows)
        for event in self.events:
            tx.event(event)
        for state, count in self.states:
            tx.tally(state, count)
        self.keys.write(tx)
        if self.sent is not None:
            tx.sent(*self.sent)
        return body.queue_id


def acceptance(
    queue_id: str, new: NewMessage, lease: Lease | None = None, keys: NewKeys = NO_KEYS
) -> Acceptance:
    """Compute the rows: held recipients are due when their window ends, dropped ones never, the others now, or leased."""
    mail = coming(queue_id, new)
    events = [accepted(mail)]
    if mail.dropped:
        events += dropped_events(queue_id, new.decision, mail.at, mail.dropped)
    if mail.free and lease is not None:
        events.append(first_attempt(queue_id, mail.at, mail.free))
    noted, counted = new.noted, len(mail.people) - new.decision.copied
    waiting = State.QUEUED if lease is None else State.ACTIVE
    fates = (State.HELD, mail.held), (waiting, mail.free), (State.CANCELLED, mail.dropped)
    return Acceptance(
        message=_message_row(mail),
        notices=first_notices(mail),
        others=[*_recipient_rows(mail, lease), *_more_rows(mail)],
        events=events,
        states=[(state, len(indexes)) for state, indexes in fates if indexes],
        recipients=len(mail.people),
        free=mail.free,
        sent=(storable(noted.counted_as), slice_of(mail.at), counted) if noted.counted_as else None,
        keys=keys,
    )


def claim_of(queue_id: str, new: NewMessage, lease: Lease, free: list[int]) -> Claim:
    """Return the claim on what was leased with its acceptance: the recipients that nothing holds."""
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


def _message_row(mail: Coming) -> Row:
    new, opened = mail.new, len(mail.held) + len(mail.free)
    envelope, decision = new.envelope, new.decision
    return (
        mail.queue_id,
        mail.at,
        None if envelope.sender is None else storable(mail.sender),
        storable(new.subject),
        len(new.raw),
        envelope_json(envelope, decision.assigned),
        mail.decided.stored,
        int(new.from_gateway),
        new.about,
        opened,
        len(mail.held),
        None if opened or not mail.people else mail.at,  # finished_at
        None,  # delay_noticed_at
        None if new.facts is None else facts_json(new.facts),
        groups_json(new.groups),
    )


def _recipient_rows(mail: Coming, lease: Lease | None) -> Rows:
    queue_id, at = mail.queue_id, mail.at
    rows: Rows = []
    if mail.due:
        rows.append((NEW_HELD, [(queue_id, index, due, at) for index, due in mail.due]))
    if mail.free and lease is None:
        rows.append((NEW_QUEUED, [(queue_id, index, at, at, at) for index in mail.free]))
    elif mail.free and lease is not None:
        leased = at, at, lease.token, lease.owner, lease.until
        rows.append((NEW_ACTIVE, [(queue_id, index, *leased) for index in mail.free]))
    if mail.dropped:
        rows.append((NEW_CANCELLED, [(queue_id, index, at) for index in mail.dropped]))
    return rows


def _more_rows(mail: Coming) -> Rows:
    """Return the line in lists of a mail that is held, and the rows that few mails have."""
    queue_id, at, noted = mail.queue_id, mail.at, mail.new.noted
    rows: Rows = []
    if mail.held:
        line = _listing(mail)
        rows += [(NEW_LISTINGS, [line]), (NEW_NAMES, name_rows(line))]
    if mail.looks:
        rows += [(NEW_LOOKS, new_rows(queue_id, mail.looks, at))]
        rows += [(NEW_REMINDERS, reminder_rows(queue_id, mail.looks, at))]
    if noted.message_id:
        rows.append((NEW_THREADS, thread_rows(queue_id, noted)))
    if noted.half:
        rows.append((NEW_HALVES, half_rows(queue_id, at, noted)))
    if mail.linked:
        rows.append((NEW_SHARES, share_rows(queue_id, mail.new.decision, at, mail.linked)))
    return rows


def _listing(mail: Coming) -> Row:
    new = mail.new
    authors = () if new.facts is None else new.facts.authors
    whose = whose_of(new.envelope, authors, new.groups, mail.looks)
    standing = Standing(mail.due)
    return listing_row(
        mail.queue_id,
        mail.at,
        mail.sender,
        mail.people,
        new.subject,
        whose,
        new.decision,
        mail.looks,
        standing,
    )


def _body_row(body: Body) -> Row:
    sealed = body.queue_id, body.place, body.format, body.key_id, body.wrapped_key, body.data
    return *sealed, *(body.spot or (None, None, None))
