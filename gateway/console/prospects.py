"""What taking a mail back can still do for each recipient, before it is done; the verb tells afterwards what it did. Pure.

Says nothing kinder than the truth: what was delivered with its key is gone, whatever is pressed.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from gateway.policy.handling import Handling
from gateway.policy.protection import How, Way
from gateway.spool.key_contract import KeyStatus, Stage
from gateway.spool.lifecycle import CANCELLABLE, State
from gateway.spool.share_contract import Share
from gateway.spool.values import Recipient, Stored
from gateway.values import dataclass

_IN_THE_MAIL = frozenset({How.ZIP_LEGACY, How.NATIVE, How.ZIP_AES256})
_UNSENT = frozenset({Stage.WAITING, Stage.READY, Stage.FAILED})


class Prospect(StrEnum):
    """What happens with one recipient's copy if the mail is taken back now."""

    STOPPED = "stopped"  # it has not left, and will not
    PERHAPS = "perhaps"  # it is not sent again, but may have arrived
    LEAVING = "leaving"  # it is being sent at this moment
    LOCKED = "locked"  # files behind a link that nobody has opened
    OPENED = "opened"  # files behind a link that was opened before
    UNKEYED = "unkeyed"  # sealed files whose key has not gone
    FAILED = "failed"  # sealed files whose key could not be sent
    MAILED = "mailed"  # sealed files whose key is in a second mail, which may not have left yet
    HALTED = "halted"  # sealed files whose key was stopped before
    CLOSED = "closed"  # files behind a link that is over, and that nobody ever opened
    SEEN = "seen"  # files behind a link that is over, and that was opened
    GONE = "gone"
    OVER = "over"  # cancelled or bounced before


KINDER = frozenset(Prospect) - {Prospect.OPENED, Prospect.SEEN, Prospect.GONE, Prospect.OVER}
"""Prospects in which nobody has read the files, as far as anybody knows."""


@dataclass(frozen=True, slots=True)
class Fates:
    """Recipients by what happens with their copies, in the order of `Prospect`; `worth`: something would happen at all."""

    by_prospect: tuple[tuple[Prospect, tuple[Recipient, ...]], ...]
    worth: bool


def fates(message: Stored, shares: Sequence[Share], statuses: Sequence[KeyStatus]) -> Fates:
    """Sort a mail's recipients by what taking it back would do now."""
    share_of = {each.recipient: each for each in shares}
    status_of = {each.recipient: each for each in statuses}
    found: dict[Prospect, list[Recipient]] = {}
    worth = False
    for row in message.recipients:
        share, status = share_of.get(row.index), status_of.get(row.index)
        prospect = _prospect(row, message.decision.of(row.index).handling, share, status)
        found.setdefault(prospect, []).append(row)
        worth = worth or _helps(row, share, status)
    return Fates(tuple((each, tuple(found[each])) for each in Prospect if each in found), worth)


def _helps(row: Recipient, share: Share | None, status: KeyStatus | None) -> bool:
    """Tell whether there is something to stop for this recipient, whatever is gone already."""
    if row.state in CANCELLABLE or row.state is State.ACTIVE:
        return True
    if share is not None and share.ended_at is None:
        return True
    return status is not None and (status.stage in _UNSENT or _is_mailed(status))


def _is_mailed(status: KeyStatus) -> bool:
    """Tell whether a key is in a mail of ours, which can be stopped until it leaves."""
    return status.way is Way.SECOND_MAIL and status.stage is Stage.SENT


def left(message: Stored) -> bool:
    """Tell whether a mail has left for somebody, so that taking back is more than cancelling."""
    return any(row.state in (State.DELIVERED, State.ACTIVE) or row.perhaps for row in message.recipients)


def _prospect(
    row: Recipient, handling: Handling | None, share: Share | None, status: KeyStatus | None
) -> Prospect:
    if row.state in CANCELLABLE:
        return Prospect.PERHAPS if row.perhaps else Prospect.STOPPED
    if row.state is State.ACTIVE:
        return Prospect.LEAVING
    if row.state is not State.DELIVERED:
        return Prospect.OVER
    return _delivered(handling, share, status)


def _delivered(handling: Handling | None, share: Share | None, status: KeyStatus | None) -> Prospect:
    """Tell of a copy that arrived: the worst counts, as it does in what the verb says afterwards."""
    if share is not None and share.opened_at is not None:
        return Prospect.OPENED if share.ended_at is None else Prospect.SEEN
    key = _key(handling, status)
    if share is None or key is Prospect.GONE:
        return key or Prospect.GONE
    return Prospect.LOCKED if share.ended_at is None else Prospect.CLOSED


def _key(handling: Handling | None, status: KeyStatus | None) -> Prospect | None:
    """Tell of files that came sealed in the mail, by how far their key is; None where there are none."""
    if handling is None or not any(how in _IN_THE_MAIL for _, how in handling.forms):
        return None
    if status is None or status.way is Way.PREAGREED:
        return Prospect.GONE
    if _is_mailed(status):
        return Prospect.MAILED
    return _BY_STAGE.get(status.stage, Prospect.GONE)


_BY_STAGE = {
    Stage.WAITING: Prospect.UNKEYED,
    Stage.READY: Prospect.UNKEYED,
    Stage.FAILED: Prospect.FAILED,
    Stage.STOPPED: Prospect.HALTED,
}
