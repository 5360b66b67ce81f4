"""What people do with an incident: correct it, note, hand in reports, close and reopen; who is reminded when; lists."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gateway.incidents import ageing
from gateway.incidents.contract import (
    NOTES,
    PAGE,
    Data,
    IncidentRefused,
    NoteKind,
    Report,
    UnknownIncident,
)
from gateway.incidents.door import Duty, Incidents
from gateway.spool.list_contract import Scope, Whose
from gateway.spool.notice import NoticeKind
from gateway.spool.sql import SqlSpool
from gateway.store.tx import Prepared, Queries
from gateway.store.where import Where
from tests.incidents.cases import (
    CLERK,
    LATER,
    OFFICER,
    OFFICIAL,
    WHOSE,
    account,
    left,
    letters,
    opened,
    ordering,
)
from tests.spool.conftest import MASTER, STORES
from tests.spool.sharing import events

DAY = timedelta(days=1)
ALL = Scope(everything=True)
TOKYO = ZoneInfo("Asia/Tokyo")


async def test_what_was_told_is_corrected_and_the_clocks_follow(
    spool: SqlSpool, incidents: Incidents, where: Where
) -> None:
    queue_id = await opened(spool, incidents)
    assert (await incidents.get(queue_id)).remind_at is None  # twelve names: nothing is due
    corrected = replace(account(1, persons=120), data=frozenset({Data.NAME, Data.SENSITIVE}))
    await incidents.amend(queue_id, corrected, OFFICIAL, LATER)
    found = await incidents.get(queue_id)
    assert replace(found.account, description="") == corrected
    assert found.account.description == "取り違えました"
    # known on 1 April: the 5th is the last day of the first report; two days before, in the morning
    assert found.remind_at == datetime(2026, 4, 3, 9, tzinfo=TOKYO)
    count = len(events(where, queue_id, MASTER))
    await incidents.amend(queue_id, corrected, OFFICIAL, LATER)
    assert len(events(where, queue_id, MASTER)) == count  # nothing new, no event


async def test_reminders_go_to_the_officer_once_each_and_end(spool: SqlSpool, incidents: Incidents) -> None:
    queue_id = await opened(spool, incidents, persons=101)
    moment, days = LATER, []
    while (due := (await incidents.get(queue_id)).remind_at) is not None:
        assert await incidents.remind_due(due - timedelta(seconds=1)) == 0
        moment = due
        days.append(due.astimezone(TOKYO).date().isoformat())
        assert await incidents.remind_due(moment) == 1
        assert await incidents.remind_due(moment) == 0
    assert days == ["2026-04-03", "2026-04-04", "2026-04-23", "2026-04-28", "2026-04-29"]
    written = await letters(spool, NoticeKind.INCIDENT_CLOCK)
    assert [notice.to for notice in written] == [OFFICER] * 5


async def test_a_report_that_was_handed_in_is_not_reminded_of(spool: SqlSpool, incidents: Incidents) -> None:
    queue_id = await opened(spool, incidents, persons=101)
    await incidents.handed_in(queue_id, Report.PRELIMINARY, OFFICIAL, LATER)
    await incidents.handed_in(queue_id, Report.PRELIMINARY, OFFICIAL, LATER + DAY)  # again: as it was
    found = await incidents.get(queue_id)
    assert found.reported == ((Report.PRELIMINARY, LATER),)
    assert found.remind_at == datetime(2026, 4, 23, 9, tzinfo=TOKYO)
    await incidents.handed_in(queue_id, Report.FINAL, OFFICIAL, LATER)
    assert (await incidents.get(queue_id)).remind_at is None


async def test_closed_is_quiet_and_reopened_runs_on(
    spool: SqlSpool, incidents: Incidents, where: Where
) -> None:
    queue_id = await opened(spool, incidents, persons=101)
    await incidents.close(queue_id, "全員の削除を確認", OFFICIAL, LATER + DAY)
    assert not (await incidents.get(queue_id)).open
    assert await incidents.remind_due(LATER + 90 * DAY) == 0
    for attempt in (
        incidents.note(queue_id, "x", CLERK, LATER),
        incidents.amend(queue_id, account(), CLERK, LATER),
        incidents.close(queue_id, "x", CLERK, LATER),
        incidents.handed_in(queue_id, Report.FINAL, CLERK, LATER),
    ):
        with pytest.raises(IncidentRefused, match="closed"):
            await attempt
    await incidents.reopen(queue_id, "別の宛先が判明", OFFICIAL, LATER + 2 * DAY)
    found = await incidents.get(queue_id)
    assert found.open
    assert found.remind_at == datetime(2026, 4, 4, 9, tzinfo=TOKYO)
    assert [note.kind for note in found.notes] == [NoteKind.DESCRIPTION, NoteKind.CLOSED, NoteKind.REOPENED]
    assert [kind for kind, _, _ in events(where, queue_id, MASTER)][-2:] == [
        "incident-closed",
        "incident-reopened",
    ]
    with pytest.raises(IncidentRefused, match="open"):
        await incidents.reopen(queue_id, "x", OFFICIAL, LATER)


async def test_notes_are_added_and_bounded(
    spool: SqlSpool, incidents: Incidents, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue_id = await opened(spool, incidents)
    await incidents.note(queue_id, "電話で\0連絡しました\ud800", CLERK, LATER)
    (_, note) = (await incidents.get(queue_id)).notes
    assert (note.text, note.writer) == ("電話で\ufffd連絡しました?", CLERK.name)
    monkeypatch.setattr("gateway.incidents.handling.NOTES", 3)
    await incidents.note(queue_id, "3", CLERK, LATER)
    with pytest.raises(IncidentRefused, match="too-many-notes"):
        await incidents.note(queue_id, "4", CLERK, LATER)
    assert len((await incidents.get(queue_id)).notes) == 3
    assert NOTES > 3


async def test_of_a_mail_without_an_incident_nothing_can_be_done(
    spool: SqlSpool, incidents: Incidents
) -> None:
    queue_id = await left(spool)
    for attempt in (
        incidents.note(queue_id, "x", CLERK, LATER),
        incidents.close(queue_id, "x", CLERK, LATER),
        incidents.amend(queue_id, account(), CLERK, LATER),
    ):
        with pytest.raises(UnknownIncident):
            await attempt


async def test_lists_show_what_a_scope_holds_page_by_page(
    spool: SqlSpool, incidents: Incidents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.incidents.listing.PAGE", 2)
    monkeypatch.setattr("gateway.incidents.listing.READ", 2)
    other = Whose(frozenset({"other@example.jp"}), "", frozenset({"library"}))
    ids = []
    for number in range(5):
        queue_id = await left(spool, gone=0)
        whose = other if number == 2 else WHOSE
        message = await spool.get(queue_id)
        await incidents.open(message, whose, account(), CLERK, LATER + number * timedelta(minutes=1))
        ids.append(queue_id)
    await incidents.close(ids[4], "x", OFFICIAL, LATER + DAY)
    seen, after = list[str](), ""
    while True:
        page = await incidents.page(Scope(groups=frozenset({"sports"})), after)
        seen += [line.queue_id for line in page.lines]
        after = page.after
        if not after:
            break
    assert seen == [ids[4], ids[3], ids[1], ids[0]]
    everything = await incidents.page(ALL)
    assert everything.lines[0].subject == "教室のお知らせ"
    assert [line.queue_id for line in everything.lines] == [ids[4], ids[3]]
    assert [line.open for line in everything.lines] == [False, True]
    only_open = await incidents.page(ALL, only_open=True)
    assert [line.queue_id for line in only_open.lines] == [ids[3], ids[2]]
    assert (await incidents.page(Scope())).lines == ()
    for forged in ("x", "1", "1-'", "٣-A", f"{'9' * 30}-A"):
        with pytest.raises(ValueError, match="ours"):
            await incidents.page(ALL, forged)
    assert PAGE > 2


async def test_without_an_officer_nobody_is_written_to(spool: SqlSpool) -> None:
    alone = Incidents(spool.database, Duty(), ordering)
    queue_id = await opened(spool, alone, persons=101)
    due = (await alone.get(queue_id)).remind_at
    assert due is not None
    assert await alone.remind_due(due) == 0
    assert await alone.remind_due(due) == 0


async def test_a_text_whose_key_is_gone_is_none(spool: SqlSpool, incidents: Incidents) -> None:
    queue_id = await opened(spool, incidents)
    spool.database.adopt(MASTER.successor().alone())
    found = await incidents.get(queue_id)
    assert found.notes[0].text is None
    assert found.account.description == ""


@pytest.mark.parametrize("where", STORES[:1], indirect=True)
async def test_what_looks_every_minute_walks_no_table(spool: SqlSpool) -> None:
    def plan(statement: Prepared) -> str:
        def read(queries: Queries) -> str:
            sql, own = statement.compiled(queries.connection.dialect)
            told = {**own, "b_now": 1}
            return str(queries.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", told).all())

        return spool.database.readers.read(read)

    assert "ix_incidents_remind" in plan(ageing._ANY)
    assert "ix_deletion_requests_remind" in plan(ageing._ANY_REQUEST)
