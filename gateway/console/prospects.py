"""What taking a mail back can still do for each recipient, before it is done; the verb tells afterwards what it did. Pure.

Says nothing kinder than the truth: what was delivered with its key is gone, whatever is pressed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.policy.handling import Handling
from gateway.policy.protection import How, Way
from gateway.spool.contract import Recipient, Stored
from gateway.spool.key_contract import KeyStatus, Stage
from gateway.spool.lifecycle import CANCELLABLE, State
from gateway.spool.share_contract import Share

_SEALED = frozenset({How.ZIP_AES256, How.NATIVE, How.LINK, How.BLOCK})


class Prospect(StrEnum):
    """What happens with one recipient's copy if the mail is taken back now."""

    STOPPED = "stopped"  # it has not left, and will not
    PERHAPS = "perhaps"  # it is not sent again, but may have arrived
    LEAVING = "leaving"  # it is being sent at this moment
    LOCKED = "locked"  # files behind a link that nobody has opened
    OPENED = "opened"  # files behind a link that was opened before
    UNKEYED = "unkeyed"  # sealed files whose key has not gone
    FAILED = "failed"  # sealed files whose key could not be sent
    HALTED = "halted"  # sealed files whose key was stopped before
    CLOSED = "closed"  # files behind a link that is over, and that nobody ever opened
    SEEN = "seen"  # files behind a link that is over, and that was opened
    GONE = "gone"
    OVER = "over"  # cancelled or bounced before


_NO_USE = frozenset({Prospect.HALTED, Prospect.CLOSED, Prospect.SEEN, Prospect.GONE, Prospect.OVER})
WORTH = frozenset(Prospect) - _NO_USE
"""Prospects for which taking back does something."""


@dataclass(frozen=True, slots=True)
class Fates:
    """Recipients by what happens with their copies, in the order of `Prospect`."""

    by_prospect: tuple[tuple[Prospect, tuple[Recipient, ...]], ...]

    @property
    def worth(self) -> bool:
        """Tell whether taking back does anything for anybody."""
        return any(prospect in WORTH for prospect, _ in self.by_prospect)


def fates(message: Stored, shares: Sequence[Share], statuses: Sequence[KeyStatus]) -> Fates:
    """Sort a mail's recipients by what taking it back would do now."""
    share_of = {each.recipient: each for each in shares}
    status_of = {each.recipient: each for each in statuses}
    found: dict[Prospect, list[Recipient]] = {}
    for row in message.recipients:
        handling = message.decision.of(row.index).handling
        prospect = _prospect(row, handling, share_of.get(row.index), status_of.get(row.index))
        found.setdefault(prospect, []).append(row)
    return Fates(tuple((each, tuple(found[each])) for each in Prospect if each in found))


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
    """Tell of a copy that arrived: links first, because locking is the stronger word."""
    if share is not None and share.ended_at is None:
        return Prospect.LOCKED if share.opened_at is None else Prospect.OPENED
    if share is not None:
        return Prospect.CLOSED if share.opened_at is None else Prospect.SEEN
    if handling is None or status is None or not _opens_with_key_only(handling, status):
        return Prospect.GONE
    return _BY_STAGE.get(status.stage, Prospect.GONE)


def _opens_with_key_only(handling: Handling, status: KeyStatus) -> bool:
    """Tell whether what was sealed opens for nobody whose key did not go; a key agreed on before is there already."""
    if not handling.needs_key or status.way is Way.PREAGREED:
        return False
    return all(how in _SEALED for _, how in handling.forms)


_BY_STAGE = {
    Stage.WAITING: Prospect.UNKEYED,
    Stage.READY: Prospect.UNKEYED,
    Stage.FAILED: Prospect.FAILED,
    Stage.STOPPED: Prospect.HALTED,
}
