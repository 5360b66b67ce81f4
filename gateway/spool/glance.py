"""What a letter of many says of one message, read narrowly: many to a statement, without making a message of each.

A burst holds thousands of mails, and of each a letter tells its subject, who is held, and until when. Making the whole of
each (`Stored`) took longer than all the rest of its notice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gateway.message.address import Address
from gateway.spool.mail_json import decision_of, envelope_data
from gateway.spool.notice import Glance
from gateway.spool.statements import GLANCED, GLANCES
from gateway.spool.times import from_us
from gateway.store.tx import Params, Queries

ADDRESSES = 3  # in a glance: they tell mails of one subject apart; the page shows all


def glances(queue_ids: Sequence[str]) -> Callable[[Queries], list[Glance | None]]:
    """Return a glance at each message, in order; None for one that is not there."""

    def read(queries: Queries) -> list[Glance | None]:
        found: dict[str, Glance] = {}
        for start in range(0, len(queue_ids), GLANCED):
            rows = queries.rows(GLANCES, _padded(queue_ids[start : start + GLANCED]))
            found.update((row[0], _glance(*row)) for row in rows)
        return [found.get(queue_id) for queue_id in queue_ids]

    return read


def _padded(queue_ids: Sequence[str]) -> Params:
    """Name as many messages as the statement has places: one more than once changes nothing."""
    names = *queue_ids, *[queue_ids[0]] * (GLANCED - len(queue_ids))
    return {f"b_{place}": name for place, name in enumerate(names)}


def _glance(
    queue_id: str,
    received_at: int,
    subject: str,
    envelope: str,
    decision: str,
    due_at: int | None,
    held: str | None,
) -> Glance:
    try:
        data, decided = envelope_data(envelope), decision_of(decision)
        assigned, outcomes, recipients = data["assigned"], decided.outcomes, data["recipients"]
        known = len(recipients) - decided.copied  # the sender does not hear of copies
        indexes = sorted(map(int, held.split(","))) if held else []
        if decided.copied:
            indexes = [index for index in indexes if index < known]
        return Glance(  # by place: naming the fields takes longer than all the rest of this function
            queue_id,
            from_us(received_at),
            subject,
            decided,
            known,
            len(indexes),
            sum([outcomes[assigned[index]].external for index in indexes]),
            from_us(due_at),
            tuple([str(Address(*recipients[index])) for index in indexes[:ADDRESSES]]),
        )
    except Exception:  # whatever a row holds: one mail must not hide all others
        return Glance(queue_id, from_us(received_at), subject, unreadable=True)
