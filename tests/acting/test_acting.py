"""Verbs of people on mail: who may, as whom it is written down, and that nobody learns of mail that is not theirs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.acting.allowed import NotAllowed, ReasonMissing
from gateway.acting.wish import Verb, Wish
from gateway.people.contract import Grant, Person, Role
from gateway.spool.contract import UnknownMessage
from gateway.spool.lifecycle import State
from gateway.spool.list_contract import HeldQuestion, Scope
from gateway.spool.second_look import Said
from gateway.spool.values import Change
from tests.acting.conftest import ADMIN, AUDITOR, BOSS, CLERK, ORDERING, OTHER, TEAM, Room, person
from tests.spool.asking import CHIEF, DEPUTY, approval, asking
from tests.spool.mails import MINUTE, T0, mail
from tests.spool.test_lists import from_

ASK = HeldQuestion(Scope(everything=True))


async def test_the_sender_the_team_and_an_administrator_cancel_in_their_own_name(room: Room) -> None:
    for who, written in [
        (CLERK, ("by-sender", "sender", "a", None)),
        (TEAM, ("by-colleague", "colleague", "b", None)),
        (ADMIN, ("by-admin", "admin", "root", None)),
    ]:
        queue_id = await room.spool.accept(from_("a@example.jp", groups=("sports",), account="a"))
        change = await room.acting.cancel(who, queue_id)
        assert change.done == (0,)
        assert room.events("cancelled")[-1] == written


async def test_the_sender_hears_of_what_others_did(room: Room) -> None:
    queue_id = await room.spool.accept(from_("a@example.jp", groups=("sports",), account="a"))
    await room.acting.cancel(TEAM, queue_id)
    (notice,) = await room.spool.notices.pending(10)
    assert (notice.kind, notice.to, notice.actor) == ("stopped-by-team", "a@example.jp", "b")


@pytest.mark.parametrize("who", [OTHER, BOSS, person("nobody")])
async def test_mail_of_others_is_as_unknown_as_none(room: Room, who: Person) -> None:
    queue_id = await room.spool.accept(from_("a@example.jp", groups=("sports",), account="a"))
    for asked in (queue_id, "NOSUCHMAIL"):
        for verb in (room.acting.cancel, room.acting.release, room.acting.see, room.acting.read):
            with pytest.raises(UnknownMessage, match=f"no message {asked}$"):
                await verb(who, asked)
    assert (await room.acting.held(who, ASK)).found == 0


async def test_who_knows_of_a_mail_is_refused_by_name(room: Room) -> None:
    queue_id = await room.spool.accept(from_("a@example.jp"))
    with pytest.raises(NotAllowed, match="send"):
        await room.acting.release(ADMIN, queue_id)
    for who in (AUDITOR, ORDERING):
        with pytest.raises(NotAllowed, match="stop"):
            await room.acting.cancel(who, queue_id)
    assert (await room.spool.get(queue_id)).recipients[0].state is State.HELD


async def test_a_body_is_opened_after_its_reason_is_written(room: Room) -> None:
    queue_id = await room.spool.accept(from_("a@example.jp", account="a"))
    assert b"hello" in await room.acting.read(CLERK, queue_id)
    assert room.events("body-opened") == []
    for who, written in [(ADMIN, ("by-admin", "admin", "root")), (AUDITOR, ("by-auditor", "auditor", "eye"))]:
        with pytest.raises(ReasonMissing):
            await room.acting.read(who, queue_id, "  ")
        assert b"hello" in await room.acting.read(who, queue_id, "事故の調査")
        assert room.events("body-opened")[-1] == (*written, "事故の調査")
    assert len(room.events("body-opened")) == 2
    with pytest.raises(NotAllowed, match="read"):
        await room.acting.read(ORDERING, queue_id, "why not")


async def test_two_mailboxes_of_one_person_are_one_voice(room: Room) -> None:
    queue_id = await room.spool.accept(asking(approval(CHIEF, DEPUTY, at_least=2)))
    first = await room.acting.approve(BOSS, queue_id)
    assert (first.said, first.missing) == (Said.COUNTED, 1)
    assert (await room.acting.approve(BOSS, queue_id)).said is Said.AGAIN
    assert (await room.acting.reject(BOSS, queue_id, "いいえ")).said is Said.COUNTED


async def test_nothing_is_rejected_without_a_comment(room: Room) -> None:
    queue_id = await room.spool.accept(asking(approval(CHIEF)))
    with pytest.raises(ReasonMissing):
        await room.acting.reject(BOSS, queue_id, " \n")
    with pytest.raises(ReasonMissing):
        await room.bulk.perform(BOSS, Wish(Verb.REJECT, (queue_id,)), 1)
    assert {row.state for row in (await room.spool.get(queue_id)).recipients} == {"held"}


async def test_nobody_approves_their_own_mail_under_another_address(room: Room) -> None:
    queue_id = await room.spool.accept(asking(approval(CHIEF)))  # from clerk@sports.example.jp
    own = person("x", Grant(Role.APPROVER), addresses=(CHIEF, "clerk@sports.example.jp"))
    assert (await room.acting.approve(own, queue_id)).said is Said.OWN_MAIL
    assert (await room.spool.get(queue_id)).looks[0].consents == ()


async def test_a_list_holds_what_a_person_may_see(room: Room) -> None:
    mine = await room.spool.accept(from_("a@example.jp", account="x"))
    team = await room.spool.accept(from_("z@example.jp", groups=("sports",), account="x"))
    asked = await room.spool.accept(asking(approval(CHIEF)))
    await room.spool.accept(mail(queued=1))
    expected = {CLERK.login: {mine}, TEAM.login: {team}, ADMIN.login: {mine, team, asked}, "boss": {asked}}
    for who in (CLERK, TEAM, ADMIN, BOSS, AUDITOR, ORDERING):
        page = await room.acting.held(who, ASK)
        assert {line.queue_id for line in page.lines} == expected.get(who.login, set())


async def test_freezing_waiting_longer_and_correcting_are_written_in_the_name_of_who_does_it(
    room: Room,
) -> None:
    queue_id = await room.spool.accept(from_("a@example.jp", "x@example.com", "y@example.com", account="a"))
    assert (await room.acting.extend(CLERK, queue_id, T0 + 30 * MINUTE)).done == (0, 1)
    assert (await room.acting.freeze(CLERK, queue_id, "確認中")).done == (0, 1)
    assert (await room.acting.release(CLERK, queue_id)).done == ()
    assert (await room.acting.correct(ADMIN, queue_id, 1, "z@example.com")).done == (1,)
    assert (await room.acting.correct(ADMIN, queue_id, 7, "z@example.com")) == Change((), ())
    room.now = T0 + timedelta(days=1)
    assert (await room.acting.thaw(CLERK, queue_id)).done == (0,)
    assert (await room.spool.get(queue_id)).recipients[0].due_at == room.now + 30 * MINUTE
    assert room.events("frozen") == [("by-sender", "sender", "a", "確認中")]
    assert room.events("thawed") == [("by-sender", "sender", "a", None)]
    assert room.events("corrected") == [("by-admin", "admin", "root", None)]


async def test_what_an_administrator_froze_the_sender_does_not_thaw(room: Room) -> None:
    queue_id = await room.spool.accept(from_("a@example.jp", account="a"))
    await room.acting.freeze(ADMIN, queue_id)
    assert (await room.acting.thaw(CLERK, queue_id)).not_done == ((0, State.HELD),)
    assert (await room.acting.thaw(ADMIN, queue_id)).done == (0,)
