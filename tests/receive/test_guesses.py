"""Guessing at passwords is stopped, in one connection and in many, from one address and from many; owners get in."""

from __future__ import annotations

import pytest

from gateway.people.passwords import QUEUE, RESERVED, Overloaded
from gateway.receive.guesses import GUESS_FACTOR, SLOWEST, UNDER_ATTACK, Guesses
from gateway.receive.limits import SITE_FACTOR
from gateway.receive.passwords import Verifier
from tests.receive.conftest import CHEAP, Open
from tests.receive.test_sign_in import plain

HOME, NEW = "198.51.100.7", "198.51.100.8"
ATTEMPTS = 1_000


def attack(guesses: Guesses, login: str, addresses: int, now: float = 0.0, times: int = 1) -> int:
    """Guess from many networks, `times` from each; return how many passwords were looked at."""
    tried = 0
    for number in range(addresses):
        ip = f"203.0.{number // 250}.{number % 250}"
        for _ in range(times):
            if not guesses.too_many(ip, login, now):
                guesses.failed(ip, login, now)
                tried += 1
    return tried


def test_one_address_is_stopped_and_let_in_again_later() -> None:
    guesses = Guesses(allowed=5, window=120)
    assert attack(guesses, "alice", 1, times=100) == 5 * GUESS_FACTOR
    assert guesses.too_many("203.0.0.0", "bob", 119.0)
    assert not guesses.too_many("203.0.0.0", "bob", 131.0)


def test_changing_the_account_does_not_help_a_guesser() -> None:
    guesses = Guesses(allowed=5)
    tried = sum(attack(guesses, f"account {number}", 1) for number in range(100))
    assert tried == 5 * GUESS_FACTOR


def test_one_account_guessed_from_many_addresses_is_guessed_less_from_each() -> None:
    guesses = Guesses(allowed=5)
    attack(guesses, "alice", UNDER_ATTACK)
    for number in range(50):
        ip = f"192.0.2.{number}"
        tried = 0
        while not guesses.too_many(ip, "alice", 1.0):
            guesses.failed(ip, "alice", 1.0)
            tried += 1
        assert tried == 5


def test_an_ipv6_site_is_one_guesser_whichever_of_its_networks_it_uses() -> None:
    guesses = Guesses(allowed=5)
    looked_at = 0
    for number in range(ATTEMPTS):
        ip = f"2001:db8:7:{number:x}::1"
        if not guesses.too_many(ip, f"account {number}", 0.0):
            guesses.failed(ip, f"account {number}", 0.0)
            looked_at += 1
    assert looked_at == 5 * GUESS_FACTOR * SITE_FACTOR
    assert not guesses.too_many("2001:db8:8::1", "alice", 0.0)


def test_an_account_under_attack_is_guessed_less_from_a_whole_site() -> None:
    guesses = Guesses(allowed=5)
    attack(guesses, "alice", UNDER_ATTACK)
    tried = 0
    for number in range(200):
        ip = f"2001:db8:7:{number:x}::1"
        if not guesses.too_many(ip, "alice", 1.0):
            guesses.failed(ip, "alice", 1.0)
            tried += 1
    assert tried == 5 * SITE_FACTOR
    guesses.succeeded("2001:db8:7:1::1", "alice")
    assert not guesses.too_many("2001:db8:7:1::2", "alice", 1.0)  # her neighbours' guesses are not hers


def test_an_owner_has_tries_left_at_home_and_in_a_new_place_under_attack() -> None:
    guesses = Guesses(allowed=5)
    guesses.succeeded(HOME, "alice")
    attack(guesses, "alice", 5_000, times=10)
    for ip, tries in ((HOME, 5 * GUESS_FACTOR), (NEW, 5)):
        for _ in range(tries):
            assert not guesses.too_many(ip, "Alice", 1.0)
            guesses.failed(ip, "alice", 1.0)
        assert guesses.too_many(ip, "alice", 1.0)


def test_a_printer_with_an_old_password_does_not_lock_out_its_office() -> None:
    guesses = Guesses(allowed=5)
    guesses.succeeded(HOME, "alice")
    while not guesses.too_many(HOME, "printer", 0.0):
        guesses.failed(HOME, "printer", 0.0)
    assert not guesses.too_many(HOME, "alice", 0.0)
    assert guesses.too_many(HOME, "bob", 0.0)  # who never signed in from there


def test_a_guesser_who_has_an_account_is_at_home_with_that_one_only() -> None:
    guesses = Guesses(allowed=5)
    guesses.succeeded("203.0.0.0", "mallory")
    assert attack(guesses, "alice", 1, times=100) == 5 * GUESS_FACTOR


def test_wrong_passwords_wait_longer_the_more_there_are() -> None:
    guesses = Guesses(allowed=5)
    assert guesses.delays("alice", 0.0) == 1
    attack(guesses, "alice", 25)
    assert guesses.delays("alice", 0.0) == 3
    attack(guesses, "alice", 1_000)
    assert guesses.delays("alice", 0.0) == SLOWEST
    assert guesses.delays("bob", 0.0) == 1


def test_a_flood_grows_nothing_and_remembers_no_login() -> None:
    guesses = Guesses(allowed=5, keys=50)
    for number in range(2_000):
        guesses.failed(f"203.0.{number // 250}.{number % 250}", f"secret {number}", 0.0)
        guesses.succeeded(f"203.0.{number // 250}.{number % 250}", f"secret {number}")
    assert len(guesses) <= 7 * 50
    held = [*guesses._homes, *guesses._by_login._used, *guesses._abroad._used]
    assert not any("secret" in key for key in held)


async def test_a_flood_of_guesses_leaves_room_for_owners_in_the_queue(
    open_house: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = await open_house(trusted=False, accounts=True)
    verifier = Verifier(house.listener.reception.accounts, CHEAP)
    monkeypatch.setattr(verifier._hashing, "_waiting", QUEUE - RESERVED)
    with pytest.raises(Overloaded):
        await verifier.verify("alice", "open sesame")
    assert await verifier.verify("alice", "open sesame", first=True) is not None
    monkeypatch.setattr(verifier._hashing, "_waiting", QUEUE)
    with pytest.raises(Overloaded):
        await verifier.verify("alice", "open sesame", first=True)
    verifier.close()


async def test_1000_guesses_in_one_connection(open_house: Open) -> None:
    house = await open_house(trusted=False, accounts=True)
    client = await house.connect()
    await client.greet()
    await client.send(b"".join(plain("alice", f"guess {number}") + b"\r\n" for number in range(ATTEMPTS)))
    replies = [await client.reply()]
    while replies[-1]:
        replies.append(await client.reply())
    assert [reply[:9] for reply in replies] == ["535 5.7.8"] * 5 + ["421 4.7.0", ""]


async def test_1000_guesses_in_as_many_connections_and_the_owner_at_home_gets_in(open_house: Open) -> None:
    house = await open_house(trusted=False, accounts=True)
    house.listener.reception.guesses.succeeded("127.0.0.1", "alice")
    looked_at = 0
    for number in range(ATTEMPTS):
        client = await house.connect()
        await client.greet()
        reply = await client.ask(plain("sam", f"guess {number}"))
        looked_at += reply.startswith("535 5.7.8")
        assert reply[:9] in ("535 5.7.8", "421 4.7.0")
        await client.close()
    assert looked_at == 5 * GUESS_FACTOR
    owner = await house.connect()
    await owner.greet()
    assert (await owner.ask(plain("alice", "open sesame"))).startswith("235 ")
