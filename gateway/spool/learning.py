"""Learns in the background, from what was delivered, who wrote to whom.

Deliveries stand in the event log, and each chain's events are numbered without gaps in the order they were committed. So it
is enough to know of each chain from which event to which one everything was taken over. New events come first; then older
ones, back to the beginning. The mark moves by compare-and-set in the transaction that writes what was learned: an event is
taken over once, by whichever process, and a crash in the middle takes nothing over and loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from gateway.policy.decision import Decision
from gateway.spool.lifecycle import Kind
from gateway.spool.mail_json import parsed
from gateway.spool.ranges import from_ranges
from gateway.store.events import storable
from gateway.store.knowledge_tables import learned
from gateway.store.pseudonyms import Pseudonyms
from gateway.store.schema import chain, events, messages
from gateway.store.tx import Params, Prepared, Queries, Tx
from gateway.values import dataclass

EVENTS = 500  # of a chain that one batch looks at
PAIRS = 1_000  # of a sender and a recipient after which a batch ends: some 10 ms of the committer's time
BEHIND = 10_000  # newest events of a chain that are not known yet, at most, where it counts as complete: some busy seconds
PURPOSE = "recipient"  # of the hashes

K = TypeVar("K")


class Mark(NamedTuple):
    """One chain: its newest event, and which ones are known: those above `oldest`, up to `newest`. None: not begun."""

    node: str
    head: int
    oldest: int | None
    newest: int | None

    @property
    def complete(self) -> bool:
        return self.oldest == 0 and self.newest is not None and self.head - self.newest <= BEHIND


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction takes over: the mark as it was and as it is to be, and the rows."""

    mark: Mark
    oldest: int
    newest: int
    pairs: Sequence[Params] = ()
    domains: Sequence[Params] = ()

    @property
    def events(self) -> int:
        """Return how many events it takes over; beginning a chain, or beginning it again, counts as one."""
        if self.mark.oldest is None or self.mark.newest is None:
            return 1
        return max(1, (self.newest - self.mark.newest) + (self.mark.oldest - self.oldest))


def next_batch(pseudonyms: Pseudonyms) -> Callable[[Queries], Batch | None]:
    """Read what is to be taken over next, None where everything is known."""

    def read(queries: Queries) -> Batch | None:
        for mark in marks(queries):
            if mark.oldest is None or mark.newest is None or mark.newest > mark.head:
                return Batch(
                    mark, mark.head, mark.head
                )  # the latter after a repair that lost the end of the chain
            if mark.newest < mark.head:
                return _forward(queries, mark, mark.newest, pseudonyms)
        for mark in marks(queries):
            if mark.oldest:
                return _backward(queries, mark, mark.oldest, pseudonyms)
        return None

    return read


def take_over(batch: Batch) -> Callable[[Tx], bool]:
    """Move the mark and write the rows; return False where another process has moved it already."""

    def job(tx: Tx) -> bool:
        known = {"b_node": batch.mark.node, "b_oldest": batch.oldest, "b_newest": batch.newest}
        if batch.mark.oldest is None:
            return tx.run(_BEGIN, known) > 0
        was = {"b_was_oldest": batch.mark.oldest, "b_was_newest": batch.mark.newest}
        if not tx.run(_MOVE, known | was):
            return False
        tx.many(_LEARN_PAIR, batch.pairs)
        tx.many(_LEARN_DOMAIN, batch.domains)
        return True

    return job


def marks(queries: Queries) -> list[Mark]:
    """Return how far each chain is known."""
    return [Mark(*row) for row in queries.rows(_MARKS)]


class _Delivery(NamedTuple):
    seq: int
    at: int
    queue_id: str
    recipients: str


class _Learning:
    """Collects the rows of a batch: of each pair and each domain the first and the last time."""

    def __init__(self, queries: Queries, pseudonyms: Pseudonyms) -> None:
        self._queries = queries
        self._pseudonyms = pseudonyms
        self._pairs: dict[tuple[bytes, str], tuple[int, int]] = {}
        self._domains: dict[str, tuple[int, int]] = {}

    @property
    def is_full(self) -> bool:
        return len(self._pairs) >= PAIRS

    def take(self, delivery: _Delivery) -> None:
        """Take over one event; what is gone, cannot be read, came from nobody or from ourselves teaches nothing."""
        row = self._queries.row(_MAIL, {"b_queue_id": delivery.queue_id})
        if row is None or row[2]:
            return
        try:
            envelope, decision = parsed(row[0], row[1])
            went = [index for index in from_ranges(delivery.recipients) if _is_written_to(decision, index)]
            people = [envelope.recipients[index] for index in went]
        except (ValueError, TypeError, KeyError, IndexError):
            return
        if envelope.sender is None:
            return
        sender = storable(envelope.sender.key)
        for address in people:
            _seen(self._pairs, (self._pseudonyms.of(PURPOSE, address.key), sender), delivery.at)
            _seen(self._domains, address.domain, delivery.at)

    def rows(self) -> tuple[list[Params], list[Params]]:
        """Return the rows in one order, so that two processes never wait for each other."""
        pairs: list[Params] = [
            {"b_recipient": recipient, "b_sender": sender, "b_first_at": first, "b_last_at": last}
            for (recipient, sender), (first, last) in sorted(self._pairs.items())
        ]
        names: list[Params] = [
            {"b_domain": storable(domain), "b_first_at": first, "b_last_at": last}
            for domain, (first, last) in sorted(self._domains.items())
        ]
        return pairs, names


def _is_written_to(decision: Decision, index: int) -> bool:
    """Tell whether the sender wrote to this recipient outside; to a copy that a rule added, he did not."""
    return decision.of(index).external and not decision.is_copy(index)


def _seen(into: dict[K, tuple[int, int]], what: K, at: int) -> None:
    first, last = into.get(what, (at, at))
    into[what] = min(first, at), max(last, at)


def _forward(queries: Queries, mark: Mark, newest: int, pseudonyms: Pseudonyms) -> Batch:
    last = min(newest + EVENTS, mark.head)
    learning = _Learning(queries, pseudonyms)
    for delivery in _deliveries(queries, mark.node, newest, last):
        learning.take(delivery)
        if learning.is_full:
            last = delivery.seq
            break
    return Batch(mark, mark.oldest or 0, last, *learning.rows())


def _backward(queries: Queries, mark: Mark, oldest: int, pseudonyms: Pseudonyms) -> Batch:
    first = max(oldest - EVENTS, 0)
    learning = _Learning(queries, pseudonyms)
    for delivery in reversed(_deliveries(queries, mark.node, first, oldest)):
        learning.take(delivery)
        if learning.is_full:
            first = delivery.seq - 1
            break
    return Batch(mark, first, mark.newest or oldest, *learning.rows())


def _deliveries(queries: Queries, node: str, above: int, upto: int) -> list[_Delivery]:
    wanted = {"b_node": node, "b_above": above, "b_upto": upto}
    return [_Delivery(*row) for row in queries.rows(_DELIVERIES, wanted)]


_E = events.c
_MARKS = Prepared(
    select(chain.c.node, chain.c.seq, learned.c.oldest, learned.c.newest)
    .join_from(chain, learned, learned.c.node == chain.c.node, isouter=True)
    .order_by(chain.c.node)
)
_DELIVERIES = Prepared(
    select(_E.seq, _E.at, _E.queue_id, _E.recipients)
    .where(
        _E.node == bindparam("b_node"),
        _E.seq > bindparam("b_above"),
        _E.seq <= bindparam("b_upto"),
        _E.kind == sa.literal_column(f"'{Kind.DELIVERED}'"),
        _E.queue_id.is_not(None),
    )
    .order_by(_E.seq)
)
_MAIL = Prepared(
    select(messages.c.envelope, messages.c.decision, messages.c.from_gateway).where(
        messages.c.queue_id == bindparam("b_queue_id")
    )
)
_BEGIN = Prepared(
    sa.text(
        "INSERT INTO learned (node, oldest, newest) VALUES (:b_node, :b_oldest, :b_newest)"
        " ON CONFLICT (node) DO NOTHING"
    )
)
_MOVE = Prepared(
    learned.update()
    .where(
        learned.c.node == bindparam("b_node"),
        learned.c.oldest == bindparam("b_was_oldest"),
        learned.c.newest == bindparam("b_was_newest"),
    )
    .values(oldest=bindparam("b_oldest"), newest=bindparam("b_newest"))
)
_LEARN_PAIR = Prepared(
    sa.text(
        "INSERT INTO acquaintances AS a (recipient, sender, first_at, last_at)"
        " VALUES (:b_recipient, :b_sender, :b_first_at, :b_last_at)"
        " ON CONFLICT (recipient, sender) DO UPDATE SET"
        " first_at = CASE WHEN excluded.first_at < a.first_at THEN excluded.first_at ELSE a.first_at END,"
        " last_at = CASE WHEN excluded.last_at > a.last_at THEN excluded.last_at ELSE a.last_at END"
    )
)
_LEARN_DOMAIN = Prepared(
    sa.text(
        "INSERT INTO written_domains AS d (domain, first_at, last_at) VALUES (:b_domain, :b_first_at, :b_last_at)"
        " ON CONFLICT (domain) DO UPDATE SET"
        " first_at = CASE WHEN excluded.first_at < d.first_at THEN excluded.first_at ELSE d.first_at END,"
        " last_at = CASE WHEN excluded.last_at > d.last_at THEN excluded.last_at ELSE d.last_at END"
    )
)
