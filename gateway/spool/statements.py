"""The spool's SQL. Every UPDATE of a state is in `moves`; here is what is read and what is inserted.

States stand as literals, not parameters: only then can the database see that a partial index answers the question.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from gateway.spool.lifecycle import Kind, State
from gateway.spool.notice import NoticeKind
from gateway.spool.records import MessageRow, RecipientRow
from gateway.store.inserts import Inserts
from gateway.store.schema import (
    ACTIVE,
    HELD,
    MOVING,
    bodies,
    chain,
    events,
    messages,
    outbox,
    recipients,
    tallies,
)
from gateway.store.tx import Prepared

_R = recipients.c
_M = messages.c
_E = events.c
_RECIPIENT = tuple(_R[name] for name in RecipientRow._fields)
_MESSAGE = tuple(_M[name] for name in MessageRow._fields)
LIMIT = bindparam("b_limit", type_=sa.Integer)

NEW_MESSAGES = Inserts(messages)
# In the states in which recipients come; `queued_at` is when they were free to leave.
_FRESH: dict[str, str | int] = {"state": State.HELD, "attempts": 0, "reply": "", "perhaps": 0}
NEW_HELD = Inserts(recipients, "queue_id", "idx", "due_at", "changed_at", **_FRESH)
NEW_QUEUED = Inserts(
    recipients, "queue_id", "idx", "due_at", "queued_at", "changed_at", **_FRESH | {"state": State.QUEUED}
)
NEW_ACTIVE = Inserts(
    recipients,
    *("queue_id", "idx", "queued_at", "changed_at", "lease", "owner", "lease_until"),
    **_FRESH | {"state": State.ACTIVE, "attempts": 1},
)
NEW_CANCELLED = Inserts(recipients, "queue_id", "idx", "changed_at", **_FRESH | {"state": State.CANCELLED})
NEW_BODIES = Inserts(bodies)
NEW_NOTICES = Inserts(outbox, "kind", "queue_id", "to_address", "recipients", "created_at", "actor")

MESSAGE = Prepared(select(*_MESSAGE).where(_M.queue_id == bindparam("b_queue_id")))
RECIPIENTS = Prepared(select(*_RECIPIENT).where(_R.queue_id == bindparam("b_queue_id")).order_by(_R.idx))
RECIPIENTS_BETWEEN = Prepared(
    select(*_RECIPIENT)
    .where(_R.queue_id == bindparam("b_queue_id"), _R.idx.between(bindparam("b_first"), bindparam("b_last")))
    .order_by(_R.idx)
)
BODY = Prepared(select(bodies).where(bodies.c.queue_id == bindparam("b_queue_id")))
RELEASE_FACTS = Prepared(
    select(_M.received_at, _M.envelope, _M.decision).where(_M.queue_id == bindparam("b_queue_id"))
)
GLANCED = 16  # messages in one statement: one of 40,000 recipients has an envelope of some 2 MiB
# `|| ''` keeps PostgreSQL, before it has statistics, from walking the index of all holds for those of a few messages.
_HELD_HERE = sa.text("recipients.state || '' = 'held'")
_HELD_OF_IT = sa.and_(_R.queue_id == _M.queue_id, _HELD_HERE)
GLANCES = Prepared(  # a row for each message, however many recipients it has
    select(
        *(_M.queue_id, _M.received_at, _M.subject, _M.envelope, _M.decision),
        sa.func.min(_R.due_at),
        sa.func.aggregate_strings(sa.cast(_R.idx, sa.Text), ","),
    )
    .join_from(messages, recipients, _HELD_OF_IT, isouter=True)
    .where(_M.queue_id.in_([bindparam(f"b_{place}", None) for place in range(GLANCED)]))
    .group_by(_M.queue_id)
)
NOTICE_FACTS = Prepared(select(_M.sender, _M.from_gateway).where(_M.queue_id == bindparam("b_queue_id")))

HELD_DUE = Prepared(
    select(*_RECIPIENT)
    .where(sa.text(HELD), _R.due_at <= bindparam("b_now"))
    .order_by(_R.due_at)
    .limit(LIMIT)
    .with_for_update(skip_locked=True)
)
# `+ 0` keeps the database from looking for the row among all holds that end at this moment.
DUE_AS_READ = (_R.due_at + sa.literal_column("0")).is_not_distinct_from(
    bindparam("b_was_due", type_=sa.BigInteger)
)
MOVE_DUE = Prepared(
    recipients.update()
    .where(_R.queue_id == bindparam("b_queue_id"), _R.idx == bindparam("b_idx"), sa.text(HELD), DUE_AS_READ)
    .values(due_at=bindparam("b_due_at"))
)
MOVING_DUE = Prepared(
    select(*_RECIPIENT)
    .where(
        sa.text(MOVING),
        _R.due_at <= bindparam("b_now"),
        sa.tuple_(_R.due_at, _R.queue_id, _R.idx)
        > sa.tuple_(bindparam("b_due_at"), bindparam("b_queue_id"), bindparam("b_idx")),
    )
    .order_by(_R.due_at, _R.queue_id, _R.idx)
    .limit(LIMIT)
    .with_for_update(skip_locked=True)
)
LEASED = Prepared(select(*_RECIPIENT).where(sa.text(ACTIVE)))  # no more than one process has under way
DEFERRED_SINCE = Prepared(
    select(*_RECIPIENT)
    .where(
        sa.text(MOVING),
        _R.state == sa.literal_column(f"'{State.DEFERRED}'"),
        _R.queued_at <= bindparam("b_before"),
    )
    .order_by(_R.due_at)
    .limit(LIMIT)
)
DELAYED = Prepared(
    select(_R.queue_id, _R.idx, _M.sender)
    .join_from(recipients, messages, _M.queue_id == _R.queue_id)
    .where(
        sa.text("recipients." + MOVING),
        _R.state == sa.literal_column(f"'{State.DEFERRED}'"),
        _R.queued_at <= bindparam("b_before"),
        _M.delay_noticed_at.is_(None),
        _M.sender.is_not(None),
        _M.from_gateway == 0,
    )
    .order_by(_R.due_at)  # as the index has it: any other order would walk all recipients
)
MARK_DELAYED = Prepared(
    messages.update().where(_M.queue_id == bindparam("b_queue_id")).values(delay_noticed_at=bindparam("b_at"))
)

# `+ 0` keeps the database from walking the index of all holds for the first one of this message.
_HOLD_ENDS = (
    select(sa.func.min(_R.due_at + sa.literal_column("0")))
    .where(_R.queue_id == outbox.c.queue_id, _HELD_HERE)
    .scalar_subquery()
)
_NOTICE = (
    *(column for column in outbox.c if column.name != "owner"),
    sa.case((outbox.c.kind == sa.literal_column(f"'{NoticeKind.HOLD}'"), _HOLD_ENDS)),
)
# What tells of the end waits in the outbox until its message is finished: then it is a notice like any other.
TELLABLE = sa.or_(
    outbox.c.kind.not_in([sa.literal_column(f"'{kind}'") for kind in (NoticeKind.REPORT, NoticeKind.LEFT)]),
    select(_M.queue_id).where(_M.queue_id == outbox.c.queue_id, _M.finished_at.is_not(None)).exists(),
)
NOTICES = Prepared(
    select(*_NOTICE)
    .where(outbox.c.notice_id > bindparam("b_after"), TELLABLE)
    .order_by(outbox.c.notice_id)
    .limit(LIMIT)
)
FREE_NOTICES = Prepared(  # of which each node takes some to compose, so that no two compose the same
    select(outbox.c.notice_id, outbox.c.owner)
    .where(outbox.c.owner.is_distinct_from(bindparam("b_owner")), TELLABLE)
    .order_by(outbox.c.notice_id)
    .limit(LIMIT)
    .with_for_update(skip_locked=True)
)
AT_ONCE = 50  # rows of the outbox in one statement: four for a letter of many, and a short one for a notice by itself
_SOME_NOTICES = outbox.c.notice_id.in_([bindparam(f"b_{place}", None) for place in range(AT_ONCE)])
TAKE_NOTICES = Prepared(outbox.update().where(_SOME_NOTICES).values(owner=bindparam("b_owner")))
NOTICE_NAMES = Prepared(select(outbox.c.notice_id, outbox.c.queue_id, outbox.c.kind).where(_SOME_NOTICES))
DELETE_NOTICES = Prepared(outbox.delete().where(_SOME_NOTICES))
TAKEN_NOTICES = Prepared(
    select(*_NOTICE)
    .where(outbox.c.owner == bindparam("b_owner"), outbox.c.notice_id > bindparam("b_after"))
    .order_by(outbox.c.notice_id)
    .limit(LIMIT)
)
NOTICE = Prepared(select(*_NOTICE).where(outbox.c.notice_id == bindparam("b_notice_id")))
ANY_NOTICE = Prepared(
    select(outbox.c.notice_id)
    .where(
        sa.or_(
            outbox.c.owner.is_distinct_from(bindparam("b_owner")), outbox.c.notice_id > bindparam("b_after")
        ),
        TELLABLE,
    )
    .limit(sa.literal_column("1"))
)
NEWEST_EVENT = Prepared(select(chain.c.seq).where(chain.c.node == bindparam("b_node")))
CANCELS_BY_ADMIN = Prepared(
    select(_E.recipients).where(
        _E.node == bindparam("b_node"),
        _E.seq > bindparam("b_after"),
        _E.seq <= bindparam("b_newest"),
        _E.kind == sa.literal_column(f"'{Kind.CANCELLED}'"),
        _E.actor_kind == sa.literal_column("'admin'"),
    )
)
TALLIES = Prepared(select(tallies.c.state, sa.func.sum(tallies.c.recipients)).group_by(tallies.c.state))
COUNT_NOTICES = Prepared(select(sa.func.count()).select_from(outbox).where(TELLABLE))
FIRST_HELD = Prepared(
    select(_R.due_at).where(sa.text(HELD)).order_by(_R.due_at).limit(sa.literal_column("1"))
)
FIRST_MOVING = Prepared(
    select(_R.due_at).where(sa.text(MOVING)).order_by(_R.due_at).limit(sa.literal_column("1"))
)
HELD_MESSAGES = Prepared(
    select(*_MESSAGE)
    .where(sa.text("held_recipients > 0"), _M.queue_id < bindparam("b_before"))
    .order_by(_M.queue_id.desc())
    .limit(LIMIT)
)


def messages_in(queue_ids: Collection[str]) -> sa.Select[Any]:
    """Select some messages in one round trip."""
    return select(*_MESSAGE).where(_M.queue_id.in_(queue_ids))
