"""Who is suspended, as mail in knows it: at once here, soon from elsewhere, and never forgotten because a store is away."""

from __future__ import annotations

import asyncio

from gateway.people.sql import SqlPeople
from gateway.people.suspensions import Suspensions
from gateway.receive.accounts import Accounts
from gateway.spool.contract import StoreUnavailable
from tests.people.conftest import BOSS, GOOD, HERE, House


async def test_a_verb_of_ones_own_is_known_when_it_returns(house: House) -> None:
    known = Suspensions(house.people.suspended)
    people = SqlPeople(house.spool.database, house.hashing, house.settings, changed=known.refresh)
    await house.add("Ann")
    await people.suspend("ann", BOSS, house.now)
    assert known.holds("ANN")
    await people.resume("ann", BOSS, house.now)
    assert not known.holds("ann")


async def test_others_are_heard_and_a_store_that_is_away_frees_nobody(house: House) -> None:
    answers: list[frozenset[str] | StoreUnavailable] = [frozenset({"ann"}), StoreUnavailable("away")]
    asked = asyncio.Event()

    async def read() -> frozenset[str]:
        answer = answers.pop(0) if answers else StoreUnavailable("away")
        asked.set()
        if isinstance(answer, StoreUnavailable):
            raise answer
        return answer

    known = Suspensions(read)
    watching = asyncio.create_task(known.watch())
    for _ in range(2):
        known.ring()
        await asyncio.wait_for(asked.wait(), 10)
        asked.clear()
    await asyncio.sleep(0)
    assert known.holds("Ann")
    watching.cancel()


async def test_sessions_of_accounts_that_the_file_suspends_end_for_good(house: House) -> None:
    await house.add("ann")
    admitted = await house.people.signing_in.with_password("ann", GOOD, HERE, house.now)
    house.stopped.add("ann")
    await house.people.end_of_account(["ann", "nobody"])
    house.stopped.clear()
    assert await house.people.session(admitted.cookie, house.now) is None


def test_mail_in_asks_both() -> None:
    accounts = Accounts(None, elsewhere=lambda login: login == "ann")
    assert accounts.active("ann") is None
    assert not accounts.suspends("ann")
