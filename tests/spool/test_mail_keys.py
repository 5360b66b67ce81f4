"""The keys of mails, on both stores: made once, never in clear, gone when nobody needs them."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa

from gateway.policy.protection import Way
from gateway.spool.contract import UnknownMessage
from gateway.spool.key_carrying import LOST_AT_MOST
from gateway.spool.key_contract import NoKey, Stage
from gateway.spool.key_leaving import SECOND_MAIL_AFTER
from gateway.spool.key_making import new_keys
from gateway.spool.lifecycle import Reason, State
from gateway.spool.notice import NoticeKind
from gateway.spool.sql import SqlSpool
from gateway.spool.values import Actor, Result
from gateway.store.attachment_tables import key_sendings, message_keys
from gateway.store.schema import events
from tests.spool.conftest import MASTER
from tests.spool.keyed import CLERK, DAY, NUMBER, keyed, sealed
from tests.spool.mails import LEASE, MINUTE, T0, bounced, deferred, delivered

ADMIN = Actor("admin", "root")
HOUR = timedelta(hours=1)


async def leave(spool: SqlSpool, *results: Result, now: Any = T0) -> None:
    """Claim what is due, and record what became of it."""
    for claim in await spool.claim(now, 100, LEASE):
        there = {recipient.index for recipient in claim.message.recipients}
        await spool.record(claim, [each for each in results if each.index in there], now)


async def stages(spool: SqlSpool, queue_id: str) -> list[Stage]:
    return [status.stage for status in await spool.keys.statuses(queue_id)]


async def kinds(spool: SqlSpool) -> list[str]:
    return [row[0] for row in await rows(spool, sa.select(events.c.kind).order_by(events.c.at, events.c.seq))]


async def rows(spool: SqlSpool, statement: Any) -> list[Any]:
    return await spool.database.readers.run(lambda q: list(q.connection.execute(statement).all()))


async def notices(spool: SqlSpool) -> list[tuple[NoticeKind, tuple[int, ...], str]]:
    return [(each.kind, each.recipients, each.actor) for each in await spool.notices.pending(100)]


async def test_a_mail_has_one_key_for_all_who_have_none_of_their_own(spool: SqlSpool) -> None:
    own = sealed(Way.SMS, own_key=True)
    queue_id = await spool.accept(keyed(sealed(), sealed(Way.SMS, bits=80), own, own, None))
    keys = await spool.keys.to_seal(queue_id, range(5))
    assert {index: key.key_id for index, key in keys.items()} == {0: "0", 1: "0", 2: "3", 3: "4"}
    assert keys[0].text == keys[1].text
    assert len({key.text for key in keys.values()}) == 3
    assert len(keys[0].text) > len(keys[2].text)  # as strong as the strongest demand on it
    assert await spool.keys.to_seal(queue_id, range(5)) == keys  # a retry seals with the same


async def test_a_mail_without_files_to_seal_pays_nothing(spool: SqlSpool) -> None:
    queue_id = await spool.accept(keyed(None))
    await leave(spool, delivered(0))
    assert await spool.keys.to_seal(queue_id, [0]) == {}
    assert await spool.keys.statuses(queue_id) == []
    assert await kinds(spool) == ["accepted", "attempt", "delivered"]


async def test_a_key_is_on_disk_only_wrapped_and_only_for_its_place(spool: SqlSpool) -> None:
    queue_id = await spool.accept(keyed(sealed(own_key=True), sealed(own_key=True)))
    key = (await spool.keys.to_seal(queue_id, [0]))[0]
    wrapped = await rows(spool, sa.select(message_keys.c.wrapped).order_by(message_keys.c.number))
    assert not any(key.text.encode() in bytes(row[0]) for row in wrapped)
    assert key.text not in repr(key)
    swap = message_keys.update().where(message_keys.c.number == 2).values(wrapped=wrapped[0][0])
    await spool.database.committer.run(lambda tx: tx.connection.execute(swap))
    with pytest.raises(Exception, match="cannot be opened"):
        await spool.keys.to_seal(queue_id, [1])


def test_keys_follow_what_came_out_of_the_dice() -> None:
    decision = keyed(sealed(), sealed(own_key=True)).decision
    ticking = count()
    made = new_keys("q", decision, T0, MASTER, lambda n: (next(ticking) * 7919 % 65536).to_bytes(n, "big"))
    texts = [MASTER.unwrap(bytes(row[3]), f"message_keys/q/{row[1]}") for row in made.keys]  # type: ignore[call-overload]
    assert len(texts) == len(set(texts)) == 2


async def test_the_mail_goes_first_then_its_key(spool: SqlSpool) -> None:
    queue_id = await spool.accept(
        keyed(
            sealed(Way.SMS), sealed(Way.SECOND_MAIL), sealed(), sealed(Way.PREAGREED), sealed(Way.CODE_PAGE)
        )
    )
    assert await spool.keys.due_sendings(T0 + 300 * DAY, 10, LEASE) == []
    await leave(spool, delivered(0), delivered(1), delivered(2), delivered(3), delivered(4))
    assert await stages(spool, queue_id) == ["ready", "ready", "ready", "arrived", "ready"]
    (due,) = await spool.keys.due_sendings(T0, 10, LEASE)
    assert (due.recipient, due.way, due.to, due.attempts) == (0, Way.SMS, "", 1)


async def test_a_second_mail_waits_and_can_be_stopped_until_it_left(spool: SqlSpool) -> None:
    both = sealed(Way.SECOND_MAIL), sealed(Way.SECOND_MAIL)
    queue_id = await spool.accept(keyed(*both))
    await leave(spool, delivered(0), delivered(1))
    assert await spool.keys.due_sendings(T0 + SECOND_MAIL_AFTER - MINUTE, 10, LEASE) == []
    change = await spool.keys.stop(queue_id, [1], CLERK, Reason.BY_SENDER, T0)
    assert change.done == (1,)
    (due,) = await spool.keys.due_sendings(T0 + SECOND_MAIL_AFTER, 10, LEASE)
    assert (due.recipient, due.to) == (0, "r0@example.com")
    change = await spool.keys.stop(queue_id, None, CLERK, Reason.BY_SENDER, T0)
    assert (change.done, change.not_done) == ((), ((0, State.DELIVERED), (1, State.DELIVERED)))


async def test_the_sender_is_asked_once_to_call_and_sees_the_key(spool: SqlSpool) -> None:
    queue_id = await spool.accept(keyed(sealed(), sealed(), sealed(Way.SMS), sealed(), copied=1))
    claims = [*await spool.claim(T0, 1, LEASE), *await spool.claim(T0, 9, LEASE)]
    for claim in claims:
        await spool.record(claim, [delivered(each.index) for each in claim.message.recipients], T0)
    assert await notices(spool) == [(NoticeKind.KEY, (0, 1), "")]
    (shown,) = await spool.keys.show(queue_id, CLERK, T0)
    key = (await spool.keys.to_seal(queue_id, [0]))[0]
    assert (shown.recipients, shown.way, shown.text) == ((0, 1), Way.SENDER, key.text)
    assert shown.text not in repr(shown)
    assert await stages(spool, queue_id) == ["sent", "sent", "ready", "ready"]


async def test_a_key_that_was_shown_before_the_mail_left_is_with_the_sender(spool: SqlSpool) -> None:
    queue_id = await spool.accept(keyed(sealed()))
    await spool.keys.show(queue_id, CLERK, T0)
    assert await stages(spool, queue_id) == ["waiting"]
    await leave(spool, delivered(0))
    assert await stages(spool, queue_id) == ["sent"]


@pytest.mark.parametrize(
    ("way", "actor", "why"),
    [
        (Way.SENDER, Actor("sender", "other@sports.example.jp"), "not-theirs"),
        (Way.SENDER, Actor("approver", str(CLERK.name)), "not-theirs"),
        (Way.SENDER, Actor("admin", "clerk"), "not-theirs"),
        (Way.SMS, CLERK, "none"),
        (None, CLERK, "none"),
    ],
)
async def test_keys_are_shown_to_the_sender_who_tells_them_only(
    spool: SqlSpool, way: Way | None, actor: Actor, why: str
) -> None:
    queue_id = await spool.accept(keyed(sealed(way)))
    with pytest.raises(NoKey, match=why):
        await spool.keys.show(queue_id, actor, T0)
    assert "key-shown" not in await kinds(spool)


async def test_a_key_that_was_handed_over_and_received(spool: SqlSpool) -> None:
    queue_id = await spool.accept(keyed(sealed(Way.SMS)))
    await leave(spool, delivered(0))
    (sending,) = await spool.keys.due_sendings(T0, 10, LEASE)
    await spool.keys.sent(sending, "SM1", T0)
    assert await stages(spool, queue_id) == ["sent"]
    assert not await spool.keys.receipted("SM2", True, "", T0)
    assert await spool.keys.receipted("SM1", True, "delivered", T0)
    assert await spool.keys.receipted("SM1", False, "late", T0)  # the first word counts
    assert await stages(spool, queue_id) == ["arrived"]
    assert (await kinds(spool))[-3:] == ["key-attempt", "key-sent", "key-arrived"]


async def test_a_key_that_does_not_arrive_is_tried_again_and_then_told(spool: SqlSpool) -> None:
    queue_id = await spool.accept(keyed(sealed(Way.SMS)))
    await leave(spool, delivered(0))
    (first,) = await spool.keys.due_sendings(T0, 10, LEASE)
    await spool.keys.not_sent(first, f"503 for {first.text}", T0 + MINUTE, T0)
    assert await spool.keys.due_sendings(T0, 10, LEASE) == []
    (second,) = await spool.keys.due_sendings(T0 + MINUTE, 10, LEASE)
    assert second.attempts == 2
    await spool.keys.not_sent(first, "who came late changes nothing", None, T0 + MINUTE)
    await spool.keys.not_sent(second, "no such number", None, T0 + MINUTE)
    (status,) = await spool.keys.statuses(queue_id)
    assert (status.stage, status.detail) == (Stage.FAILED, "no such number")
    assert await notices(spool) == [(NoticeKind.KEY_FAILED, (0,), "sms:no such number")]
    assert first.text not in str(await rows(spool, sa.select(events)))


async def test_a_receipt_that_says_no_is_told_too(spool: SqlSpool) -> None:
    await spool.accept(keyed(sealed(Way.SMS)))
    await leave(spool, delivered(0))
    (sending,) = await spool.keys.due_sendings(T0, 10, LEASE)
    await spool.keys.sent(sending, "SM1", T0)
    assert await spool.keys.receipted("SM1", False, "undelivered", T0)
    assert await notices(spool) == [(NoticeKind.KEY_FAILED, (0,), "sms:undelivered")]


@pytest.mark.parametrize("number", [NUMBER, ""])
async def test_what_the_sender_says_anew_has_another_name(spool: SqlSpool, number: str) -> None:
    queue_id = await spool.accept(keyed(sealed(Way.SMS)))
    await leave(spool, delivered(0))
    said = []
    for hour in range(3):
        now = T0 + hour * HOUR
        (first,) = await spool.keys.due_sendings(now, 10, LEASE)
        await spool.keys.not_sent(first, "unreachable", now + MINUTE, now)
        (second,) = await spool.keys.due_sendings(now + MINUTE, 10, LEASE)
        await spool.keys.not_sent(second, "refused-number", None, now + MINUTE)
        assert first.said == second.said
        assert second.to == (number if hour else "")
        said.append(first.said)
        assert (await spool.keys.supply(queue_id, [0], Way.SMS, number, CLERK, now + HOUR)).done == (0,)
    assert said[0] == ""
    assert len(set(said)) == 3


async def test_a_row_that_nobody_understands_keeps_no_other_waiting(spool: SqlSpool) -> None:
    poisoned = await spool.accept(keyed(sealed(Way.SMS)))
    await spool.accept(keyed(sealed(Way.SMS)))
    await leave(spool, delivered(0))
    bad = sa.update(key_sendings).where(key_sendings.c.queue_id == poisoned).values(stage="later", due_at=1)
    await spool.database.committer.run(lambda tx: tx.connection.execute(bad) and None)
    assert [each.recipient for each in await spool.keys.due_sendings(T0, 10, LEASE)] == [0]


@pytest.mark.parametrize("strange", [{"stage": "later"}, {"way": "pigeon"}])
async def test_a_row_that_nobody_understands_holds_up_no_delivery(
    spool: SqlSpool, strange: dict[str, str]
) -> None:
    queue_id = await spool.accept(keyed(sealed(Way.SMS)))
    claims = await spool.claim(T0, 100, LEASE)
    bad = sa.update(key_sendings).values(**strange)
    await spool.database.committer.run(lambda tx: tx.connection.execute(bad) and None)
    with pytest.raises(NoKey, match="none"):
        await spool.keys.to_seal(queue_id, [0])
    assert (await spool.record(claims[0], [delivered(0)], T0)).done == (0,)
    assert await spool.keys.due_sendings(T0, 10, LEASE) == []
    assert (await spool.shares.take_back(queue_id, None, CLERK, T0)).gone == (0,)


async def test_a_key_that_could_never_be_sent_is_told_when_its_time_is_over(spool: SqlSpool) -> None:
    await spool.accept(keyed(sealed(Way.SMS), sealed(Way.SENDER), sealed(Way.SMS)))
    await leave(spool, delivered(0), delivered(1))
    assert await spool.keys.delete_over(T0 + 15 * DAY, 10) == 1
    failed = [each for each in await notices(spool) if each[0] is NoticeKind.KEY_FAILED]
    assert failed == [(NoticeKind.KEY_FAILED, (0,), "sms:expired")]


async def test_a_key_whose_carrier_dies_each_time_is_not_sent_for_ever(spool: SqlSpool) -> None:
    queue_id = await spool.accept(keyed(sealed(Way.SMS)))
    await leave(spool, delivered(0))
    times = [await spool.keys.due_sendings(T0 + n * HOUR, 10, LEASE) for n in range(LOST_AT_MOST + 3)]
    assert sum(map(len, times)) == LOST_AT_MOST
    assert await stages(spool, queue_id) == [Stage.FAILED]
    assert [each[0] for each in await notices(spool)] == [NoticeKind.KEY_FAILED]


async def test_a_lease_that_nobody_came_back_from_is_taken_again(spool: SqlSpool) -> None:
    queue_id = await spool.accept(keyed(sealed(Way.SMS)))
    await leave(spool, delivered(0))
    (lost,) = await spool.keys.due_sendings(T0, 10, LEASE)
    assert await spool.keys.due_sendings(T0 + LEASE - MINUTE, 10, LEASE) == []
    (again,) = await spool.keys.due_sendings(T0 + LEASE, 10, LEASE)
    assert again.lease != lost.lease
    await spool.keys.sent(lost, "SM0", T0 + LEASE)
    assert await stages(spool, queue_id) == ["sending"]
    reasons = sa.select(events.c.reason).where(events.c.kind == "key-attempt").order_by(events.c.seq)
    assert [row[0] for row in await rows(spool, reasons)] == ["system", "lease-lost"]


@pytest.mark.parametrize("own", [True, False])
async def test_who_is_cancelled_never_gets_a_key(spool: SqlSpool, own: bool) -> None:
    queue_id = await spool.accept(keyed(*[sealed(Way.SMS, own_key=own)] * 2, window=MINUTE))
    await spool.cancel(queue_id, [0], CLERK, Reason.BY_SENDER, T0)
    assert await stages(spool, queue_id) == ["stopped", "waiting"]
    with pytest.raises(NoKey):
        await spool.keys.to_seal(queue_id, [0])
    left = {row[0] for row in await rows(spool, sa.select(message_keys.c.number))}
    assert left == ({2} if own else {0})
    await spool.cancel(queue_id, None, CLERK, Reason.BY_SENDER, T0)
    assert await rows(spool, sa.select(message_keys)) == []
    assert (await kinds(spool))[-2:] == ["key-stopped", "key-deleted"]


async def test_a_bounce_stops_the_key_and_a_deferral_does_not(spool: SqlSpool) -> None:
    queue_id = await spool.accept(keyed(*[sealed(Way.SMS)] * 2))
    await leave(spool, bounced(0), deferred(1, T0 + MINUTE))
    assert await stages(spool, queue_id) == ["stopped", "waiting"]
    await spool.ageing.expire(T0 + 9 * DAY, 5 * DAY, 10)
    assert await stages(spool, queue_id) == ["stopped", "stopped"]
    assert await rows(spool, sa.select(message_keys)) == []


async def test_a_key_is_deleted_at_its_time(spool: SqlSpool) -> None:
    queue_id = await spool.accept(
        keyed(sealed(Way.SECOND_MAIL, expires=DAY), sealed(), sealed(expires=2 * DAY))
    )
    await leave(spool, delivered(0), delivered(1), deferred(2, T0 + 9 * DAY))
    keep = timedelta(days=90)
    await spool.ageing.purge(T0 + 13 * DAY, keep, keep, 10)
    assert len(await rows(spool, sa.select(message_keys))) == 1  # kept as long as the longest demand on it
    assert await spool.ageing.purge(T0 + 14 * DAY, keep, keep, 10) == 1
    assert await stages(spool, queue_id) == ["stopped", "stopped", "stopped"]
    assert (await kinds(spool))[-2:] == ["key-stopped", "key-deleted"]
    for verb in (spool.keys.to_seal(queue_id, [2]), spool.keys.to_seal(queue_id, [0])):
        with pytest.raises(NoKey, match="expired"):
            await verb
    assert await spool.keys.due_sendings(T0 + 15 * DAY, 10, LEASE) == []
    assert await spool.ageing.purge(T0 + 14 * DAY, keep, keep, 10) == 0


async def test_keys_go_with_the_record_of_their_mail(spool: SqlSpool) -> None:
    await spool.accept(keyed(sealed(Way.SMS, expires=100 * DAY)))
    await leave(spool, delivered(0))
    await spool.ageing.purge(T0 + 50 * DAY, DAY, DAY, 10)
    assert await rows(spool, sa.select(message_keys)) == []
    assert await rows(spool, sa.select(key_sendings)) == []
    assert "key-deleted" in await kinds(spool)


async def test_a_way_that_is_not_there_seals_nothing(spool: SqlSpool) -> None:
    queue_id = await spool.accept(keyed(sealed(None), sealed()))
    with pytest.raises(NoKey, match="none"):
        await spool.keys.to_seal(queue_id, [0])
    await spool.database.committer.run(lambda tx: tx.connection.execute(key_sendings.delete()))
    with pytest.raises(NoKey, match="none"):
        await spool.keys.to_seal(queue_id, [1])


async def test_statuses_of_some(spool: SqlSpool) -> None:
    queue_id = await spool.accept(keyed(*[sealed()] * 4))
    assert [each.recipient for each in await spool.keys.statuses(queue_id, [1, 3])] == [1, 3]


async def test_verbs_on_no_message(spool: SqlSpool) -> None:
    await spool.accept(keyed(sealed()))
    for verb in (
        spool.keys.to_seal("none", [0]),
        spool.keys.show("none", CLERK, T0),
        spool.keys.statuses("none"),
        spool.keys.supply("none", [0], Way.SMS, NUMBER, CLERK, T0),
        spool.keys.stop("none", None, ADMIN, Reason.BY_ADMIN, T0),
    ):
        with pytest.raises(UnknownMessage):
            await verb


async def test_a_keyed_mail_that_nothing_holds_is_leased_with_its_acceptance(spool: SqlSpool) -> None:
    queue_id, claim = await spool.accept_and_claim(keyed(sealed(Way.SMS)), LEASE)
    assert claim is not None
    await spool.record(claim, [delivered(0)], T0)
    assert await stages(spool, queue_id) == ["ready"]


async def test_a_line_leases_its_own_way_only(spool: SqlSpool) -> None:
    await spool.accept(keyed(sealed(Way.SMS), sealed(Way.SECOND_MAIL)))
    await leave(spool, delivered(0), delivered(1))
    late = T0 + SECOND_MAIL_AFTER
    (mail,) = await spool.keys.due_sendings(late, 10, LEASE, Way.SECOND_MAIL)
    assert (mail.recipient, mail.way) == (1, Way.SECOND_MAIL)
    assert await spool.keys.due_sendings(late, 10, LEASE, Way.SECOND_MAIL) == []
    (text,) = await spool.keys.due_sendings(late, 10, LEASE, Way.SMS)
    assert (text.recipient, text.way) == (0, Way.SMS)
    assert await spool.keys.due_sendings(late, 10, LEASE, Way.SENDER) == []


async def test_second_mails_are_known_by_their_receipts_until_their_fate_is(spool: SqlSpool) -> None:
    await spool.accept(keyed(sealed(Way.SMS), sealed(Way.SECOND_MAIL)))
    await leave(spool, delivered(0), delivered(1))
    for each in await spool.keys.due_sendings(T0 + SECOND_MAIL_AFTER, 10, LEASE):
        await spool.keys.sent(each, "mail:x" if each.way is Way.SECOND_MAIL else "webhook:y", T0)
    assert await spool.keys.mailed(10) == ["mail:x"]
    assert await spool.keys.mailed(0) == []
    assert await spool.keys.receipted("mail:x", True, "", T0)
    assert await spool.keys.mailed(10) == []
