"""Fixtures of this room: a listener on a free loopback port over an intake that remembers, and a client in plain octets."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
import trustme
from argon2 import PasswordHasher

from gateway.config.settings import Limits, Listen, Settings, Smtp, Tls
from gateway.message.envelope import Envelope
from gateway.receive.account import Account
from gateway.receive.accounts import Accounts
from gateway.receive.accounts_file import write
from gateway.receive.listener import Listener
from gateway.receive.passwords import Verifier
from gateway.receive.reply import Reply

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
HASH = CHEAP.hash("open sesame")
ALICE = Account(login="alice", password=HASH, addresses=("alice@sports.example.jp", "@club.example.jp"))
LOOPBACK = (ip_network("127.0.0.0/8"),)
SUSPENDED = Account(login="sam", password=HASH, addresses=("sam@sports.example.jp",), suspended=True)


@dataclass
class Taken:
    """An intake that remembers what it got. `gate` lets a test hold the commit back."""

    mails: list[tuple[Envelope, bytes]] = field(default_factory=list)
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    error: Exception | None = None

    async def submit(self, envelope: Envelope, raw: bytes) -> Reply:
        self.begun.set()
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        self.mails.append((envelope, raw))
        return Reply(250, "2.0.0", f"Q{len(self.mails)} queued")


class Client:
    """Speaks SMTP by hand. Every wait ends after ten seconds, so that a test fails instead of hanging."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, octets: bytes) -> None:
        self.writer.write(octets)
        with contextlib.suppress(ConnectionError):
            await self.writer.drain()

    async def line(self) -> bytes:
        """Return the next line without CRLF, empty when the server has closed."""
        try:
            line = await asyncio.wait_for(self.reader.readline(), 10)
        except ConnectionError:
            return b""
        return line.removesuffix(b"\r\n")

    async def reply(self) -> str:
        """Return a whole reply, lines joined by LF; empty when the server has closed."""
        lines = [await self.line()]
        while lines[-1][3:4] == b"-":
            lines.append(await self.line())
        return b"\n".join(lines).decode()

    async def ask(self, command: bytes) -> str:
        await self.send(command + b"\r\n")
        return await self.reply()

    async def greet(self) -> str:
        assert (await self.reply()).startswith("220 ")
        return await self.ask(b"EHLO client.example.com")

    async def envelope(self) -> None:
        """Go on to DATA's 354."""
        assert (await self.ask(b"MAIL FROM:<alice@sports.example.jp>")).startswith("250 2.1.0")
        assert (await self.ask(b"RCPT TO:<bob@example.com>")).startswith("250 2.1.5")
        assert (await self.ask(b"DATA")).startswith("354 ")

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


def certificate(folder: Path) -> tuple[Tls, ssl.SSLContext]:
    """Make a certificate for 127.0.0.1 in `folder` (with its authority as ca.pem) and a client that trusts it."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    issued.cert_chain_pems[0].write_to_path(folder / "certificate.pem")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return Tls(certificate=folder / "certificate.pem", key=folder / "key.pem"), context


@dataclass
class House:
    """A running listener with what stands around it."""

    listener: Listener
    taken: Taken
    accounts_file: Path
    clients: list[Client] = field(default_factory=list)

    @property
    def port(self) -> int:
        return self.listener.addresses[0][1]

    async def connect(self, index: int = 0, **options: Any) -> Client:
        port = self.listener.addresses[index][1]
        client = Client(*await asyncio.open_connection("127.0.0.1", port, **options))
        self.clients.append(client)
        return client


Open = Callable[..., Awaitable[House]]


@pytest.fixture
async def open_house(tmp_path: Path) -> AsyncIterator[Open]:
    """Return a function that starts a listener: trusted loopback and no accounts unless said otherwise."""
    houses: list[House] = []

    async def start(
        *,
        trusted: bool = True,
        accounts: bool = False,
        auth_requires_tls: bool = False,
        tls: Tls | None = None,
        implicit: bool = False,
        proxy: bool = False,
        xclient: bool = False,
        bare_lf: bool = False,
        greeting_pause: float = 0.0,
        failure_delay: float = 0.0,
        **limits: Any,
    ) -> House:
        any_port = (Listen(host="127.0.0.1", port=0),)
        smtp = Smtp(
            listen=any_port,
            implicit_tls_listen=any_port if implicit else (),
            tls=tls,
            auth_requires_tls=auth_requires_tls,
            trusted_networks=LOOPBACK if trusted else (),
            proxy_networks=LOOPBACK if proxy else (),
            xclient_networks=LOOPBACK if xclient else (),
            bare_lf_networks=LOOPBACK if bare_lf else (),
        )
        file = tmp_path / "accounts.yaml"
        if accounts:
            write(file, (ALICE, SUSPENDED))
        known = Accounts(file)
        taken = Taken()
        taken.gate.set()
        listener = Listener(
            Settings(hostname="gate.example.jp", smtp=smtp, limits=Limits(**limits)),
            taken.submit,
            known,
            verifier=Verifier(known, CHEAP),
            greeting_pause=greeting_pause,
            failure_delay=failure_delay,
        )
        await listener.start()
        houses.append(House(listener, taken, file))
        return houses[-1]

    yield start
    for house in houses:
        house.taken.gate.set()
        for client in house.clients:
            await client.close()
        await house.listener.close(timedelta(seconds=2))
        await asyncio.sleep(0)
