"""Lines in lists, made anew from the mail itself where they are out of date: jobs of a transaction.

Whoever changes what a held mail waits for notes it in the same transaction (`Tx.unlist`); the line follows before anybody
reads a list. What nobody noted, because a gateway of the version before did it, is looked for now and then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from gateway.message.facts import Facts
from gateway.spool import look_rows
from gateway.spool.list_contract import Whose
from gateway.spool.listing import Standing, groups_from, listing_row, name_rows, names_from, whose_of
from gateway.spool.look_rows import Looks
from gateway.spool.mail_json import facts_of, parsed
from gateway.spool.records import MessageRow, shown
from gateway.spool.times import from_us
from gateway.store.events import storable
from gateway.store.inserts import Inserts
from gateway.store.list_tables import listing_names, listings, unlisted
from gateway.store.schema import messages, recipients
from gateway.store.tx import Prepared, Queries, Tx

NO_LOOKS = Looks((), None, frozenset())

_M, _R, _L, _U = messages.c, recipients.c, listings.c, unlisted.c
_LIMIT = bindparam("b_limit", type_=sa.Integer)
_IT: sa.BindParameter[str] = bindparam("b_queue_id")
NEW_LISTINGS, NEW_NAMES = Inserts(listings), Inserts(listing_names)
_STALE = Prepared(select(_U.queue_id).order_by(_U.queue_id).limit(_LIMIT).with_for_update(skip_locked=True))
ANY_STALE = Prepared(select(_U.queue_id).limit(sa.literal_column("1")))
_FRESH = Prepared(unlisted.delete().where(_U.queue_id == _IT))
_GONE = Prepared(listings.delete().where(_L.queue_id == _IT))
_WHOSE = Prepared(select(_L.whose).where(_L.queue_id == _IT))
_NAMES_GONE = Prepared(
    listing_names.delete().where(listing_names.c.name == bindparam("b_name"), listing_names.c.queue_id == _IT)
)
_MAIL = Prepared(
    select(*[_M[name] for name in MessageRow._fields], _M.held_recipients, _M.facts, _M.sender_groups).where(
        _M.queue_id == _IT
    )
)
_DUE = Prepared(select(_R.idx, _R.due_at).where(_R.queue_id == _IT, sa.text("state || '' = 'held'")))
_UNNOTED = Prepared(  # held without a line, and lines of what is held no more
    select(_M.queue_id, _M.received_at)
    .where(sa.text("held_recipients > 0"), ~select(_L.queue_id).where(_L.queue_id == _M.queue_id).exists())
    .union_all(
        select(_L.queue_id, _L.received_at).where(
            ~select(_M.queue_id).where(_M.queue_id == _L.queue_id, sa.text("held_recipients > 0")).exists()
        )
    )
    .limit(_LIMIT)
)


def relist(limit: int) -> Callable[[Tx], int]:
    """Make up to `limit` lines anew; return how many."""

    def job(tx: Tx) -> int:
        found = [row[0] for row in tx.rows(_STALE, {"b_limit": limit})]
        for queue_id in found:
            it = {"b_queue_id": queue_id}
            tx.run(_FRESH, it)  # before the mail is read: what changes from here on notes it again
            _forget(tx, queue_id)
            mail = tx.row(_MAIL, it)
            if mail is not None and mail[7] > 0:
                line = _line(tx, mail)
                tx.insert(NEW_LISTINGS, [line])
                names = name_rows(line)  # some may be there without a line: a database that was repaired
                tx.many(_NAMES_GONE, [{"b_name": name, "b_queue_id": queue_id} for name, _ in names])
                tx.insert(NEW_NAMES, names)
        return len(found)

    return job


def _forget(tx: Tx, queue_id: str) -> None:
    line = tx.row(_WHOSE, {"b_queue_id": queue_id})
    if line is not None:
        tx.many(_NAMES_GONE, [{"b_name": name, "b_queue_id": queue_id} for name in names_from(line[0])])
        tx.run(_GONE, {"b_queue_id": queue_id})


def unnoted(limit: int) -> Callable[[Queries], list[tuple[str, int]]]:
    """Return up to `limit` mails whose line is missing, or should be, and when they came."""
    return lambda queries: [(queue_id, at) for queue_id, at in queries.rows(_UNNOTED, {"b_limit": limit})]


def note(found: Sequence[tuple[str, int]]) -> Callable[[Tx], None]:
    """Note mails as out of date in lists; one that is not, any more, is listed as it was."""

    def job(tx: Tx) -> None:
        for queue_id, at in found:
            tx.unlist(queue_id, at)

    return job


def whose(queue_id: str) -> Callable[[Queries], Whose | None]:
    """Return whose a mail is; None for an unknown message."""

    def read(queries: Queries) -> Whose | None:
        row = queries.row(
            _MAIL, {"b_queue_id": storable(queue_id)}
        )  # whatever somebody put into a link or a form
        return None if row is None else _read(queries, row)[0]

    return read


def facts(queue_id: str) -> Callable[[Queries], tuple[Facts | None] | None]:
    """Return what was recorded of a mail, if anything was; None for an unknown message."""

    def read(queries: Queries) -> tuple[Facts | None] | None:
        row = queries.row(_MAIL, {"b_queue_id": queue_id})
        return None if row is None else (_facts(MessageRow(*row[:7]), row[8]),)

    return read


def _line(tx: Tx, mail: tuple[object, ...]) -> tuple[object, ...]:
    row = MessageRow(*mail[:7])  # type: ignore[arg-type] # a row of the database
    of_whom, looks = _read(tx, mail)
    standing = Standing([(index, due or 0) for index, due in tx.rows(_DUE, {"b_queue_id": row.queue_id})])
    message = shown(row, ())
    if message.unreadable:
        standing = Standing([(0, due) for _, due in standing.due[:1]])
    sender = message.envelope.sender
    return listing_row(
        row.queue_id,
        row.received_at,
        "" if sender is None else str(sender),
        [str(address) for address in message.envelope.recipients],
        row.subject,
        of_whom,
        message.decision,
        looks.looks,
        standing,
    )


def _read(queries: Queries, mail: tuple[object, ...]) -> tuple[Whose, Looks]:
    """Return whose it is, and what people gave; of one that cannot be read nobody's, beside the organisation's own people."""
    row, record, groups = MessageRow(*mail[:7]), mail[8], groups_from(str(mail[9]))  # type: ignore[arg-type]
    try:
        envelope, decision = parsed(row.envelope, row.decision)
    except Exception:  # whatever a row holds: one mail must not hide all others
        return Whose(frozenset(), groups=frozenset(groups)), NO_LOOKS
    looks = look_rows.read(queries, row.queue_id, decision, from_us(row.received_at))
    found = _facts(row, record)
    return whose_of(envelope, () if found is None else found.authors, groups, looks.looks), looks


def _facts(row: MessageRow, record: object) -> Facts | None:
    if not isinstance(record, str):
        return None
    try:
        envelope, _ = parsed(row.envelope, row.decision)
        return facts_of(record, envelope, row.subject, row.size_bytes)
    except Exception:  # whatever a row holds: a page is shown without it
        return None
