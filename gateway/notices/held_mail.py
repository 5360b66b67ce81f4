"""One mail of a letter that tells of many, as plain values. Pure; it needs the rows, never the original.

Everything a stranger chose passes `shown` here, so a template cannot forget it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gateway.languages import Words, shown
from gateway.notices.summary import ADDRESS, SUBJECT
from gateway.spool.contract import Stored
from gateway.spool.lifecycle import State

SHOWN_ADDRESSES = 3  # of each mail: they tell mails of one subject apart; the page shows all


@dataclass(frozen=True, slots=True)
class HeldMail:
    """`held` of `total` recipients are held, `outside` of the held ones are outside; `leaves` tells when the first is due.

    `to` is the first `addresses` as one line.
    """

    queue_id: str
    subject: str
    received: str
    addresses: tuple[str, ...]
    to: str
    more: int
    total: int
    held: int
    outside: int
    ends_at: datetime
    leaves: str
    url: str


def held_mail(message: Stored, words: Words, url: str) -> HeldMail | None:
    """Tell of a mail what its sender has to know to find it among others; None when nothing of it is held."""
    held = [row for row in message.recipients if row.state is State.HELD]
    ends = [row.due_at for row in held if row.due_at is not None]
    if not ends:
        return None
    addresses = tuple(shown(str(row.address), ADDRESS) for row in held[:SHOWN_ADDRESSES])
    return HeldMail(
        queue_id=message.queue_id,
        subject=shown(message.subject, SUBJECT) or words.gettext("(no subject)"),
        received=words.moment(message.received_at),
        addresses=addresses,
        to=", ".join(addresses),
        more=max(0, len(held) - SHOWN_ADDRESSES),
        total=len(message.recipients),
        held=len(held),
        outside=sum(row.external for row in held),
        ends_at=min(ends),
        leaves=words.moment(min(ends)),
        url=url,
    )
