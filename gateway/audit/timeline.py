"""What happened to one mail, in order and in words: who, what, when, why. Read from the event log alone.

Bounded: MOMENTS events and NAMED addresses in each; how many more there are is said. Text that strangers chose passes `shown`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from gateway.audit import wording
from gateway.audit.entries import Entry
from gateway.audit.fitting import groups_of, recipients_of, whose
from gateway.audit.log import EventLog
from gateway.languages import Words, shown
from gateway.spool.list_contract import Whose
from gateway.spool.ranges import from_ranges, to_ranges
from gateway.values import dataclass

MOMENTS = 1_000  # events of one mail on a page; a mail to 40,000, one by one, writes more
NAMED = 5  # recipients named in a line
RECIPIENTS = 500  # recipients listed

_ADDRESS = 254  # characters
_SUBJECT = 200
_COMMENT = 500
_SAID = ("comment", "because", "why", "reply")  # of an event's detail: what somebody wrote or answered


@dataclass(frozen=True, slots=True)
class Moment:
    """One event. `who` is a part and a name; `said` is the reason that somebody wrote, or the reply of a server."""

    at: datetime
    kind: str
    reason: str
    who: str
    what: str
    why: str
    recipients: tuple[str, ...]
    more_recipients: int
    said: str
    node: str
    seq: int


@dataclass(frozen=True, slots=True)
class Timeline:
    """The story of one mail. `more` tells that there are events behind the last one.

    `whose` says whose mail it is, for `may`; `recipients` are those in the envelope, the first RECIPIENTS of `total`.
    """

    queue_id: str
    accepted_at: datetime | None
    sender: str
    subject: str
    groups: tuple[str, ...]
    recipients: tuple[str, ...]
    total: int
    moments: tuple[Moment, ...]
    more: bool
    whose: Whose


def timeline(
    log: EventLog, queue_id: str, words: Words, known: Collection[int] | None = None
) -> Timeline | None:
    """Return the story of a mail; None where the log knows none of this name. Raises StoreUnavailable.

    `known` are the recipients that the reader may hear of, None for all: what was about others only is left out.
    """
    entries = log.about(queue_id, MOMENTS + 1)
    if known is not None:
        entries = [seen for entry in entries if (seen := as_known(entry, known)) is not None]
    if not entries:
        return None
    accepted = next((entry for entry in entries if entry.kind == "accepted"), None)
    return told(entries, accepted, words)


def told(entries: Sequence[Entry], accepted: Entry | None, words: Words) -> Timeline:
    """Return the story that these events of one mail tell; pure."""
    detail = accepted.detail if accepted is not None else {}
    addresses = recipients_of(detail)
    return Timeline(
        queue_id=entries[0].queue_id or "",
        accepted_at=accepted.at if accepted is not None else None,
        sender=shown(str(detail.get("sender", "")) or "<>", _ADDRESS),
        subject=shown(str(detail.get("subject", "")), _SUBJECT),
        groups=tuple(groups_of(detail)),
        recipients=tuple(shown(each, _ADDRESS) for each in addresses[:RECIPIENTS]),
        total=len(addresses),
        moments=tuple(moment(entry, addresses, words) for entry in entries[:MOMENTS]),
        more=len(entries) > MOMENTS,
        whose=whose(detail),
    )


def as_known(entry: Entry, known: Collection[int]) -> Entry | None:
    """Return an event as far as it is about these recipients; None where it is about others only."""
    if not entry.recipients:
        return entry
    try:
        about = from_ranges(entry.recipients)
    except ValueError:  # somebody altered the event; the verification names it
        return replace(entry, recipients="")
    mine = [index for index in about if index in known]
    if not mine and about:
        return None
    return entry if len(mine) == len(about) else replace(entry, recipients=to_ranges(mine))


def moment(entry: Entry, addresses: Sequence[str], words: Words) -> Moment:
    """Return one event in words; `addresses` are those of its mail's recipients."""
    indexes = _indexes(entry.recipients)
    named = [shown(addresses[index], _ADDRESS) for index in indexes[:NAMED] if index < len(addresses)]
    name = shown(entry.actor_name, _ADDRESS)
    part = wording.who(entry.actor_kind, words)
    return Moment(
        at=entry.at,
        kind=entry.kind,
        reason=entry.reason,
        who=f"{part} {name}" if name else part,
        what=wording.what(entry.kind, words),
        why=wording.why(entry.reason, words),
        recipients=tuple(named),
        more_recipients=len(indexes) - len(named),
        said=_said(entry),
        node=entry.node,
        seq=entry.seq,
    )


def _said(entry: Entry) -> str:
    for key in _SAID:
        value = entry.detail.get(key)
        if isinstance(value, str) and value:
            return shown(value, _COMMENT)
    return ""


def _indexes(ranges: str) -> tuple[int, ...]:
    try:
        return from_ranges(ranges)
    except ValueError:  # somebody altered the event; the verification names it
        return ()
