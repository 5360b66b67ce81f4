"""What somebody wants of many mails, and what became of it: plain values. Pure."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from gateway.people.sight import Act
from gateway.spool.list_contract import HeldQuestion, Waits
from gateway.values import dataclass

MOST_NAMED = 1_000  # queue ids that somebody may name one by one; all of a question has no bound


class Verb(StrEnum):
    """What can be done to many mails."""

    CANCEL = "cancel"
    RELEASE = "release"
    FREEZE = "freeze"
    THAW = "thaw"
    EXTEND = "extend"
    APPROVE = "approve"
    REJECT = "reject"


_PEOPLE = frozenset({Waits.CONFIRMATION, Waits.APPROVAL, Waits.KEY_WAY, Waits.FROZEN})
_ACTS = {Verb.RELEASE: Act.SEND, Verb.APPROVE: Act.APPROVE, Verb.REJECT: Act.APPROVE}
LEFT_OUT = {  # what a verb passes over
    Verb.RELEASE: _PEOPLE,
    Verb.FREEZE: frozenset({Waits.FROZEN}),
    Verb.EXTEND: frozenset({Waits.FROZEN}),
}
ONLY = {Verb.THAW: Waits.FROZEN, Verb.APPROVE: Waits.APPROVAL, Verb.REJECT: Waits.APPROVAL}


class CountChanged(Exception):
    """It is not as many mails any more as were shown: nothing was done. `now` is how many it is."""

    def __init__(self, now: int) -> None:
        super().__init__(f"it is {now} mails now")
        self.now = now


class TooMany(Exception):
    """More queue ids than anybody names one by one."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants of which mails: of those they named, or of all that a question finds.

    `because` is a reason or a comment; `until` is for EXTEND.
    """

    verb: Verb
    queue_ids: tuple[str, ...] = ()
    question: HeldQuestion | None = None
    because: str = ""
    until: datetime | None = None

    @property
    def act(self) -> Act:
        return _ACTS.get(self.verb, Act.STOP)


@dataclass(frozen=True, slots=True)
class Preview:
    """How many mails and held recipients the wish is about, and how many mails that somebody sees it cannot be done to.

    `wish` is what to do then: its question ends where the preview was made. `mails` is the count to type.
    """

    wish: Wish
    mails: int
    recipients: int
    cannot: int


@dataclass(frozen=True, slots=True)
class Sum:
    """What a call did: mails of which something was done, and recipients; mails of which nothing was, and those that failed.

    `nothing` and `failed` are queue ids. `after` leads to the next call, empty when all is done; `broken`: the store failed,
    and `failed` may be tried again.
    """

    mails: int = 0
    recipients: int = 0
    nothing: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    perhaps: int = 0
    after: str = ""
    broken: bool = False

    def __add__(self, other: Sum) -> Sum:
        """Add up calls, or mails of one call; where to go on is what the later says."""
        return Sum(
            self.mails + other.mails,
            self.recipients + other.recipients,
            self.nothing + other.nothing,
            self.failed + other.failed,
            self.perhaps + other.perhaps,
            other.after,
            self.broken or other.broken,
        )
