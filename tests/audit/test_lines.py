"""The list of the log: what is asked is found, once, newest first, and nobody finds mail outside their scope. Both stores."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.audit import lines as listing
from gateway.audit.entries import Question
from gateway.audit.fitting import fits
from gateway.audit.lines import all_lines, lines, read_place
from gateway.audit.log import EventLog
from gateway.spool.list_contract import Scope
from gateway.spool.sql import SqlSpool
from tests.audit.writing import came, later, write
from tests.thoroughness import examples

HISTORY = [
    came(
        "A", 1_000, to=("Tanaka@example.com", "b@example.net"), rules=("hold",), subject="テニス教室 Tennis"
    ),
    came("B", 2_000, sender="boss@pool.example.jp", groups=("pool",), account="boss"),
    came("C", 3_000, groups=None, subject='"groups":["sports"]'),
    later("A", 4_000, "cancelled", "suzuki"),
    later(None, 5_000, "policy"),
    came("", 6_000, kind="refused", groups=("pool", "sports"), rules=("sports",)),
    came("D", 6_000, groups=("pool",), rules=("sports",), to=("sports@example.com",)),
]
EVERYTHING = ["D", None, None, "C", "B", "A"]


def found(log: EventLog, question: Question) -> list[str | None]:
    return [line.queue_id for line in lines(log, question).lines]


QUESTIONS: list[tuple[Question, list[str | None]]] = [
    (Question(), EVERYTHING),
    (Question(sender="CLERK@sports.example.jp"), [None, "D", "C", "A"]),
    (Question(sender="@pool.example.jp"), ["B"]),
    (Question(recipient="tanaka@EXAMPLE.com"), ["A"]),
    (Question(recipient="@example.net"), ["A"]),
    (Question(recipient="boss@pool.example.jp"), []),
    (Question(subject="tennis"), ["A"]),
    (Question(subject="教室"), ["A"]),
    (Question(group="sports"), [None, "A"]),
    (Question(group="pool"), ["D", None, "B"]),
    (Question(rule="hold"), ["A"]),
    (Question(rule="sports"), ["D", None]),
    (Question(actor="SUZU"), ["A"]),
    (Question(kinds=("cancelled",)), ["A"]),
    (Question(kinds=("policy", "cancelled")), [None, "A"]),
    (Question(kinds=("cancelled",), actor="tanaka"), []),
    (Question(queue_id="B"), ["B"]),
    (Question(until=datetime(1970, 1, 1, 0, 0, 0, 3_000, tzinfo=UTC)), ["B", "A"]),
    (Question(since=datetime(1970, 1, 1, 0, 0, 0, 6_000, tzinfo=UTC)), ["D", None]),
    (Question(scope=Scope()), []),
    (Question(scope=Scope(groups=frozenset({"sports"}))), [None, "A"]),
    (Question(scope=Scope(groups=frozenset({"sports"})), group="pool"), [None]),
    (Question(scope=Scope(groups=frozenset({"spor"}))), []),
    (Question(scope=Scope(logins=frozenset({"boss"}))), ["B"]),
    (Question(scope=Scope(addresses=frozenset({"boss@pool.example.jp"}))), ["B"]),
]


async def test_finds_the_mails_that_are_asked_for(spool: SqlSpool) -> None:
    await write(spool, HISTORY)
    log = EventLog.over(spool.database.readers)
    for question, expected in QUESTIONS:
        assert sorted(await asyncio.to_thread(found, log, question), key=str) == sorted(expected, key=str), (
            question
        )


async def test_pages_show_every_line_once(spool: SqlSpool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a page ends within events of one time, or the search stops before it found enough."""
    monkeypatch.setattr(listing, "CHUNK", 2)
    monkeypatch.setattr(listing, "MOST_EXAMINED", 4)
    await write(spool, HISTORY)
    log = EventLog.over(spool.database.readers)
    seen, after, stopped = list[int](), "", 0
    while True:
        page = await asyncio.to_thread(lines, log, Question(limit=1, rule="hold"), after)
        seen += [line.seq for line in page.lines]
        stopped += page.searched_to is not None
        if not page.after:
            break
        after = page.after
    assert (seen, stopped) == ([1], 1)
    everything = await asyncio.to_thread(lambda: [line.seq for line in all_lines(log, Question())])
    assert everything == [7, 6, 5, 3, 2, 1]


@pytest.mark.parametrize("text", ["x", "1.2", "1.x.", "-1.2.", "1.²." + "n", "9" * 40 + ".1.n"])
def test_a_place_that_is_none_of_ours_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_place(text)


NAMES = st.sampled_from(["sports", "pool", "hall"])


@given(
    mails=st.lists(st.tuples(st.none() | st.lists(NAMES, max_size=2, unique=True), NAMES, NAMES), max_size=8),
    groups=st.frozensets(NAMES),
)
@settings(max_examples=examples(60), deadline=None)
def test_an_ordering_body_never_sees_a_mail_of_another_group(
    mails: list[tuple[list[str] | None, str, str]], groups: frozenset[str]
) -> None:
    """Whatever its subject or its rules are called; and it sees all of its own."""
    scope = Scope(groups=groups)
    events = [
        came(str(number), number, groups=of, subject=f'"groups":["{subject}"]', rules=(rule,))
        for number, (of, subject, rule) in enumerate(mails)
    ]
    shown = {event.queue_id for event in events if fits(event.detail or {}, Question(scope=scope))}
    own = {str(number) for number, (of, _, _) in enumerate(mails) if groups & {*(of or ())}}
    assert shown == own


async def test_events_of_other_groups_are_in_no_export(spool: SqlSpool) -> None:
    await write(spool, [*HISTORY, later("B", 7_000, "cancelled", "suzuki"), later("A", 8_000, "purged")])
    log = EventLog.over(spool.database.readers)
    question = Question(scope=Scope(groups=frozenset({"sports"})))
    entries = await asyncio.to_thread(lambda: list(log.stream(question)))
    assert [entry.seq for entry in entries] == [1, 4, 6, 9]
    limited = await asyncio.to_thread(log.query, replace(question, limit=2))
    assert [entry.seq for entry in limited] == [1, 4]
