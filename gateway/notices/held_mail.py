"""One mail of a letter that tells of many, as plain values. Pure; it needs the rows, never the original.

Everything a stranger chose passes `shown` here, so a template cannot forget it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import NamedTuple

from gateway.languages import Words, shown
from gateway.notices.summary import ADDRESS, SUBJECT
from gateway.spool.notice import Glance


class HeldMail(NamedTuple):
    """`held` of `total` recipients are held, `outside` of the held ones are outside; `leaves` tells when the first is due.

    `to` is the addresses of the first few as one line, `more` the number of the others.
    """

    queue_id: str
    subject: str
    received: str
    to: str
    more: int
    total: int
    held: int
    outside: int
    ends_at: datetime
    leaves: str
    url: str


def held_mail(glance: Glance, words: Words, url: str) -> HeldMail | None:
    """Tell of a mail what its sender has to know to find it among others; None when nothing of it is held."""
    if glance.ends_at is None:
        return None
    return HeldMail(
        queue_id=glance.queue_id,
        subject=shown(glance.subject, SUBJECT) or words.gettext("(no subject)"),
        received=words.moment(glance.received_at),
        to=", ".join([shown(address, ADDRESS) for address in glance.addresses]),
        more=glance.held - len(glance.addresses),
        total=glance.total,
        held=glance.held,
        outside=glance.outside,
        ends_at=glance.ends_at,
        leaves=words.moment(glance.ends_at),
        url=url,
    )


def escaped(mails: Sequence[HeldMail]) -> list[HeldMail]:
    """Return the mails with every text ready to stand in HTML as it is; raises ValueError where one has a NUL.

    One by one, the texts of a letter took longer than all the rest of its page. Here a field is escaped for all mails at once,
    with NULs between: `shown` leaves none.
    """
    columns = [
        _escaped(column) if isinstance(column[0], str) else column for column in zip(*mails, strict=True)
    ]
    return [HeldMail._make(fields) for fields in zip(*columns, strict=True)]


def _escaped(texts: Sequence[str]) -> Sequence[str]:
    return escape("\0".join(texts)).split("\0")
