"""What happened to one mail, for somebody who may see it: the event log's own words, without what they must not hear of. Pure.

Copies that a rule asked for (`bcc_to`, decision 0054) are known to who reads the log alone; for all others events about nobody
else are left out, and the rest names and counts without them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gateway.audit.entries import Entry
from gateway.audit.timeline import MOMENTS, Timeline, told
from gateway.languages import Words
from gateway.spool.contract import Stored
from gateway.spool.ranges import from_ranges, to_ranges


def story(entries: Sequence[Entry], message: Stored, words: Words) -> Timeline | None:
    """Return the story of a mail as its reader knows the mail; None where the log has none."""
    known = frozenset(row.index for row in message.recipients)
    kept = [seen for entry in entries[: MOMENTS + 1] if (seen := _without(entry, known)) is not None]
    if not kept:
        return None
    accepted = next((entry for entry in kept if entry.kind == "accepted"), None)
    return told(kept, accepted, words)


def _without(entry: Entry, known: frozenset[int]) -> Entry | None:
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
