"""Commits outlive their clients; errors keep their causes to themselves; stopping loses nothing."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import structlog

from gateway.metrics import REFUSED
from tests.receive.conftest import Client, House, Open


async def begin_commit(house: House, *, then: bytes = b"") -> Client:
    """Send a mail whose commit waits at the gate."""
    house.taken.gate.clear()
    client = await house.connect()
    await client.greet()
    await client.envelope()
    await client.send(b"Subject: x\r\n\r\n.\r\n" + then)
    await asyncio.wait_for(house.taken.begun.wait(), 5)
    return client


@pytest.mark.parametrize("how", ["close", "half-close", "abort"])
async def test_a_client_that_goes_does_not_cancel_the_commit(open_house: Open, how: str) -> None:
    house = await open_house()
    client = await begin_commit(house)
    if how == "close":
        await client.close()
    elif how == "abort":
        client.writer.transport.abort()
    else:
        client.writer.write_eof()
    await asyncio.sleep(0.1)
    assert len(house.listener.reception.commits) == 1
    house.taken.gate.set()
    if how == "half-close":
        assert (await client.reply()).startswith("250 2.0.0 Q1")
        assert await client.line() == b""
    await asyncio.sleep(0.1)
    assert len(house.taken.mails) == 1
    assert not house.listener.reception.commits
    assert house.listener.reception.budget.used == 0
    assert not house.listener.reception.sessions


async def test_a_mail_cut_off_before_its_end_is_nothing(open_house: Open) -> None:
    house = await open_house()
    client = await house.connect()
    await client.greet()
    await client.envelope()
    await client.send(b"Subject: x\r\n\r\nhalf of it\r\n.")
    await client.close()
    await asyncio.sleep(0.05)
    assert not house.taken.mails


async def test_an_unexpected_error_is_temporary_and_opaque(open_house: Open) -> None:
    house = await open_house()
    house.taken.error = OSError(28, "No space left on device", "/var/lib/secret/path")
    client = await house.connect()
    await client.greet()
    await client.envelope()
    before = REFUSED.labels("error")._value.get()
    with structlog.testing.capture_logs() as logs:
        reply = await client.ask(b".")
    code, _, reference = reply.rpartition(" ")
    assert code.startswith("451 4.3.0 temporary error")
    assert "secret" not in reply
    assert "space" not in reply
    assert [entry["reference"] for entry in logs if entry["event"] == "smtp_error"] == [reference]
    assert REFUSED.labels("error")._value.get() == before + 1
    house.taken.error = None
    await client.envelope()
    assert (await client.ask(b".")).startswith("250 ")


async def test_an_error_in_a_command_is_opaque_too(open_house: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(path: str) -> None:
        raise RuntimeError("inside")

    monkeypatch.setattr("gateway.receive.transaction.parse_path", broken)
    house = await open_house()
    client = await house.connect()
    await client.greet()
    reply = await client.ask(b"MAIL FROM:<a@example.jp>")
    assert reply.startswith("451 4.3.0 temporary error")
    assert (await client.ask(b"NOOP")).startswith("250 ")


async def test_stopping_finishes_the_commit_and_sends_the_idle_away(open_house: Open) -> None:
    house = await open_house()
    port = house.port
    idle = await house.connect()
    await idle.greet()
    busy = await begin_commit(house, then=b"NOOP\r\n")
    stopping = asyncio.ensure_future(house.listener.close(timedelta(seconds=5)))
    assert (await idle.reply()).startswith("421 4.3.2")
    assert await idle.line() == b""
    await asyncio.sleep(0.05)
    assert not stopping.done()
    house.taken.gate.set()
    assert (await busy.reply()).startswith("250 2.0.0 Q1")
    assert (await busy.reply()).startswith("421 4.3.2")
    assert await stopping == 0
    with pytest.raises(ConnectionError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_stopping_lets_a_mail_on_its_way_in_arrive(open_house: Open) -> None:
    house = await open_house()
    client = await house.connect()
    await client.greet()
    await client.envelope()
    await client.send(b"half\r\n")
    await asyncio.sleep(0.05)
    stopping = asyncio.ensure_future(house.listener.close(timedelta(seconds=5)))
    await asyncio.sleep(0.05)
    assert (await client.ask(b"the other half\r\n.")).startswith("250 2.0.0 Q1")
    assert (await client.reply()).startswith("421 4.3.2")
    assert await stopping == 0


async def test_the_drain_is_bounded_and_the_commit_still_goes_on(open_house: Open) -> None:
    house = await open_house()
    await begin_commit(house)
    assert await house.listener.close(timedelta(milliseconds=50)) == 1
    assert len(house.listener.reception.commits) == 1
    house.taken.gate.set()
    await asyncio.sleep(0.05)
    assert len(house.taken.mails) == 1
