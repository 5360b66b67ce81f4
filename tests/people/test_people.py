"""People are added, changed, suspended and removed; what that ends, and what it must not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateway.people.contract import Grant, Person, PersonRefused, Role, TokenScope, UnknownPerson
from gateway.people.signing_in import SignInRefused
from gateway.policy.demands import Language
from gateway.spool.sql import SqlSpool
from gateway.spool.values import Actor
from gateway.store.people_tables import api_tokens, browsers, credentials, people, sign_in_failures, sign_ins
from gateway.store.schema import events
from tests.people.conftest import BOSS, GOOD, HERE, OTHER, House

ANN = Actor("person", "ann")


async def test_a_person_is_what_was_added(house: House) -> None:
    wanted = Person(
        "Ann@Example.jp",
        "安 藤子",
        ("ANN@Example.jp", "info@example.jp", "ann@example.jp"),
        (Grant(Role.SENDER, "sports"), Grant(Role.APPROVER), Grant(Role.SENDER, "sports")),
        Language.JA,
    )
    await house.people.add(wanted, BOSS, house.now)
    found = await house.people.get("ann@example.jp")
    assert found.login == "Ann@Example.jp"
    assert found.addresses == ("ann@example.jp", "info@example.jp")
    assert found.grants == (Grant(Role.APPROVER), Grant(Role.SENDER, "sports"))
    assert found.language is Language.JA
    with pytest.raises(PersonRefused, match="exists"):
        await house.people.add(wanted, BOSS, house.now)
    with pytest.raises(UnknownPerson):
        await house.people.get("bob")


@pytest.mark.parametrize(
    ("person", "why"),
    [
        (Person("", "x", (), (Grant(Role.SENDER),)), "login"),
        (Person("a\nb", "x", (), (Grant(Role.SENDER),)), "login"),
        (Person("a", "", (), (Grant(Role.SENDER),)), "name"),
        (Person("a", "x" * 101, (), (Grant(Role.SENDER),)), "name"),
        (Person("a", "x", ("not an address",), (Grant(Role.SENDER),)), "address"),
        (Person("a", "x", (), ()), "grant"),
    ],
)
async def test_what_no_person_is(house: House, person: Person, why: str) -> None:
    with pytest.raises(PersonRefused, match=why):
        await house.people.add(person, BOSS, house.now)


async def test_people_are_found_by_words_in_pages(house: House) -> None:
    for number in range(5):
        await house.add(f"p{number}", password=None)
    await house.people.add(Person("a_b%c", "Percent", (), (Grant(Role.SENDER),)), BOSS, house.now)
    assert [p.login for p in await house.people.find("", 2)] == ["a_b%c", "p0"]
    assert [p.login for p in await house.people.find("", 10, "p0")] == ["p1", "p2", "p3", "p4"]
    assert [p.login for p in await house.people.find("_", 10)] == ["a_b%c"]
    assert [p.login for p in await house.people.find("B%", 10)] == ["a_b%c"]
    assert await house.people.find("\\", 10) == []


async def test_a_change_tells_what_was(house: House) -> None:
    ann = await house.add("ann")
    changed = Person("ANN", "Anna", ann.addresses, (Grant(Role.AUDITOR),))
    await house.people.change(changed, BOSS, house.now)
    await house.people.change(changed, BOSS, house.now)  # nothing new, nothing told
    told = [event["detail"] for event in house.told() if '"changed"' in event["detail"]]
    assert len(told) == 1
    assert '"was":{"grants":["sender"],"language":"en","name":"Ann"}' in told[0]


async def test_suspension_ends_sessions_and_tokens_at_once(house: House) -> None:
    await house.add("ann")
    admitted = await house.people.signing_in.with_password("ann", GOOD, HERE, house.now)
    until = house.now + timedelta(days=30)
    _, token = await house.people.tokens.make("ann", "x", {TokenScope.HELD_READ}, until, ANN, house.now)
    address = (await house.people.get("ann")).addresses[0]
    assert not await house.people.silenced(address)
    await house.people.suspend("ANN", BOSS, house.now)
    assert await house.people.silenced(address)
    assert not await house.people.silenced("nobody@example.jp")
    assert await house.people.session(admitted.cookie, house.now) is None
    assert await house.people.tokens.authenticate(token, house.now) is None
    assert await house.people.suspended() == {"ann"}
    await house.people.resume("ann", BOSS, house.now)
    assert await house.people.session(admitted.cookie, house.now) is None
    assert await house.people.tokens.authenticate(token, house.now) is not None
    assert house.heard == 2
    assert await house.people.suspended() == frozenset()


async def test_an_account_that_the_file_suspends_ends_the_sessions(house: House) -> None:
    await house.add("ann")
    admitted = await house.people.signing_in.with_password("ann", GOOD, HERE, house.now)
    until = house.now + timedelta(days=30)
    _, token = await house.people.tokens.make("ann", "x", {TokenScope.HELD_READ}, until, ANN, house.now)
    house.stopped.add("ann")
    assert await house.people.silenced((await house.people.get("ann")).addresses[0])
    assert await house.people.session(admitted.cookie, house.now) is None
    assert await house.people.tokens.authenticate(token, house.now) is None
    with pytest.raises(SignInRefused):
        await house.people.signing_in.with_password("ann", GOOD, HERE, house.now)
    house.stopped.clear()
    assert await house.people.session(admitted.cookie, house.now) is None


async def test_the_last_administrator_stays(house: House) -> None:
    root = await house.add("root", Grant(Role.ADMIN))
    await house.add("part", Grant(Role.ADMIN, "sports"))
    for act in (house.people.suspend, house.people.remove):
        with pytest.raises(PersonRefused, match="last-admin"):
            await act("root", BOSS, house.now)
    less = Person("root", root.name, root.addresses, (Grant(Role.SENDER),))
    with pytest.raises(PersonRefused, match="last-admin"):
        await house.people.change(less, BOSS, house.now)
    await house.add("second", Grant(Role.ADMIN))
    await house.people.suspend("second", BOSS, house.now)
    with pytest.raises(PersonRefused, match="last-admin"):
        await house.people.remove("root", BOSS, house.now)
    await house.people.resume("second", BOSS, house.now)
    await house.people.remove("root", BOSS, house.now)


async def test_what_is_removed_is_gone_but_for_the_log(house: House) -> None:
    await house.add("ann")
    admitted = await house.people.signing_in.with_password("ann", GOOD, HERE, house.now)
    until = house.now + timedelta(days=30)
    _, token = await house.people.tokens.make("ann", "x", {TokenScope.HELD_READ}, until, ANN, house.now)
    await house.people.remove("ann", BOSS, house.now)
    assert await house.people.session(admitted.cookie, house.now) is None
    assert await house.people.tokens.authenticate(token, house.now) is None
    await house.add("ann", password=OTHER)
    assert await house.people.session(admitted.cookie, house.now) is None
    assert await house.people.tokens.of("ann") == []
    assert '"removed"' in str([event["detail"] for event in house.told()])


async def test_a_temporary_password_is_replaced_by_another_whatever_the_history(spool: SqlSpool) -> None:
    house = House(spool, password_history=0)
    await house.add("ann")
    temporary = await house.people.own.temporary_password("ann", BOSS, house.now)
    with pytest.raises(PersonRefused, match="used"):
        await house.people.own.set_password("ann", temporary, ANN, house.now)
    house.hashing.close()


async def test_nothing_is_told_of_who_is_not_there(house: House) -> None:
    for act in (house.people.sign_out_everywhere, house.people.suspend, house.people.own.drop_totp):
        with pytest.raises(UnknownPerson):
            await act("nobody", BOSS, house.now)
    with pytest.raises(UnknownPerson):
        await house.people.own.set_password("nobody", GOOD, BOSS, house.now)
    assert house.told() == []


async def test_a_password_that_was_used_is_refused(house: House) -> None:
    await house.add("ann")
    for number in range(house.settings.password_history):
        await house.people.own.set_password("ann", f"{OTHER} {number}", ANN, house.now)
    with pytest.raises(PersonRefused, match="used"):
        await house.people.own.set_password("ann", f"{OTHER} 0", ANN, house.now)
    with pytest.raises(PersonRefused, match="used"):
        await house.people.own.set_password("ann", GOOD, ANN, house.now)
    await house.people.own.set_password("ann", f"{OTHER} 9", ANN, house.now)
    await house.people.own.set_password("ann", GOOD, ANN, house.now)


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "short"),
        ("password123!", "common"),
        ("P@ssw0rd2026", "common"),
        ("123456789012", "common"),
        ("abababababab", "common"),
        ("qwertyuiopas", "common"),
        ("annelise likes tea", "common"),
        ("x" * 2000 + "y", "long"),
    ],
)
async def test_passwords_that_are_none(house: House, password: str, why: str) -> None:
    await house.add("annelise", password=None)
    with pytest.raises(PersonRefused, match=why):
        await house.people.own.set_password("annelise", password, ANN, house.now)


async def test_a_new_password_ends_the_other_sessions(house: House) -> None:
    await house.add("ann")
    here = await house.people.signing_in.with_password("ann", GOOD, HERE, house.now)
    there = await house.people.signing_in.with_password("ann", GOOD, HERE, house.now)
    await house.people.own.set_password("ann", OTHER, ANN, house.now, here.cookie)
    assert await house.people.session(here.cookie, house.now) is not None
    assert await house.people.session(there.cookie, house.now) is None


async def test_nothing_that_is_stored_or_told_opens_anything(house: House) -> None:
    await house.add("ann")
    admitted = await house.people.signing_in.with_password("ann", GOOD, HERE, house.now)
    until = house.now + timedelta(days=30)
    _, token = await house.people.tokens.make("ann", "x", {TokenScope.HELD_READ}, until, ANN, house.now)
    tables = (people, credentials, sign_ins, browsers, sign_in_failures, api_tokens, events)
    kept = "".join(str(house.rows(table)) for table in tables)
    for secret in (GOOD, admitted.cookie, admitted.browser, token, token[4:]):
        assert secret not in kept


@pytest.mark.parametrize("odd", ["\0", "a\0b", "%", "\\"])
async def test_odd_words_find_nobody_and_break_nothing(house: House, odd: str) -> None:
    await house.add("ann")
    assert await house.people.find(odd, 5) == []
    assert {each.login for each in await house.people.find("a", 5, odd)} <= {"ann"}
