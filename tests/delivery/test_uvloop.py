"""The same dialogues on uvloop: transports, TLS above all, are the loop's own code, and the service runs on uvloop."""

from __future__ import annotations

import asyncio
import inspect
import ssl
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import trustme
import uvloop

from gateway.delivery.hop import Tls
from tests.delivery import test_dialogues, test_next_hop_tls, test_pool, test_tls_auth
from tests.delivery.conftest import connected, mail
from tests.delivery.next_hop import NextHop

Dialogue = Callable[[], Coroutine[Any, Any, None]]


def dialogues() -> list[Dialogue]:
    """Return every dialogue of these modules that takes no arguments."""
    return [
        test
        for module in (test_dialogues, test_pool, test_tls_auth, test_next_hop_tls)
        for name, test in inspect.getmembers(module, inspect.iscoroutinefunction)
        if name.startswith("test_") and not inspect.signature(test).parameters
    ]


@pytest.mark.parametrize("dialogue", dialogues())
def test_dialogues_on_uvloop(dialogue: Dialogue) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(dialogue())


@pytest.mark.parametrize("implicit", [False, True])
def test_tls_on_uvloop(implicit: bool) -> None:
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("hop.example.net").configure_cert(server)
    authority.configure_trust(client)

    async def dialogue() -> None:
        hop = NextHop(context=server, implicit_tls=implicit)
        mode: Tls = "implicit" if implicit else "starttls"
        async with connected(
            hop, tls=mode, verify=True, name="hop.example.net", context=lambda verify: client
        ) as line:
            body = b".x" * 200_000 + b"\r\n"
            assert await line.states(mail(body=body)) == ["delivered"]
            assert hop.taken[0].content.endswith(body)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(dialogue())
    asyncio.run(dialogue())
