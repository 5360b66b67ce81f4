"""What the event log says about the files of one mail, as facts that can be printed: who opened what, or that nobody did.

Values and how they are read off events; pure. Whoever makes one says whether the log is whole: without that, an event that is
missing proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from gateway.spool.lifecycle import Kind
from gateway.spool.share_contract import Happened
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class Proof:
    """What a walk along all chains of events found. `last` names the newest event: chain, number and hash."""

    checked_at: datetime
    intact: bool
    sealed: bool
    events: int
    problem: str = ""
    last: tuple[tuple[str, int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Witness:
    """One recipient's share in the log: `opened` and `fetched` are all such events, oldest first."""

    recipient: int
    address: str
    opened: tuple[Happened, ...] = ()
    fetched: tuple[Happened, ...] = ()
    denied: int = 0
    ended_at: datetime | None = None

    @property
    def untouched(self) -> bool:
        """Tell whether nobody opened it and nobody fetched anything."""
        return not self.opened and not self.fetched


@dataclass(frozen=True, slots=True)
class Testimony:
    """`complete`: the log goes back to the acceptance of the mail. Nothing is claimed where it does not, or is not intact, or
    where a backup was restored since: what happened between the two is in no log."""

    queue_id: str
    accepted_at: datetime | None
    sender: str
    subject: str
    witnesses: tuple[Witness, ...]
    taken_back_at: datetime | None
    proof: Proof
    restored_at: datetime | None = None

    @property
    def complete(self) -> bool:
        """Tell whether what is not in the log did not happen."""
        return self.proof.intact and self.accepted_at is not None and self.restored_at is None

    @property
    def nobody_opened(self) -> bool:
        """Tell whether it is proved that nobody opened or fetched anything."""
        return self.complete and bool(self.witnesses) and all(each.untouched for each in self.witnesses)


def witnesses(
    addresses: Sequence[str], shared: Iterable[int], told: Sequence[Happened]
) -> tuple[Witness, ...]:
    """Return one for each recipient with a share, in their order; `addresses` are those of all recipients."""
    return tuple([_witness(index, addresses, told) for index in sorted(shared)])


def _witness(index: int, addresses: Sequence[str], told: Sequence[Happened]) -> Witness:
    theirs = [each for each in told if index in each.recipients]

    def those(kind: Kind) -> tuple[Happened, ...]:
        return tuple([each for each in theirs if each.kind is kind])

    ends = [each.at for each in theirs if each.kind is Kind.SHARE_ENDED]
    return Witness(
        recipient=index,
        address=addresses[index] if index < len(addresses) else "",
        opened=those(Kind.SHARE_OPENED),
        fetched=those(Kind.SHARE_FETCHED),
        denied=len(those(Kind.SHARE_DENIED)),
        ended_at=ends[0] if ends else None,
    )
