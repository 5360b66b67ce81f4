"""Requests to delete: who is asked, once; the answers; reminders, bounded."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.incidents.asking import REMINDER
from gateway.incidents.contract import REMINDERS, Answer, Asking, IncidentRefused
from gateway.incidents.door import Incidents
from gateway.spool.lifecycle import Reason, State
from gateway.spool.notice import NoticeKind
from gateway.spool.sql import SqlSpool
from gateway.store.schema import messages
from gateway.store.tx import Tx
from gateway.store.where import Where
from tests.incidents.cases import CLERK, LATER, OFFICIAL, WHOSE, account, letters, opened, several
from tests.spool.conftest import MASTER
from tests.spool.mails import LEASE, T0, unanswered
from tests.spool.sharing import copied_to, events

DAY = timedelta(days=1)


async def test_each_gets_a_letter_of_their_own_and_nobody_twice(
    spool: SqlSpool, incidents: Incidents, where: Where
) -> None:
    queue_id = await opened(spool, incidents, gone=3)  # 0 was stopped, 1 to 3 have it
    asked = await incidents.ask(queue_id, Asking((0, 1, 2, 99, -1)), OFFICIAL, LATER)
    assert asked == (1, 2)
    written = await letters(spool, NoticeKind.DELETION)
    assert [(notice.to, notice.recipients, notice.actor) for notice in written] == [
        ("r1@example.com", (1,), ""),
        ("r2@example.com", (2,), ""),
    ]
    assert await incidents.ask(queue_id, Asking((1, 2, 3)), OFFICIAL, LATER) == (3,)
    with pytest.raises(IncidentRefused, match="nobody"):
        await incidents.ask(queue_id, Asking((0, 1, 2, 3)), OFFICIAL, LATER)
    told = [each for each in events(where, queue_id, MASTER) if each[0] == "deletion-asked"]
    assert told == [
        ("deletion-asked", "by-ordering-body", "1-2"),
        ("deletion-asked", "by-ordering-body", "3"),
    ]


async def test_who_may_have_it_is_asked_and_a_copy_never(spool: SqlSpool, incidents: Incidents) -> None:
    queue_id = await spool.accept(copied_to(several(1, 2)))
    (claim,) = await spool.claim(T0, 10, LEASE)
    await spool.record(claim, [unanswered(row.index, T0 + DAY) for row in claim.message.recipients], T0)
    await incidents.open(await spool.get(queue_id), WHOSE, account(), CLERK, LATER)
    assert (await spool.get(queue_id)).recipients[1].state is State.CANCELLED
    assert await incidents.ask(queue_id, Asking((0, 1, 2)), CLERK, LATER) == (1,)


async def test_answers_are_kept_and_may_be_corrected_once(
    spool: SqlSpool, incidents: Incidents, where: Where
) -> None:
    queue_id = await opened(spool, incidents)
    await incidents.ask(queue_id, Asking((1,), "ご迷惑をおかけします", DAY), OFFICIAL, LATER)
    assert not await incidents.answer(queue_id, 2, Answer.DELETED, "", LATER)  # never asked
    assert await incidents.answer(queue_id, 1, Answer.NOT_OPENED, "見ていません", LATER + DAY)
    assert await incidents.answer(queue_id, 1, Answer.DELETED, "", LATER + 2 * DAY)
    with pytest.raises(IncidentRefused, match="answered-twice"):
        await incidents.answer(queue_id, 1, Answer.NOT_OPENED, "", LATER + 2 * DAY)
    found = (await incidents.get(queue_id)).request(1)
    assert found is not None
    assert (found.answer, found.answered_at, found.answers) == (Answer.DELETED, LATER + 2 * DAY, 2)
    assert (found.comment, found.remind_at) == (None, None)
    assert await incidents.request(queue_id, 1) == found
    assert await incidents.request(queue_id, 2) is None
    assert (await incidents.get(queue_id)).note(found.letter) == "ご迷惑をおかけします"
    told = [each for each in events(where, queue_id, MASTER) if each[0] == "deletion-answered"]
    assert told == [("deletion-answered", Reason.BY_RECIPIENT, "1")] * 2


async def test_a_comment_lies_wrapped(spool: SqlSpool, incidents: Incidents) -> None:
    queue_id = await opened(spool, incidents)
    await incidents.ask(queue_id, Asking((1,)), CLERK, LATER)
    await incidents.answer(queue_id, 1, Answer.DELETED, "家族も見ていません", LATER)
    found = await incidents.request(queue_id, 1)
    assert found is not None
    assert found.comment == "家族も見ていません"
    rows = await spool.database.readers.run(
        lambda q: q.connection.exec_driver_sql("SELECT wrapped_comment FROM deletion_requests").all()
    )
    assert "家族".encode() not in bytes(rows[0][0])


async def test_reminders_by_a_press_end_after_two(spool: SqlSpool, incidents: Incidents) -> None:
    queue_id = await opened(spool, incidents)
    await incidents.ask(queue_id, Asking((1, 2)), CLERK, LATER)
    await incidents.answer(queue_id, 2, Answer.DELETED, "", LATER)
    for _ in range(REMINDERS):
        assert await incidents.remind(queue_id, (1, 2), CLERK, LATER + DAY) == (1,)
    with pytest.raises(IncidentRefused, match="nobody"):
        await incidents.remind(queue_id, (1, 2), CLERK, LATER + DAY)
    written = await letters(spool, NoticeKind.DELETION)
    assert [(n.recipients, n.actor) for n in written[2:]] == [((1,), REMINDER)] * REMINDERS


async def test_reminders_by_schedule_end_after_two_or_an_answer_or_the_end(
    spool: SqlSpool, incidents: Incidents, where: Where
) -> None:
    queue_id = await opened(spool, incidents, gone=3)
    await incidents.ask(queue_id, Asking((1, 2), every=3 * DAY), CLERK, LATER)
    assert await incidents.remind_due(LATER + 2 * DAY) == 0
    await incidents.answer(queue_id, 2, Answer.DELETED, "", LATER + 2 * DAY)
    assert await incidents.remind_due(LATER + 3 * DAY) == 1
    assert await incidents.remind_due(LATER + 3 * DAY) == 0
    assert await incidents.remind_due(LATER + 6 * DAY) == 1
    assert await incidents.remind_due(LATER + 90 * DAY) == 0
    assert ("deletion-reminded", "system", "1") in events(where, queue_id, MASTER)
    await incidents.ask(queue_id, Asking((3,), every=3 * DAY), CLERK, LATER)
    await incidents.close(queue_id, "電話で確認", OFFICIAL, LATER)
    assert await incidents.remind_due(LATER + 90 * DAY) == 0
    with pytest.raises(IncidentRefused, match="closed"):
        await incidents.remind(queue_id, (3,), CLERK, LATER)
    assert await incidents.answer(queue_id, 3, Answer.DELETED, "", LATER)  # late is better than never


async def test_a_mail_that_is_lost_reminds_nobody(spool: SqlSpool, incidents: Incidents) -> None:
    queue_id = await opened(spool, incidents, persons=101)
    await incidents.ask(queue_id, Asking((1,), every=3 * DAY), CLERK, LATER)
    await spool.notices.finish(await spool.notices.pending(100), None)

    def lose(tx: Tx) -> None:
        tx.connection.execute(messages.delete().where(messages.c.queue_id == queue_id))

    await spool.database.committer.run(lose)
    assert await incidents.remind_due(LATER + 30 * DAY) == 0
    assert await incidents.remind_due(LATER + 30 * DAY) == 0
    with pytest.raises(IncidentRefused, match="no-mail"):
        await incidents.ask(queue_id, Asking((2,)), CLERK, LATER)


async def test_only_an_open_incident_asks(spool: SqlSpool, incidents: Incidents) -> None:
    queue_id = await opened(spool, incidents)
    await incidents.close(queue_id, "x", OFFICIAL, LATER)
    with pytest.raises(IncidentRefused, match="closed"):
        await incidents.ask(queue_id, Asking((1,)), CLERK, LATER)
    assert await letters(spool, NoticeKind.DELETION) == []
