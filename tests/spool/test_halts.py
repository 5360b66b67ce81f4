"""Freezing, thawing, waiting longer and correcting, on both stores: nothing leaves, nothing is lost."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from gateway.audit.entries import Question
from gateway.audit.log import EventLog
from gateway.spool.contract import UnknownMessage
from gateway.spool.halt_contract import FROZEN_FOR, LONGEST, Freeze
from gateway.spool.lifecycle import Kind, Reason, State
from gateway.spool.list_contract import HeldQuestion, Scope, Waits
from gateway.spool.reopening import hold_all
from gateway.spool.sql import SqlSpool
from gateway.spool.values import Actor, Change, Claim, Stored
from gateway.store.where import Where
from tests.spool.asking import CHIEF, approval, asking, confirmation
from tests.spool.mails import LEASE, MINUTE, SENDER, T0, WINDOW, Ticks, deferred, delivered, mail

BY_SENDER, ADMIN, FRIEND = Actor("sender", "clerk"), Actor("admin", "root"), Actor("colleague", "aoki")
HELD, QUEUED, CANCELLED, ACTIVE = State.HELD, State.QUEUED, State.CANCELLED, State.ACTIVE
NOTHING = Change((), ())
LATER = T0 + timedelta(hours=5)


async def states(spool: SqlSpool, queue_id: str) -> list[State]:
    return [each.state for each in (await spool.get(queue_id)).recipients]


async def due(spool: SqlSpool, queue_id: str) -> list[datetime | None]:
    return [each.due_at for each in (await spool.get(queue_id)).recipients]


def events(where: Where, kind: Kind) -> list[tuple[str, str, dict[str, object]]]:
    with EventLog(where) as log:
        return [(e.reason, e.recipients, dict(e.detail)) for e in log.query(Question()) if e.kind == kind]


async def test_nothing_leaves_while_frozen_and_the_rest_of_the_window_runs_on(spool: SqlSpool) -> None:
    queue_id = await spool.accept(mail(held=2))
    change = await spool.halts.freeze(queue_id, BY_SENDER, "待って", T0 + 4 * MINUTE)
    assert change == Change((0, 1), ())
    assert await spool.release_due(LATER, 10) == 0
    assert await spool.next_due() is None
    message = await spool.get(queue_id)
    frozen_at = T0 + 4 * MINUTE
    assert message.frozen == Freeze(frozen_at, frozen_at + FROZEN_FOR, "sender", "clerk", "待って")
    assert [each.due_at for each in message.recipients] == [None, None]
    assert await spool.halts.thaw(queue_id, BY_SENDER, LATER) == Change((0, 1), ())
    assert await due(spool, queue_id) == [LATER + 6 * MINUTE] * 2
    assert (await spool.get(queue_id)).frozen is None
    assert await spool.release_due(LATER + 6 * MINUTE, 10) == 2


async def test_frozen_mail_is_let_go_by_nobody_else(spool: SqlSpool) -> None:
    queue_id = await spool.accept(asking(confirmation(), approval(CHIEF), outside=1, inside=0))
    await spool.halts.freeze(queue_id, BY_SENDER, "", T0)
    await spool.consents.confirm(queue_id, [0], False, BY_SENDER, T0)
    await spool.consents.approve(queue_id, None, CHIEF, Actor("approver", CHIEF), "", T0)
    for actor, reason in ((ADMIN, Reason.BY_ADMIN), (BY_SENDER, Reason.BY_SENDER)):
        assert await spool.release(queue_id, None, actor, reason, LATER) == Change((), ((0, HELD),))
    assert await spool.release_due(LATER, 10) == 0
    assert await spool.claim(LATER, 10, LEASE) == []
    await spool.halts.thaw(queue_id, BY_SENDER, LATER)
    assert await states(spool, queue_id) == [QUEUED]


async def test_what_was_said_while_frozen_counts_and_what_was_not_is_still_asked_for(spool: SqlSpool) -> None:
    queue_id = await spool.accept(asking(approval(CHIEF), outside=1, window=WINDOW))
    await spool.halts.freeze(queue_id, BY_SENDER, "", T0 + 2 * MINUTE)
    await spool.halts.thaw(queue_id, BY_SENDER, T0 + 30 * MINUTE)
    assert await due(spool, queue_id) == [None]
    await spool.consents.approve(queue_id, None, CHIEF, Actor("approver", CHIEF), "", T0 + 31 * MINUTE)
    assert await due(spool, queue_id) == [T0 + 38 * MINUTE]


async def test_what_moves_is_held_too_and_goes_on_when_thawed(spool: SqlSpool, ticks: Ticks) -> None:
    queue_id = await spool.accept(mail(held=1, queued=3))
    claim = await _one(spool, queue_id)
    assert await spool.halts.freeze(queue_id, BY_SENDER, "", T0) == Change((0, 2, 3), ((1, ACTIVE),))
    assert await states(spool, queue_id) == [HELD, ACTIVE, HELD, HELD]
    await spool.record(claim, [deferred(1, T0 + MINUTE)], T0)
    assert await states(spool, queue_id) == [HELD] * 4
    assert await spool.claim(LATER, 10, LEASE) == []
    await spool.halts.thaw(queue_id, BY_SENDER, LATER)
    assert await states(spool, queue_id) == [HELD, QUEUED, QUEUED, QUEUED]
    (claimed,) = await spool.claim(LATER, 10, LEASE)
    assert len(claimed.message.recipients) == 3
    assert [each.attempts for each in claimed.message.recipients] == [2, 1, 1]


async def test_what_a_dead_process_had_leased_stays_frozen(spool: SqlSpool, ticks: Ticks) -> None:
    queue_id = await spool.accept(mail(queued=2))
    await _one(spool, queue_id, 0)
    await spool.halts.freeze(queue_id, BY_SENDER, "", T0)
    ticks.pass_by(2 * LEASE)
    assert await spool.recover(T0 + 2 * LEASE) == 1
    assert await states(spool, queue_id) == [HELD, HELD]
    assert (await spool.get(queue_id)).recipients[0].perhaps


async def test_mail_under_way_alone_is_held_if_it_comes_back(spool: SqlSpool) -> None:
    queue_id = await spool.accept(mail(queued=1))
    claim = await _one(spool, queue_id, 0)
    assert await spool.halts.freeze(queue_id, BY_SENDER, "", T0) == Change((), ((0, ACTIVE),))
    await spool.record(claim, [deferred(0, T0 + MINUTE)], T0)
    assert await states(spool, queue_id) == [HELD]
    done = await spool.accept(mail(queued=1))
    await spool.record(await _one(spool, done, 0), [delivered(0)], T0)
    assert await spool.halts.freeze(done, BY_SENDER, "", T0) == Change((), ((0, State.DELIVERED),))
    assert await spool.consents.pass_deadlines(T0 + FROZEN_FOR, 10) == 1  # only the first was frozen


async def test_what_nobody_thaws_is_cancelled_and_the_sender_hears_of_it(
    spool: SqlSpool, where: Where
) -> None:
    queue_id = await spool.accept(mail(held=2))
    await spool.halts.freeze(queue_id, BY_SENDER, "", T0)
    assert await spool.consents.pass_deadlines(T0 + FROZEN_FOR - MINUTE, 10) == 0
    assert await spool.consents.pass_deadlines(T0 + FROZEN_FOR, 10) == 1
    assert await states(spool, queue_id) == [CANCELLED] * 2
    (notice,) = await spool.notices.pending(10)
    assert (notice.kind, notice.to, notice.recipients) == ("frozen-too-long", str(SENDER), (0, 1))
    assert events(where, Kind.CANCELLED) == [("frozen-too-long", "0-1", {})]
    assert await spool.consents.pass_deadlines(T0 + 2 * FROZEN_FOR, 10) == 0


async def test_how_long_is_a_setting(spool: SqlSpool) -> None:
    spool.halts.frozen_for = timedelta(hours=1)
    queue_id = await spool.accept(mail(held=1))
    await spool.halts.freeze(queue_id, BY_SENDER, "", T0)
    assert await spool.consents.pass_deadlines(T0 + timedelta(hours=1), 10) == 1


async def test_a_deadline_passes_while_frozen_as_its_rule_says(spool: SqlSpool) -> None:
    cancels = await spool.accept(asking(approval(CHIEF, within=MINUTE), outside=1))
    lapses = await spool.accept(asking(approval(CHIEF, within=MINUTE, otherwise="release"), outside=1))
    for queue_id in (cancels, lapses):
        await spool.halts.freeze(queue_id, BY_SENDER, "", T0)
    await spool.consents.pass_deadlines(T0 + MINUTE, 10)
    assert await states(spool, cancels) == [CANCELLED]
    assert await states(spool, lapses) == [HELD]
    await spool.halts.thaw(lapses, BY_SENDER, LATER)
    assert await states(spool, lapses) == [QUEUED]


async def test_frozen_mail_can_be_cancelled_rejected_and_taken_back(spool: SqlSpool) -> None:
    ids = [await spool.accept(asking(approval(CHIEF), outside=1)) for _ in range(3)]
    for queue_id in ids:
        await spool.halts.freeze(queue_id, BY_SENDER, "", T0)
    await spool.cancel(ids[0], None, BY_SENDER, Reason.BY_SENDER, T0)
    await spool.consents.reject(ids[1], None, CHIEF, Actor("approver", CHIEF), "no", T0)
    await spool.shares.take_back(ids[2], None, BY_SENDER, T0)
    for queue_id in ids:
        assert await states(spool, queue_id) == [CANCELLED]
        assert await spool.halts.thaw(queue_id, BY_SENDER, T0) == Change((), ((0, CANCELLED),))
    assert await spool.consents.pass_deadlines(T0 + FROZEN_FOR, 10) <= 3


@pytest.mark.parametrize(
    ("froze", "thaws", "may"),
    [(ADMIN, BY_SENDER, False), (ADMIN, ADMIN, True), (BY_SENDER, ADMIN, True), (FRIEND, BY_SENDER, True)],
)
async def test_who_may_thaw(spool: SqlSpool, froze: Actor, thaws: Actor, may: bool) -> None:
    queue_id = await spool.accept(mail(held=1))
    await spool.halts.freeze(queue_id, froze, "", T0)
    change = await spool.halts.thaw(queue_id, thaws, T0)
    assert change == (Change((0,), ()) if may else Change((), ((0, HELD),)))
    assert ((await spool.get(queue_id)).frozen is None) == may


async def test_freezing_again_changes_nothing_and_is_no_event(spool: SqlSpool, where: Where) -> None:
    queue_id = await spool.accept(mail(held=1))
    await spool.halts.freeze(queue_id, BY_SENDER, "first", T0)
    assert await spool.halts.freeze(queue_id, ADMIN, "second", LATER) == Change((), ((0, HELD),))
    message = await spool.get(queue_id)
    assert message.frozen is not None
    assert (message.frozen.because, message.frozen.at) == ("first", T0)
    assert len(events(where, Kind.FROZEN)) == 1
    assert await spool.notices.pending(10) == []


async def test_the_sender_hears_that_somebody_else_froze_it(spool: SqlSpool) -> None:
    queue_id = await spool.accept(mail(held=1))
    await spool.halts.freeze(queue_id, ADMIN, "", T0)
    (notice,) = await spool.notices.pending(10)
    assert (notice.kind, notice.actor) == ("frozen", "root")


async def test_a_restored_backup_holds_what_was_frozen_for_an_administrator(spool: SqlSpool) -> None:
    queue_id = await spool.accept(mail(held=1))
    await spool.halts.freeze(queue_id, BY_SENDER, "", T0)
    assert await hold_all(spool, "yesterday", ADMIN, T0) == 1
    await spool.consents.pass_deadlines(T0 + FROZEN_FOR, 10)
    assert await states(spool, queue_id) == [HELD]
    change = await spool.release(queue_id, None, ADMIN, Reason.BY_ADMIN, LATER)
    assert change.done == (0,)


async def test_what_an_administrator_lets_go_after_a_restore_is_frozen_no_more(spool: SqlSpool) -> None:
    queue_id = await spool.accept(mail(held=1))
    await spool.halts.freeze(queue_id, BY_SENDER, "", T0)
    await hold_all(spool, "yesterday", ADMIN, T0)
    assert (await spool.get(queue_id)).frozen is None
    await spool.release(queue_id, None, ADMIN, Reason.BY_ADMIN, T0)
    await spool.record(await _one(spool, queue_id, 0), [deferred(0, T0 + MINUTE)], T0)
    assert await states(spool, queue_id) == [State.DEFERRED]


async def test_a_list_shows_what_is_frozen(spool: SqlSpool) -> None:
    queue_id = await spool.accept(mail(held=1))
    await spool.accept(mail(held=1))
    await spool.halts.freeze(queue_id, BY_SENDER, "", T0)
    page = await spool.lists.held(HeldQuestion(Scope(everything=True), waits=Waits.FROZEN))
    assert [(line.queue_id, line.due_at, line.waits) for line in page.lines] == [
        (queue_id, None, frozenset({Waits.FROZEN}))
    ]


async def test_it_waits_longer_never_shorter_and_not_for_ever(spool: SqlSpool, where: Where) -> None:
    queue_id = await spool.accept(mail(held=1, queued=1))
    assert await spool.halts.extend(queue_id, LATER, BY_SENDER, T0) == Change((0,), ())
    assert (await due(spool, queue_id))[0] == LATER
    assert await spool.halts.extend(queue_id, T0 + MINUTE, BY_SENDER, T0) == Change((), ((0, HELD),))
    await spool.halts.extend(queue_id, T0 + timedelta(days=400), BY_SENDER, T0 + MINUTE)
    assert (await due(spool, queue_id))[0] == T0 + LONGEST
    assert [reason for reason, _, _ in events(where, Kind.EXTENDED)] == ["by-sender"] * 2
    assert (await spool.release(queue_id, None, BY_SENDER, Reason.BY_SENDER, LATER)).done == (0,)


async def test_waiting_longer_holds_behind_the_last_approval_too(spool: SqlSpool) -> None:
    queue_id = await spool.accept(asking(approval(CHIEF), outside=1, window=WINDOW))
    assert await spool.halts.extend(queue_id, LATER, BY_SENDER, T0) == Change((0,), ())
    assert await due(spool, queue_id) == [None]
    await spool.consents.approve(queue_id, None, CHIEF, Actor("approver", CHIEF), "", T0 + MINUTE)
    assert await due(spool, queue_id) == [LATER]


async def test_who_lets_it_go_early_is_not_held_by_an_extension(spool: SqlSpool) -> None:
    queue_id = await spool.accept(asking(approval(CHIEF), outside=1, window=WINDOW))
    await spool.halts.extend(queue_id, LATER, BY_SENDER, T0)
    await spool.release(queue_id, None, BY_SENDER, Reason.BY_SENDER, T0 + MINUTE)
    await spool.consents.approve(queue_id, None, CHIEF, Actor("approver", CHIEF), "", T0 + 2 * MINUTE)
    assert await states(spool, queue_id) == [QUEUED]


async def test_frozen_mail_is_not_extended(spool: SqlSpool) -> None:
    queue_id = await spool.accept(mail(held=1))
    await spool.halts.freeze(queue_id, BY_SENDER, "", T0)
    assert await spool.halts.extend(queue_id, LATER, BY_SENDER, T0) == Change((), ((0, HELD),))


async def test_a_correction_cancels_one_and_tells_whom_to_write_to(spool: SqlSpool, where: Where) -> None:
    queue_id = await spool.accept(mail(held=2))
    change = await spool.halts.correct(queue_id, 1, " tanaka@example.co.jp ", ADMIN, T0)
    assert change == Change((1,), ())
    assert await states(spool, queue_id) == [HELD, CANCELLED]
    (notice,) = await spool.notices.pending(10)
    assert (notice.kind, notice.recipients, notice.actor) == ("corrected", (1,), "tanaka@example.co.jp")
    assert events(where, Kind.CORRECTED) == [("by-admin", "1", {"meant": "tanaka@example.co.jp"})]
    again = await spool.halts.correct(queue_id, 1, "tanaka@example.co.jp", ADMIN, T0)
    assert again == Change((), ((1, CANCELLED),))
    assert len(events(where, Kind.CORRECTED)) == 1
    with pytest.raises(ValueError, match="not a mail address"):
        await spool.halts.correct(queue_id, 0, "nobody", ADMIN, T0)


async def test_an_unknown_mail_is_unknown_to_every_verb(spool: SqlSpool) -> None:
    halts = spool.halts
    for verb in (
        halts.freeze("NONE", ADMIN, "", T0),
        halts.thaw("NONE", ADMIN, T0),
        halts.extend("NONE", LATER, ADMIN, T0),
        halts.correct("NONE", 0, "a@example.jp", ADMIN, T0),
        spool.body_opened("NONE", ADMIN, Reason.BY_ADMIN, "why", T0),
    ):
        with pytest.raises(UnknownMessage):
            await verb


async def _one(spool: SqlSpool, queue_id: str, index: int = 1) -> Claim:
    """Lease one recipient of a mail."""
    (claim,) = await spool.claim(T0, 1, LEASE)
    assert claim.message.queue_id == queue_id
    assert isinstance(claim.message, Stored)
    assert [each.index for each in claim.message.recipients] == [index]
    return claim
