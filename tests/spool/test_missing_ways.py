"""Mail whose files cannot leave protected yet: it waits, and nothing but a way for its key lets it go."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from gateway.languages import Words
from gateway.message.address import Address
from gateway.policy.demands import Demands, Language
from gateway.policy.protection import Way
from gateway.spool.key_contract import NoKey, Stage
from gateway.spool.lifecycle import Reason, State
from gateway.spool.notice import NoticeKind
from gateway.spool.sql import SqlSpool
from gateway.spool.values import Actor, Change
from gateway.store.attachment_tables import key_sendings
from gateway.store.schema import events, recipients
from gateway.waiting import needs
from tests.spool.asking import CHIEF, approval
from tests.spool.keyed import CLERK, DAY, NUMBER, WAYS, keyed, sealed
from tests.spool.mails import LEASE, MINUTE, T0, bounced, delivered

ADMIN = Actor("admin", "root")
HELD = State.HELD


async def states(spool: SqlSpool, queue_id: str) -> list[State]:
    return [each.state for each in (await spool.get(queue_id)).recipients]


async def ways(spool: SqlSpool, queue_id: str) -> list[tuple[Way | None, Stage, str]]:
    return [(each.way, each.stage, each.to) for each in await spool.keys.statuses(queue_id)]


async def test_who_has_no_way_waits_and_others_do_not(spool: SqlSpool) -> None:
    queue_id = await spool.accept(keyed(sealed(None), sealed(), None))
    assert await states(spool, queue_id) == [HELD, State.QUEUED, State.QUEUED]
    message = await spool.get(queue_id)
    (need,) = needs(message, Words(Language.EN, ZoneInfo("Asia/Tokyo")))
    assert "how the key" in need.what
    assert not need.approval
    assert message.recipients[0].due_at is None
    assert await spool.next_due() == T0


@pytest.mark.parametrize("handling", [sealed(None), sealed(obstacle="signed"), sealed(None, ways=())])
async def test_nobody_releases_it(spool: SqlSpool, handling: object) -> None:
    queue_id = await spool.accept(keyed(sealed(None) if handling is None else handling))  # type: ignore[arg-type]
    for actor, reason in ((ADMIN, Reason.BY_ADMIN), (CLERK, Reason.BY_SENDER)):
        change = await spool.release(queue_id, None, actor, reason, T0, "it is urgent")
        assert change == Change((), ((0, HELD),))
    assert await spool.release_due(T0 + 300 * DAY, 10) == 0
    assert (await spool.consents.confirm(queue_id, [0], True, CLERK, T0)).done == ()
    assert await states(spool, queue_id) == [HELD]


async def test_who_was_let_go_by_whatever_else_is_held_again(spool: SqlSpool) -> None:
    """As a node of the release before, or a hand in the database, would."""
    queue_id = await spool.accept(keyed(sealed(None), sealed(obstacle="unclear"), None))
    freed = recipients.update().values(state="queued", due_at=0, queued_at=0)
    await spool.database.committer.run(lambda tx: tx.connection.execute(freed))
    (claim,) = await spool.claim(T0, 10, LEASE)
    assert [each.index for each in claim.message.recipients] == [2]
    assert await states(spool, queue_id) == [HELD, HELD, State.ACTIVE]


async def test_the_sender_says_a_way_and_it_leaves(spool: SqlSpool) -> None:
    queue_id = await spool.accept(keyed(sealed(None), sealed(None), sealed(None, own_key=True)))
    change = await spool.keys.supply(queue_id, [0, 7], Way.SMS, NUMBER, CLERK, T0)
    assert change == Change((0,), ())
    assert await states(spool, queue_id) == [State.QUEUED, HELD, HELD]
    assert (await ways(spool, queue_id))[0] == (Way.SMS, Stage.WAITING, "5678")
    late = await spool.keys.supply(queue_id, [0], Way.SENDER, "", CLERK, T0)
    assert late == Change((), ((0, State.QUEUED),))
    await spool.keys.supply(queue_id, [1, 2], Way.SENDER, "", CLERK, T0)
    (claim,) = await spool.claim(T0, 10, LEASE)
    assert len(await spool.keys.to_seal(queue_id, [0, 1, 2])) == 3
    await spool.record(claim, [delivered(0), delivered(1), bounced(2)], T0)
    (sending,) = await spool.keys.due_sendings(T0, 10, LEASE)
    assert (sending.way, sending.to) == (Way.SMS, NUMBER)
    assert NUMBER not in repr(sending)


async def test_a_number_is_wrapped_and_in_no_event(spool: SqlSpool) -> None:
    queue_id = await spool.accept(keyed(sealed(None)))
    await spool.keys.supply(queue_id, [0], Way.SMS, NUMBER, CLERK, T0)
    told = await spool.database.readers.run(
        lambda q: (
            str(q.connection.execute(sa.select(events)).all())
            + str(q.connection.execute(sa.select(key_sendings)).all())
        )
    )
    assert NUMBER.lstrip("+") not in told
    assert "key-way" in told


async def test_the_window_runs_on_when_the_way_is_known(spool: SqlSpool) -> None:
    queue_id = await spool.accept(keyed(sealed(None), window=10 * MINUTE))
    await spool.keys.supply(queue_id, [0], Way.SENDER, "", CLERK, T0 + MINUTE)
    (recipient,) = (await spool.get(queue_id)).recipients
    assert (recipient.state, recipient.due_at) == (HELD, T0 + 10 * MINUTE)
    # and until it leaves the sender may say better
    change = await spool.keys.supply(queue_id, [0], Way.SMS, NUMBER, CLERK, T0 + MINUTE)
    assert change.done == (0,)
    assert (await ways(spool, queue_id))[0][0] is Way.SMS


async def test_an_approval_is_needed_all_the_same(spool: SqlSpool) -> None:
    asked = Demands(approvals=frozenset({approval(CHIEF)}))
    queue_id = await spool.accept(keyed(sealed(None), demands=[asked]))
    await spool.keys.supply(queue_id, [0], Way.SENDER, "", CLERK, T0)
    assert await states(spool, queue_id) == [HELD]
    await spool.consents.approve(queue_id, None, CHIEF, Actor("approver", CHIEF), "", T0)
    assert await states(spool, queue_id) == [State.QUEUED]


@pytest.mark.parametrize("way", [Way.CODE_PAGE, Way.PREAGREED], ids=["not allowed", "agreed on with nobody"])
async def test_a_way_that_is_none_is_nobodys(spool: SqlSpool, way: Way) -> None:
    queue_id = await spool.accept(keyed(sealed(None, ways=(Way.SENDER, Way.PREAGREED))))
    assert await spool.keys.supply(queue_id, [0], way, "", CLERK, T0) == Change((), ((0, HELD),))
    assert (await ways(spool, queue_id))[0][0] is None


@pytest.mark.parametrize("to", ["090-1234-5678", "+0190", "+81901234567890123", "tel:110", "+81９０12345678"])
async def test_what_is_no_number_is_refused_without_quoting_it(spool: SqlSpool, to: str) -> None:
    queue_id = await spool.accept(keyed(sealed(None)))
    with pytest.raises(ValueError, match=r"E\.164") as refused:
        await spool.keys.supply(queue_id, [0], Way.SMS, to, CLERK, T0)
    assert to not in str(refused.value)
    with pytest.raises(ValueError, match=r"E\.164"):
        await spool.keys.supply(queue_id, [0], Way.SENDER, NUMBER, CLERK, T0)


async def test_what_was_decided_is_not_changed_and_what_failed_is(spool: SqlSpool) -> None:
    queue_id = await spool.accept(keyed(sealed(Way.SMS), window=MINUTE))
    assert (await spool.keys.supply(queue_id, [0], Way.SENDER, "", CLERK, T0)).done == ()
    await spool.release_due(T0 + MINUTE, 10)
    (claim,) = await spool.claim(T0 + MINUTE, 10, LEASE)
    await spool.record(claim, [delivered(0)], T0 + MINUTE)
    (sending,) = await spool.keys.due_sendings(T0 + MINUTE, 10, LEASE)
    assert (await spool.keys.supply(queue_id, [0], Way.SENDER, "", CLERK, T0)).done == ()
    await spool.keys.not_sent(sending, "no number", None, T0 + MINUTE)
    change = await spool.keys.supply(queue_id, [0], Way.SMS, NUMBER, CLERK, T0 + 2 * MINUTE)
    assert change.done == (0,)
    (again,) = await spool.keys.due_sendings(T0 + 2 * MINUTE, 10, LEASE)
    assert (again.to, again.attempts, again.text) == (NUMBER, 1, sending.text)


async def test_an_agreed_key_may_be_the_way(spool: SqlSpool) -> None:
    await spool.keys.agree("@example.com", "agreed-on-long-ago", ADMIN, T0)
    queue_id = await spool.accept(keyed(sealed(None, ways=(Way.PREAGREED,))))
    await spool.keys.supply(queue_id, [0], Way.PREAGREED, "", CLERK, T0)
    assert (await spool.keys.to_seal(queue_id, [0]))[0].text == "agreed-on-long-ago"
    assert await states(spool, queue_id) == [State.QUEUED]


@pytest.mark.parametrize(("handling", "why"), [(sealed(None), "way"), (sealed(obstacle="signed"), "signed")])
async def test_out_of_time_it_is_cancelled_and_the_sender_hears_why(
    spool: SqlSpool, handling: object, why: str
) -> None:
    queue_id = await spool.accept(keyed(handling, None))  # type: ignore[arg-type]
    assert await spool.consents.pass_deadlines(T0 + DAY - MINUTE, 10) == 0
    assert await spool.consents.pass_deadlines(T0 + DAY, 10) == 1
    assert await states(spool, queue_id) == [State.CANCELLED, State.QUEUED]
    asked, told = await spool.notices.pending(10)
    assert (asked.kind, asked.recipients) == (NoticeKind.HOLD, (0,))
    assert (told.kind, told.recipients, told.actor) == (NoticeKind.TIMED_OUT, (0,), why)
    assert all(stage is Stage.STOPPED for _, stage, _ in await ways(spool, queue_id))
    assert (await spool.keys.supply(queue_id, [0], Way.SENDER, "", CLERK, T0 + DAY)).done == ()


@pytest.mark.parametrize("copy", [None, sealed(Way.SMS)])
async def test_copies_go_along_with_the_first_way_and_never_before(spool: SqlSpool, copy: object) -> None:
    queue_id = await spool.accept(keyed(sealed(None), sealed(None), None, copy, copied=1))  # type: ignore[arg-type]
    assert await states(spool, queue_id) == [HELD, HELD, State.QUEUED, HELD]
    assert (await spool.keys.supply(queue_id, [3], Way.SENDER, "", CLERK, T0)) == Change((), ())
    assert (await spool.release(queue_id, [3], ADMIN, Reason.BY_ADMIN, T0)).done == ()
    await spool.keys.supply(queue_id, [0], Way.SMS, NUMBER, CLERK, T0)
    assert await states(spool, queue_id) == [State.QUEUED, HELD, State.QUEUED, State.QUEUED]


@pytest.mark.parametrize("others", [True, False])
async def test_copies_of_what_was_cancelled_go_with_the_rest_or_not_at_all(
    spool: SqlSpool, others: bool
) -> None:
    plain = [None] if others else []
    queue_id = await spool.accept(keyed(sealed(obstacle="signed"), *plain, None, copied=1))
    await spool.consents.pass_deadlines(T0 + DAY, 10)
    rest = [State.QUEUED, State.QUEUED] if others else [State.CANCELLED]
    assert await states(spool, queue_id) == [State.CANCELLED, *rest]


@pytest.mark.parametrize("handling", [sealed(None), sealed(obstacle="unclear")])
async def test_a_copy_that_cannot_be_protected_never_leaves(spool: SqlSpool, handling: object) -> None:
    queue_id = await spool.accept(keyed(None, handling, copied=1))  # type: ignore[arg-type]
    (claim,) = await spool.claim(T0, 10, LEASE)
    await spool.record(claim, [delivered(0)], T0)
    await spool.consents.pass_deadlines(T0 + DAY, 10)
    assert await states(spool, queue_id) == [State.DELIVERED, State.CANCELLED]
    assert await spool.notices.pending(10) == []  # nobody hears of a copy


async def test_a_mail_can_be_cancelled_by_its_sender(spool: SqlSpool) -> None:
    queue_id = await spool.accept(keyed(sealed(obstacle="signed"), sealed(None)))
    change = await spool.cancel(queue_id, None, CLERK, Reason.BY_SENDER, T0)
    assert change.done == (0, 1)
    assert await spool.consents.pass_deadlines(T0 + 2 * DAY, 10) == 1
    assert [each.kind for each in await spool.notices.pending(10)] == [NoticeKind.HOLD]


async def test_a_stranger_is_not_asked(spool: SqlSpool) -> None:
    mail = keyed(sealed(None), sender=Address("someone", "elsewhere.example.net"))
    client = replace(mail.envelope.client, account=None)
    await spool.accept(replace(mail, envelope=replace(mail.envelope, client=client)))
    assert await spool.notices.pending(10) == []


async def test_a_lost_row_is_no_way(spool: SqlSpool) -> None:
    queue_id = await spool.accept(keyed(sealed(None)))
    await spool.database.committer.run(lambda tx: tx.connection.execute(key_sendings.delete()))
    assert (await spool.keys.supply(queue_id, [0], Way.SENDER, "", CLERK, T0)).done == ()
    assert await states(spool, queue_id) == [HELD]
    with pytest.raises(NoKey):
        await spool.keys.to_seal(queue_id, [0])


async def test_recipients_of_one_rule_with_different_spans(spool: SqlSpool) -> None:
    other = replace(sealed(None), within=timedelta(hours=1))
    queue_id = await spool.accept(keyed(sealed(None, ways=WAYS), other))
    await spool.consents.pass_deadlines(T0 + timedelta(hours=1), 10)
    assert await states(spool, queue_id) == [HELD, State.CANCELLED]
    await spool.keys.supply(queue_id, [0, 1], Way.SENDER, "", CLERK, T0 + timedelta(hours=2))
    assert await states(spool, queue_id) == [State.QUEUED, State.CANCELLED]
