"""Guessing, suspending, and what the accounts file may do while the gateway runs."""

from __future__ import annotations

import asyncio
import os
from base64 import b64encode

import pytest
import structlog

from gateway.people import passwords
from gateway.people.passwords import Hashing, Overloaded
from gateway.receive.accounts import Accounts
from gateway.receive.accounts_file import write
from gateway.receive.passwords import Verifier
from tests.receive.conftest import ALICE, CHEAP, SUSPENDED, Client, House, Open


def plain(login: str, password: str) -> bytes:
    return b"AUTH PLAIN " + b64encode(f"\0{login}\0{password}".encode())


async def signed_in(house: House) -> Client:
    client = await house.connect()
    await client.greet()
    assert (await client.ask(plain("alice", "open sesame"))).startswith("235 ")
    return client


async def test_guessing_over_many_connections_is_stopped(open_house: Open) -> None:
    house = await open_house(trusted=False, accounts=True, auth_failures=2)
    denied = 0
    for _ in range(20):
        client = await house.connect()
        await client.greet()
        reply = await client.ask(plain("alice", f"guess {denied}"))
        if reply.startswith("421 4.7.0"):
            break
        denied += reply.startswith("535 5.7.8")
    assert denied == 8
    late = await house.connect()
    await late.greet()
    assert (await late.ask(plain("alice", "open sesame"))).startswith("421 4.7.0")


async def test_a_failure_is_answered_late(open_house: Open) -> None:
    house = await open_house(trusted=False, accounts=True, failure_delay=0.2)
    client = await house.connect()
    await client.greet()
    loop = asyncio.get_running_loop()
    before = loop.time()
    assert (await client.ask(plain("alice", "wrong"))).startswith("535 ")
    assert loop.time() - before >= 0.2


async def test_the_password_is_in_no_log(open_house: Open) -> None:
    house = await open_house(trusted=False, accounts=True)
    client = await house.connect()
    await client.greet()
    with structlog.testing.capture_logs() as logs:
        await client.ask(plain("my password", "also secret"))
        await client.ask(plain("alice", "also secret"))
    assert [entry["account"] for entry in logs if entry["event"] == "auth_failed"] == [None, "alice"]
    assert "password" not in str(logs)
    assert "secret" not in str(logs)


async def test_suspending_stops_an_open_session_at_once(open_house: Open) -> None:
    house = await open_house(trusted=False, accounts=True)
    client = await signed_in(house)
    await client.envelope()
    write(house.accounts_file, (ALICE.model_copy(update={"suspended": True}), SUSPENDED))
    assert (await client.ask(b"From: alice@sports.example.jp\r\n\r\n.")).startswith("530 5.7.0")
    assert (await client.ask(b"MAIL FROM:<alice@sports.example.jp>")).startswith("530 5.7.0")
    assert (await client.ask(plain("alice", "open sesame"))).startswith("535 5.7.8")
    write(house.accounts_file, (ALICE,))
    assert (await client.ask(plain("alice", "open sesame"))).startswith("235 2.7.0")
    assert not house.taken.mails


async def test_a_removed_account_may_no_longer_send(open_house: Open) -> None:
    house = await open_house(trusted=False, accounts=True)
    client = await signed_in(house)
    write(house.accounts_file, (SUSPENDED,))
    assert (await client.ask(b"MAIL FROM:<alice@sports.example.jp>")).startswith("530 5.7.0")


async def test_a_broken_edit_keeps_the_accounts(open_house: Open) -> None:
    house = await open_house(trusted=False, accounts=True)
    house.accounts_file.write_text("accounts: [alice, ")
    os.utime(house.accounts_file, (0, 0))  # a while ago: it is not being written any more
    with structlog.testing.capture_logs() as logs:
        await signed_in(house)
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["accounts_broken"]


async def test_every_answer_takes_one_verification(open_house: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    house = await open_house(accounts=True)
    verifier = Verifier(Accounts(house.accounts_file), CHEAP)
    verified: list[str] = []
    verify = Hashing._matches

    def counting(self: Hashing, stored: str, password: str) -> bool:
        verified.append(password)
        return verify(self, stored, password)

    monkeypatch.setattr(Hashing, "_matches", counting)
    assert await verifier.verify("nobody", "open sesame") is None
    assert await verifier.verify("sam", "open sesame") is None
    assert await verifier.verify("alice", "wrong") is None
    assert await verifier.verify("alice", "x" * 5000) is None
    assert await verifier.verify("Alice", "open sesame") == ALICE
    assert len(verified) == 5
    verifier.close()


async def test_the_queue_of_verifications_is_bounded(
    open_house: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "QUEUE", 3)
    monkeypatch.setattr(passwords, "RESERVED", 0)
    house = await open_house(accounts=True)
    verifier = Verifier(Accounts(house.accounts_file), CHEAP)
    answers = await asyncio.gather(
        *(verifier.verify("alice", "open sesame") for _ in range(5)), return_exceptions=True
    )
    assert [answer for answer in answers if not isinstance(answer, Overloaded)] == [ALICE] * 3
    verifier.close()
