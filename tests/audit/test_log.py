"""Questions to the event log, and what is written for other programs."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from gateway.audit.entries import Question
from gateway.audit.export import BOM, COLUMNS, harmless, to_csv, to_json_lines
from gateway.audit.log import EventLog
from gateway.store.errors import StoreUnavailable
from gateway.store.events import digest
from tests.spool.mails import MINUTE, T0, WINDOW

SENDER = "clerk@sports.example.jp"
FIRST = [2, 3, 5, 6, 7]

QUESTIONS = [
    (Question(), [1, 2, 3, 4, 5, 6, 7]),
    (Question(sender=SENDER), FIRST),
    (Question(sender=SENDER.upper()), FIRST),
    (Question(sender="r0@example.com"), []),
    (Question(sender="clerk@sports_example.jp"), []),
    (Question(recipient="r1@example.com"), FIRST),
    (Question(recipient="r0@example.com"), [2, 3, 4, 5, 6, 7]),
    (Question(recipient=SENDER), []),
    (Question(subject="休館"), [4]),
    (Question(subject="100%"), FIRST),
    (Question(subject="city.example"), []),
    (Question(kinds=("accepted",)), [2, 4]),
    (Question(kinds=("accepted", "cancelled"), sender=SENDER), [2, 3]),
    (Question(reasons=("by-sender",)), [3]),
    (Question(since=T0 + MINUTE, until=T0 + WINDOW), [3, 4]),
    (Question(after=5), [6, 7]),
    (Question(limit=2), [1, 2]),
    (Question(limit=2, after=2), [3, 4]),
]


@pytest.mark.parametrize(("question", "expected"), QUESTIONS)
def test_questions(state: Path, history: tuple[str, str], question: Question, expected: list[int]) -> None:
    with EventLog(state) as log:
        assert [entry.seq for entry in log.query(question)] == expected


def test_the_events_of_one_mail_tell_its_way(state: Path, history: tuple[str, str]) -> None:
    with EventLog(state) as log:
        entries = log.query(Question(queue_id=history[0]))
    told = [(e.kind, e.reason, e.actor_kind, e.recipients) for e in entries]
    assert told == [
        ("accepted", "policy", "sender", "0-1"),
        ("cancelled", "by-sender", "sender", "0"),
        ("released", "window-over", "system", "1"),
        ("attempt", "system", "system", "1"),
        ("delivered", "remote-reply", "system", "1"),
    ]
    accepted, last = entries[0].detail, entries[-1].detail
    assert accepted["sender"] == SENDER
    assert accepted["recipients"] == ["r0@example.com", "r1@example.com"]
    assert (accepted["account"], accepted["client"], accepted["policy"]) == ("clerk", "127.0.0.1", "d1")
    assert last == {"next_hop": "mx.example.com", "reply": "250 2.0.0 ok", "enhanced": "2.0.0"}


def test_streaming_goes_through_pages(state: Path, history: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.audit.log.PAGE", 2)
    with EventLog(state) as log:
        assert [entry.seq for entry in log.stream(Question())] == [1, 2, 3, 4, 5, 6, 7]


def test_there_is_no_log_without_a_database(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="no database"):
        EventLog(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_csv_opens_in_excel_and_computes_nothing(state: Path, history: object) -> None:
    with EventLog(state) as log:
        text = "".join(to_csv(log.stream(Question())))
    assert text.startswith(BOM)
    rows = list(csv.DictReader(io.StringIO(text.removeprefix(BOM))))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 7
    assert rows[1]["subject"].startswith("'=HYPERLINK")
    assert rows[1]["recipients"] == "'0-1"


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@x", "\t=1", " =1", "\r=1", "0-29,31", "1,2"])
def test_cells_that_a_spreadsheet_would_compute(cell: str) -> None:
    assert harmless(cell) == "'" + cell


@pytest.mark.parametrize("cell", ["", "12", "件名", "a=b", "x@example.jp", "2 件"])
def test_cells_that_stay_as_they_are(cell: str) -> None:
    assert harmless(cell) == cell


def test_json_lines_hold_all_that_the_hash_covers(state: Path, history: object) -> None:
    with EventLog(state) as log:
        lines = [json.loads(line) for line in to_json_lines(log.stream(Question()))]
        rows = log.rows_after(0)
    for line, row in zip(lines, rows, strict=True):
        actor, detail = (
            line["actor"],
            json.dumps(line["detail"], ensure_ascii=False, sort_keys=True, separators=(",", ":")),
        )
        columns = (
            line["seq"],
            row[1],
            line["queue_id"],
            line["kind"],
            line["reason"],
            actor["kind"],
            actor["name"],
        )
        made = digest(bytes.fromhex(line["prev"]), (*columns, line["recipients"], detail))
        assert made.hex() == line["hash"]
