"""Places kept for new mail: whatever becomes of its commit, they are used or given back."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from gateway.clock import utc_now
from gateway.policy.decide import decide
from gateway.receive.intake import Intake
from gateway.spool.contract import Spool
from gateway.spool.values import Claim, NewMessage
from tests.spool.mails import LEASE, mail


class CutOff:
    """A spool of a node that others may take for dead: it accepts and leases nothing."""

    async def accept_and_claim(self, message: NewMessage, lease: timedelta) -> tuple[str, Claim | None]:
        return "ID", None


class Places:
    def __init__(self) -> None:
        self.kept = (0, 0)

    def reserve(self, recipients: int, octets: int) -> timedelta | None:
        self.kept = (recipients, octets)
        return LEASE

    def give_back(self, recipients: int, octets: int) -> None:
        self.kept = (self.kept[0] - recipients, self.kept[1] - octets)

    def start(self, claim: Claim, raw: bytes) -> None:
        raise AssertionError("nothing was leased")

    def wake(self) -> None:
        raise AssertionError("nothing to look for")


async def test_places_for_mail_that_could_not_be_leased_are_given_back() -> None:
    places = Places()
    intake = Intake(
        cast(Spool, CutOff()),
        lambda: (_ for _ in ()).throw(AssertionError),
        decide,
        lambda *_: (_ for _ in ()).throw(AssertionError),
        utc_now,
        express=places,
    )
    assert await intake._accept(mail(queued=2)) == "ID"
    assert places.kept == (0, 0)
