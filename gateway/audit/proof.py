"""Export with proof: a ZIP with events, the checkpoints around them and the keys, which anybody can verify by themselves.

Events are written as the very octets that their hashes cover, one a line behind the hash; so who verifies need not know how we
write JSON. The part goes from one checkpoint to another, because only a checkpoint says where a chain stood. It holds all
events in between: a chain with a gap proves nothing. How the file is verified stands in gateway/audit/offline.py.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from gateway.audit.checkpoints import Checkpoint, first_since, last_before, newest, some
from gateway.audit.log import EventLog, Row
from gateway.audit.pruning import cut_at
from gateway.audit.signing_keys import public_keys
from gateway.store.events import GENESIS, Head, covered
from gateway.store.readers import Readers
from gateway.values import dataclass

FORMAT = 1
ABOUT, KEYS, CHECKPOINTS = "proof.json", "keys.json", "checkpoints.jsonl"
AT_ONCE = 500  # checkpoints read at once


class NothingToProve(Exception):
    """There is no checkpoint yet, or none where the part would have to end."""


@dataclass(frozen=True, slots=True)
class Part:
    """What an export holds: all events behind `first` (None: from the very beginning) up to `last`."""

    first: Checkpoint | None
    last: Checkpoint

    @property
    def events(self) -> int:
        """Return how many events that is."""
        before = {} if self.first is None else self.first.heads
        return sum(
            end.seq - (before[node].seq if node in before else 0) for node, end in self.last.heads.items()
        )


def part(readers: Readers, since: datetime | None, until: datetime | None) -> Part:
    """Return the part from the last checkpoint before `since` to the first one after `until`; raises NothingToProve."""
    first = readers.read(last_before(since)) if since is not None else None
    cut = cut_at(EventLog.over(readers))
    if cut is not None and (first is None or first.number < cut.number):
        first = cut  # what was before is deleted
    last = readers.read(first_since(until)) if until is not None else None
    last = last or readers.read(newest)
    if last is None or (first is not None and first.number >= last.number):
        raise NothingToProve(
            "there is no signed checkpoint behind that time yet; make one: sekisho log checkpoint"
        )
    return Part(first, last)


def write_proof(readers: Readers, chosen: Part, target: Path) -> int:
    """Write the file and return how many events it holds; raises OSError, StoreUnavailable."""
    log, written = EventLog.over(readers), 0
    with zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        _put(archive, KEYS, _keys(readers))
        _put(archive, CHECKPOINTS, _checkpoints(readers, chosen))
        chains = []
        for number, (node, end) in enumerate(sorted(chosen.last.heads.items()), 1):
            name = f"events-{number}.txt"
            chains.append({"node": node, "file": name})
            written += _put(archive, name, _events(log, _begin(chosen, node), end))
        begins_at = None if chosen.first is None else chosen.first.number
        about = {"format": FORMAT, "chains": chains, "begins_at": begins_at}
        _put(archive, ABOUT, iter([json.dumps(about, ensure_ascii=False)]))
    return written


def _begin(chosen: Part, node: str) -> Head:
    heads = {} if chosen.first is None else chosen.first.heads
    return heads.get(node, Head(0, GENESIS, node))


def _put(archive: zipfile.ZipFile, name: str, lines: Iterator[str]) -> int:
    count = 0
    with archive.open(name, "w", force_zip64=True) as member:
        for line in lines:
            member.write(line.encode() + b"\n")
            count += 1
    return count


def _keys(readers: Readers) -> Iterator[str]:
    keys = [{"public": key.text, "succession": key.succession} for key in readers.read(public_keys)]
    yield json.dumps(keys)


def _checkpoints(readers: Readers, chosen: Part) -> Iterator[str]:
    after = 0 if chosen.first is None else chosen.first.number - 1
    while after < chosen.last.number:
        found = readers.read(some(after, AT_ONCE))
        for each in found:
            if each.number <= chosen.last.number:
                yield json.dumps({"statement": each.statement, "signature": each.signature.hex()})
        if not found:
            return
        after = found[-1].number


def _events(log: EventLog, begin: Head, end: Head) -> Iterator[str]:
    seq = begin.seq
    while seq < end.seq:
        rows = log.rows_after(seq, node=begin.node)
        for row in rows:
            seq = int(str(row[0]))
            if seq > end.seq:
                return
            yield _line(row, begin.node)
        if not rows:
            return


def _line(row: Row, node: str) -> str:
    hash_ = row[-1]
    written = hash_.hex() if isinstance(hash_, bytes) else ""
    return f"{written} {covered(row[:-2], node).decode()}"
