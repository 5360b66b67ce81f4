"""Opens the text of a mail: the copy that a recipient would get, and the ticket for the frame that shows its HTML.

Whoever comes here was allowed to read (gateway/acting), with a reason where one is asked for. Bounded: as many originals at
once as the desk has turns.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from gateway.console.desk import Desk
from gateway.console.gate import Visit
from gateway.console.mail import letter
from gateway.console.mail.letter import Letter
from gateway.links import LinkInvalid
from gateway.spool.values import Stored
from gateway.transform.preview import copy_of
from gateway.transform.render import prepare
from gateway.values import dataclass

GOOD_FOR = timedelta(minutes=15)  # of a ticket: a page that is read, not one that is kept


@dataclass(frozen=True, slots=True)
class Ticket:
    """What the frame shows: the copy of one recipient of one mail; `over` where its time has passed."""

    queue_id: str
    recipient: int
    over: bool


async def open_letter(desk: Desk, message: Stored, recipient: int, raw: bytes | None = None) -> Letter:
    """Return what a recipient's copy says; waits for its turn, and reads the original then unless it is given.

    Raises BodyUnreadable.
    """
    async with desk.turns:
        raw = await desk.spool.raw(message.queue_id) if raw is None else raw
        return await asyncio.to_thread(_read, raw, message, recipient, desk.hostname)


def _read(raw: bytes, message: Stored, recipient: int, hostname: str) -> Letter:
    original = prepare(
        raw, message.envelope, message.decision, message.queue_id, message.received_at, hostname
    )
    return letter.read(copy_of(original, recipient))


def chosen_copy(visit: Visit, message: Stored) -> int:
    """Return the recipient whose copy is asked for: the first one where none is, or one that this person does not know of."""
    asked = visit.request.query_params.get("copy", "")
    known = [row.index for row in message.recipients]
    if asked.isascii() and asked.isdigit() and len(asked) <= 6 and int(asked) in known:
        return int(asked)
    return known[0] if known else 0


def ticket(desk: Desk, visit: Visit, queue_id: str, recipient: int) -> str:
    """Return what lets this session see the frame, for GOOD_FOR."""
    until = int((desk.clock() + GOOD_FOR).timestamp())
    return desk.links.seal(visit.session.key, {"html": queue_id, "copy": recipient, "until": until})


def read_ticket(desk: Desk, visit: Visit, sealed: str) -> Ticket | None:
    """Return what a ticket is for; None where it is none, or not this session's."""
    try:
        value = desk.links.unseal(visit.session.key, sealed)
    except LinkInvalid:
        return None
    if not isinstance(value.get("html"), str):
        return None
    return Ticket(value["html"], int(value["copy"]), int(value["until"]) < desk.clock().timestamp())
