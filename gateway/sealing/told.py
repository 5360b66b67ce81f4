"""What the process that seals says, and its form as octets: one kind of octet, then what belongs to it.

Promise: `seen_from` takes nothing on trust, because what parsed hostile files may say anything: it raises ValueError for all
that `seen_to` does not write.
"""

from __future__ import annotations

from typing import Any

import orjson

from gateway.detect.kinds import KINDS
from gateway.policy.handling import Attached, Seen
from gateway.protect.state_word import State
from gateway.sealing.bounds import MAX_FILES, MAX_NAME
from gateway.transform.attachments import REFUSALS

READY, SEEN, CHUNK, REFUSED, DONE, DONE_FOR_GOOD = b"ready", b"s", b"c", b"r", b"d", b"e"
"""What a frame begins with. DONE_FOR_GOOD: the process ends now."""

UNDECODABLE, UNREAD = "undecodable", "unread"

OBSTACLES = REFUSALS | {UNDECODABLE, UNREAD}
"""Why the files of a mail must not be touched, as far as it can be told from the mail alone."""

NOT_WRITTEN = REFUSALS | {UNDECODABLE, "partly-encrypted", "too-large", "no-key", "no-such-file", "failed"}
"""Why a mail was not written; of these only `failed` may be otherwise the next time."""

_STATES = frozenset(State)


def seen_to(seen: Seen) -> bytes:
    """Return what was seen as JSON."""
    files = [[each.place, each.name, each.kind, each.size_bytes, each.state] for each in seen.files]
    return orjson.dumps({"files": files, "obstacle": seen.obstacle})


def seen_from(octets: bytes) -> Seen:
    """Return what JSON tells; raises ValueError where it tells nothing of the kind."""
    try:
        value = orjson.loads(octets)
        obstacle, rows = value["obstacle"], value["files"]
        if obstacle and obstacle not in OBSTACLES:
            raise ValueError("no word of OBSTACLES")
        if len(rows) > MAX_FILES:
            raise ValueError("too many files")
        files = tuple([_attached(*row) for row in rows])
    except (KeyError, TypeError) as error:
        raise ValueError("not what is seen of a mail") from error
    places = [each.place for each in files]
    if places != sorted(set(places)):
        raise ValueError("places in no order")
    return Seen(files, str(obstacle))


def _attached(place: Any, name: Any, kind: Any, size: Any, state: Any) -> Attached:
    numbers = type(place) is int and type(size) is int and place >= 0 and size >= 0
    words = isinstance(name, str) and len(name) <= MAX_NAME and (kind == "" or kind in KINDS)
    if not numbers or not words or state not in _STATES:
        raise ValueError("no file")
    return Attached(place, name, kind, size, str(state))


def why_from(octets: bytes) -> str:
    """Return why a mail was not written; raises ValueError where that is no word of ours."""
    why = octets.decode("ascii", "replace")
    if why not in NOT_WRITTEN:
        raise ValueError("no word of NOT_WRITTEN")
    return why
