"""Files behind links on both stores: who may open them, how often, until when, and what the event log says."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from gateway.audit.entries import Question
from gateway.audit.log import EventLog
from gateway.policy.protection import Way
from gateway.spool.contract import BodyUnreadable, UnknownMessage
from gateway.spool.key_contract import NoKey
from gateway.spool.lifecycle import Kind, Reason, State
from gateway.spool.notice import NoticeKind
from gateway.spool.reopening import hold_all
from gateway.spool.share_contract import NoShare, Visitor
from gateway.spool.shares_codes import ASKED, BARRED_AT, TRIES, VALID, VISITS, Entry, _key_right
from gateway.spool.shares_standing import LONGEST
from gateway.spool.sql import SqlSpool
from gateway.spool.values import Actor
from gateway.store.keys import MasterKey
from gateway.store.where import Where
from tests.spool.conftest import MASTER
from tests.spool.mails import LEASE, MINUTE, SENDER, T0, bounced, deferred, delivered, unanswered
from tests.spool.sharing import (
    DAY,
    FIRST,
    HOUR,
    LISTED,
    SECOND,
    VISITOR,
    ask,
    copied_to,
    events,
    linked,
    opened,
    sent,
    wrong,
)

CLERK = Actor("sender", str(SENDER))


async def why(spool: SqlSpool, queue_id: str, at: object = T0, recipient: int = 0) -> str:
    try:
        await spool.shares.get(queue_id, recipient, at)  # type: ignore[arg-type]
    except NoShare as closed:
        return closed.why
    return ""


async def test_each_recipient_with_a_link_has_a_share(spool: SqlSpool) -> None:
    queue_id = await sent(spool, linked(2, inside=1, downloads=3))
    shares = await spool.shares.of(queue_id)
    assert [(s.recipient, s.expires_at) for s in shares] == [(0, T0 + 7 * DAY), (1, T0 + 7 * DAY)]
    share = await spool.shares.get(queue_id, 0, T0)
    assert share.files == ((FIRST, LISTED), (SECOND, "map.txt"))
    assert share.left == ((FIRST, 3), (SECOND, 3))
    assert (share.fetched, share.opened_at, share.needs_key, share.used_up) == ((), None, False, False)
    assert await why(spool, queue_id, recipient=2) == "unknown"
    assert await why(spool, "5Q00000000000000") == "unknown"
    assert await spool.shares.of("5Q00000000000000") == []


async def test_a_share_opens_when_the_mail_may_have_arrived(spool: SqlSpool) -> None:
    queue_id = await spool.accept(linked(4))
    assert await why(spool, queue_id) == "not-sent"
    (claim,) = await spool.claim(T0, 10, LEASE)
    assert await why(spool, queue_id) == ""  # the link may be there before our row says so
    later = T0 + MINUTE
    await spool.record(claim, [delivered(0), deferred(1, later), unanswered(2, later), bounced(3)], T0)
    states = [await why(spool, queue_id, recipient=index) for index in range(4)]
    assert states == ["", "not-sent", "", "ended"]


async def test_a_mail_that_is_held_or_cancelled_opens_nothing(spool: SqlSpool, where: Where) -> None:
    queue_id = await spool.accept(linked(2, window=HOUR))
    assert await why(spool, queue_id) == "not-sent"
    with pytest.raises(NoShare):
        await spool.shares.ask_code(queue_id, 0, VISITOR, T0)
    assert await spool.notices.pending(10) == []
    await spool.cancel(queue_id, [1], CLERK, Reason.BY_SENDER, T0)
    assert [s.ended_at for s in await spool.shares.of(queue_id)] == [None, T0]
    assert (Kind.SHARE_ENDED, Reason.SYSTEM, "1") in events(where, queue_id, MASTER)


async def test_a_code_opens_once(spool: SqlSpool, where: Where) -> None:
    queue_id = await sent(spool, linked())
    code = await ask(spool, queue_id)
    assert not await spool.shares.visits(queue_id, 0, VISITOR)
    assert not await spool.shares.enter(queue_id, 0, wrong(code), "", VISITOR, T0)
    assert await spool.shares.enter(queue_id, 0, code, "", VISITOR, T0 + MINUTE)
    assert await spool.shares.visits(queue_id, 0, VISITOR)
    other = Visitor("198.51.100.9", "visit-2")
    assert not await spool.shares.enter(queue_id, 0, code, "", other, T0 + MINUTE)
    assert not await spool.shares.visits(queue_id, 0, other)
    assert (await spool.shares.get(queue_id, 0, T0)).opened_at == T0 + MINUTE
    told = [(e.kind, e.client) for e in await spool.shares.history(queue_id)]
    assert told == [
        (Kind.SHARE_CODE, "192.0.2.7"),
        (Kind.SHARE_DENIED, "192.0.2.7"),
        (Kind.SHARE_OPENED, "192.0.2.7"),
    ]
    assert (Kind.SHARE_OPENED, Reason.BY_RECIPIENT, "0") in events(where, queue_id, MASTER)


@pytest.mark.parametrize(
    "typed", ["{} ", "{:.4} {:.4}", "wide", "{:.4}-{:.4}", "Code: {:.4}ー{:.4}。", "確認コード　{}"]
)
async def test_a_code_may_be_typed_as_people_do(spool: SqlSpool, typed: str) -> None:
    queue_id = await sent(spool, linked())
    code = await ask(spool, queue_id)
    wide = code.translate({ord(str(digit)): 0xFF10 + digit for digit in range(10)})
    halves = (code, code[4:]) if ":.4" in typed else (code,)
    text = wide if typed == "wide" else typed.format(*halves)
    assert await spool.shares.enter(queue_id, 0, text if typed != "{} " else f" {code} ", "", VISITOR, T0)


async def test_codes_end_and_the_newest_counts(spool: SqlSpool) -> None:
    queue_id = await sent(spool, linked())
    first = await ask(spool, queue_id)
    assert not await spool.shares.enter(queue_id, 0, first, "", VISITOR, T0 + VALID)
    assert not await spool.shares.enter(queue_id, 0, first, "", VISITOR, T0 - VALID)
    second = await ask(spool, queue_id, at=T0 + MINUTE)
    assert not await spool.shares.enter(queue_id, 0, first, "", VISITOR, T0 + MINUTE)
    assert await spool.shares.enter(queue_id, 0, second, "", VISITOR, T0 + MINUTE)


async def test_a_code_is_of_one_share(spool: SqlSpool) -> None:
    queue_id = await sent(spool, linked(2))
    code = await ask(spool, queue_id, 0)
    await ask(spool, queue_id, 1)
    assert not await spool.shares.enter(queue_id, 1, code, "", VISITOR, T0)
    assert await spool.shares.enter(queue_id, 0, code, "", VISITOR, T0)


async def test_letters_are_few(spool: SqlSpool) -> None:
    queue_id = await sent(spool, linked())
    for _ in range(ASKED):
        await ask(spool, queue_id)
    with pytest.raises(NoShare) as refused:
        await spool.shares.ask_code(queue_id, 0, VISITOR, T0 + HOUR - MINUTE)
    assert refused.value.why == "too-many"
    assert len(await spool.notices.pending(100)) == ASKED
    await ask(spool, queue_id, at=T0 + HOUR)


async def test_guessing_ends_a_code_and_then_everything_for_a_time(spool: SqlSpool) -> None:
    queue_id = await sent(spool, linked())
    for _ in range(BARRED_AT // TRIES):
        code = await ask(spool, queue_id)
        for _ in range(TRIES):
            assert not await spool.shares.enter(queue_id, 0, wrong(code), "", VISITOR, T0)
        assert not await spool.shares.enter(queue_id, 0, code, "", VISITOR, T0)
    with pytest.raises(NoShare):
        await spool.shares.ask_code(queue_id, 0, VISITOR, T0 + HOUR - MINUTE)
    code = await ask(spool, queue_id, at=T0 + HOUR)
    assert await spool.shares.enter(queue_id, 0, code, "", VISITOR, T0 + HOUR)


async def test_guesses_at_once_are_all_counted(spool: SqlSpool) -> None:
    queue_id = await sent(spool, linked())
    code = await ask(spool, queue_id)
    guesses = [f"{number:08d}" for number in range(40) if f"{number:08d}" != code]
    tried = [spool.shares.enter(queue_id, 0, guess, "", VISITOR, T0) for guess in guesses]
    assert not any(await asyncio.gather(*tried))
    denied = [e for e in await spool.shares.history(queue_id) if e.kind is Kind.SHARE_DENIED]
    assert len(denied) == TRIES
    assert not await spool.shares.enter(queue_id, 0, code, "", VISITOR, T0)


async def test_the_code_is_in_no_row_and_no_event_as_it_is(spool: SqlSpool, where: Where) -> None:
    queue_id = await sent(spool, linked())
    code = await ask(spool, queue_id)
    (notice,) = await spool.notices.pending(10)
    assert (notice.kind, notice.to, notice.recipients) == (NoticeKind.CODE, "r0@example.com", (0,))
    assert code not in notice.actor

    with EventLog(where) as log:
        assert not [e for e in log.query(Question(queue_id=queue_id)) if code in str(e)]
    spool.database.adopt(MasterKey(bytes(32)))
    assert spool.shares.code_of(notice) is None


async def test_fetches_are_counted_and_limited(spool: SqlSpool) -> None:
    queue_id = await sent(spool, linked(downloads=2))
    visitor = await opened(spool, queue_id)
    share = await spool.shares.fetch(queue_id, 0, FIRST, visitor, T0)
    assert share.left == ((FIRST, 1), (SECOND, 2))
    await spool.shares.fetch(queue_id, 0, FIRST, visitor, T0, onward=True)  # goes on: not counted
    await spool.shares.fetch(queue_id, 0, SECOND, visitor, T0, onward=True)  # nothing to go on with: counted
    await spool.shares.fetch(queue_id, 0, FIRST, visitor, T0)
    with pytest.raises(NoShare) as none_left:
        await spool.shares.fetch(queue_id, 0, FIRST, visitor, T0)
    assert none_left.value.why == "used-up"
    await spool.shares.fetch(queue_id, 0, FIRST, visitor, T0, onward=True)
    share = await spool.shares.get(queue_id, 0, T0)
    assert share.fetched == ((FIRST, 2), (SECOND, 1))
    fetched = [
        (e.place, e.name) for e in await spool.shares.history(queue_id) if e.kind is Kind.SHARE_FETCHED
    ]
    assert fetched == [(FIRST, LISTED), (SECOND, "map.txt"), (FIRST, LISTED)]


async def test_no_more_fetch_it_at_once_than_may(spool: SqlSpool) -> None:
    queue_id = await sent(spool, linked(downloads=3))
    visitor = await opened(spool, queue_id)
    tried = [spool.shares.fetch(queue_id, 0, FIRST, visitor, T0) for _ in range(20)]
    results = await asyncio.gather(*tried, return_exceptions=True)
    assert sum(isinstance(each, NoShare) for each in results) == 17
    assert dict((await spool.shares.get(queue_id, 0, T0)).fetched) == {FIRST: 3}


@pytest.mark.parametrize(
    ("visitor", "place", "said"),
    [
        (Visitor("192.0.2.7", "visit-2"), FIRST, "not-opened"),
        (Visitor("192.0.2.7", ""), FIRST, "not-opened"),
        (VISITOR, 0, "no-file"),
        (VISITOR, 99, "no-file"),
        (VISITOR, -1, "no-file"),
    ],
)
async def test_what_cannot_be_fetched(spool: SqlSpool, visitor: Visitor, place: int, said: str) -> None:
    queue_id = await sent(spool, linked())
    await opened(spool, queue_id)
    for onward in (False, True):
        with pytest.raises(NoShare) as refused:
            await spool.shares.fetch(queue_id, 0, place, visitor, T0, onward=onward)
        assert refused.value.why == said


async def test_a_used_up_share_sends_no_codes(spool: SqlSpool) -> None:
    queue_id = await sent(spool, linked(downloads=1))
    visitor = await opened(spool, queue_id)
    for place in (FIRST, SECOND):
        await spool.shares.fetch(queue_id, 0, place, visitor, T0)
    assert (await spool.shares.get(queue_id, 0, T0)).used_up
    with pytest.raises(NoShare) as refused:
        await spool.shares.ask_code(queue_id, 0, VISITOR, T0)
    assert refused.value.why == "used-up"


async def test_old_visits_are_forgotten(spool: SqlSpool) -> None:
    queue_id = await sent(spool, linked())
    at = T0
    for number in range(VISITS + 1):
        at = T0 + number * HOUR
        await opened(spool, queue_id, at=at, visitor=Visitor("192.0.2.7", f"visit-{number}"))
    assert not await spool.shares.visits(queue_id, 0, Visitor("192.0.2.7", "visit-0"))
    assert await spool.shares.visits(queue_id, 0, Visitor("192.0.2.7", "visit-1"))


async def test_lock_unlock_and_what_is_not_done(spool: SqlSpool, where: Where) -> None:
    queue_id = await sent(spool, linked(3))
    visitor = await opened(spool, queue_id)
    code = await ask(spool, queue_id, 1)
    change = await spool.shares.lock(queue_id, None, CLERK, T0)
    assert change.done == (0, 1, 2)
    assert await why(spool, queue_id) == "locked"
    with pytest.raises(NoShare):
        await spool.shares.fetch(queue_id, 0, FIRST, visitor, T0)
    with pytest.raises(NoShare):
        await spool.shares.enter(queue_id, 1, code, "", VISITOR, T0)
    again = await spool.shares.lock(queue_id, [0, 77], CLERK, T0)
    assert (again.done, again.not_done) == ((), ((0, State.DELIVERED),))
    assert (await spool.shares.unlock(queue_id, [0, 1], CLERK, T0)).done == (0, 1)
    await spool.shares.fetch(queue_id, 0, FIRST, visitor, T0)  # the visit goes on
    assert not await spool.shares.enter(queue_id, 1, code, "", VISITOR, T0)  # its code is gone
    assert await why(spool, queue_id, recipient=2) == "locked"
    assert [e for e in events(where, queue_id, MASTER) if "lock" in e[0]] == [
        (Kind.SHARE_LOCKED, Reason.BY_SENDER, "0-2"),
        (Kind.SHARE_UNLOCKED, Reason.BY_SENDER, "0-1"),
    ]
    with pytest.raises(UnknownMessage):
        await spool.shares.lock("5Q00000000000000", None, CLERK, T0)


async def test_extending_has_bounds(spool: SqlSpool) -> None:
    queue_id = await sent(spool, linked(2))
    now = T0 + DAY
    far = T0 + timedelta(days=1_000)
    assert (await spool.shares.extend(queue_id, [0], T0 + 6 * DAY, CLERK, now)).done == ()  # it lives longer
    assert (await spool.shares.extend(queue_id, [0], far, CLERK, now)).done == (0,)
    share, other = await spool.shares.of(queue_id)
    assert (share.expires_at, other.expires_at) == (T0 + 8 * DAY, T0 + 7 * DAY)
    assert share.extendable_until == T0 + LONGEST
    late = T0 + 7 * DAY
    assert (await spool.shares.extend(queue_id, None, far, CLERK, late)).done == (
        0,
    )  # what is over stays over
    for step in range(2, 20):
        await spool.shares.extend(queue_id, [0], far, CLERK, T0 + step * 6 * DAY)
    assert (await spool.shares.of(queue_id))[0].expires_at == T0 + LONGEST


async def test_time_ends_shares(spool: SqlSpool, where: Where) -> None:
    queue_id = await sent(spool, linked(2, expires=DAY))
    visitor = await opened(spool, queue_id)
    assert await why(spool, queue_id, T0 + DAY) == "expired"  # whether anybody swept or not
    with pytest.raises(NoShare):
        await spool.shares.fetch(queue_id, 0, FIRST, visitor, T0 + DAY)
    assert await spool.shares.end_expired(T0 + DAY - MINUTE, 10) == 0
    assert await spool.shares.end_expired(T0 + DAY, 1) == 1
    assert await spool.shares.end_expired(T0 + DAY, 10) == 1
    assert await spool.shares.end_expired(T0 + DAY, 10) == 0
    assert await why(spool, queue_id, T0) == "ended"  # a clock that steps back opens nothing
    assert (Kind.SHARE_ENDED, Reason.RETENTION, "0") in events(where, queue_id, MASTER)
    for verb in (spool.shares.lock, spool.shares.unlock):
        assert (await verb(queue_id, None, CLERK, T0)).done == ()


async def test_the_body_stays_while_somebody_may_fetch_and_goes_then(spool: SqlSpool) -> None:
    queue_id = await sent(spool, linked(2, expires=30 * DAY))
    later = T0 + 29 * DAY
    assert await spool.ageing.purge(later, DAY, DAY, 10) == 0
    assert await spool.raw(queue_id)
    await spool.shares.end_expired(T0 + 30 * DAY, 10)
    assert await spool.ageing.purge(T0 + 30 * DAY, DAY, 60 * DAY, 10) == 1
    with pytest.raises(BodyUnreadable):
        await spool.raw(queue_id)
    assert await spool.ageing.purge(T0 + 61 * DAY, DAY, 60 * DAY, 10) == 1
    assert await spool.shares.of(queue_id) == []
    assert [e.kind for e in await spool.shares.history(queue_id)] == [Kind.SHARE_ENDED]


async def test_a_sender_does_not_reach_the_share_of_a_copy(spool: SqlSpool) -> None:
    queue_id = await sent(spool, copied_to(linked(2)))
    assert (await spool.shares.lock(queue_id, None, CLERK, T0)).done == (0,)
    assert (await spool.shares.lock(queue_id, None, Actor("admin", "root"), T0)).done == (1,)


async def test_code_and_key_are_both_needed(spool: SqlSpool) -> None:
    queue_id = await sent(spool, linked(needs_key=True, way=Way.SMS))
    assert (await spool.shares.get(queue_id, 0, T0)).way is Way.SMS
    key = (await spool.keys.to_seal(queue_id, [0]))[0].text
    code = await ask(spool, queue_id)
    for typed in ("", "abcd-efgh", key[:-1], key + "a"):
        assert not await spool.shares.enter(queue_id, 0, code, typed, VISITOR, T0)
    code = await ask(spool, queue_id)
    assert not await spool.shares.enter(queue_id, 0, wrong(code), key, VISITOR, T0)
    code = await ask(spool, queue_id)
    wide = "".join(chr(ord(each) + 0xFEE0) for each in key)  # as a Japanese keyboard writes it
    assert await spool.shares.enter(queue_id, 0, code, f" {wide} ", VISITOR, T0)


@pytest.mark.parametrize("hyphen", ["ー", "－", "‐", "–", "—", "−", "ｰ", "―", "─"])
async def test_a_hyphen_may_be_what_a_keyboard_makes_of_it(spool: SqlSpool, hyphen: str) -> None:
    queue_id = await sent(spool, linked(needs_key=True, way=Way.SMS))
    key = (await spool.keys.to_seal(queue_id, [0]))[0].text
    assert "-" in key
    typed = key.replace("-", hyphen)
    assert await spool.shares.enter(queue_id, 0, await ask(spool, queue_id), typed, VISITOR, T0)


async def test_a_key_may_be_typed_as_it_was_heard(spool: SqlSpool) -> None:
    queue_id = await sent(spool, linked(needs_key=True, way=Way.SMS))
    key = (await spool.keys.to_seal(queue_id, [0]))[0].text
    for typed in (key.replace("-", " "), key.replace("-", ""), key.upper(), key.title().replace("-", " - ")):
        assert await spool.shares.enter(queue_id, 0, await ask(spool, queue_id), typed, VISITOR, T0)


@pytest.mark.parametrize("typed", ["-", " ", "", "pass word-Of-12", "Pass wordOf-12", "pass word-of-12"])
def test_a_key_with_large_letters_is_typed_as_it_is(typed: str) -> None:
    assert not _key_right(Entry("", typed, "Pass word-Of-12", VISITOR))
    assert _key_right(Entry("", " Pass word-Of-12", "Pass word-Of-12", VISITOR))
    assert not _key_right(Entry("", typed, "", VISITOR))
    assert not _key_right(Entry("", typed, "----", VISITOR))


async def test_a_sender_lets_somebody_in_again_whom_a_stranger_locked_out(spool: SqlSpool) -> None:
    queue_id = await sent(spool, linked())
    for _ in range(BARRED_AT // TRIES):
        code = await ask(spool, queue_id)
        for _ in range(TRIES):
            assert not await spool.shares.enter(queue_id, 0, wrong(code), "", VISITOR, T0)
    with pytest.raises(NoShare):
        await ask(spool, queue_id)
    await spool.shares.lock(queue_id, None, CLERK, T0)
    await spool.shares.unlock(queue_id, None, CLERK, T0)
    for _ in range(ASKED):
        code = await ask(spool, queue_id)
    with pytest.raises(NoShare):
        await ask(spool, queue_id)
    assert await spool.shares.enter(queue_id, 0, code, "", VISITOR, T0)


async def test_a_key_lives_as_long_as_the_share_that_asks_for_it(spool: SqlSpool) -> None:
    queue_id = await sent(spool, linked(needs_key=True, way=Way.SMS, expires=2 * DAY))
    assert (await spool.shares.extend(queue_id, None, T0 + 3 * DAY, CLERK, T0 + DAY)).done == (0,)
    late = T0 + 3 * DAY - MINUTE
    await spool.ageing.purge(late, 30 * DAY, 30 * DAY, 10)
    key = (await spool.keys.to_seal(queue_id, [0]))[0].text
    code = await ask(spool, queue_id, at=late)
    assert await spool.shares.enter(queue_id, 0, code, key, VISITOR, late)
    other = await sent(spool, linked(needs_key=True, way=Way.SMS, expires=2 * DAY))
    await spool.ageing.purge(late, 30 * DAY, 30 * DAY, 10)
    with pytest.raises(NoKey):
        await spool.keys.to_seal(other, [0])


async def test_a_restore_locks_what_may_have_been_taken_back_since(spool: SqlSpool, where: Where) -> None:
    queue_id = await sent(spool, linked(3))
    visitor = await opened(spool, queue_id)
    await spool.shares.lock(queue_id, [1], CLERK, T0)
    await hold_all(spool, "2026-04-01", Actor("admin", "root"), T0 + MINUTE)
    for index in range(3):
        assert await why(spool, queue_id, recipient=index) == "locked"
    assert (Kind.SHARE_LOCKED, Reason.RESTORED, "0,2") in events(where, queue_id, MASTER)
    await spool.shares.unlock(queue_id, None, CLERK, T0 + MINUTE)
    await spool.shares.fetch(queue_id, 0, FIRST, visitor, T0 + MINUTE)
