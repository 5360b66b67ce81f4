"""Lists of 100,000 held mails: `python -m tests.bench.lists [mails] [url] [--plans]` prints every figure, and the plans.

The store is filled through the spool's own rows, as `million` does. A list, a search that finds nearly nothing, the next page,
the count and one person's own mail are asked for again and again; a verb for many mails is done in calls of 200.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from gateway.acting.acting import Acting
from gateway.acting.bulk import Bulk
from gateway.acting.wish import Sum, Verb, Wish
from gateway.message.address import Address
from gateway.message.envelope import Client, Envelope
from gateway.people.contract import Grant, Person, Role
from gateway.people.sight import Act, scope_of
from gateway.policy.decision import Decision, Outcome
from gateway.policy.demands import Demands, Form
from gateway.spool.accepting import acceptance
from gateway.spool.list_conditions import conditions
from gateway.spool.list_contract import HeldQuestion, Order, Scope, Waits
from gateway.spool.lists import _lines
from gateway.spool.queue_ids import QueueIds
from gateway.spool.sql import SqlSpool, open_spool
from gateway.spool.values import NewMessage
from gateway.store.keys import MasterKey
from gateway.store.tx import Tx
from gateway.store.where import Where
from tests.bench.figures import OURS, Absent, Sample
from tests.bench.task import Load

MAILS, AT_ONCE, ASKED = 100_000, 1_000, 21
SENDERS, GROUPS = 1_000, 50
WINDOW = timedelta(days=3)
RAW = b"From: office@sports.example.jp\r\nSubject: held\r\n\r\nhello\r\n"
ALL = Scope(everything=True)
MASTER = MasterKey(bytes(range(32)))


def lists(load: Load) -> Iterator[Sample | Absent]:
    """Yield medians of what people wait for, at 100,000 held mails."""
    found = run(load.count(MAILS, least=1_000), Load(load.scale).count(400, least=50))
    for name in ("list", "search", "next", "own", "count"):
        yield Sample(f"lists-{name}", OURS, found[name])
    yield Sample("lists-bulk", OURS, found["bulk"])


def run(mails: int, verbs: int, url: str = "", *, plans: bool = False) -> dict[str, float]:
    """Fill a store and ask; times in ms, `bulk` in mails/s."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        return asyncio.run(_measured(Where(Path(name), url, node="gw1" if url else ""), mails, verbs, plans))


async def _measured(where: Where, mails: int, verbs: int, plans: bool) -> dict[str, float]:
    spool = open_spool(where, MASTER, serve=True)
    try:
        await _fill(spool, mails)
        found = {name: await _median(spool, question) for name, question in _questions(await _last(spool))}
        found["count"] = await _time(lambda: spool.lists.counted(HeldQuestion(ALL, words="member 7")))
        if plans:
            await _explain(spool)
        found["bulk"] = await _many(spool, verbs)
        return found
    finally:
        await spool.close()


def _questions(after: str) -> list[tuple[str, HeldQuestion]]:
    own = Person("c7", "c7", ("s7@sports.example.jp",), (Grant(Role.SENDER),))
    team = Person("c8", "c8", (), (Grant(Role.SENDER, "group 7"),))
    return [
        ("list", HeldQuestion(ALL)),
        ("next", HeldQuestion(ALL, after=after)),
        ("search", HeldQuestion(ALL, words="tennis 99999 r99999@example.com")),
        ("search often", HeldQuestion(ALL, words="tennis")),
        ("recipient", HeldQuestion(ALL, recipient="r77777@")),
        ("due", HeldQuestion(ALL, order=Order.DUE, descending=False)),
        ("sender", HeldQuestion(ALL, order=Order.SENDER, descending=False)),
        ("approval", HeldQuestion(ALL, waits=Waits.APPROVAL)),
        ("own", HeldQuestion(scope_of(own, Act.SEE))),
        ("team", HeldQuestion(scope_of(team, Act.SEE))),
    ]


async def _last(spool: SqlSpool) -> str:
    return (await spool.lists.held(HeldQuestion(ALL))).after


async def _median(spool: SqlSpool, question: HeldQuestion) -> float:
    return await _time(lambda: spool.lists.held(question))


async def _time(ask: Callable[[], Awaitable[object]]) -> float:
    times = []
    for _ in range(ASKED):
        began = time.perf_counter()
        await ask()
        times.append((time.perf_counter() - began) * 1e3)
    return statistics.median(times)


async def _many(spool: SqlSpool, mails: int) -> float:
    """Return how many mails a second an administrator freezes in one go, counts and previews among it."""
    root = Person("root", "root", (), (Grant(Role.ADMIN),))
    bulk = Bulk(Acting(spool, lambda: datetime.now(UTC)))
    question = HeldQuestion(ALL, words="member 1")
    seen = await bulk.preview(root, Wish(Verb.FREEZE, question=question))
    total, after, began = Sum(), "", time.perf_counter()
    while total.mails < min(mails, seen.mails):
        part = await bulk.perform(root, seen.wish, seen.mails, after)
        total, after = total + part, part.after
        if not after:
            break
    return total.mails / (time.perf_counter() - began)


async def _explain(spool: SqlSpool) -> None:
    """Print how the database answers each question."""
    for name, question in _questions(""):
        rows = await spool.database.readers.run(lambda queries, q=question: _plan(queries.connection, q))  # type: ignore[misc]
        print(f"-- {name}", *rows, sep="\n")


def _plan(connection: sa.Connection, question: HeldQuestion) -> list[str]:
    dialect = connection.dialect
    statement = _lines(question, conditions(question, dialect.name) or [], None)
    sql = str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    explain = (
        "EXPLAIN QUERY PLAN " if dialect.name == "sqlite" else "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) "
    )
    found = connection.exec_driver_sql(
        explain + sql.replace("%", "%%") if dialect.name != "sqlite" else explain + sql
    )
    return [str(row[-1]) for row in found.all()]


async def _fill(spool: SqlSpool, mails: int) -> None:
    ids, at = QueueIds(), datetime.now(UTC) - timedelta(hours=1)
    for first in range(0, mails, AT_ONCE):
        made = [_mail(number, at) for number in range(first, min(first + AT_ONCE, mails))]
        await spool.database.committer.run(_writing(spool, ids, made))


def _mail(number: int, at: datetime) -> NewMessage:
    demands = Demands(window=WINDOW + timedelta(seconds=number * 7919 % 3600), form=Form.BCC)
    decision = Decision("bench", (Outcome(True, demands, rules=("window",)),), (0, 0))
    people = tuple([Address(f"r{number + each}", "example.com") for each in range(2)])
    sender = Address(f"s{number % SENDERS}", "sports.example.jp")
    envelope = Envelope(sender, people, Client("192.0.2.1", "pc", f"c{number % SENDERS}", True))
    new = NewMessage(
        envelope, RAW, decision, at + timedelta(milliseconds=number), f"Tennis {number} 教室 member {number}"
    )
    return replace(new, groups=(f"group {number % GROUPS}",))


def _writing(spool: SqlSpool, ids: QueueIds, made: list[NewMessage]) -> Callable[[Tx], None]:
    def job(tx: Tx) -> None:
        for mail in made:
            queue_id = ids.new(mail.received_at)
            acceptance(queue_id, mail).write(tx, spool.database.bodies.seal(mail.raw, queue_id))

    return job


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    counted = int(words[0]) if words else MAILS
    told = run(counted, 2_000, words[1] if len(words) > 1 else "", plans="--plans" in sys.argv)
    for key, value in told.items():
        print(f"{key:14} {value:10.1f}")
