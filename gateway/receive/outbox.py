"""Replies of many connections, sent together: all that one turn of the event loop has to say leaves at its end.

A client process that holds many connections, as a relay does, need then be woken once and not once for each reply
(docs/decisions/0021). Promise: a reply waits for the rest of its turn and no longer.
"""

from __future__ import annotations

import asyncio
from typing import Protocol


class Sender(Protocol):
    """Something with octets to send."""

    def send(self) -> None:
        """Send what there is; nothing is fine too."""


class Outbox:
    """One for all connections of a loop."""

    def __init__(self) -> None:
        self._due: list[Sender] = []

    def add(self, sender: Sender, loop: asyncio.AbstractEventLoop) -> None:
        """Have `sender` send at the end of this turn of `loop`."""
        if not self._due:
            loop.call_soon(self._send)
        self._due.append(sender)

    def _send(self) -> None:
        due, self._due = self._due, []
        for sender in due:
            sender.send()
