"""A statement out of the event log: what became of the files of one mail, and whether the log that says so is whole.

The events of the mail are read first and the chains walked after that, so whatever the statement rests on was checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gateway.audit.entries import Entry, Question
from gateway.audit.log import EventLog
from gateway.audit.verify import together, verify_chains
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.ranges import from_ranges
from gateway.spool.share_contract import Happened
from gateway.spool.shares_history import ABOUT_SHARES, happened
from gateway.spool.testimony import Proof, Testimony, witnesses
from gateway.spool.times import to_us
from gateway.store.events import Seal

_KINDS = tuple(kind.value for kind in ABOUT_SHARES)


def testify(log: EventLog, queue_id: str, seal: Seal | None, now: datetime) -> Testimony:
    """Make the statement; walks all chains, which takes seconds for millions of events. Raises StoreUnavailable."""
    accepted = log.query(Question(queue_id=queue_id, kinds=(Kind.ACCEPTED.value,), limit=1))
    told = [_happened(entry) for entry in log.stream(Question(queue_id=queue_id, kinds=_KINDS))]
    detail = accepted[0].detail if accepted else {}
    addresses = detail.get("recipients", ())
    backs = [each.at for each in told if each.kind is Kind.TAKEN_BACK]
    return Testimony(
        queue_id=queue_id,
        accepted_at=accepted[0].at if accepted else None,
        sender=str(detail.get("sender", "")),
        subject=str(detail.get("subject", "")),
        witnesses=witnesses(
            [str(each) for each in addresses] if isinstance(addresses, list) else (),
            {*_linked(detail.get("linked")), *_seen(told)},
            told,
        ),
        taken_back_at=backs[0] if backs else None,
        proof=_proof(log, seal, now),
        restored_at=_restored(log, accepted[0].at) if accepted else None,
    )


def _restored(log: EventLog, since: datetime) -> datetime | None:
    """Return when a backup was restored since then; None for never."""
    told = log.query(Question(since=since, kinds=(Kind.RESTORED.value,), reasons=(Reason.RESTORED.value,)))
    return told[0].at if told else None


def _proof(log: EventLog, seal: Seal | None, now: datetime) -> Proof:
    verdict = together(verify_chains(log, seal))
    heads = [(node, log.head(node)) for node in log.nodes()]
    return Proof(
        checked_at=now,
        intact=verdict.intact,
        sealed=verdict.sealed,
        events=verdict.checked,
        problem=verdict.problem,
        last=tuple([(node, found[0].seq, found[0].hash.hex()) for node, found in heads if found is not None]),
    )


def _happened(entry: Entry) -> Happened:
    at = to_us(entry.at)
    return happened(at, entry.kind, entry.actor_kind, entry.actor_name, entry.recipients, dict(entry.detail))


def _linked(ranges: object) -> tuple[int, ...]:
    """Return who had files behind a link, as the event of the acceptance says."""
    return from_ranges(ranges) if isinstance(ranges, str) else ()


def _seen(told: Sequence[Happened]) -> set[int]:
    """Return whom an event about a share names, whatever the acceptance says."""
    return {index for each in told if each.kind is not Kind.TAKEN_BACK for index in each.recipients}
