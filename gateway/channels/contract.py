"""What every way of a key has in common: whether it is the mail's own route, what it lacks for a recipient, sending, health.

A key is handed to `send` and is in nothing else: no exception, no log event, no metric and no health word holds one, nor a
number or an address. What a carrier says is never passed on, because it may quote what it was sent: why a key did not go is
a word of `Why`.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from gateway.policy.protection import Way
from gateway.spool.key_contract import KeySending
from gateway.spool.values import Stored
from gateway.values import dataclass


class Why(StrEnum):
    """Why a key was not sent, or did not arrive."""

    NO_NUMBER = "no-number"  # neither the sender nor the directory knows one
    NO_CARRIER = "no-carrier"  # the settings name nobody who carries it
    COUNTRY = "country"  # the number is of a country that the settings do not allow
    REFUSED_NUMBER = (
        "refused-number"  # the carrier says that this number takes no text messages, or does not exist
    )
    CREDENTIALS = "credentials"  # the carrier does not know us, or a file with a secret cannot be read
    TOO_MANY = "too-many"  # the carrier wants us to wait
    UNREACHABLE = "unreachable"  # no connection, or no whole answer in time
    ANSWER = "answer"  # an answer that is none: an error of theirs, a redirect, no JSON
    NOT_DELIVERED = "not-delivered"  # the carrier took it and says later that it did not arrive
    BOUNCED = "bounced"  # the mail with the key came back
    GONE = "gone"  # the mail that it is about cannot be read any more
    NOT_SENT_HERE = "not-sent-here"  # nothing is sent by this way
    ERROR = "error"  # of ours; the log says more


class NotSent(Exception):
    """The key did not go; `final` where trying again is of no use. `after`: not before that time, as the carrier says."""

    def __init__(self, why: Why, *, final: bool = False, after: timedelta | None = None) -> None:
        super().__init__(why.value)
        self.why = why
        self.final = final
        self.after = after


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a channel can do its work now, and a line about it for an administrator."""

    works: bool
    words: str


@dataclass(frozen=True, slots=True)
class Handed:
    """A key was handed over. `receipt` is the carrier's name for it; `to` is where it went, shown as its last digits."""

    receipt: str
    to: str = ""


class Channel(Protocol):
    """One way. `route_is_mails_own`: who reads the mail on its way can read the key too."""

    @property
    def way(self) -> Way:
        """Return the way's name."""

    @property
    def route_is_mails_own(self) -> bool:
        """Tell whether the key goes where the mail goes."""

    def needs(self, recipient: str) -> str:
        """Return what is missing to reach an address: `number`, `carrier`, `public-url`, `agreed-key`; empty for nothing."""

    async def send(self, sending: KeySending, about: Stored) -> Handed:
        """Hand a key over; raises NotSent. Sending the same again must not confuse anybody: it may happen after a crash."""

    async def health(self) -> Health:
        """Tell whether the channel works, without sending anything to anybody; bounded in time."""
