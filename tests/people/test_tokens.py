"""Tokens of the API: shown once, good for what they say until they are over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.people.contract import Grant, PersonRefused, Role, TokenScope, UnknownPerson
from gateway.people.oidc.claims import Identity
from gateway.people.tokens import LONGEST, MAX_TOKENS
from gateway.spool.values import Actor
from tests.people.conftest import HERE, House

ANN = Actor("person", "ann")
SCOPES = frozenset({TokenScope.HELD_READ, TokenScope.LOG_READ})


async def test_a_token_stands_for_its_person_until_it_is_over(house: House) -> None:
    await house.add("ann")
    until = house.now + timedelta(days=1)
    made, token = await house.people.tokens.make("ann", "report", SCOPES, until, ANN, house.now)
    assert token.startswith("sek_")
    bearer = await house.people.tokens.authenticate(token, house.now)
    assert bearer is not None
    assert (bearer.person.login, bearer.scopes, bearer.number) == ("ann", SCOPES, made.number)
    (listed,) = await house.people.tokens.of("ANN")
    assert listed.used_on == house.now.astimezone(UTC).date()
    assert await house.people.tokens.authenticate(token, until) is None
    for other in ("", "sek_", "x" + token, token + "x", "sek_" + "x" * 500):
        assert await house.people.tokens.authenticate(other, house.now) is None


async def test_a_token_is_revoked_by_its_person_only(house: House) -> None:
    await house.add("ann")
    await house.add("bob")
    until = house.now + timedelta(days=1)
    made, token = await house.people.tokens.make("ann", "report", SCOPES, until, ANN, house.now)
    assert not await house.people.tokens.revoke("bob", made.number, Actor("person", "bob"), house.now)
    assert await house.people.tokens.revoke("ann", made.number, ANN, house.now)
    assert await house.people.tokens.authenticate(token, house.now) is None
    told = [event for event in house.told() if event["kind"] == "api-token"]
    assert [event["actor_name"] for event in told] == ["ann", "ann"]
    assert token not in str(told)


async def test_what_is_no_token(house: House) -> None:
    await house.add("ann")
    soon = house.now + timedelta(days=1)
    make = house.people.tokens.make
    for name, scopes, until, why in (
        ("", SCOPES, soon, "name"),
        ("x", frozenset[TokenScope](), soon, "grant"),
        ("x", SCOPES, house.now, "expires"),
        ("x", SCOPES, house.now + LONGEST + timedelta(days=1), "expires"),
    ):
        with pytest.raises(PersonRefused, match=why):
            await make("ann", name, scopes, until, ANN, house.now)
    with pytest.raises(UnknownPerson):
        await make("bob", "x", SCOPES, soon, ANN, house.now)


async def test_there_is_an_end_to_tokens(house: House) -> None:
    await house.add("ann")
    until = house.now + timedelta(days=1)
    for number in range(MAX_TOKENS):
        await house.people.tokens.make("ann", f"n{number}", SCOPES, until, ANN, house.now)
    with pytest.raises(PersonRefused, match="many"):
        await house.people.tokens.make("ann", "one more", SCOPES, until, ANN, house.now)


async def test_use_is_noted_once_a_day(house: House) -> None:
    await house.add("ann")
    until = house.now + timedelta(days=3)
    _, token = await house.people.tokens.make("ann", "x", SCOPES, until, ANN, house.now)
    noon = datetime(2026, 5, 11, 12, tzinfo=UTC)
    for at in (house.now, max(house.now, noon), house.now + timedelta(days=1)):
        await house.people.tokens.authenticate(token, at)
        (listed,) = await house.people.tokens.of("ann")
        assert listed.used_on is not None
    assert listed.used_on == (house.now + timedelta(days=1)).astimezone(UTC).date()


async def test_tokens_of_whom_the_provider_lets_in_no_more_sleep(house: House) -> None:
    eve = Identity("https://login.example.jp 1", "eve", "Eve", (), (Grant(Role.SENDER),))
    await house.people.signing_in.with_provider(eve, HERE, house.now)
    late = house.now + timedelta(days=300)
    _, token = await house.people.tokens.make("eve", "x", SCOPES, late, Actor("person", "eve"), house.now)
    authenticate = house.people.tokens.authenticate
    assert await authenticate(token, house.later(timedelta(days=30) - timedelta(seconds=1))) is not None
    assert await authenticate(token, house.later(timedelta(seconds=1))) is None
    await house.people.signing_in.with_provider(eve, HERE, house.now)
    assert await authenticate(token, house.later(timedelta(days=29))) is not None
    _, young = await house.people.tokens.make("eve", "y", SCOPES, late, Actor("person", "eve"), house.now)
    later = house.later(timedelta(days=2))
    assert await authenticate(token, later) is None
    assert await authenticate(young, later) is not None


async def test_tokens_of_people_with_a_password_know_no_provider(house: House) -> None:
    await house.add("ann")
    _, token = await house.people.tokens.make(
        "ann", "x", SCOPES, house.now + timedelta(days=300), ANN, house.now
    )
    assert await house.people.tokens.authenticate(token, house.later(timedelta(days=299))) is not None
