"""Counters that a transaction moves: recipients by state, what of each message is open and held, what each sender handed in.

They are collected over all jobs of the transaction and written once before COMMIT. The row of a message holds the envelope
of all its recipients, and a database writes the whole of it for the smallest change: forty results in one transaction must
not write it forty times. Written in one order, so that two processes never wait for each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from gateway.store.schema import messages, tallies

_Numbers: Callable[[], defaultdict[Any, int]] = partial(defaultdict, int)
Slice = tuple[str, int]  # a sender, and the number of a slice of time


@dataclass(slots=True)
class Change:
    """What becomes less of one message: recipients that are open, and those that are held. `at` is the latest moment."""

    closed: int = 0
    held: int = 0
    at: int = 0


@dataclass(slots=True)
class Counts:
    """The changes of one transaction."""

    node: str
    states: defaultdict[str, int] = field(default_factory=_Numbers)
    messages: dict[str, Change] = field(default_factory=dict)
    mails: defaultdict[Slice, int] = field(default_factory=_Numbers)
    recipients: defaultdict[Slice, int] = field(default_factory=_Numbers)
    unlisted: dict[str, int] = field(
        default_factory=dict
    )  # mails whose line in lists is out of date, since when

    def moved(self, queue_id: str, closed: int, held: int, at: int) -> None:
        """Note that of a message so many more are closed, and so many fewer held."""
        change = self.messages.setdefault(queue_id, Change())
        change.closed += closed
        change.held += held
        change.at = max(change.at, at)
        if held:
            self.unlisted[queue_id] = at

    def sent(self, sender: str, number: int, recipients: int) -> None:
        """Note that a sender handed in a mail to so many, in the slice of time with this number."""
        self.mails[sender, number] += 1
        self.recipients[sender, number] += recipients

    def of_senders(self) -> Sequence[Mapping[str, object]]:
        """Return the parameters of SENT for those who handed in anything."""
        return [
            {
                "b_sender": sender,
                "b_slice": number,
                "b_node": self.node,
                "b_mails": mails,
                "b_recipients": self.recipients[sender, number],
            }
            for (sender, number), mails in sorted(self.mails.items())
        ]

    def of_messages(self) -> Sequence[Mapping[str, object]]:
        """Return the parameters of COUNT_DOWN for the messages of which anything changed."""
        return [
            {"b_queue_id": queue_id, "b_closed": change.closed, "b_held": change.held, "b_at": change.at}
            for queue_id, change in sorted(self.messages.items())
            if change.closed or change.held
        ]

    def of_lists(self) -> Sequence[Mapping[str, object]]:
        """Return the parameters of UNLIST, in one order."""
        return [{"b_queue_id": queue_id, "b_at": at} for queue_id, at in sorted(self.unlisted.items())]

    def of_states(self) -> Sequence[Mapping[str, object]]:
        """Return the parameters of TALLY for the states in which there are more or fewer recipients."""
        changed = sorted(self.states.items())
        return [{"b_node": self.node, "b_state": str(state), "b_change": n} for state, n in changed if n]


_LEFT = messages.c.open_recipients - bindparam("b_closed", type_=sa.Integer)
COUNT_DOWN = (
    messages.update()
    .where(messages.c.queue_id == bindparam("b_queue_id"))
    .values(
        open_recipients=_LEFT,
        held_recipients=messages.c.held_recipients - bindparam("b_held", type_=sa.Integer),
        finished_at=sa.case((sa.literal_column("0") == _LEFT, bindparam("b_at", type_=sa.BigInteger))),
    )
)
TALLY = (
    tallies.update()
    .where(tallies.c.node == bindparam("b_node"), tallies.c.state == bindparam("b_state"))
    .values(recipients=tallies.c.recipients + bindparam("b_change"))
)
SENT = sa.text(
    "INSERT INTO sendings (sender, slice, node, mails, recipients)"
    " VALUES (:b_sender, :b_slice, :b_node, :b_mails, :b_recipients)"
    " ON CONFLICT (sender, slice, node) DO UPDATE SET mails = sendings.mails + excluded.mails,"
    " recipients = sendings.recipients + excluded.recipients"
)
# Not `DO NOTHING`: whoever makes the line anew has to wait until what changed is committed.
UNLIST = sa.text(
    "INSERT INTO unlisted (queue_id, changed_at) VALUES (:b_queue_id, :b_at)"
    " ON CONFLICT (queue_id) DO UPDATE SET changed_at = excluded.changed_at"
)
