"""One press: the mail is taken back, letters wait, the incident is there; all of it or nothing, once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from gateway.incidents import opening
from gateway.incidents.contract import Data, NoteKind, Organisation, UnknownIncident, What
from gateway.incidents.door import Incidents
from gateway.spool.contract import StoreUnavailable, UnknownMessage
from gateway.spool.lifecycle import State
from gateway.spool.notice import NoticeKind
from gateway.spool.sql import SqlSpool
from gateway.store.where import Where
from tests.incidents.cases import CLERK, LATER, OFFICER, OFFICIAL, WARD, WHOSE, account, left, letters, opened
from tests.spool.conftest import MASTER
from tests.spool.mails import SENDER, T0
from tests.spool.sharing import events


async def test_one_press_stops_tells_and_opens(spool: SqlSpool, incidents: Incidents, where: Where) -> None:
    queue_id = await opened(spool, incidents)
    found = await incidents.get(queue_id)
    assert (found.opener, found.open, found.organisation) == (CLERK, True, Organisation.LOCAL_GOVERNMENT)
    assert found.taken.stopped == (0,)
    assert found.taken.gone == (1, 2)
    assert found.whose == WHOSE
    assert found.account == account(description="取り違えました")
    assert [(note.kind, note.text) for note in found.notes] == [(NoteKind.DESCRIPTION, "取り違えました")]
    states = [row.state for row in (await spool.get(queue_id)).recipients]
    assert states == [State.CANCELLED, State.DELIVERED, State.DELIVERED]
    assert [notice.to for notice in await letters(spool, NoticeKind.INCIDENT)] == sorted([OFFICER, WARD])
    kinds = [kind for kind, _, _ in events(where, queue_id, MASTER)]
    assert kinds[-3:] == ["incident-opened", "cancelled", "taken-back"]


async def test_only_whom_it_names_is_stopped(spool: SqlSpool, incidents: Incidents) -> None:
    queue_id = await left(spool, held=2, gone=1)
    await incidents.open(await spool.get(queue_id), WHOSE, account(1), CLERK, LATER)
    states = [row.state for row in (await spool.get(queue_id)).recipients]
    assert states == [State.HELD, State.CANCELLED, State.DELIVERED]
    found = await incidents.get(queue_id)
    assert (found.taken.stopped, found.account.wrong) == ((1,), (1,))


async def test_the_sender_is_told_where_the_ordering_body_presses(
    spool: SqlSpool, incidents: Incidents, where: Where
) -> None:
    queue_id = await left(spool)
    await incidents.open(await spool.get(queue_id), WHOSE, account(), OFFICIAL, LATER)
    told = {notice.to for notice in await letters(spool, NoticeKind.INCIDENT)}
    assert told == {OFFICER, WARD, str(SENDER)}
    assert ("taken-back", "by-ordering-body", "0-2") in events(where, queue_id, MASTER)


async def test_a_second_press_changes_nothing(spool: SqlSpool, incidents: Incidents, where: Where) -> None:
    queue_id = await opened(spool, incidents)
    before = events(where, queue_id, MASTER)
    message = await spool.get(queue_id)
    again = account(1, persons=9_999, description="another story")
    assert not await incidents.open(message, WHOSE, again, OFFICIAL, LATER + timedelta(minutes=1))
    assert (await incidents.get(queue_id)).account == account(description="取り違えました")
    assert events(where, queue_id, MASTER) == before
    assert len(await letters(spool, NoticeKind.INCIDENT)) == 2


async def test_two_people_at_one_moment_open_one(spool: SqlSpool, incidents: Incidents) -> None:
    queue_id = await left(spool)
    message = await spool.get(queue_id)
    press = [incidents.open(message, WHOSE, account(), actor, LATER) for actor in (CLERK, OFFICIAL, CLERK)]
    assert sorted(await asyncio.gather(*press)) == [False, False, True]
    assert len(await letters(spool, NoticeKind.INCIDENT)) in (2, 3)  # three where the ordering body was first


async def test_a_crash_leaves_nothing_of_it(
    spool: SqlSpool, incidents: Incidents, monkeypatch: pytest.MonkeyPatch, where: Where
) -> None:
    """The letters are written last: where that fails, nothing was taken back and no incident is there."""
    queue_id = await left(spool)
    message = await spool.get(queue_id)
    before = events(where, queue_id, MASTER)

    def die(*_: object) -> object:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(opening, "notice_row", die)
        with pytest.raises((MemoryError, StoreUnavailable)):
            await incidents.open(message, WHOSE, account(), CLERK, LATER)
    assert await incidents.find(queue_id) is None
    assert (await spool.get(queue_id)).recipients[0].state is State.HELD
    assert events(where, queue_id, MASTER) == before
    assert await incidents.open(message, WHOSE, account(), CLERK, LATER)


async def test_a_mail_that_is_gone_has_no_incident(spool: SqlSpool, incidents: Incidents) -> None:
    message = await spool.get(await left(spool, held=0))
    await spool.ageing.purge(LATER + timedelta(days=9), timedelta(days=1), timedelta(days=1), 10)
    with pytest.raises(UnknownMessage):
        await incidents.open(message, WHOSE, account(), CLERK, LATER)
    with pytest.raises(UnknownIncident):
        await incidents.get(message.queue_id)


async def test_what_people_wrote_lies_wrapped_and_not_in_the_log(
    spool: SqlSpool, incidents: Incidents, where: Where
) -> None:
    queue_id = await opened(spool, incidents)
    rows = await spool.database.readers.run(
        lambda q: q.connection.exec_driver_sql("SELECT wrapped FROM incident_notes").all()
    )
    assert rows
    assert all("取り違え".encode() not in bytes(row[0]) for row in rows)
    detail = await spool.database.readers.run(
        lambda q: q.connection.exec_driver_sql(
            f"SELECT detail FROM events WHERE queue_id = '{queue_id}'"
        ).all()
    )
    assert all("取り違え" not in row[0] for row in detail)
    assert sum('"data":["mail-address","name"]' in row[0] for row in detail) == 1


async def test_while_it_is_open_the_body_stays_and_the_records_longer(
    spool: SqlSpool, incidents: Incidents
) -> None:
    day = timedelta(days=1)
    queue_id = await opened(spool, incidents)
    await spool.ageing.purge(T0 + 400 * day, 7 * day, 366 * day, 100)
    assert await spool.raw(queue_id)
    await incidents.close(queue_id, "終わりました", OFFICIAL, T0 + 401 * day)
    await spool.ageing.purge(T0 + 402 * day, 7 * day, 366 * day, 100)
    assert (await spool.get(queue_id)).queue_id == queue_id  # the record is there as long as the incident
    assert await incidents.purge(T0 + 500 * day, 366 * day) == 0
    assert await incidents.purge(T0 + 800 * day, 366 * day) == 1
    assert await incidents.find(queue_id) is None
    await spool.notices.finish(await spool.notices.pending(100), None)
    await spool.ageing.purge(T0 + 801 * day, 7 * day, 366 * day, 100)
    with pytest.raises(UnknownMessage):
        await spool.get(queue_id)


def test_words_from_closed_lists_fit_their_column() -> None:
    assert all("," not in each for each in (*Data, *What))
