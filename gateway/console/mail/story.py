"""What happened to one mail, for somebody who may see it: the event log's own words, without what they must not hear of. Pure.

Copies that a rule asked for (`bcc_to`, decision 0054) are known to who reads the log alone; for all others events about nobody
else are left out, and the rest names and counts without them.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.audit.entries import Entry
from gateway.audit.timeline import MOMENTS, Timeline, as_known, told
from gateway.languages import Words
from gateway.spool.values import Stored


def story(entries: Sequence[Entry], message: Stored, words: Words) -> Timeline | None:
    """Return the story of a mail as its reader knows the mail; None where the log has none."""
    known = frozenset(row.index for row in message.recipients)
    kept = [seen for entry in entries[: MOMENTS + 1] if (seen := as_known(entry, known)) is not None]
    if not kept:
        return None
    accepted = next((entry for entry in kept if entry.kind == "accepted"), None)
    return told(kept, accepted, words)
