"""Certificates of deletion: what was destroyed when, why and by whom, listed from the event log and signed.

A body is destroyed by destroying the one copy of its key: what is left of it, also in backups of its octets, cannot be opened.
Each line names the event that tells of it, by chain, number and hash, so certificate and log prove one another.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam

from gateway.audit.entries import Entry, Question
from gateway.audit.key_turns import Wrong
from gateway.audit.log import EventLog
from gateway.audit.signed import CERTIFICATE, NoPublicKey, holds, read_public, write_public
from gateway.audit.signing_keys import signer_for
from gateway.spool.lifecycle import Kind, Reason
from gateway.spool.times import from_us, to_us
from gateway.spool.values import Actor
from gateway.store.errors import StoreConflict
from gateway.store.events import Event, canonical
from gateway.store.keys import MasterKey
from gateway.store.proof_tables import certificates
from gateway.store.tx import Prepared, Queries, Tx
from gateway.values import dataclass

VERSION = 1
MOST = 100_000  # deletions in one certificate: a file of 20 MiB; of more, make several

RECENT = 200  # certificates listed


class TooMany(Exception):
    """More was destroyed in this time than one certificate lists."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """`statement` is the text that was signed; `told` is what it says."""

    number: int
    at: datetime
    statement: str
    signature: bytes

    @property
    def told(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.statement)
        return value

    @property
    def file(self) -> str:
        """Return the certificate as the text of a file that can be verified."""
        return json.dumps(
            {"statement": self.statement, "signature": self.signature.hex()}, ensure_ascii=False
        )


def destroyed(log: EventLog, question: Question) -> list[list[object]]:
    """Return a line for each deletion in a time: when, mail, what, why, by whom, master key, chain, number, hash.

    Raises TooMany, StoreUnavailable.
    """
    rows = list[list[object]]()
    for entry in log.stream(question):
        if len(rows) == MOST:
            raise TooMany(f"more than {MOST} deletions: choose a shorter time")
        rows.append(_row(entry))
    return rows


def question(since: datetime, until: datetime, group: str | None = None) -> Question:
    """Return the question for what was destroyed in a time, of one group where one is named."""
    return Question(since=since, until=until, kinds=(Kind.PURGED.value,), group=group)


def certify(
    rows: list[list[object]], asked: Question, master: MasterKey, actor: Actor, now: datetime
) -> Callable[[Tx], Certificate]:
    """Sign these deletions; that it was done is an event."""

    def job(tx: Tx) -> Certificate:
        signer = signer_for(tx, master, now)
        number = int(tx.row(_LAST)[0] or 0) + 1
        told = _statement(number, rows, asked, now) | {"key": write_public(signer.public), "by": actor.name}
        statement = canonical(told)
        made = Certificate(number, now, statement, signer.sign(CERTIFICATE, statement))
        row = {
            "b_number": number,
            "b_at": to_us(now),
            "b_group": asked.group or "",
            "b_statement": statement,
            "b_signature": made.signature,
        }
        if not tx.run(_ADD, row):
            raise StoreConflict("another gateway is making a certificate")
        tx.event(_event(made, len(rows), actor))
        return made

    return job


def recent(queries: Queries) -> list[tuple[int, datetime, str]]:
    """Return the last certificates: number, time and group."""
    return [(number, from_us(at), group) for number, at, group in queries.rows(_RECENT)]


def numbered(number: int) -> Callable[[Queries], Certificate | None]:
    """Return one certificate."""

    def read(queries: Queries) -> Certificate | None:
        row = queries.row(_ONE, {"b_number": number})
        return None if row is None else Certificate(row[0], from_us(row[1]), row[2], bytes(row[3]))

    return read


def verify_certificate(text: str, trusted: bytes) -> dict[str, Any]:
    """Return what a certificate's file says, signed by this public key; raises Wrong."""
    try:
        given = json.loads(text)
        statement, signature = given["statement"], bytes.fromhex(given["signature"])
        told: dict[str, Any] = json.loads(statement)
        key = read_public(told["key"])
    except (ValueError, KeyError, TypeError, NoPublicKey) as error:
        raise Wrong(f"this is no certificate of deletion: {error}") from None
    if key != trusted:
        raise Wrong(f"it was signed by {told['key']}, not by the key that you trust")
    if not holds(key, CERTIFICATE, statement, signature):
        raise Wrong("it was altered: its signature does not hold")
    return told


def _statement(number: int, rows: list[list[object]], asked: Question, now: datetime) -> dict[str, object]:
    return {
        "version": VERSION,
        "number": number,
        "at": now.isoformat(),
        "since": asked.since.isoformat() if asked.since else "",
        "until": asked.until.isoformat() if asked.until else "",
        "group": asked.group or "",
        "bodies": sum(row[2] == "body" for row in rows),
        "records": sum(row[2] == "record" for row in rows),
        "destroyed": rows,
    }


def _row(entry: Entry) -> list[object]:
    detail = entry.detail
    return [
        entry.at.isoformat(),
        entry.queue_id or "",
        str(detail.get("what", "")),
        str(detail.get("because") or entry.reason),
        entry.actor_name or entry.actor_kind,
        str(detail.get("master_key", "")),
        entry.node,
        entry.seq,
        entry.hash.hex(),
    ]


def _event(made: Certificate, count: int, actor: Actor) -> Event:
    detail = {"number": made.number, "destroyed": count}
    reason = Reason.BY_AUDITOR if actor.kind == "auditor" else Reason.BY_ADMIN
    return Event(to_us(made.at), None, Kind.CERTIFIED, reason, actor.kind, actor.name, detail=detail)


_C = certificates.c
_LAST = Prepared(sa.select(sa.func.max(_C.number)))
_RECENT = Prepared(sa.select(_C.number, _C.at, _C.of_group).order_by(_C.number.desc()).limit(RECENT))
_ONE = Prepared(
    sa.select(_C.number, _C.at, _C.statement, _C.signature).where(_C.number == bindparam("b_number"))
)
_ADD = Prepared(
    sa.text(
        "INSERT INTO certificates (number, at, of_group, statement, signature)"
        " VALUES (:b_number, :b_at, :b_group, :b_statement, :b_signature) ON CONFLICT (number) DO NOTHING"
    )
)
