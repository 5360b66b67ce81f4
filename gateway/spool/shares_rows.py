"""Shares as rows: what an accepted mail writes, what is read of one, and how they end with the recipient's mail.

A share says nothing about its files that the decision does not say: there they are named, and how often each may be fetched.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from gateway.policy.decision import Decision
from gateway.policy.protection import How
from gateway.spool.lifecycle import Kind, Reason, State
from gateway.spool.ranges import to_ranges
from gateway.spool.times import span_us
from gateway.store.attachment_tables import key_sendings, shares
from gateway.store.events import Event
from gateway.store.inserts import Inserts, Row
from gateway.store.schema import messages, recipients
from gateway.store.tx import Prepared, Queries, Tx


class ShareRow(NamedTuple):
    """The columns of `shares`, in the order of the table."""

    queue_id: str
    recipient: int
    expires_at: int
    locked_at: int | None
    ended_at: int | None
    opened_at: int | None
    fetched: str
    visits: str
    key_id: str | None
    wrapped_code: bytes | None
    code_at: int | None
    codes_asked: int
    attempts: int
    tried_at: int | None
    changed_at: int

    @property
    def counts(self) -> dict[int, int]:
        """Return how often each file was fetched, by its place."""
        return {int(place): int(count) for place, count in json.loads(self.fetched).items()}

    @property
    def begun(self) -> dict[str, list[int]]:
        """Return which files each visit began to fetch, the oldest visit first."""
        loaded: dict[str, list[int]] = json.loads(self.visits)
        return loaded


class Facts(NamedTuple):
    """What a share depends on: the recipient's mail, what was decided, and how the key goes."""

    state: str
    perhaps: int
    received_at: int
    envelope: str
    decision: str
    from_gateway: int
    way: str | None


NEW_SHARES = Inserts(shares)
NEVER_GETS_IT = frozenset({State.CANCELLED, State.BOUNCED})


def share_rows(queue_id: str, decision: Decision, at: int, linked: Sequence[int]) -> list[Row]:
    """Return a row for each recipient with a file behind a link."""
    return [
        (queue_id, index, at + _life(decision, index), *(None,) * 3, "{}", "{}", *(None,) * 3, 0, 0, None, at)
        for index in linked
    ]


def read(queries: Queries, queue_id: str, recipient: int) -> tuple[ShareRow, Facts] | None:
    """Return a share and what it depends on, or None."""
    return _with_facts(queries, queries.row(_ONE, _place(queue_id, recipient)))


def lock_row(tx: Tx, queue_id: str, recipient: int) -> tuple[ShareRow, Facts] | None:
    """Return the same, the share's row locked until COMMIT: two verbs on one share come one after the other."""
    return _with_facts(tx, tx.row(_ONE_LOCKED, _place(queue_id, recipient)))


def rows_of(queries: Queries, queue_id: str) -> list[ShareRow]:
    """Return the shares of a mail, in the order of their recipients."""
    return [ShareRow(*row) for row in queries.rows(_ALL, {"b_queue_id": queue_id})]


def lock_rows(tx: Tx, queue_id: str) -> list[ShareRow]:
    """Return the same, locked until COMMIT."""
    return [ShareRow(*row) for row in tx.rows(_ALL_LOCKED, {"b_queue_id": queue_id})]


def over_rows(tx: Tx, now: int, limit: int) -> list[ShareRow]:
    """Return shares whose time is over and that were not ended yet, the oldest first."""
    return [ShareRow(*row) for row in tx.rows(_OVER, {"b_now": now, "b_limit": limit})]


def write(tx: Tx, row: ShareRow) -> None:
    """Write a row that was locked in this transaction."""
    named = {f"b_{name}": value for name, value in row._asdict().items()}
    tx.run(_WRITE, named)


def end(tx: Tx, rows: Iterable[ShareRow], at: int) -> list[ShareRow]:
    """End those that are open; a code that is out is good no more. Return which they were."""
    ended = [row for row in rows if row.ended_at is None]
    for row in ended:
        write(tx, row._replace(ended_at=at, key_id=None, wrapped_code=None, visits="{}", changed_at=at))
    return ended


def end_with_recipients(tx: Tx, queue_id: str, at: int) -> None:
    """End the shares of those who do not get the mail any more; a look that finds nothing for mails without shares."""
    gone = [ShareRow(*row) for row in tx.rows(_GONE, {"b_queue_id": queue_id})]
    if not end(tx, gone, at):
        return
    indexes = to_ranges(row.recipient for row in gone)
    tx.event(Event(at, queue_id, Kind.SHARE_ENDED, Reason.SYSTEM, recipients=indexes))


def places(decision: Decision, recipient: int) -> Sequence[tuple[int, str]]:
    """Return the files behind a recipient's link: places and names."""
    handling = decision.of(recipient).handling
    if handling is None:
        return ()
    names = {file.place: file.name for file in decision.files}
    return tuple([(place, names.get(place, "")) for place, how in handling.forms if how is How.LINK])


def _life(decision: Decision, index: int) -> int:
    handling = decision.of(index).handling
    return 0 if handling is None else span_us(handling.expires)


def _with_facts(queries: Queries, row: Any) -> tuple[ShareRow, Facts] | None:
    if row is None:
        return None
    share = ShareRow(*row)
    facts = queries.row(_FACTS, _place(share.queue_id, share.recipient))
    return None if facts is None else (share, Facts(*facts))


def _place(queue_id: str, recipient: int) -> dict[str, object]:
    return {"b_queue_id": queue_id, "b_recipient": recipient}


_S = shares.c
_R = recipients.c
_M = messages.c
_K = key_sendings.c
_OF_MAIL = _S.queue_id == bindparam("b_queue_id")
_THIS = sa.and_(_OF_MAIL, _S.recipient == bindparam("b_recipient"))
_OPEN = sa.text("ended_at IS NULL")
_NEVER: tuple[sa.ColumnElement[str], ...] = tuple(
    sa.literal_column(f"'{state}'") for state in sorted(NEVER_GETS_IT)
)

_ONE = Prepared(select(shares).where(_THIS))
_ONE_LOCKED = Prepared(select(shares).where(_THIS).with_for_update())
_ALL = Prepared(select(shares).where(_OF_MAIL).order_by(_S.recipient))
_ALL_LOCKED = Prepared(select(shares).where(_OF_MAIL).order_by(_S.recipient).with_for_update())
_OVER = Prepared(
    select(shares)
    .where(_OPEN, _S.expires_at <= bindparam("b_now"))
    .order_by(_S.expires_at)
    .limit(bindparam("b_limit", type_=sa.Integer))
    .with_for_update(skip_locked=True)
)
_GONE = Prepared(
    select(shares)
    .where(
        _OF_MAIL,
        _OPEN,
        _S.recipient.in_(select(_R.idx).where(_R.queue_id == bindparam("b_queue_id"), _R.state.in_(_NEVER))),
    )
    .order_by(_S.recipient)
    .with_for_update()
)
_FACTS = Prepared(
    select(_R.state, _R.perhaps, _M.received_at, _M.envelope, _M.decision, _M.from_gateway, _K.way)
    .select_from(
        recipients.join(messages, _M.queue_id == _R.queue_id).outerjoin(
            key_sendings, sa.and_(_K.queue_id == _R.queue_id, _K.recipient == _R.idx)
        )
    )
    .where(_R.queue_id == bindparam("b_queue_id"), _R.idx == bindparam("b_recipient"))
)
_WRITE = Prepared(
    shares.update()
    .where(_THIS)
    .values(
        {
            name: bindparam(f"b_{name}", type_=_S[name].type)
            for name in ShareRow._fields
            if name not in ("queue_id", "recipient")
        }
    )
)
STILL_SHARED = select(_S.recipient).where(_S.queue_id == _M.queue_id, _OPEN).exists()
"""A condition on `messages`: somebody can still fetch a file out of its body."""
