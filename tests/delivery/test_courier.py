"""Which host is tried after which: the next one while nobody has the mail, none once somebody may have it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import cast

import pytest

from gateway.delivery.courier import Courier, Delivery
from gateway.delivery.errors import NoRoute
from gateway.delivery.hop import Hop
from gateway.delivery.mail import Outgoing
from gateway.delivery.pool import Pool
from gateway.delivery.route import Route, Router
from gateway.delivery.session import Opener
from tests.delivery.conftest import QUICK, connected, mail
from tests.delivery.next_hop import CLOSE, NextHop, running


class Hops:
    """A router that gives these hops, or fails."""

    def __init__(self, *hops: Hop, error: Exception | None = None) -> None:
        self._hops, self._error = list(hops), error

    async def hops(self, route: Route) -> list[Hop]:
        if self._error is not None:
            raise self._error
        return self._hops


async def send(router: Hops, make: Outgoing | Exception) -> Delivery:
    def made() -> Outgoing:
        if isinstance(make, Exception):
            raise make
        return make

    pool = Pool(Opener("gw.example.jp", QUICK), 2, 10)
    courier = Courier(pool, cast(Router, router), QUICK)
    try:
        return await courier.deliver(Route(), made, 2, asyncio.get_running_loop().time() + 5)
    finally:
        await pool.close()


@contextlib.asynccontextmanager
async def two(first: NextHop, second: NextHop) -> AsyncIterator[Hops]:
    async with running(first), running(second):
        yield Hops(*(Hop("hop.example.net", each.port, "127.0.0.1", "off") for each in (first, second)))


PAIR = ("a@example.com", "b@example.com")


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("GREETING", "554 not today"),
        ("GREETING", CLOSE),
        ("EHLO", "421 busy"),
        ("EHLO", CLOSE),
        ("MAIL", "451 4.3.0 later"),
        ("MAIL", CLOSE),
        ("RCPT", "421 4.3.2 going down"),
        ("RCPT", "garbage"),
        ("DATA", CLOSE),
    ],
)
async def test_the_next_host_is_tried_while_nobody_has_the_mail(command: str, reply: str) -> None:
    first = NextHop(lambda line, number: reply if line.startswith(command) else None)
    async with two(first, NextHop()) as router:
        delivery = await send(router, mail(*PAIR))
        assert [verdict.state.value for verdict in delivery.verdicts] == ["delivered"] * 2
        assert delivery.next_hop == str(router._hops[1])
        assert first.connections == 1  # a fresh session that fails is not tried again on the same host


@pytest.mark.parametrize(
    ("command", "reply", "state"),
    [
        ("END", CLOSE, "deferred"),
        ("END", "451 4.3.0 later", "deferred"),
        ("END", "garbage", "deferred"),
        ("DATA", "451 4.3.0 later", "deferred"),
        ("RCPT", "450 4.2.0 grey-listed", "deferred"),
        ("RCPT", "550 5.1.1 no such user", "bounced"),
        ("MAIL", "550 5.7.1 no", "bounced"),
    ],
)
async def test_no_other_host_is_asked_after_a_word_about_the_mail(
    command: str, reply: str, state: str
) -> None:
    second = NextHop()
    first = NextHop(lambda line, number: reply if line.startswith(command) else None)
    async with two(first, second) as router:
        delivery = await send(router, mail(*PAIR))
        assert [verdict.state.value for verdict in delivery.verdicts] == [state] * 2
        assert second.connections == 0


async def test_the_last_failure_is_told() -> None:
    async with two(
        NextHop(lambda line, number: "421 first"), NextHop(lambda line, number: "554 5.3.2 second")
    ) as router:
        delivery = await send(router, mail(*PAIR))
        assert {verdict.state.value for verdict in delivery.verdicts} == {"deferred"}
        assert "second" in delivery.verdicts[0].reply


async def test_every_recipient_gets_a_verdict_when_there_is_no_route() -> None:
    delivery = await send(Hops(error=NoRoute("5.1.2", "no such domain", permanent=True)), mail(*PAIR))
    assert [verdict.state.value for verdict in delivery.verdicts] == ["bounced"] * 2
    assert delivery.next_hop == ""


@pytest.mark.parametrize("error", [KeyError("secret"), RecursionError(), MemoryError()])
async def test_a_copy_that_cannot_be_rendered_is_put_off(error: Exception) -> None:
    async with two(NextHop(), NextHop()) as router:
        delivery = await send(router, error)
        assert [verdict.state.value for verdict in delivery.verdicts] == ["deferred"] * 2
        assert "secret" not in delivery.verdicts[0].reply


async def test_nothing_is_begun_after_its_time() -> None:
    async with connected(NextHop()) as line:
        outgoing = mail()
        delivery = await line.courier.deliver(
            Route(line.target), lambda: outgoing, 1, asyncio.get_running_loop().time()
        )
        assert delivery.verdicts[0].state.value == "deferred"
        assert line.hop.connections == 0


async def test_it_is_an_attempt_if_the_first_host_failed_and_the_second_is_busy() -> None:
    async with two(NextHop(lambda line, number: "554 not today"), NextHop()) as router:
        pool = Pool(Opener("gw.example.jp", QUICK), 1, 10)
        courier = Courier(pool, cast(Router, router), QUICK)
        start_by = asyncio.get_running_loop().time() + 0.3
        async with pool.place(router._hops[1], 1):
            both = await courier.deliver(Route(), lambda: mail(*PAIR), 2, start_by)
            router._hops.pop(0)
            busy = await courier.deliver(Route(), lambda: mail(*PAIR), 2, start_by)
        await pool.close()
        assert [(verdict.attempted, "not today" in verdict.reply) for verdict in both.verdicts] == [
            (True, True),
            (True, True),
        ]
        assert [verdict.attempted for verdict in busy.verdicts] == [False, False]
