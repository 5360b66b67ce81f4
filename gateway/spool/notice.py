"""What notices are written from: the outbox's rows, and what a letter of many tells of each mail."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from gateway.policy.decision import Decision
from gateway.policy.demands import Language
from gateway.values import dataclass


class NoticeKind(StrEnum):
    """Mail that Sekisho writes itself; a row in the outbox until it is spooled as a message of its own."""

    HOLD = "hold"  # to the sender: what is held, until when, how to stop it
    CANCELLED = "cancelled"  # to the sender: what was stopped by somebody else
    STOPPED_BY_TEAM = "stopped-by-team"  # to the sender: somebody of the team cancelled it, on the pages
    FROZEN = "frozen"  # to the sender: somebody else stopped the timer
    FROZEN_TOO_LONG = "frozen-too-long"  # to the sender: nobody thawed the mail, it was cancelled
    CORRECTED = "corrected"  # to the sender: what to send again, and to which address
    FAILED = "failed"  # DSN action "failed" (RFC 3464)
    DELAYED = "delayed"  # DSN action "delayed"
    RELAYED = "relayed"  # DSN action "relayed": asked for, and handed to a server that gives no such notices
    COPY = "copy"  # to the addresses a rule notifies
    DROPPED = "dropped"  # to the sender: who does not get the mail, because a rule says so
    REPORT = "report"  # to the addresses a rule names, when the fate of all recipients is known
    LEFT = "left"  # to the sender, who wants to know: a held mail has left, or could not, for everybody
    APPROVAL = "approval"  # to somebody who may approve: please look, with a link of their own
    REMINDER = "reminder"  # to somebody who may approve, or to the sender who has to tick: it still waits
    COLLEAGUE = (
        "colleague"  # to who got their copy inside: by this link you can stop what has not left for outside
    )
    STOPPED = "stopped"  # to the sender: a colleague stopped it, and why
    APPROVED = "approved"  # to the sender: enough people have agreed
    REJECTED = "rejected"  # to the sender: an approver said no, and why
    TIMED_OUT = "timed-out"  # to the sender: nobody decided in time, and what happened then
    KEY = "key"  # to the sender: whom to call now with the key, which is not in this letter
    KEY_FAILED = "key-failed"  # to the sender: a key did not reach its recipients, and what to do now
    CODE = "code"  # to a recipient: the one-time code that opens the download page
    INCIDENT = "incident"  # to the ordering body, the privacy officer and the sender: the mail went to the wrong people
    INCIDENT_CLOCK = "incident-clock"  # to the privacy officer: a report is due soon
    DELETION = "deletion"  # to a wrong recipient: please delete the mail, with a link to say so
    WAIVED = "waived"  # to the addresses a rule notifies: the sender shortened a window, and why


@dataclass(frozen=True, slots=True)
class Notice:
    """An outbox row: a mail still to be written. `recipients` are indexes into the message it is about; `actor` is
    the name of who did what it tells of, where a person did; of a WAIVED, the reason that was given; of a STOPPED, both, a
    line each; of a KEY_FAILED, the way and why it failed (`sms:no-number`); of a CODE, the code under the master key
    (shares_codes.py); of a TIMED_OUT, what was missing (`Missing.what`), where files could not be protected; of a
    CORRECTED, the address that was meant.
    `incident`: of a REPORT, since when one is reported, as far as whoever composes it has looked.
    `hold_ends`: of a HOLD, when the first recipient that was held when the row was read is due; None where none was.
    """

    notice_id: int
    kind: NoticeKind
    queue_id: str
    to: str
    recipients: tuple[int, ...]
    created_at: datetime
    actor: str = ""
    hold_ends: datetime | None = None
    incident: datetime | None = None


NOTHING_DECIDED = Decision(digest="", outcomes=(), assigned=())


class Glance(NamedTuple):
    """A message as a letter of many tells of it; a tuple, because a burst makes thousands of them.

    `held` of `total` recipients are held, `outside` of the held ones are outside, and the first is due at `ends_at`.
    `addresses` are those of the first few held ones; `decision` tells nothing about single recipients. Of one that is
    `unreadable` nothing else is known.
    """

    queue_id: str
    received_at: datetime
    subject: str
    decision: Decision = NOTHING_DECIDED
    total: int = 0
    held: int = 0
    outside: int = 0
    ends_at: datetime | None = None
    addresses: tuple[str, ...] = ()
    unreadable: bool = False

    @property
    def language(self) -> Language:
        return self.decision.language
