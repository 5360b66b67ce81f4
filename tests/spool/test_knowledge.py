"""What is known of earlier mail, on both stores: learned from what was delivered and from nothing else, once, in any order."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from gateway.message.address import Address, parse_path
from gateway.message.evidence import HALVES_KEPT, Earlier, Halves, Volume
from gateway.message.halves import FILE, PASSWORD, PERHAPS_FILE
from gateway.message.header import split
from gateway.message.replies import answered, message_id
from gateway.policy.decision import Outcome
from gateway.policy.demands import Demands
from gateway.spool import acquaintances as acquaintances_of
from gateway.spool import halves as halves_of
from gateway.spool import learning, rekeying
from gateway.spool import sendings as sendings_of
from gateway.spool import threads as threads_of
from gateway.spool.halves import MAX_PAIRS
from gateway.spool.knowing import SqlKnowledge
from gateway.spool.knowledge import MAX_WRITERS, SLICE, Noted
from gateway.spool.lifecycle import Reason
from gateway.spool.mending import mend
from gateway.spool.sql import SqlSpool, open_spool
from gateway.spool.threads import MAX_NAMED
from gateway.spool.values import Actor, NewMessage
from gateway.store.database import event_seal
from gateway.store.errors import StoreUnavailable
from gateway.store.keys import MasterKey
from gateway.store.knowledge_tables import acquaintances, halves, learned, sendings, threads
from gateway.store.tx import Prepared, Tx
from gateway.store.where import Where
from tests.postgres import Cluster
from tests.spool.conftest import MASTER
from tests.spool.mails import LEASE, MINUTE, SENDER, T0, delivered, mail

DAY = timedelta(days=1)
CLERK = SENDER.key
OTHER = Address("boss", "sports.example.jp")
YEARS = 730 * DAY


def to(*people: str, sender: Address | None = SENDER, **changes: object) -> NewMessage:
    """Return a mail to these people outside, that nothing holds."""
    new = mail(queued=len(people), sender=sender)
    recipients = tuple(parse_path(person) for person in people)
    decision = replace(new.decision, outcomes=(Outcome(True, Demands()),), assigned=(0,) * len(people))
    made = replace(new, envelope=replace(new.envelope, recipients=recipients), decision=decision)
    return replace(made, **changes)  # type: ignore[arg-type]


async def deliver(spool: SqlSpool, *mails: NewMessage, at: datetime = T0 + MINUTE) -> None:
    """Accept the mails and deliver all that is due."""
    for new in mails:
        await spool.accept(new)
    for claim in await spool.claim(at, 100_000, LEASE):
        await spool.record(claim, [delivered(each.index) for each in claim.message.recipients], at)


async def learn_all(spool: SqlSpool) -> int:
    rounds = 0
    while await spool.knowledge.learn():
        rounds += 1
    return rounds


def rows(spool: SqlSpool, table: sa.Table) -> list[tuple[object, ...]]:
    return spool.database.readers.read(
        lambda q: [tuple(row) for row in q.connection.execute(sa.select(table))]
    )


async def test_who_was_written_to_is_known_after_delivery_and_not_before(spool: SqlSpool) -> None:
    await spool.accept(to("ana@example.com"))
    await learn_all(spool)
    found = await spool.knowledge.writers(CLERK, ["ana@example.com"])
    assert (found.by_recipient, found.complete) == ({}, True)
    await deliver(spool)
    await learn_all(spool)
    asked = ["ana@example.com", "eve@example.com"]
    assert (await spool.knowledge.writers(CLERK, asked)).by_recipient == {"ana@example.com": (CLERK,)}
    assert await spool.knowledge.domains(10, T0 + DAY) == {"example.com"}


async def test_what_was_cancelled_bounced_inside_or_our_own_teaches_nothing(spool: SqlSpool) -> None:
    queue_id = await spool.accept(mail(held=1))
    await spool.cancel(queue_id, None, Actor("sender"), Reason.BY_SENDER, T0)
    await deliver(
        spool,
        mail(queued=1),  # a recipient inside
        to("notice@example.com", from_gateway=True),
        to("bounce@example.com", sender=None),
    )
    await learn_all(spool)
    assert rows(spool, acquaintances) == []


async def test_addresses_of_recipients_are_not_stored(spool: SqlSpool) -> None:
    await deliver(spool, to("ana@example.com"))
    await learn_all(spool)
    ((recipient, sender, first, last),) = rows(spool, acquaintances)
    assert sender == CLERK
    assert isinstance(recipient, bytes)
    assert len(recipient) == 16
    assert first == last


async def test_a_first_run_knows_all_that_is_retained_the_latest_first(
    spool: SqlSpool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning, "EVENTS", 4)
    for number in range(6):
        await deliver(spool, to(f"p{number}@example.com"))
    people = [f"p{number}@example.com" for number in range(6)]
    await spool.knowledge.learn()  # begins
    seen: list[int] = []
    while await spool.knowledge.learn():
        found = await spool.knowledge.writers(CLERK, people)
        seen.append(len(found.by_recipient))
        assert sorted(found.by_recipient) == people[len(people) - seen[-1] :]
        if len(seen) < 4:
            assert not found.complete
    assert seen == sorted(seen)
    assert seen[-1] == 6
    assert (await spool.knowledge.writers(CLERK, people)).complete


async def test_replays_and_lost_races_change_nothing(spool: SqlSpool) -> None:
    await deliver(spool, to("ana@example.com"))
    await learn_all(spool)
    await deliver(spool, to("bob@example.com"))
    key = await spool.knowledge._pseudonyms()
    batch = await spool.database.readers.run(learning.next_batch(key))
    assert batch is not None
    assert await spool.database.committer.run(learning.take_over(batch))
    before = rows(spool, acquaintances), rows(spool, learned)
    assert not await spool.database.committer.run(learning.take_over(batch))
    assert (rows(spool, acquaintances), rows(spool, learned)) == before


async def test_several_at_once_neither_double_nor_lose(
    spool: SqlSpool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning, "EVENTS", 3)
    people = [f"p{number}@example.com" for number in range(12)]
    for person in people:
        await deliver(spool, to(person))
    doors = [SqlKnowledge(spool.database) for _ in range(4)]

    async def work(door: SqlKnowledge) -> None:
        while await door.learn():
            pass

    await asyncio.gather(*(work(door) for door in doors))
    found = await spool.knowledge.writers(CLERK, people)
    assert sorted(found.by_recipient) == sorted(people)
    assert len(rows(spool, acquaintances)) == 12


async def test_killed_in_the_middle_nothing_is_half_learned(
    spool: SqlSpool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await deliver(spool, to("ana@example.com", "bob@example.com"))
    await spool.knowledge.learn()
    real = Tx.many

    def torn(self: Tx, statement: object, given: object) -> int:
        if statement is learning._LEARN_DOMAIN:
            raise StoreUnavailable("the power went")
        return real(self, statement, given)  # type: ignore[arg-type]

    before = rows(spool, learned)
    with monkeypatch.context() as dying:
        dying.setattr(Tx, "many", torn)
        with pytest.raises(StoreUnavailable):
            await spool.knowledge.learn()
    assert rows(spool, learned) == before
    assert rows(spool, acquaintances) == []
    await learn_all(spool)
    assert len(rows(spool, acquaintances)) == 2


async def test_a_mail_to_forty_thousand_is_learned_in_bounded_batches(spool: SqlSpool) -> None:
    people = [f"citizen{number}@town{number % 7}.example.com" for number in range(40_000)]
    await spool.accept(to(*people))
    (claim,) = await spool.claim(T0 + MINUTE, 100_000, LEASE)
    indexes = [each.index for each in claim.message.recipients]
    for start in range(0, len(indexes), 4_000):
        await spool.record(claim, [delivered(index) for index in indexes[start : start + 4_000]], T0 + MINUTE)
    assert await learn_all(spool) >= 10
    found = await spool.knowledge.writers(CLERK, [*people, "eve@example.com"])
    assert len(found.by_recipient) == 40_000
    assert await spool.knowledge.domains(3, T0 + DAY) <= {f"town{number}.example.com" for number in range(7)}
    assert len(await spool.knowledge.domains(3, T0 + DAY)) == 3


async def test_the_asking_sender_is_told_however_many_wrote(spool: SqlSpool) -> None:
    await deliver(spool, to("ana@example.com"))
    others = [Address(f"s{number}", "example.jp") for number in range(MAX_WRITERS + 5)]
    for sender in others:
        await spool.accept(to("ana@example.com", sender=sender))
    await deliver(spool, at=T0 + 2 * MINUTE)
    await learn_all(spool)
    writers = (await spool.knowledge.writers(CLERK, ["ana@example.com"])).by_recipient["ana@example.com"]
    assert writers[0] == CLERK
    assert len(writers) == MAX_WRITERS
    assert (await spool.knowledge.writers("", ["ana@example.com"])).by_recipient["ana@example.com"][
        0
    ] != CLERK


async def test_a_new_master_key_leaves_what_was_learned_good(where: Where) -> None:
    spool = open_spool(where, MASTER, serve=True, clock=lambda: T0)
    await deliver(spool, to("ana@example.com"))
    await learn_all(spool)
    following = MASTER.successor()
    spool.database.adopt(following)
    assert (await rekeying.uses(spool))[MASTER.key_id] == 2  # one message, and the key of the hashes
    with pytest.raises(ValueError, match="still need"):
        await rekeying.forget(spool, MASTER.key_id)
    assert (await rekeying.rewrap_all(spool, following)).changed == 2
    await rekeying.reseal_all(spool, following)
    await rekeying.forget(spool, MASTER.key_id)
    await spool.close()
    again = open_spool(where, following.alone(), serve=True, clock=lambda: T0)
    found = await again.knowledge.writers(CLERK, ["ana@example.com"])
    assert found.by_recipient == {"ana@example.com": (CLERK,)}
    await again.close()


async def test_a_key_that_nobody_can_open_is_doubt_and_no_crash(spool: SqlSpool) -> None:
    await learn_all(spool)
    spool.database.master = MasterKey(bytes(32))
    with pytest.raises(StoreUnavailable, match="earlier mail"):
        await SqlKnowledge(spool.database).writers(CLERK, ["ana@example.com"])
    spool.database.master = MASTER


async def test_volume_counts_what_was_handed_in_also_when_it_was_cancelled(spool: SqlSpool) -> None:
    counted = Noted(counted_as="account:clerk")
    queue_id = await spool.accept(replace(mail(held=3), noted=counted))
    await spool.cancel(queue_id, None, Actor("sender"), Reason.BY_SENDER, T0)
    await spool.accept(replace(mail(queued=2, at=T0 + SLICE), noted=counted))
    await spool.accept_and_claim(replace(mail(queued=1, at=T0 + SLICE), noted=counted), LEASE)
    await spool.accept(replace(mail(queued=9), noted=Noted(counted_as="account:boss")))
    await spool.accept(mail(queued=9))
    told = spool.knowledge.volume
    assert await told("account:clerk", T0 + SLICE) == Volume(3, 3, 6, 6)
    assert await told("account:clerk", T0 + timedelta(hours=1, minutes=5)) == Volume(2, 3, 3, 6)
    assert await told("account:clerk", T0 + DAY + 3 * SLICE) == Volume()
    assert await told("nobody", T0) == Volume()


async def test_many_mails_in_one_transaction_are_all_counted(spool: SqlSpool) -> None:
    new = [replace(mail(queued=2), noted=Noted(counted_as=f"s{number % 3}")) for number in range(30)]
    await asyncio.gather(*(spool.accept(each) for each in new))
    assert await spool.knowledge.volume("s0", T0) == Volume(10, 10, 20, 20)
    assert len(rows(spool, sendings)) == 3


async def test_a_reply_finds_the_people_of_the_mail_it_answers(spool: SqlSpool) -> None:
    door = spool.knowledge
    shown = ["seen@example.com", "boss@sports.example.jp"]
    await spool.accept(to("ana@example.com", noted=await door.note("", "one@example.jp", shown)))
    among = ["ana@example.com", "seen@example.com", "eve@example.com"]
    found = await door.earlier(["unknown@x", "one@example.jp"], among)
    assert found == Earlier(frozenset({"ana@example.com", "seen@example.com"}))
    assert await door.earlier(["unknown@x"], among) is None
    assert await door.earlier([], among) is None


async def test_one_mail_in_several_transactions_is_one_to_its_replies(spool: SqlSpool) -> None:
    for person in ("ana@example.com", "bob@example.com"):
        await spool.accept(to(person, noted=await spool.knowledge.note("", "one@example.jp", [])))
    found = await spool.knowledge.earlier(["one@example.jp"], ["ana@example.com", "bob@example.com"])
    assert found == Earlier(frozenset({"ana@example.com", "bob@example.com"}))


async def test_the_nearest_mail_that_is_known_counts(spool: SqlSpool) -> None:
    for name in ("old", "new"):
        noted = await spool.knowledge.note("", f"{name}@example.jp", [])
        await spool.accept(to(f"{name}@example.com", noted=noted))
    ids = answered(
        split(b"In-Reply-To: <gone@x>\r\nReferences: <old@example.jp> <new@example.jp>\r\n\r\n")[0]
    )
    found = await spool.knowledge.earlier(ids, ["old@example.com", "new@example.com"])
    assert found == Earlier(frozenset({"new@example.com"}))


async def test_more_people_than_are_kept_count_as_strangers(spool: SqlSpool) -> None:
    named = [f"n{number}@example.com" for number in range(MAX_NAMED + 10)]
    await spool.accept(to("a@example.com", noted=await spool.knowledge.note("", "one@example.jp", named)))
    found = await spool.knowledge.earlier(["one@example.jp"], named)
    assert found is not None
    assert len(found.people) == MAX_NAMED


async def test_hostile_ids_are_bounded(spool: SqlSpool) -> None:
    ids = b" ".join(b"<%d@x>" % number for number in range(10_000))
    header, _ = split(
        b"Message-ID: <\x00\x1b[31m@x>\r\nIn-Reply-To: " + ids + b"\r\nReferences: \x07" + ids + b"\r\n\r\n"
    )
    assert message_id(header) == ""
    assert len(answered(header)) == 20
    assert await spool.knowledge.earlier(answered(header), ["ana@example.com"]) is None
    assert await spool.knowledge.note("", "", ["ana@example.com"]) == Noted()


async def test_what_is_old_goes_and_what_is_used_stays(spool: SqlSpool) -> None:
    noted = replace(await spool.knowledge.note("", "one@example.jp", []), counted_as="clerk")
    await deliver(spool, to("ana@example.com", noted=noted))
    await learn_all(spool)
    forget = spool.knowledge.forget
    assert await forget(T0 + 5 * MINUTE, YEARS, 10) == 0
    assert await forget(T0 + 2 * DAY, YEARS, 10) == 1  # the volume
    assert await forget(T0 + YEARS, YEARS, 10) == 0
    assert await forget(T0 + YEARS + DAY, YEARS, 10) == 2  # the pair and the domain
    await spool.ageing.purge(T0 + 400 * DAY, DAY, 366 * DAY, 10)
    await spool.ageing.purge(T0 + 400 * DAY, DAY, 366 * DAY, 10)
    assert [rows(spool, table) for table in (acquaintances, sendings, threads)] == [[], [], []]


async def test_forgetting_is_done_in_bounded_pieces(spool: SqlSpool) -> None:
    await deliver(spool, *(to(f"p{number}@example.com") for number in range(5)))
    await learn_all(spool)
    assert await spool.knowledge.forget(T0 + YEARS + DAY, YEARS, 3) == 4  # three pairs, one domain
    assert await spool.knowledge.forget(T0 + YEARS + DAY, YEARS, 3) == 2


async def test_a_chain_that_lost_its_end_is_learned_anew(spool: SqlSpool) -> None:
    """A repair may leave a chain shorter than what was learned of it; what comes next must not be passed over."""
    await deliver(spool, to("ana@example.com"))
    await learn_all(spool)
    beyond = learned.update().values(newest=learned.c.newest + 1_000)
    await spool.database.committer.run(lambda tx: tx.connection.execute(beyond).rowcount)
    await deliver(spool, to("bob@example.com"))
    await learn_all(spool)
    found = await spool.knowledge.writers(CLERK, ["ana@example.com", "bob@example.com"])
    assert (len(found.by_recipient), found.complete) == (2, True)


async def test_what_another_gateway_delivers_is_learned_by_this_one(
    postgres: Cluster, tmp_path: Path
) -> None:
    """Also by one of the release before, which learns nothing itself."""
    url = postgres.fresh()
    first, second = (
        open_spool(Where(tmp_path / name, url, node=name), MASTER, serve=True, clock=lambda: T0)
        for name in ("gw1", "gw2")
    )
    try:
        await learn_all(first)
        await deliver(second, to("ana@example.com"))
        assert not (await first.knowledge.writers(CLERK, ["ana@example.com"])).by_recipient
        await asyncio.gather(learn_all(first), learn_all(second))
        for one in (first, second):
            found = await one.knowledge.writers(CLERK, ["ana@example.com"])
            assert (found.by_recipient, found.complete) == ({"ana@example.com": (CLERK,)}, True)
        new = [replace(mail(queued=2), noted=Noted(counted_as="clerk")) for _ in range(4)]
        await asyncio.gather(*(one.accept(each) for one in (first, second) for each in new))
        assert await second.knowledge.volume("clerk", T0) == Volume(8, 8, 16, 16)
    finally:
        await first.close()
        await second.close()
        postgres.drop(url)


async def test_a_repaired_database_has_no_thread_without_its_mail(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, MASTER, serve=True, clock=lambda: T0)
    noted = await spool.knowledge.note("", "one@example.jp", [])
    queue_id = await spool.accept(to("ana@example.com", noted=noted))
    await spool.close()
    with closing(sqlite3.connect(tmp_path / "sekisho.db")) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("UPDATE threads SET queue_id = 'gone' WHERE queue_id = ?", [queue_id])
        connection.execute("INSERT INTO halves (queue_id, pair, at, what) VALUES ('gone', x'00', 0, 1)")
        connection.commit()
        mend(connection, event_seal(MASTER), MASTER.key_id, 0)
        assert connection.execute("SELECT count(*) FROM threads").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM halves").fetchone() == (0,)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


async def half(spool: SqlSpool, what: int, *people: str, sender: str = CLERK) -> NewMessage:
    """Return a mail that is half of a file and its password."""
    pairs = await spool.knowledge.pairs(sender, people)
    return to(*people, noted=Noted(half=what, pairs=pairs))


async def test_halves_are_known_by_sender_and_recipient_until_they_are_old(spool: SqlSpool) -> None:
    ana, bob = "ana@example.com", "bob@example.com"
    await spool.accept(await half(spool, FILE, ana, bob))
    await spool.accept(replace(await half(spool, PASSWORD, bob), received_at=T0 + MINUTE))
    asked = spool.knowledge.halves
    assert await asked(CLERK, [ana], T0 + 2 * MINUTE) == Halves(file=120)
    assert await asked(CLERK, [ana, bob], T0 + 2 * MINUTE) == Halves(file=120, password=60)
    assert await asked("boss@sports.example.jp", [ana, bob], T0) == Halves()
    assert await asked(CLERK, ["eve@example.com"], T0) == Halves()
    assert await asked(CLERK, [bob], T0 - MINUTE) == Halves(file=0, password=0)  # a clock that was set back
    assert await asked(CLERK, [ana, bob], T0 + HALVES_KEPT + MINUTE) == Halves(password=604_800)
    assert await asked(CLERK, [ana, bob], T0 + HALVES_KEPT + 2 * MINUTE) == Halves()
    assert not any(ana.encode() in pair or b"clerk" in pair for _, pair, _, _ in rows(spool, halves))  # type: ignore[operator]


async def test_halves_are_forgotten_in_bounded_pieces_and_with_their_mail(spool: SqlSpool) -> None:
    queue_id = await spool.accept(
        await half(spool, FILE | PASSWORD, *(f"p{n}@example.com" for n in range(5)))
    )
    forget = spool.knowledge.forget
    assert await forget(T0 + HALVES_KEPT, YEARS, 3) == 0
    assert [await forget(T0 + HALVES_KEPT + MINUTE, YEARS, 3) for _ in range(3)] == [3, 2, 0]
    await spool.accept(await half(spool, PERHAPS_FILE, "ana@example.com"))
    assert len(rows(spool, halves)) == 1
    assert queue_id not in str(rows(spool, halves))
    await deliver(spool)
    for _ in range(2):
        await spool.ageing.purge(T0 + 400 * DAY, DAY, 366 * DAY, 10)
    assert rows(spool, halves) == []


async def test_halves_of_a_mail_to_very_many(spool: SqlSpool) -> None:
    many = [f"p{n}@example.com" for n in range(MAX_PAIRS + 1)]
    assert len(await spool.knowledge.pairs(CLERK, [*many, many[0]])) == MAX_PAIRS
    await spool.accept(await half(spool, FILE, many[MAX_PAIRS - 1]))
    assert await spool.knowledge.halves(CLERK, many[:MAX_PAIRS], T0) == Halves(file=0)
    assert await spool.knowledge.halves(CLERK, many, T0) is None


PLANS = [
    (acquaintances_of._WRITERS, "acquaintances"),
    (acquaintances_of._FORGET_PAIRS, "ix_acquaintances_last_at"),
    (sendings_of._VOLUME, "sqlite_autoindex_sendings"),
    (sendings_of._FORGET, "ix_sendings_slice"),
    (threads_of._KNOWN, "ix_threads_message_id"),
    (threads_of._PEOPLE, "ix_threads_message_id"),
    (halves_of._LATEST, "ix_halves_pair"),
    (halves_of._FORGET, "ix_halves_at"),
    (learning._DELIVERIES, "sqlite_autoindex_events"),
]


@pytest.mark.parametrize(("statement", "index"), PLANS)
async def test_what_is_asked_for_each_mail_scans_no_table(
    tmp_path: Path, statement: Prepared, index: str
) -> None:
    spool = open_spool(tmp_path, MASTER, serve=True, clock=lambda: T0)
    compiled = statement.statement.compile(dialect=spool.database.readers._engine.dialect)
    query = f"EXPLAIN QUERY PLAN {compiled}"
    given = dict.fromkeys(compiled.params, 0)
    plan = spool.database.readers.read(
        lambda q: [row[-1] for row in q.connection.exec_driver_sql(query, given)]
    )
    await spool.close()
    assert any(index in step for step in plan), plan
    tables = (
        "SCAN messages",
        "SCAN events",
        "SCAN threads",
        "SCAN sendings",
        "SCAN acquaintances",
        "SCAN halves",
    )
    assert not any(step.startswith(tables) and "INDEX" not in step for step in plan), plan
