"""Where a page of a list ended, as a word that a program carries to the next request without reading it. Pure.

It is no secret and gives nobody anything: what somebody may see is asked anew for every page.
"""

from __future__ import annotations

import base64
import json
from typing import NamedTuple

from gateway.spool.list_contract import HeldQuestion
from gateway.store.events import storable

MAX_CURSOR = 1_000  # characters: the longest sender is 320
_UNREADABLE = (ValueError, TypeError)


class Place(NamedTuple):
    """The line behind which to go on: what the list is sorted by, and the queue id."""

    key: int | str
    queue_id: str


def write_cursor(question: HeldQuestion, place: Place) -> str:
    """Return the cursor for the page behind this line."""
    told = [question.order.value, question.descending, *place]
    return base64.urlsafe_b64encode(json.dumps(told, separators=(",", ":")).encode()).decode().rstrip("=")


def read_cursor(question: HeldQuestion) -> Place | None:
    """Return where to go on; None at the beginning. Raises ValueError for what is none of ours, or of another order."""
    text = question.after
    if not text:
        return None
    if len(text) > MAX_CURSOR:
        raise ValueError("not a place in this list")
    try:
        order, descending, key, queue_id = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except _UNREADABLE:
        raise ValueError("not a place in this list") from None
    wanted = int if question.order.value == "due" else str
    right = (order, descending) == (question.order.value, question.descending)
    if not right or type(key) is not wanted or not isinstance(queue_id, str):
        raise ValueError("not a place in this list")
    if isinstance(key, int) and abs(key) >= 1 << 63:
        raise ValueError("not a place in this list")
    if any(storable(text) != text for text in (key, queue_id) if isinstance(text, str)):
        raise ValueError("not a place in this list")
    return Place(key, queue_id)
