"""Makes a salvaged database whole again: what its tables say to one another, the counts, the head of the event chain.

The rule is that nothing leaves because something was lost. A mail whose record is gone stands there with a placeholder, which
can be cancelled and is never sent; a recipient whose row is gone is held, unless the events say that it is done with. A
cancel may be among what was lost: so whoever repairs holds all open mail afterwards (spool/reopening.py).
"""

# ruff: noqa: S608 - what stands in the SQL are names of our own schema and its states; values are bound

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.policy.protection import Way
from gateway.spool.key_contract import Stage
from gateway.spool.lifecycle import FINAL, State
from gateway.spool.ranges import from_ranges, to_ranges
from gateway.store.bodies import CORRUPT
from gateway.store.events import GENESIS, Head, Seal
from gateway.store.frames import FORMAT

_STAGES = ", ".join(f"'{stage}'" for stage in Stage)
_WAYS = ", ".join(f"'{way}'" for way in Way)
_STATES = ", ".join(f"'{state}'" for state in State)
_OPEN = ", ".join(f"'{state}'" for state in State if state not in FINAL)
_FINAL = ", ".join(f"'{state}'" for state in FINAL)
_KEYED = (
    "recipients",
    "bodies",
    "outbox",
    "second_looks",
    "message_keys",
    "key_sendings",
    "shares",
    "reminders",
)
_SPEAK = " UNION ".join(f"SELECT queue_id FROM {table}" for table in _KEYED)


@dataclass
class Losses:
    """What is not there any more: by mail, and which events, as ranges of their numbers."""

    mails: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    events: str = ""


def mend(connection: sqlite3.Connection, seal: Seal, key_id: str, now: int) -> Losses:
    """Put right what the salvaged rows lack, in one transaction; return what was lost. `now` in microseconds."""
    losses = Losses()
    with connection:
        connection.execute(f"DELETE FROM recipients WHERE state NOT IN ({_STATES})")
        connection.execute(f"DELETE FROM key_sendings WHERE stage NOT IN ({_STAGES}) OR way NOT IN ({_WAYS})")
        _only_accepted(connection, losses)
        _records(connection, losses, now)
        _bodies(connection, losses, key_id)
        _recipients(connection, losses, now)
        _keys(connection, losses)
        _counts(connection, now)
        _chain(connection, losses, seal)
    return losses


def _only_accepted(connection: sqlite3.Connection, losses: Losses) -> None:
    """Name the mails of which nothing is left but the event of their acceptance."""
    gone = f"""SELECT DISTINCT queue_id FROM events WHERE kind = 'accepted' AND queue_id NOT IN (SELECT queue_id FROM messages)
        AND queue_id NOT IN ({_SPEAK})
        AND queue_id NOT IN (SELECT queue_id FROM events WHERE kind = 'purged' AND detail LIKE '%"record"%')"""
    for (queue_id,) in connection.execute(gone):
        losses.mails[queue_id].append("everything but the event of its acceptance; ask the sender")


def _records(connection: sqlite3.Connection, losses: Losses, now: int) -> None:
    """Put a placeholder where only other tables know a mail; who replied to it is no reason for one."""
    connection.execute("DELETE FROM threads WHERE queue_id NOT IN (SELECT queue_id FROM messages)")
    connection.execute("DELETE FROM halves WHERE queue_id NOT IN (SELECT queue_id FROM messages)")
    orphans = f"SELECT queue_id FROM ({_SPEAK}) WHERE queue_id NOT IN (SELECT queue_id FROM messages)"
    for (queue_id,) in connection.execute(orphans).fetchall():
        accepted = "SELECT min(at) FROM events WHERE queue_id = ?"
        (at,) = connection.execute(accepted, [queue_id]).fetchone()
        connection.execute(
            "INSERT INTO messages (queue_id, received_at, sender, subject, size_bytes, envelope, decision, from_gateway,"
            " open_recipients, held_recipients) VALUES (?, ?, NULL, '', 0, '{}', '{}', 0, 0, 0)",
            [queue_id, at or now],
        )
        losses.mails[queue_id].append("its record: addresses and subject; it can only be cancelled")


def _bodies(connection: sqlite3.Connection, losses: Losses, key_id: str) -> None:
    """Say of a mail without a body that it is damaged, as of one whose file is."""
    without = "SELECT queue_id FROM messages WHERE queue_id NOT IN (SELECT queue_id FROM bodies)"
    for (queue_id,) in connection.execute(without).fetchall():
        row = [queue_id, CORRUPT, FORMAT, key_id]
        connection.execute("INSERT INTO bodies (queue_id, place, format, key_id) VALUES (?, ?, ?, ?)", row)
        losses.mails[queue_id].append("its body")


def _recipients(connection: sqlite3.Connection, losses: Losses, now: int) -> None:
    """Hold recipients whose rows are lost, as far as the mail had open ones that are not accounted for."""
    unsettled = f"""SELECT m.queue_id, m.envelope, m.open_recipients FROM messages m WHERE m.open_recipients >
        (SELECT count(*) FROM recipients r WHERE r.queue_id = m.queue_id AND r.state IN ({_OPEN}))"""
    for queue_id, envelope, _ in connection.execute(unsettled).fetchall():
        there = {
            idx for (idx,) in connection.execute("SELECT idx FROM recipients WHERE queue_id = ?", [queue_id])
        }
        lost = set(range(_count(envelope))) - there - _done_with(connection, queue_id)
        rows = [(queue_id, idx, str(State.HELD), now, now) for idx in sorted(lost)]
        connection.executemany(
            "INSERT INTO recipients (queue_id, idx, state, due_at, changed_at, attempts, reply, perhaps)"
            " VALUES (?, ?, ?, ?, ?, 0, '', 1)",
            rows,
        )
        if lost:
            losses.mails[queue_id].append(
                f"what became of its recipients {to_ranges(sorted(lost))}; they are held"
            )


def _keys(connection: sqlite3.Connection, losses: Losses) -> None:
    """Name the mails whose attachments cannot be sealed any more: what has no key, or no way for it, does not leave."""
    ways = "SELECT 1 FROM key_sendings s WHERE s.queue_id = m.queue_id"
    keys = "SELECT 1 FROM message_keys k WHERE k.queue_id = m.queue_id"
    needing = f"""SELECT queue_id FROM messages m WHERE m.open_recipients > 0 AND m.decision LIKE '%"needs_key":true%' AND (
        NOT EXISTS ({ways}) OR (NOT EXISTS ({keys})
        AND EXISTS ({ways} AND s.stage = 'waiting' AND coalesce(s.way, '') <> 'preagreed')))"""
    for (queue_id,) in connection.execute(needing).fetchall():
        losses.mails[queue_id].append("the keys of its attachments; it does not leave, ask the sender")


def _count(envelope: str) -> int:
    try:
        return len(json.loads(envelope)["recipients"])
    except (ValueError, TypeError, KeyError):
        return 0


def _done_with(connection: sqlite3.Connection, queue_id: str) -> set[int]:
    """Return the recipients that an event says are delivered, bounced or cancelled."""
    done = f"SELECT recipients FROM events WHERE queue_id = ? AND kind IN ({_FINAL})"
    return {idx for (ranges,) in connection.execute(done, [queue_id]) for idx in from_ranges(ranges)}


def _counts(connection: sqlite3.Connection, now: int) -> None:
    of_message = "FROM recipients r WHERE r.queue_id = messages.queue_id"
    connection.execute(
        f"UPDATE messages SET open_recipients = (SELECT count(*) {of_message} AND r.state IN ({_OPEN})),"
        f" held_recipients = (SELECT count(*) {of_message} AND r.state = 'held')"
    )
    connection.execute("UPDATE messages SET finished_at = NULL WHERE open_recipients > 0")
    connection.execute(
        "UPDATE messages SET finished_at = ? WHERE open_recipients = 0 AND finished_at IS NULL", [now]
    )
    connection.execute("DELETE FROM tallies")
    for state in State:
        count = "(SELECT count(*) FROM recipients WHERE state = ?)"
        connection.execute(f"INSERT INTO tallies VALUES ('', ?, {count})", [str(state), str(state)])


def _chain(connection: sqlite3.Connection, losses: Losses, seal: Seal) -> None:
    """Find the gaps between the events; put the newest event where the head of the chain is lost."""
    head = connection.execute("SELECT seq FROM chain WHERE node = ''").fetchone()
    if head is None:
        newest = "SELECT seq, hash FROM events WHERE node = '' ORDER BY seq DESC LIMIT 1"
        last = Head(*(connection.execute(newest).fetchone() or (0, GENESIS)))
        row = [last.seq, last.hash, seal.of(last)]
        connection.execute("INSERT INTO chain (node, seq, hash, seal) VALUES ('', ?, ?, ?)", row)
        head = (last.seq,)
    losses.events = ", ".join(_gaps(connection, int(head[0])))


def _gaps(connection: sqlite3.Connection, newest: int) -> Iterator[str]:
    expected = 1
    for (seq,) in connection.execute("SELECT seq FROM events WHERE node = '' ORDER BY seq"):
        if seq > expected:
            yield f"{expected}-{seq - 1}"
        expected = seq + 1
    if newest >= expected:
        yield f"{expected}-{newest}"
