"""`python -m tests.bench.searching [URL]`: what questions to the event log cost with a million events, on SQLite or at a URL.

The store is filled first (a minute or two): MAILS mails of five events each, from forty groups. Then each question is asked
twice, and the better time told. Bounded: the questions that stand here.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from gateway.audit.entries import Question
from gateway.audit.lines import all_lines, lines
from gateway.audit.log import EventLog
from gateway.spool.list_contract import Scope
from gateway.spool.sql import SqlSpool, open_spool
from gateway.store.events import Event
from gateway.store.keys import MasterKey
from gateway.store.tx import Tx
from gateway.store.where import Where

MAILS = int(os.environ.get("BENCH_MESSAGES", "200000"))
GROUPS, SENDERS, CITIZENS, AT_ONCE = 40, 400, 50_000, 5_000
BEGIN = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1e6)
STEP = 365 * 86_400_000_000 // MAILS
TOPICS = ("教室の日程", "施設予約", "会議資料", "休館日")


def mail(number: int) -> Iterator[Event]:
    """Yield the five events of one mail."""
    at, queue_id, group = BEGIN + number * STEP, f"Q{number:07d}", f"group-{number % GROUPS}"
    sender = f"clerk{number % SENDERS}@{group}.example.jp"
    detail = {
        "sender": sender,
        "recipients": [f"citizen{(number * 7 + place) % CITIZENS}@example.com" for place in range(5)],
        "account": "a",
        "client": "192.0.2.1",
        "subject": f"お知らせ {number} {TOPICS[number % 4]}",
        "size": 20_000,
        "policy": "0" * 64,
        "groups": [group],
        "outcomes": [{"recipients": 5, "external": True, "rules": ["hide-recipients", "cancel-window"]}],
        "held": "0-4",
    }
    yield Event(at, queue_id, "accepted", "policy", "sender", sender, "0-4", detail)
    yield Event(at + 1, queue_id, "released", "window-over", recipients="0-4")
    yield Event(at + 2, queue_id, "attempt", "system", recipients="0-4")
    if number % 50:
        yield Event(
            at + 3, queue_id, "delivered", "remote-reply", recipients="0-4", detail={"reply": "250 ok"}
        )
    else:
        yield Event(at + 3, queue_id, "cancelled", "by-sender", "sender", sender, "0-4")
    yield Event(at + 4, queue_id, "purged", "retention", detail={"what": "body"})


async def fill(spool: SqlSpool) -> None:
    """Write all mails."""
    for base in range(0, MAILS, AT_ONCE):

        def job(tx: Tx, base: int = base) -> None:
            for number in range(base, min(base + AT_ONCE, MAILS)):
                for event in mail(number):
                    tx.event(event)

        await spool.database.committer.run(job)


def ask(log: EventLog) -> None:
    """Ask each question twice and print the better time."""
    page = Question(limit=50)
    asked = {
        "newest lines": page,
        "one sender": replace(page, sender="clerk7@group-7.example.jp"),
        "one recipient": replace(page, recipient="citizen123@example.com"),
        "words of an old subject": replace(page, subject="お知らせ 123 休館日"),
        "cancelled": replace(page, kinds=("cancelled",)),
        "an ordering body": replace(page, scope=Scope(groups=frozenset({"group-3"}))),
        "nothing at all, one answer": replace(page, sender="nobody@example.jp"),
    }
    for name, question in asked.items():
        _told(name, lambda question=question: lines(log, question))  # type: ignore[misc]
    _told("nothing at all, the whole log", lambda: list(all_lines(log, asked["nothing at all, one answer"])))
    _told("one mail", lambda: log.about(f"Q{MAILS // 2:07d}", 1_000))


def _told(name: str, question: Callable[[], object]) -> None:
    times = list[float]()
    for _ in range(2):
        began = time.perf_counter()
        question()
        times.append(time.perf_counter() - began)
    print(f"{name:32}{min(times) * 1000:8.0f} ms")


async def _run(where: Where) -> None:
    spool = open_spool(where, MasterKey(bytes(range(32))))
    try:
        await fill(spool)
        await asyncio.to_thread(ask, EventLog.over(spool.database.readers))
    finally:
        await spool.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        url = sys.argv[1] if len(sys.argv) > 1 else None
        asyncio.run(
            _run(Where(Path(folder) / "state", url, node="bench") if url else Where(Path(folder) / "state"))
        )
