"""Mails whose attachments leave sealed: one builder with the knobs that matter here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from gateway.message.address import Address
from gateway.policy.decision import Outcome
from gateway.policy.demands import NO_TIME, Demands
from gateway.policy.handling import Attached, Handling
from gateway.policy.protection import How, Way
from gateway.spool.values import Actor, NewMessage
from tests.spool.mails import SENDER, T0, mail

CLERK = Actor("sender", str(SENDER))
WAYS = (Way.SENDER, Way.SMS, Way.SECOND_MAIL, Way.CODE_PAGE)
DAY = timedelta(days=1)
NUMBER = "+819012345678"


def sealed(
    way: Way | None = Way.SENDER,
    *,
    ways: tuple[Way, ...] = WAYS,
    obstacle: str = "",
    own_key: bool = False,
    expires: timedelta = 14 * DAY,
    within: timedelta = DAY,
    bits: int = 60,
    style: str = "letters",
) -> Handling:
    """Return what becomes of one file: an archive with a key that goes `way`, or nothing because of an obstacle."""
    return Handling(
        rules=("protect",),
        forms=() if obstacle else ((1, How.ZIP_AES256),),
        obstacle=obstacle,
        needs_key=not obstacle,
        way=way,
        ways=ways,
        own_key=own_key,
        expires=expires,
        within=within,
        bits=bits,
        style=style,
    )


def keyed(
    *handlings: Handling | None,
    window: timedelta = NO_TIME,
    copied: int = 0,
    at: datetime = T0,
    sender: Address | None = SENDER,
    demands: Sequence[Demands] = (),
) -> NewMessage:
    """Return a mail to as many recipients as there are handlings; the last `copied` are copies that a rule added."""
    plain = mail(queued=len(handlings), at=at, sender=sender)
    wanted = demands or [Demands(window=window)] * len(handlings)
    outcomes = tuple(
        [
            Outcome(True, demand, rules=("protect",), handling=handling)
            for handling, demand in zip(handlings, wanted, strict=True)
        ]
    )
    files = (Attached(1, "名簿.xlsx", "xlsx", 10_000, "plain"),)
    decision = replace(
        plain.decision,
        outcomes=outcomes,
        assigned=tuple(range(len(handlings))),
        copied=copied,
        files=files,
    )
    return replace(plain, decision=decision)
