"""Claims for tests that need no store below them."""

from __future__ import annotations

from gateway.spool.lifecycle import State
from gateway.spool.values import Claim, Recipient, Stored
from tests.spool.mails import LEASE, T0, mail


def claim_of(count: int) -> Claim:
    """Return a claim of a mail to so many, all of them leased."""
    new = mail(queued=count)
    rows = tuple(
        Recipient(index, address, True, State.ACTIVE, None, 1, changed_at=T0)
        for index, address in enumerate(new.envelope.recipients)
    )
    stored = Stored(
        queue_id="Q1",
        envelope=new.envelope,
        decision=new.decision,
        received_at=T0,
        subject=new.subject,
        size_bytes=len(new.raw),
        from_gateway=False,
        recipients=rows,
    )
    return Claim(stored, "lease-1", T0 + LEASE)
