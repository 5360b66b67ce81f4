"""Whose turn it is: a claim against the plain statement of the rule, on rows in every order."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.spool import due
from gateway.spool.due import STEPS, take
from gateway.spool.lifecycle import State

Row = tuple[int, str, int]
"""Due at, queue id, index."""


@dataclass
class Table:
    """Answers the one statement as an index does."""

    rows_there: list[Row]
    read: list[int] = field(default_factory=list)

    def rows(self, _: object, asked: dict[str, Any]) -> list[tuple[Any, ...]]:
        place = (asked["b_due_at"], asked["b_queue_id"], asked["b_idx"])
        found = [row for row in sorted(self.rows_there) if row[0] <= asked["b_now"] and row > place]
        found = found[: asked["b_limit"]]
        self.read.append(len(found))
        return [(mail, idx, State.QUEUED, at, at, at, 0, "", None, None, None, 0) for at, mail, idx in found]


def plainly(rows: list[Row], now: int, limit: int, share: int, crowded: set[str]) -> list[Row]:
    counts: Counter[str] = Counter()
    chosen: list[Row] = []
    for row in sorted(rows):
        if row[0] <= now and row[1] not in crowded and counts[row[1]] < share and len(chosen) < limit:
            counts[row[1]] += 1
            chosen.append(row)
    return chosen


_KEYS = st.tuples(st.sampled_from("ABCD"), st.integers(0, 30))
_TABLES = st.dictionaries(_KEYS, st.integers(0, 5), max_size=80)


@given(_TABLES, st.integers(0, 6), st.integers(1, 40), st.integers(1, 10), st.sets(st.sampled_from("ABC")))
def test_a_claim_takes_what_the_rule_says(
    table: dict[tuple[str, int], int], now: int, limit: int, share: int, crowded: set[str]
) -> None:
    rows = [(at, mail, idx) for (mail, idx), at in table.items()]
    groups = take(Table(rows), now, limit, share, crowded)  # type: ignore[arg-type]
    taken = [(row.due_at, row.queue_id, row.idx) for _, group in groups for row in group]
    assert sorted(taken) == plainly(rows, now, limit, share, crowded)
    assert all(row.queue_id == queue_id for queue_id, group in groups for row in group)


def test_a_huge_mail_is_stepped_over_not_read() -> None:
    table = Table([(5, "huge", idx) for idx in range(40_000)] + [(5, "late", 0), (6, "later", 0)])
    groups = take(table, 10, 500, 60, ())  # type: ignore[arg-type]
    assert [(queue_id, len(rows)) for queue_id, rows in groups] == [("huge", 60), ("late", 1), ("later", 1)]
    assert sum(table.read) <= 130


def test_a_mail_due_at_ten_thousand_moments_is_passed_in_a_few_reads() -> None:
    table = Table([(at, "huge", at) for at in range(10_000)] + [(10_000, "late", 0)])
    for limit in (1, 500, due.LONGEST):
        table.read.clear()
        groups = take(table, 20_000, limit, 60, {"huge"})  # type: ignore[arg-type]
        assert [queue_id for queue_id, _ in groups] == ["late"]
        assert len(table.read) <= 20 < STEPS
