"""Which accepted mail had which Message-ID, and whom it named: written with the mail, gone with its record.

Ids and names are keyed hashes; the recipients stand in the message's own record. One id may belong to several mails: servers
split a mail into many transactions, and all of them are one mail to whoever replies.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import islice

import sqlalchemy as sa
from sqlalchemy import bindparam, select

from gateway.message.evidence import Earlier
from gateway.spool.knowledge import Noted
from gateway.spool.mail_json import recipient_keys
from gateway.store.inserts import Inserts, Row
from gateway.store.knowledge_tables import threads
from gateway.store.pseudonyms import Pseudonyms
from gateway.store.schema import messages
from gateway.store.tx import Prepared, Queries

MAX_NAMED = 4_000  # people of one mail beside its recipients that are kept, 8 octets each; the others count as strangers
MAX_TWINS = 50  # mails with the same Message-ID, the latest, whose people are put together
SHORT = 8  # octets of a name's hash: of a mail's few thousand names, one in a million million is taken for another
IDS = 20  # in one statement; message/replies.py gives no more

NEW_THREADS = Inserts(threads)


def noted(counted_as: str, message_id: str, named: Collection[str], pseudonyms: Pseudonyms) -> Noted:
    """Return what is noted of a mail that has an id."""
    names = sorted(pseudonyms.of("named", key)[:SHORT] for key in islice(named, MAX_NAMED))
    return Noted(counted_as, pseudonyms.of("message-id", message_id), b"".join(names))


def thread_rows(queue_id: str, noted: Noted) -> list[Row]:
    """Return the row of a mail that has an id."""
    return [(queue_id, noted.message_id, noted.named)] if noted.message_id else []


def earlier(
    ids: Sequence[str], among: Collection[str], pseudonyms: Pseudonyms
) -> Callable[[Queries], Earlier | None]:
    """Return whom of `among` the nearest known mail named or went to."""
    hashes = [pseudonyms.of("message-id", each) for each in ids[:IDS]]
    padded = (*hashes, *hashes[:1] * (IDS - len(hashes)))
    wanted = {f"b_{place}": hashed for place, hashed in enumerate(padded)}

    def read(queries: Queries) -> Earlier | None:
        known = {bytes(row[0]) for row in queries.rows(_KNOWN, wanted)} if hashes else set()
        nearest = next((each for each in hashes if each in known), None)
        if nearest is None:
            return None
        people: set[str] = set()
        for envelope, names in queries.rows(_PEOPLE, {"b_message_id": nearest}):
            people |= _named(bytes(names), among, pseudonyms)
            people |= recipient_keys(envelope).intersection(among)
        return Earlier(frozenset(people))

    return read


def _named(names: bytes, among: Collection[str], pseudonyms: Pseudonyms) -> set[str]:
    if not names:
        return set()
    known = {names[at : at + SHORT] for at in range(0, len(names), SHORT)}
    return {key for key in among if pseudonyms.of("named", key)[:SHORT] in known}


_T = threads.c
_KNOWN = Prepared(
    select(_T.message_id)
    .where(_T.message_id.in_([bindparam(f"b_{place}", None) for place in range(IDS)]))
    .distinct()
)
_PEOPLE = Prepared(
    select(messages.c.envelope, _T.people)
    .join_from(threads, messages, messages.c.queue_id == _T.queue_id)
    .where(_T.message_id == bindparam("b_message_id"))
    .order_by(_T.queue_id.desc())
    .limit(sa.literal_column(str(MAX_TWINS)))
)
