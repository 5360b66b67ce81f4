"""Whoever touches the event log is found out, and the first event touched is named."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from gateway.audit.log import EventLog
from gateway.audit.verify import Verdict, verify
from gateway.store.database import event_seal
from gateway.store.events import Head, digest
from gateway.store.keys import MasterKey

TAMPERING = {
    "a detail": (
        "UPDATE events SET detail = replace(detail, 'clerk', 'other') WHERE seq = 4 OR seq = 2",
        2,
        "altered",
    ),
    "a time": ("UPDATE events SET at = at + 1 WHERE seq = 5", 5, "altered"),
    "a reason": ("UPDATE events SET reason = 'by-admin' WHERE seq = 3", 3, "altered"),
    "a queue id": ("UPDATE events SET queue_id = NULL WHERE seq = 3", 3, "altered"),
    "an actor": ("UPDATE events SET actor_name = 'x' WHERE seq = 3", 3, "altered"),
    "recipients": ("UPDATE events SET recipients = '1' WHERE seq = 3", 3, "altered"),
    "a hash": ("UPDATE events SET hash = zeroblob(32) WHERE seq = 6", 6, "altered"),
    "a link": ("UPDATE events SET prev = zeroblob(32) WHERE seq = 6", 6, "does not follow"),
    "a link's type": ("UPDATE events SET prev = 'text' WHERE seq = 6", 6, "does not follow"),
    "one removed": ("DELETE FROM events WHERE seq = 4", 4, "missing"),
    "the first removed": ("DELETE FROM events WHERE seq = 1", 1, "missing"),
    "the last removed": ("DELETE FROM events WHERE seq = 7", 7, "missing"),
    "all removed": ("DELETE FROM events", 1, "missing"),
    "two swapped": (
        "UPDATE events SET seq = CASE seq WHEN 3 THEN -4 ELSE -3 END WHERE seq IN (3, 4)",
        3,
        "missing",
    ),
    "no head": ("DELETE FROM chain", 0, "head"),
    "an old head": ("UPDATE chain SET seq = 6", 6, "not sealed"),
}


def tamper(state: Path, *statements: str) -> None:
    with sqlite3.connect(state / "sekisho.db") as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def check(state: Path, master: MasterKey | None) -> Verdict:
    with EventLog(state) as log:
        return verify(log, event_seal(master) if master else None)


def test_an_untouched_log_is_intact(state: Path, history: object, master: MasterKey) -> None:
    assert check(state, master) == Verdict(7, sealed=True)
    assert check(state, None) == Verdict(7, sealed=False)


def test_pages_meet(state: Path, history: object, master: MasterKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.audit.log.EventLog.rows_after.__defaults__", (2, ""))
    assert check(state, master) == Verdict(7, sealed=True)


@pytest.mark.parametrize(("statement", "seq", "problem"), TAMPERING.values(), ids=TAMPERING)
def test_tampering_is_named(
    state: Path, history: object, master: MasterKey, statement: str, seq: int, problem: str
) -> None:
    tamper(state, statement)
    verdict = check(state, master)
    assert not verdict.intact
    assert (verdict.seq, problem in verdict.problem) == (seq, True), verdict


def test_a_chain_recomputed_without_the_key_is_found_out(
    state: Path, history: object, master: MasterKey
) -> None:
    """Somebody who can write the database alters event 3 and recomputes every hash behind it, and the head."""
    tamper(state, "UPDATE events SET reason = 'by-admin' WHERE seq = 3")
    _recompute(state)
    assert check(state, None).intact
    verdict = check(state, master)
    assert not verdict.intact
    assert "not sealed" in verdict.problem


def test_another_master_key_does_not_vouch(state: Path, history: object) -> None:
    assert not check(state, MasterKey(bytes(32))).intact


def _recompute(state: Path) -> None:
    with EventLog(state) as log:
        rows = log.rows_after(0)
    head = Head()
    with sqlite3.connect(state / "sekisho.db") as connection:
        for row in rows:
            made = digest(head.hash, row[:-2])
            connection.execute(
                "UPDATE events SET prev = ?, hash = ? WHERE seq = ?", (head.hash, made, row[0])
            )
            head = Head(int(str(row[0])), made)
        connection.execute("UPDATE chain SET hash = ?", (head.hash,))
    connection.close()
