"""Confirm, approve, reject and what time does to them, on both stores."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from gateway.audit.entries import Question
from gateway.audit.log import EventLog
from gateway.audit.verify import verify
from gateway.policy.demands import Approver
from gateway.spool.contract import UnknownMessage
from gateway.spool.holds import recipients_of
from gateway.spool.lifecycle import Kind, Reason, State
from gateway.spool.moves import Arrival, move
from gateway.spool.notice import NoticeKind
from gateway.spool.reopening import hold_all
from gateway.spool.second_look import COMMENT, SOMEBODY, Said
from gateway.spool.sql import SqlSpool, open_spool
from gateway.spool.times import to_us
from gateway.spool.values import Actor, Change, Consented
from gateway.store.database import event_seal
from gateway.store.schema import second_looks
from gateway.store.tx import Tx
from gateway.store.where import Where
from tests.spool.asking import CHIEF, DEPUTY, HOUR, MAYOR, approval, asking, confirmation
from tests.spool.conftest import MASTER
from tests.spool.mails import LEASE, MINUTE, SENDER, T0, mail
from tests.spool.test_leaving import copied

HELD, QUEUED, CANCELLED = State.HELD, State.QUEUED, State.CANCELLED
BY_SENDER = Actor("sender", str(SENDER))
ADMIN = Actor("admin", "root")


def by(person: str) -> Actor:
    return Actor("approver", person)


async def approve(
    spool: SqlSpool,
    queue_id: str,
    person: str,
    at: datetime = T0,
    comment: str = "",
    number: int | None = None,
) -> Consented:
    return await spool.consents.approve(queue_id, number, person, by(person), comment, at)


async def states(spool: SqlSpool, queue_id: str) -> list[State]:
    return [row.state for row in (await spool.get(queue_id)).recipients]


async def told(spool: SqlSpool) -> list[tuple[NoticeKind, str]]:
    return [(notice.kind, notice.to) for notice in await spool.notices.pending(100)]


def events(where: Where, queue_id: str | None) -> list[tuple[str, str, str]]:
    with EventLog(where) as log:
        found = log.query(Question(queue_id=queue_id))
        assert verify(log, event_seal(MASTER)).intact
    return [(event.kind, event.reason, event.recipients) for event in found]


async def test_nothing_leaves_before_it_is_approved_and_then_at_once(spool: SqlSpool, where: Where) -> None:
    queue_id = await spool.accept(asking(approval(CHIEF), inside=1))
    assert await states(spool, queue_id) == [HELD, HELD, QUEUED]
    later = T0 + 3 * HOUR
    assert await spool.release_due(later, 100) == 0
    assert await told(spool) == [(NoticeKind.APPROVAL, CHIEF)]
    answer = await approve(spool, queue_id, CHIEF, later, "looks good")
    assert answer == Consented(Said.COUNTED, Change((0, 1), ()), 0)
    assert await states(spool, queue_id) == [QUEUED] * 3
    message = await spool.get(queue_id)
    assert [(c.person, c.comment, c.by) for c in message.looks[0].consents] == [(CHIEF, "looks good", "")]
    assert message.looks[0].met_at == later
    assert (NoticeKind.APPROVED, str(SENDER)) in await told(spool)
    assert events(where, queue_id)[1:] == [
        (Kind.APPROVED, Reason.BY_APPROVER, "0-1"),
        (Kind.RELEASED, Reason.BY_APPROVER, "0-1"),
    ]


async def test_the_window_runs_meanwhile_and_its_rest_stays(spool: SqlSpool) -> None:
    queue_id = await spool.accept(asking(approval(CHIEF), window=10 * MINUTE))
    answer = await approve(spool, queue_id, CHIEF, T0 + MINUTE)
    assert answer.change.done == (0, 1)
    message = await spool.get(queue_id)
    assert {(row.state, row.due_at) for row in message.recipients} == {(HELD, T0 + 10 * MINUTE)}
    assert await spool.release_due(T0 + 9 * MINUTE, 100) == 0
    assert await spool.release_due(T0 + 10 * MINUTE, 100) == 2


@pytest.mark.parametrize(
    ("person", "said"),
    [
        (str(SENDER), Said.OWN_MAIL),
        ("clerk@elsewhere.example.jp", Said.OWN_MAIL),  # the account that handed it in is called clerk
        ("clerk+approvals@elsewhere.example.jp", Said.OWN_MAIL),
        ("stranger@example.com", Said.NOT_ASKED),
        (DEPUTY, Said.NOT_ASKED),  # only after an hour
    ],
)
async def test_who_may_not_approve(spool: SqlSpool, person: str, said: Said) -> None:
    listed = approval(CHIEF, str(SENDER), "clerk@elsewhere.example.jp", later=(HOUR, DEPUTY))
    queue_id = await spool.accept(asking(listed))
    assert (await approve(spool, queue_id, person)).said is said
    assert (await spool.consents.reject(queue_id, None, person, by(person), "", T0)).said is said
    assert await states(spool, queue_id) == [HELD, HELD]


async def test_each_person_counts_once_whoever_acts_for_them(spool: SqlSpool) -> None:
    queue_id = await spool.accept(asking(approval(CHIEF, DEPUTY, at_least=2)))
    assert (await approve(spool, queue_id, CHIEF)).missing == 1
    assert (await approve(spool, queue_id, CHIEF)).said is Said.AGAIN
    again = await spool.consents.approve(queue_id, None, CHIEF, ADMIN, "on the phone", T0)
    assert again.said is Said.AGAIN
    assert await states(spool, queue_id) == [HELD, HELD]
    last = await spool.consents.approve(queue_id, None, DEPUTY, ADMIN, "on the phone", T0)
    assert last == Consented(Said.COUNTED, Change((0, 1), ()), 0)
    assert (await spool.get(queue_id)).looks[0].consents[1].by == "root"


async def test_all_approvals_and_confirmations_have_to_be_there(spool: SqlSpool) -> None:
    queue_id = await spool.accept(
        asking(approval(CHIEF, rule="a"), approval(MAYOR, rule="b"), confirmation("both"))
    )
    assert (await approve(spool, queue_id, CHIEF)).change == Change((), ((0, HELD), (1, HELD)))
    assert await spool.consents.confirm(queue_id, [0], True, BY_SENDER, T0) == Change((0,), ((1, HELD),))
    assert await states(spool, queue_id) == [HELD, HELD]
    assert (await approve(spool, queue_id, MAYOR)).change == Change((0,), ((1, HELD),))
    assert await states(spool, queue_id) == [QUEUED, HELD]
    assert await spool.consents.confirm(queue_id, [1], False, BY_SENDER, T0) == Change((1,), ())
    assert await states(spool, queue_id) == [QUEUED, QUEUED]


async def test_one_approval_of_several_may_be_given_alone(spool: SqlSpool) -> None:
    queue_id = await spool.accept(asking(approval(CHIEF, rule="a"), approval(CHIEF, MAYOR, rule="b")))
    assert (await approve(spool, queue_id, CHIEF, number=1)).said is Said.COUNTED
    looks = (await spool.get(queue_id)).looks
    assert [look.met_at is not None for look in looks] == [False, True]
    assert (await approve(spool, queue_id, CHIEF)).change.done == (0, 1)


async def test_attachments_have_to_be_ticked_before_anybody_gets_them(spool: SqlSpool, where: Where) -> None:
    queue_id = await spool.accept(asking(confirmation("attachments")))
    assert (await spool.consents.confirm(queue_id, [0, 1], False, BY_SENDER, T0)).done == ()
    assert (await spool.consents.confirm(queue_id, [], True, BY_SENDER, T0)).done == (0, 1)
    assert await states(spool, queue_id) == [QUEUED, QUEUED]
    assert (Kind.RELEASED, Reason.BY_SENDER, "0-1") in events(where, queue_id)


async def test_a_tick_on_nobody_is_no_tick(spool: SqlSpool) -> None:
    queue_id = await spool.accept(asking(confirmation(), inside=1))
    assert (await spool.consents.confirm(queue_id, [2, 77, -1], True, BY_SENDER, T0)).done == ()
    assert await states(spool, queue_id) == [HELD, HELD, QUEUED]


async def test_a_rejection_cancels_and_says_why(spool: SqlSpool, where: Where) -> None:
    queue_id = await spool.accept(asking(approval(CHIEF, DEPUTY), inside=1))
    comment = "宛先が違います\0" + "x" * 2 * COMMENT
    answer = await spool.consents.reject(queue_id, None, DEPUTY, by(DEPUTY), comment, T0)
    assert answer == Consented(Said.COUNTED, Change((0, 1), ()), 0)
    assert await states(spool, queue_id) == [CANCELLED, CANCELLED, QUEUED]
    look = (await spool.get(queue_id)).looks[0]
    assert look.rejected is not None
    assert look.rejected.comment.startswith("宛先が違います\ufffd")
    assert len(look.rejected.comment) == COMMENT
    assert (NoticeKind.REJECTED, str(SENDER)) in await told(spool)
    assert (Kind.CANCELLED, Reason.REJECTED, "0-1") in events(where, queue_id)
    assert (await approve(spool, queue_id, CHIEF)).said is Said.OVER
    assert await spool.consents.pass_deadlines(T0 + 9 * HOUR, 10) == 0


async def test_who_approved_may_still_reject_while_others_are_missing(spool: SqlSpool) -> None:
    queue_id = await spool.accept(asking(approval(CHIEF, DEPUTY, at_least=2)))
    await approve(spool, queue_id, CHIEF)
    assert (await spool.consents.reject(queue_id, None, CHIEF, by(CHIEF), "", T0)).said is Said.COUNTED
    assert await states(spool, queue_id) == [CANCELLED, CANCELLED]


@pytest.mark.parametrize(("otherwise", "left"), [("cancel", CANCELLED), ("release", QUEUED)])
async def test_nobody_decides_in_time(spool: SqlSpool, where: Where, otherwise: str, left: State) -> None:
    queue_id = await spool.accept(asking(approval(CHIEF, otherwise=otherwise), inside=1))
    assert await spool.consents.pass_deadlines(T0 + 4 * HOUR - MINUTE, 10) == 0
    assert await spool.consents.pass_deadlines(T0 + 4 * HOUR, 10) == 1
    assert await states(spool, queue_id) == [left, left, QUEUED]
    assert (NoticeKind.TIMED_OUT, str(SENDER)) in await told(spool)
    reasons = {(kind, reason) for kind, reason, _ in events(where, queue_id)[1:]}
    over = {(Kind.CANCELLED, Reason.TIMED_OUT)}
    let_go = {(Kind.LAPSED, Reason.TIMED_OUT), (Kind.RELEASED, Reason.TIMED_OUT)}
    assert reasons == (over if otherwise == "cancel" else let_go)
    assert await spool.consents.pass_deadlines(T0 + 9 * HOUR, 10) == 0


async def test_a_word_after_its_time_comes_too_late(spool: SqlSpool) -> None:
    queue_id = await spool.accept(asking(approval(CHIEF)))
    assert (await approve(spool, queue_id, CHIEF, T0 + 4 * HOUR)).said is Said.OVER
    assert await states(spool, queue_id) == [HELD, HELD]


async def test_a_time_out_that_releases_leaves_other_demands_standing(spool: SqlSpool) -> None:
    wanted = asking(approval(CHIEF, rule="a", otherwise="release", within=HOUR), approval(MAYOR, rule="b"))
    queue_id = await spool.accept(wanted)
    assert await spool.consents.pass_deadlines(T0 + HOUR, 10) == 1
    assert await states(spool, queue_id) == [HELD, HELD]
    assert (await approve(spool, queue_id, MAYOR, T0 + HOUR)).change.done == (0, 1)


async def test_a_confirmation_that_times_out_cancels_only_who_is_not_ticked(spool: SqlSpool) -> None:
    queue_id = await spool.accept(asking(confirmation(), window=30 * HOUR))
    await spool.consents.confirm(queue_id, [0], False, BY_SENDER, T0)
    assert await spool.consents.pass_deadlines(T0 + 24 * HOUR, 10) == 1
    assert await states(spool, queue_id) == [HELD, CANCELLED]


async def test_more_people_may_decide_when_nobody_did(spool: SqlSpool, where: Where) -> None:
    queue_id = await spool.accept(asking(approval(CHIEF, later=(HOUR, DEPUTY))))
    assert await spool.consents.pass_deadlines(T0 + HOUR, 10) == 1
    assert await told(spool) == [(NoticeKind.APPROVAL, CHIEF), (NoticeKind.APPROVAL, DEPUTY)]
    assert (Kind.ESCALATED, Reason.NOBODY_YET, "0-1") in events(where, queue_id)
    look = (await spool.get(queue_id)).looks[0]
    assert (look.step, look.due_at) == (1, T0 + 4 * HOUR)
    assert (await approve(spool, queue_id, DEPUTY, T0 + HOUR)).said is Said.COUNTED
    assert await states(spool, queue_id) == [QUEUED, QUEUED]


async def test_a_gateway_that_slept_through_a_step_still_asks(spool: SqlSpool) -> None:
    queue_id = await spool.accept(asking(approval(CHIEF, later=(HOUR, DEPUTY))))
    assert await spool.consents.pass_deadlines(T0 + 3 * HOUR, 10) == 1
    assert (await spool.get(queue_id)).looks[0].step == 1
    assert (NoticeKind.APPROVAL, DEPUTY) in await told(spool)


async def test_a_proxy_may_from_its_first_moment_to_its_last(spool: SqlSpool) -> None:
    midnight = datetime(2026, 4, 1, 15, tzinfo=UTC)  # in Japan
    proxy = Approver(DEPUTY, midnight - 24 * HOUR, midnight)
    wanted = approval(CHIEF, proxy=proxy, within=72 * HOUR)
    queue_id = await spool.accept(asking(wanted))
    assert (NoticeKind.APPROVAL, DEPUTY) in await told(spool)
    assert (await approve(spool, queue_id, DEPUTY, midnight)).said is Said.NOT_ASKED
    assert (await approve(spool, queue_id, DEPUTY, midnight - MINUTE)).said is Said.COUNTED


async def test_no_release_gets_past_an_approval(spool: SqlSpool) -> None:
    queue_id = await spool.accept(asking(approval(CHIEF), confirmation(), window=10 * MINUTE, inside=1))
    for actor, reason in ((BY_SENDER, Reason.BY_SENDER), (ADMIN, Reason.BY_ADMIN)):
        change = await spool.release(queue_id, None, actor, reason, T0 + MINUTE)
        assert change == Change((), ((0, HELD), (1, HELD), (2, QUEUED)))
    assert await states(spool, queue_id) == [HELD, HELD, QUEUED]


async def test_send_now_waives_the_window_that_runs_meanwhile(spool: SqlSpool, where: Where) -> None:
    queue_id = await spool.accept(asking(approval(CHIEF), window=10 * MINUTE, firm=5 * MINUTE))
    await spool.release(queue_id, [0], BY_SENDER, Reason.BY_SENDER, T0 + MINUTE)
    waiver = (await spool.get(queue_id)).waiver
    assert waiver is not None
    assert waiver.ends == {0: T0 + 5 * MINUTE}
    await approve(spool, queue_id, CHIEF, T0 + 6 * MINUTE)
    assert await states(spool, queue_id) == [QUEUED, HELD]
    assert events(where, queue_id)[1] == (Kind.RELEASED, Reason.BY_SENDER, "0")


async def test_a_window_that_takes_a_reason_is_waived_with_one_only(spool: SqlSpool) -> None:
    told_of = frozenset({"privacy@city.example.lg.jp"})
    wanted = asking(window=10 * MINUTE, reasoned=10 * MINUTE, firm=2 * MINUTE, notify=told_of)
    queue_id = await spool.accept(wanted)
    await spool.release(queue_id, None, BY_SENDER, Reason.BY_SENDER, T0 + MINUTE, " ")
    assert {row.due_at for row in (await spool.get(queue_id)).recipients} == {T0 + 10 * MINUTE}
    await spool.release(queue_id, [0], BY_SENDER, Reason.BY_SENDER, T0 + MINUTE, "至急です")
    assert [row.due_at for row in (await spool.get(queue_id)).recipients] == [
        T0 + 2 * MINUTE,
        T0 + 10 * MINUTE,
    ]
    change = await spool.release(queue_id, [1], BY_SENDER, Reason.BY_SENDER, T0 + 3 * MINUTE, "至急です")
    assert change.done == (1,)
    reports = [notice for notice in await spool.notices.pending(9) if notice.kind is NoticeKind.WAIVED]
    assert [(notice.to, notice.actor, notice.recipients) for notice in reports] == [
        ("privacy@city.example.lg.jp", "至急です", (0,)),
        ("privacy@city.example.lg.jp", "至急です", (1,)),
    ]


async def test_a_cancel_works_at_any_time_and_ends_the_waiting(spool: SqlSpool) -> None:
    queue_id = await spool.accept(asking(approval(CHIEF)))
    change = await spool.cancel(queue_id, None, BY_SENDER, Reason.BY_SENDER, T0)
    assert change.done == (0, 1)
    assert (await approve(spool, queue_id, CHIEF)).said is Said.OVER
    assert await spool.consents.pass_deadlines(T0 + 4 * HOUR, 10) == 1
    assert await spool.consents.pass_deadlines(T0 + 4 * HOUR, 10) == 0
    assert await states(spool, queue_id) == [CANCELLED, CANCELLED]


async def test_an_older_gateway_never_lets_it_go_and_its_clocks_go_on(spool: SqlSpool) -> None:
    """What it runs: releases by due time, and looks for the next one."""
    await spool.accept(asking(approval(CHIEF)))
    ordinary = await spool.accept(mail(held=1))
    rows = await spool.database.readers.run(lambda q: q.connection.exec_driver_sql(DUE).fetchall())
    assert [tuple(row) for row in rows][1:] == [(int(SOMEBODY.timestamp()) * 1_000_000,)] * 2
    assert await spool.release_due(T0 + timedelta(days=9_999), 100) == 1
    assert await states(spool, ordinary) == [QUEUED]


DUE = "SELECT due_at FROM recipients ORDER BY due_at"


async def test_nothing_is_due_where_only_people_are_waited_for(spool: SqlSpool) -> None:
    await spool.accept(asking(approval(CHIEF)))
    assert await spool.next_due() is None
    assert (await spool.figures()).oldest_due is None


async def test_a_mail_that_asks_people_takes_the_express_for_the_others(spool: SqlSpool) -> None:
    _, claim = await spool.accept_and_claim(asking(approval(CHIEF), inside=1), LEASE)
    assert claim is not None
    assert [row.index for row in claim.message.recipients] == [2]


async def test_nobody_knows_an_unknown_message(spool: SqlSpool) -> None:
    for verb in (spool.consents.approve, spool.consents.reject):
        with pytest.raises(UnknownMessage):
            await verb("NOSUCHMESSAGE000", None, CHIEF, by(CHIEF), "", T0)
    with pytest.raises(UnknownMessage):
        await spool.consents.confirm("NOSUCHMESSAGE000", [0], True, BY_SENDER, T0)


async def test_two_who_say_the_last_words_at_one_moment(where: Where) -> None:
    """On two gateways, where they share a store: each word alone is not enough, both together let the mail go."""
    first = open_spool(where, MASTER, serve=True, clock=lambda: T0)
    alone = not where.url
    other = where if alone else Where(where.state.with_name("gw2"), where.url, node="gw2")
    second = open_spool(other, MASTER, serve=not alone, clock=lambda: T0)
    try:
        for _ in range(10):
            queue_id = await first.accept(asking(approval(CHIEF, rule="a"), approval(MAYOR, rule="b")))
            answers = await asyncio.gather(approve(first, queue_id, CHIEF), approve(second, queue_id, MAYOR))
            assert [answer.said for answer in answers] == [Said.COUNTED] * 2
            assert await states(first, queue_id) == [QUEUED, QUEUED]
            counted = await first.accept(asking(approval(CHIEF, DEPUTY, at_least=2)))
            await asyncio.gather(approve(first, counted, CHIEF), approve(second, counted, DEPUTY))
            assert await states(second, counted) == [QUEUED, QUEUED]
    finally:
        await second.close()
        await first.close()


async def test_a_cancel_and_an_approval_at_one_moment_agree(where: Where) -> None:
    first = open_spool(where, MASTER, serve=True, clock=lambda: T0)
    alone = not where.url
    other = where if alone else Where(where.state.with_name("gw2"), where.url, node="gw2")
    second = open_spool(other, MASTER, serve=not alone, clock=lambda: T0)
    try:
        for _ in range(10):
            queue_id = await first.accept(asking(approval(CHIEF)))
            change, answer = await asyncio.gather(
                first.cancel(queue_id, None, BY_SENDER, Reason.BY_SENDER, T0),
                approve(second, queue_id, CHIEF),
            )
            assert change.done == (0, 1)
            assert answer.said in (Said.COUNTED, Said.OVER)
            assert await states(first, queue_id) == [CANCELLED, CANCELLED]
    finally:
        await second.close()
        await first.close()


async def test_a_copy_goes_on_where_others_got_the_mail(spool: SqlSpool) -> None:
    """Whoever lets a demand on some recipient end badly does not stop the copy of what the others got."""
    for ends in ("rejected", "timed-out"):
        queue_id = await spool.accept(copied(asking(approval(CHIEF), outside=1, inside=1)))
        assert await states(spool, queue_id) == [HELD, QUEUED, HELD]
        if ends == "rejected":
            answer = await spool.consents.reject(queue_id, None, CHIEF, by(CHIEF), "", T0)
            assert answer.change.done == (0,)
        else:
            assert await spool.consents.pass_deadlines(T0 + 4 * HOUR, 100) == 1
        assert await states(spool, queue_id) == [CANCELLED, QUEUED, QUEUED]


async def test_a_copy_goes_with_the_last_whom_people_stop(spool: SqlSpool) -> None:
    rejected = await spool.accept(copied(asking(approval(CHIEF))))
    assert (await spool.consents.reject(rejected, None, CHIEF, by(CHIEF), "", T0)).change.done == (0, 1, 2)
    assert await states(spool, rejected) == [CANCELLED] * 3
    late = await spool.accept(copied(asking(approval(CHIEF), confirmation())))
    assert await spool.consents.pass_deadlines(T0 + 4 * HOUR, 100) == 1
    assert await states(spool, late) == [CANCELLED] * 3


async def test_a_mail_from_a_clock_that_ran_ahead_keeps_its_window_only(spool: SqlSpool) -> None:
    ahead = T0 + timedelta(days=365)
    queue_id = await spool.accept(asking(approval(CHIEF), window=10 * MINUTE, at=ahead))
    await approve(spool, queue_id, CHIEF, T0)
    assert {row.due_at for row in (await spool.get(queue_id)).recipients} == {T0 + 10 * MINUTE}


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"consents": [[1]]}', '{"ticked": 7}', '{"by": 1}'])
async def test_a_row_that_nobody_can_read_says_nothing_and_stops_nobody_else(
    spool: SqlSpool, damage: str
) -> None:
    hurt = await spool.accept(asking(approval(CHIEF, DEPUTY, at_least=2), window=HOUR))
    await approve(spool, hurt, CHIEF)
    await spool.release(hurt, None, BY_SENDER, Reason.BY_SENDER, T0)
    other = await spool.accept(asking(approval(CHIEF)))
    await spool.database.committer.run(
        lambda tx: tx.connection.execute(
            second_looks.update().where(second_looks.c.queue_id == hurt).values(given=damage)
        )
    )
    assert len(await spool.held(10)) == 2
    assert (await approve(spool, hurt, DEPUTY)).missing == 1
    await spool.release(hurt, None, BY_SENDER, Reason.BY_SENDER, T0)
    assert await spool.consents.pass_deadlines(T0 + 4 * HOUR, 100) == 2
    assert await states(spool, hurt) == await states(spool, other) == [CANCELLED, CANCELLED]


async def test_what_may_have_left_is_not_said_to_be_stopped(spool: SqlSpool, where: Where) -> None:
    """After a restore, approved and gone may look as if it waited still."""
    queue_id = await spool.accept(asking(approval(CHIEF)))
    assert await hold_all(spool, "2026-07-01", ADMIN, T0) == 2
    await spool.consents.pass_deadlines(T0 + 4 * HOUR, 100)
    with EventLog(where) as log:
        (cancelled,) = [
            event for event in log.query(Question(queue_id=queue_id)) if event.kind == Kind.CANCELLED
        ]
    assert cancelled.detail["may_have_arrived"] == "0-1"


async def test_what_an_older_gateway_lets_go_is_held_again(spool: SqlSpool, where: Where) -> None:
    """Its administrator releases whatever is held: that code never learned to ask for approvals."""
    asked = await spool.accept(asking(approval(CHIEF), confirmation(), inside=1))

    def released(tx: Tx) -> None:
        held = [row for row in recipients_of(tx, asked) if row.state is HELD]
        move(tx, held, QUEUED, Arrival(to_us(T0), due_at=to_us(T0), queued_at=to_us(T0)))

    await spool.database.committer.run(released)
    (claim,) = await spool.claim(T0, 10, LEASE)
    assert [row.index for row in claim.message.recipients] == [2]
    message = await spool.get(asked)
    assert {(row.state, row.due_at) for row in message.recipients[:2]} == {(HELD, None)}
    assert (Kind.DEFERRED, Reason.POLICY, "0-1") in events(where, asked)
    await approve(spool, asked, CHIEF)
    await spool.consents.confirm(asked, [0], False, BY_SENDER, T0)
    (claim,) = await spool.claim(T0, 10, LEASE)
    assert [row.index for row in claim.message.recipients] == [0]
