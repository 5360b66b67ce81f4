"""What all copies of one mail share, computed once, off the event loop where that takes long; and a copy made from it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import field

from gateway.delivery.dots import Stuffed, stuffed
from gateway.delivery.mail import Outgoing, has_8bit
from gateway.policy.decision import Decision
from gateway.release.batches import Batch
from gateway.release.results import requests_of
from gateway.spool.values import Stored
from gateway.transform.render import Original, carrying, is_quick, prepare_views, render, unprepared
from gateway.transform.view import View, variant_of
from gateway.values import dataclass

QUICK_BODY = 1 << 20
"""Octets of a body that are read through on the event loop: a millisecond at most."""

Texts = tuple[str, ...]
"""The keys of the texts that stand under a copy; none for most."""


@dataclass(frozen=True, slots=True)
class SharedBody:
    """A body of several copies: whether it has 8-bit data, and as it goes over the wire where it is small."""

    eight_bit: bool
    ready: Stuffed | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """The original and its bodies, one for each set of texts that stand under copies; of each at most CHUNK octets (dots.py)
    beside it."""

    original: Original
    bodies: dict[Texts, SharedBody]
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def body_of(self, view: View) -> SharedBody:
        """Return the body of a copy whose view was prepared."""
        return self.bodies[view.disclaimers]

    async def views(self, views: Sequence[View]) -> None:
        """Compute what copies with these views share; off the loop where that takes long, and once for all claims."""
        if is_quick(self.original) and all(view.disclaimers in self.bodies for view in views):
            return  # nothing that takes long, as nearly always: whoever renders first computes it
        async with self.turn:
            missing = unprepared(self.original, views)
            if missing and not is_quick(self.original):
                await asyncio.to_thread(prepare_views, self.original, missing)
            for view in views:
                if view.disclaimers not in self.bodies:
                    self.bodies[view.disclaimers] = await _shared(carrying(self.original, view).body)


async def look_through(original: Original) -> Prepared:
    """Read through a body once for all copies; a large one in a thread, for it takes some ten milliseconds."""
    return Prepared(original, {(): await _shared(original.body)})


async def _shared(body: memoryview) -> SharedBody:
    found = has_8bit(body) if body.nbytes <= QUICK_BODY else await asyncio.to_thread(has_8bit, body)
    return SharedBody(found, stuffed(body))


def outgoing(message: Stored, mail: Prepared, batch: Batch) -> Outgoing:
    """Render a copy whose view was prepared."""
    copy, shared = render(mail.original, batch.view), mail.body_of(batch.view)
    return Outgoing(
        # Whoever cannot deliver a copy that a rule asked for tells nobody: the sender must not hear of it.
        sender=None if batch.silent else message.envelope.sender,
        recipients=tuple([row.address for row in batch.recipients]),
        header=copy.header,
        body=copy.body,
        smtputf8=message.envelope.smtputf8,
        body_8bit=shared.eight_bit,
        ready=shared.ready,
        asked=message.envelope.asked,
        requests=requests_of(message, batch.recipients),
    )


VARIANT = 3
"""Times the mail that a sealed variant takes: while it is put together, its pieces and the whole; then the whole."""


def octets_in_memory(size_bytes: int, decision: Decision, own: int = 0) -> int:
    """Return how much a mail takes while it is delivered: the original, and another for each set of texts under copies, of
    which `own` are for one recipient each.

    Where files are protected, one variant at a time comes on top of that, with its texts.
    """
    texts = own + len({outcome.demands.disclaimers for outcome in decision.outcomes} - {frozenset()})
    handled = any(variant_of(outcome.handling, 0) is not None for outcome in decision.outcomes)
    return size_bytes * (1 + texts + (VARIANT + texts if handled else 0))
