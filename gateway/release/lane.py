"""One way through the copies of a claim: while one is under way, the next is rendered, once.

Several lanes take from the same copies. A copy that was rendered ahead is the next of its lane whatever becomes of the one
before it. What cannot be rendered ahead is rendered in its turn, so that its failure is told as its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from gateway.delivery.mail import Outgoing
from gateway.release.batches import Batch


class Lane:
    """`next` gives the copy to deliver, `make` its octets; `following` looks one copy ahead."""

    def __init__(self, waiting: deque[Batch], render: Callable[[Batch], Outgoing]) -> None:
        self._waiting = waiting
        self._render = render
        self._ahead: tuple[Batch, Outgoing] | None = None
        self._rendered: tuple[Batch, Outgoing] | None = None

    def next(self) -> Batch | None:
        """Take the copy whose turn it is; None when all are taken."""
        self._rendered, self._ahead = self._ahead, None
        if self._rendered is not None:
            return self._rendered[0]
        return self._waiting.popleft() if self._waiting else None

    def make(self, batch: Batch) -> Outgoing:
        """Return the octets of the copy whose turn it is; what was rendered ahead is given once."""
        rendered, self._rendered = self._rendered, None
        if rendered is not None and rendered[0] is batch:
            return rendered[1]
        return self._render(batch)

    def following(self) -> Outgoing | None:
        """Take the copy behind the one under way and return its octets; None where there is none, or none to be had."""
        if self._ahead is not None or not self._waiting:
            return None
        batch = self._waiting.popleft()
        try:
            outgoing = self._render(batch)
        except Exception:  # told when it is its turn
            self._waiting.appendleft(batch)
            return None
        self._ahead = batch, outgoing
        return outgoing
