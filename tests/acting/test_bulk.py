"""One verb for many mails: the preview is what happens, the count is checked, failures in the middle are told, not hidden."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

import pytest

from gateway.acting import bulk
from gateway.acting.wish import MOST_NAMED, CountChanged, Sum, TooMany, Verb, Wish
from gateway.spool.contract import StoreUnavailable
from gateway.spool.lifecycle import Reason, State
from gateway.spool.list_contract import HeldQuestion, Scope, Waits, Whose
from gateway.spool.values import Actor, Change
from tests.acting.conftest import ADMIN, BOSS, CLERK, OTHER, TEAM, Room
from tests.spool.asking import CHIEF, DEPUTY, approval, asking
from tests.spool.mails import MINUTE, T0, mail
from tests.spool.test_lists import from_

ALL = HeldQuestion(Scope(everything=True))


async def filled(room: Room, count: int = 5) -> list[str]:
    """Return the queue ids of mails of `a`, of the group sports, two recipients each."""
    return [
        await room.spool.accept(
            from_("a@example.jp", "x@example.com", "y@example.com", account="a", groups=("sports",))
        )
        for _ in range(count)
    ]


async def test_all_of_a_question_is_cancelled_after_its_count_was_typed(room: Room) -> None:
    ids = await filled(room)
    other = await room.spool.accept(from_("z@example.jp"))
    room.now = T0 + MINUTE
    seen = await room.bulk.preview(TEAM, Wish(Verb.CANCEL, question=ALL))
    assert (seen.mails, seen.recipients, seen.cannot) == (5, 10, 0)
    assert await room.bulk.perform(TEAM, seen.wish, 5) == Sum(5, 10)
    for queue_id in ids:
        assert {row.state for row in (await room.spool.get(queue_id)).recipients} == {State.CANCELLED}
    assert (await room.spool.get(other)).recipients[0].state is State.HELD


async def test_a_count_that_is_not_right_any_more_does_nothing(room: Room) -> None:
    ids = await filled(room)
    room.now = T0 + MINUTE
    seen = await room.bulk.preview(CLERK, Wish(Verb.CANCEL, question=ALL))
    await room.acting.cancel(CLERK, ids[0])
    with pytest.raises(CountChanged) as changed:
        await room.bulk.perform(CLERK, seen.wish, 5)
    assert changed.value.now == 4
    assert (await room.spool.get(ids[1])).recipients[0].state is State.HELD


async def test_mail_that_comes_later_is_not_among_those_that_were_counted(room: Room) -> None:
    await filled(room, 2)
    room.now = T0 + MINUTE
    seen = await room.bulk.preview(CLERK, Wish(Verb.CANCEL, question=ALL))
    late = await room.spool.accept(from_("a@example.jp", minutes=2))
    room.now = T0 + 3 * MINUTE
    assert (await room.bulk.perform(CLERK, seen.wish, 2)).mails == 2
    assert (await room.spool.get(late)).recipients[0].state is State.HELD


async def test_an_administrator_sees_mail_that_they_cannot_send(room: Room) -> None:
    await filled(room, 2)
    room.now = T0 + MINUTE
    seen = await room.bulk.preview(ADMIN, Wish(Verb.RELEASE, question=ALL))
    assert (seen.mails, seen.recipients, seen.cannot) == (0, 0, 2)


async def test_a_call_is_bounded_and_the_next_goes_on(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "MOST_PER_CALL", 3)
    ids = await filled(room, 8)
    room.now = T0 + MINUTE
    for wish in (Wish(Verb.FREEZE, question=ALL), Wish(Verb.THAW, queue_ids=tuple(ids))):
        seen = await room.bulk.preview(CLERK, wish)
        total, calls, after = Sum(), 0, ""
        while calls == 0 or after:
            part = await room.bulk.perform(CLERK, seen.wish, seen.mails, after)
            total, calls, after = total + part, calls + 1, part.after
        assert (total.mails, total.recipients, calls) == (8, 16, 3)


async def test_named_mails_that_are_not_theirs_or_do_not_wait_are_counted_out(room: Room) -> None:
    mine = await filled(room, 2)
    foreign = await room.spool.accept(from_("z@example.jp"))
    asked = await room.spool.accept(asking(approval(CHIEF)))
    wish = Wish(Verb.RELEASE, queue_ids=(*mine, foreign, asked, "NOSUCHMAIL", mine[0]))
    seen = await room.bulk.preview(CLERK, wish)
    assert (seen.mails, seen.recipients, seen.cannot) == (2, 4, 3)
    done = await room.bulk.perform(CLERK, seen.wish, 2)
    assert (done.mails, done.recipients) == (2, 4)
    assert set(done.nothing) == {foreign, asked, "NOSUCHMAIL", mine[0]}  # named twice, let go once
    assert (await room.spool.get(foreign)).recipients[0].state is State.HELD
    with pytest.raises(TooMany):
        await room.bulk.preview(CLERK, Wish(Verb.CANCEL, queue_ids=("X",) * (MOST_NAMED + 1)))


async def test_many_are_approved_in_the_name_of_one_person(room: Room) -> None:
    for _ in range(3):
        await room.spool.accept(asking(approval(CHIEF), outside=2))
    more = await room.spool.accept(asking(approval(CHIEF, "other@example.jp", at_least=2), outside=1))
    await room.spool.accept(mail(held=1))
    room.now = T0 + MINUTE
    seen = await room.bulk.preview(BOSS, Wish(Verb.APPROVE, question=ALL, because="確認済み"))
    assert (seen.mails, seen.recipients) == (4, 7)
    done = await room.bulk.perform(BOSS, seen.wish, 4)
    assert (done.mails, done.recipients, done.nothing) == (4, 7, ())
    assert {each[2] for each in room.events("approved")} == {CHIEF}
    assert (await room.spool.get(more)).looks[0].missing == 1
    assert DEPUTY not in {each.person for each in (await room.spool.get(more)).looks[0].consents}


async def test_many_wait_longer(room: Room) -> None:
    await filled(room, 2)
    room.now = T0 + MINUTE
    until = T0 + timedelta(hours=2)
    seen = await room.bulk.preview(CLERK, Wish(Verb.EXTEND, question=ALL, until=until))
    assert (await room.bulk.perform(CLERK, seen.wish, 2)).recipients == 4
    assert {line.due_at for line in (await room.acting.held(CLERK, ALL)).lines} == {until}


async def test_a_question_for_another_kind_of_mail_approves_nothing(room: Room) -> None:
    await room.spool.accept(asking(approval(CHIEF)))
    room.now = T0 + MINUTE
    question = HeldQuestion(Scope(), waits=Waits.TIME)
    seen = await room.bulk.preview(BOSS, Wish(Verb.APPROVE, question=question))
    assert (seen.mails, seen.recipients) == (0, 0)
    assert await room.bulk.perform(BOSS, seen.wish, 0) == Sum()
    assert (await room.bulk.preview(OTHER, Wish(Verb.CANCEL, question=ALL))).mails == 0


async def test_a_store_that_fails_in_the_middle_is_told_mail_by_mail(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    ids = await filled(room, 6)
    room.now = T0 + MINUTE
    real, calls = room.spool.cancel, [0]

    async def failing(
        queue_id: str, recipients: Collection[int] | None, actor: Actor, reason: Reason, now: datetime
    ) -> Change:
        calls[0] += 1
        if calls[0] > 3:
            raise StoreUnavailable("the disk is full")
        return await real(queue_id, recipients, actor, reason, now)

    monkeypatch.setattr(room.spool, "cancel", failing)
    seen = await room.bulk.preview(CLERK, Wish(Verb.CANCEL, question=ALL))
    told = await room.bulk.perform(CLERK, seen.wish, 6)
    assert (told.mails, told.recipients, told.broken, told.after) == (3, 6, True, "")
    assert len(told.failed) == 3
    states = {each: (await room.spool.get(each)).recipients[0].state for each in ids}
    assert {each for each, state in states.items() if state is State.HELD} == set(told.failed)
    monkeypatch.setattr(room.spool, "cancel", real)
    again = Wish(Verb.CANCEL, queue_ids=told.failed)
    assert (await room.bulk.perform(CLERK, again, 3)).mails == 3


async def test_a_store_that_fails_while_named_mails_are_looked_at_is_told_too(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await filled(room, 3)
    room.now = T0 + MINUTE
    wish = Wish(Verb.CANCEL, queue_ids=tuple(ids))
    real, asked = room.spool.lists.whose, [0]

    async def failing(queue_id: str) -> Whose:
        asked[0] += 1
        if asked[0] > len(ids) and queue_id == ids[2]:  # the preview has looked at all
            raise StoreUnavailable("the disk is full")
        return await real(queue_id)

    monkeypatch.setattr(room.spool.lists, "whose", failing)
    told = await room.bulk.perform(CLERK, wish, 3)
    assert (told.mails, told.failed, told.broken) == (2, (ids[2],), True)


@pytest.mark.parametrize("after", ["0", "1", "x", "200", "-200", "\u0662"])
async def test_no_word_of_ones_own_gets_around_the_count(room: Room, after: str) -> None:
    queue_id = await room.spool.accept(mail(held=1))
    with pytest.raises(ValueError, match="place"):
        await room.bulk.perform(ADMIN, Wish(Verb.CANCEL, (queue_id,)), 5, after)
    assert (await room.spool.get(queue_id)).recipients[0].state is State.HELD
