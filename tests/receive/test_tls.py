"""STARTTLS and implicit TLS, with a certificate made for the test."""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.config.settings import Tls
from tests.receive.conftest import Client, Open, certificate


@dataclass
class Trust:
    """The server's certificate and a client's context that trusts it."""

    tls: Tls
    context: ssl.SSLContext


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    return Trust(*certificate(tmp_path))


async def upgrade(client: Client, trust: Trust) -> None:
    assert (await client.ask(b"STARTTLS")).startswith("220 2.0.0")
    await client.writer.start_tls(trust.context, server_hostname="127.0.0.1")
    # asyncio 3.11 leaves the reader with the old transport; nothing here reads enough to be paused.


async def test_auth_over_starttls(open_house: Open, trust: Trust) -> None:
    house = await open_house(trusted=False, accounts=True, auth_requires_tls=True, tls=trust.tls)
    client = await house.connect()
    offers = await client.greet()
    assert "STARTTLS" in offers
    assert "AUTH" not in offers
    assert (await client.ask(b"AUTH PLAIN x")).startswith("538 5.7.11")
    await upgrade(client, trust)
    assert (await client.ask(b"MAIL FROM:<alice@sports.example.jp>")).startswith("503 5.5.1 say EHLO")
    offers = await client.ask(b"EHLO client.example.com")
    assert "STARTTLS" not in offers
    assert "AUTH PLAIN LOGIN" in offers
    assert (await client.ask(b"STARTTLS")).startswith("503 5.5.1")
    response = b64encode(b"\0alice\0open sesame")
    assert (await client.ask(b"AUTH PLAIN " + response)).startswith("235 2.7.0")
    await client.envelope()
    mail = b"From: alice@sports.example.jp\r\n\r\n" + b"x\r\n" * 100_000
    assert (await client.ask(mail + b".")).startswith("250 ")
    ((envelope, raw),) = house.taken.mails
    assert envelope.client.account == "alice"
    assert envelope.client.tls
    assert raw == mail


async def test_what_is_injected_behind_starttls_is_never_obeyed(open_house: Open, trust: Trust) -> None:
    house = await open_house(tls=trust.tls)
    client = await house.connect()
    await client.greet()
    await client.send(b"STARTTLS\r\nEHLO evil\r\nMAIL FROM:<evil@example.jp>\r\n")
    assert (await client.reply()).startswith("503 5.5.1 nothing may follow STARTTLS")
    assert await client.line() == b""


async def test_nothing_said_before_tls_counts_after_it(open_house: Open, trust: Trust) -> None:
    house = await open_house(accounts=True, tls=trust.tls)
    client = await house.connect()
    await client.greet()
    response = b64encode(b"\0alice\0open sesame")
    assert (await client.ask(b"AUTH PLAIN " + response)).startswith("235 ")
    assert (await client.ask(b"MAIL FROM:<alice@sports.example.jp>")).startswith("250 ")
    await upgrade(client, trust)
    assert (await client.ask(b"RCPT TO:<b@example.com>")).startswith("503 5.5.1")
    await client.ask(b"EHLO client.example.com")
    await client.envelope()
    assert (await client.ask(b".")).startswith("250 ")
    assert house.taken.mails[0][0].client.account is None


async def test_implicit_tls(open_house: Open, trust: Trust) -> None:
    house = await open_house(tls=trust.tls, implicit=True)
    client = await house.connect(1, ssl=trust.context, server_hostname="127.0.0.1")
    assert "STARTTLS" not in await client.greet()
    await client.envelope()
    assert (await client.ask(b".")).startswith("250 ")
    assert house.taken.mails[0][0].client.tls


async def test_a_failed_handshake_ends_the_connection(open_house: Open, trust: Trust) -> None:
    house = await open_house(tls=trust.tls)
    client = await house.connect()
    await client.greet()
    assert (await client.ask(b"STARTTLS")).startswith("220 ")
    await client.send(b"this is no handshake\r\n")
    while await client.line():
        pass  # a TLS alert may come first
    await asyncio.sleep(0.05)
    assert not house.listener.reception.sessions


async def test_the_certificate_is_read_again(open_house: Open, trust: Trust) -> None:
    house = await open_house(tls=trust.tls, implicit=True)
    house.listener.reload_certificate()
    good = trust.tls.certificate.read_bytes()
    trust.tls.certificate.write_text("broken")
    with pytest.raises(ssl.SSLError):
        house.listener.reload_certificate()
    client = await house.connect(1, ssl=trust.context, server_hostname="127.0.0.1")
    await client.greet()
    trust.tls.certificate.write_bytes(good)
