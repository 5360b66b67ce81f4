"""A courier for the scripted next hop, with short time-outs."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

import pytest

from gateway.delivery.courier import Courier, Delivery
from gateway.delivery.hop import Hop, Tls
from gateway.delivery.mail import Outgoing
from gateway.delivery.pool import Pool
from gateway.delivery.route import Route, Router
from gateway.delivery.session import Opener, tls_context
from gateway.delivery.timeouts import Timeouts
from gateway.evidence.resolver import Mx
from gateway.message.address import Address
from tests.delivery.next_hop import NextHop, running

QUICK = Timeouts(connect=2, greeting=2, command=2, data=2, block=2, final=2, transaction=5)
HEADER = b"From: s@example.jp\r\nSubject: test\r\n\r\n"


class NoDns:
    async def mx(self, domain: str) -> Sequence[Mx]:
        raise AssertionError("not to be asked")

    async def addresses(self, host: str) -> Sequence[str]:
        raise AssertionError("not to be asked")


def address(text: str) -> Address:
    local, _, domain = text.rpartition("@")
    return Address(local, domain)


def mail(
    *to: str,
    body: bytes = b"hello\r\n",
    header: bytes = HEADER,
    smtputf8: bool = False,
    sender: str | None = "s@example.jp",
) -> Outgoing:
    return Outgoing(
        sender=address(sender) if sender else None,
        recipients=tuple(address(text) for text in to or ("a@example.com",)),
        header=header,
        body=memoryview(body),
        smtputf8=smtputf8,
    )


@dataclass
class Line:
    """One courier and one next hop."""

    hop: NextHop
    courier: Courier
    pool: Pool
    target: Hop

    async def send(self, outgoing: Outgoing) -> Delivery:
        start_by = asyncio.get_running_loop().time() + 5
        return await self.courier.deliver(
            Route(self.target), lambda: outgoing, len(outgoing.recipients), start_by
        )

    async def states(self, outgoing: Outgoing) -> list[str]:
        return [verdict.state.value for verdict in (await self.send(outgoing)).verdicts]


Connect = Callable[..., contextlib.AbstractAsyncContextManager[Line]]


@contextlib.asynccontextmanager
async def connected(
    hop: NextHop,
    *,
    tls: Tls = "opportunistic",
    verify: bool = False,
    username: str = "",
    password: str = "",
    name: str = "127.0.0.1",
    context: Callable[[bool], ssl.SSLContext] = tls_context,
    timeouts: Timeouts = QUICK,
    per_host: int = 10,
    total: int = 50,
    idle: float = 30.0,
    max_messages: int = 100,
) -> AsyncIterator[Line]:
    async with running(hop):
        target = Hop(name, hop.port, "127.0.0.1", tls, verify, username, password)
        opener = Opener("gw.example.jp", timeouts, context)
        pool = Pool(opener, per_host, total, idle=idle, max_messages=max_messages)
        router = Router("gw.example.jp", NoDns(), target, lambda hosts: None)
        try:
            yield Line(hop, Courier(pool, router, timeouts), pool, target)
        finally:
            await pool.close()


@pytest.fixture
def connect() -> Connect:
    return connected
