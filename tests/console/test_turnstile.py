"""Strangers who hold connections to the pages open, and say or read nothing: they end, and others get through meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from gateway.config.settings import Listen
from gateway.console import turnstile
from gateway.console.server import http_server
from tests.process import free_port

HALF = b"GET / HTTP/1.1\r\nHost: x\r\nX-A: "
WHOLE = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
LARGE = 64 << 20  # octets: more than the kernel buffers for a client that does not read

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Visitors:
    """Opens connections to one listener; every wait ends after ten seconds."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.writers: list[asyncio.StreamWriter] = []
        self.gate = asyncio.Event()

    async def come(self, octets: bytes) -> asyncio.StreamReader:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers.append(writer)
        writer.write(octets)
        await asyncio.sleep(0)
        return reader

    async def answer(self, reader: asyncio.StreamReader) -> bytes:
        """Return the status line; empty where the connection was cut."""
        try:
            return (await asyncio.wait_for(reader.readline(), 10)).strip()
        except ConnectionError:
            return b""


@pytest.fixture
async def visitors() -> AsyncIterator[Visitors]:
    port = free_port()
    known = Visitors(port)

    async def page(request: Request) -> Response:
        await request.body()
        return PlainTextResponse("ok")

    async def slow(request: Request) -> Response:
        await known.gate.wait()
        return PlainTextResponse("ok")

    async def large(request: Request) -> Response:
        return PlainTextResponse(b"x" * LARGE)

    async def stream(request: Request) -> Response:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(LARGE >> 16):
                yield b"x" * (1 << 16)

        return StreamingResponse(pieces())

    routes = [
        Route("/", page, methods=["GET", "POST"]),
        Route("/slow", slow),
        Route("/large", large),
        Route("/stream", stream),
    ]
    async with http_server(Starlette(routes=routes), Listen(host="127.0.0.1", port=port)):
        while True:
            with contextlib.suppress(OSError):
                await known.come(b"")
                break
        yield known
        known.gate.set()
        for writer in known.writers:
            writer.close()
        await asyncio.sleep(0.05)


async def test_who_holds_connections_keeps_nobody_out(
    visitors: Visitors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turnstile, "CONNECTIONS", 20)
    strangers = [await visitors.come(HALF) for _ in range(60)]
    await asyncio.sleep(0.05)
    for _ in range(10):
        assert await visitors.answer(await visitors.come(WHOLE)) == b"HTTP/1.1 200 OK"
    cut = [reader for reader in strangers if reader.at_eof() or reader.exception() is not None]
    assert len(cut) >= 40


async def test_who_is_being_served_is_not_cut_for_others(
    visitors: Visitors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turnstile, "CONNECTIONS", 5)
    served = [await visitors.come(WHOLE.replace(b"/ ", b"/slow ")) for _ in range(5)]
    await asyncio.sleep(0.05)
    assert await visitors.answer(await visitors.come(WHOLE)) == b""
    visitors.gate.set()
    assert [await visitors.answer(reader) for reader in served] == [b"HTTP/1.1 200 OK"] * 5


@pytest.mark.parametrize(
    "octets", [b"", HALF, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc", WHOLE + HALF]
)
async def test_a_request_has_to_come_to_its_end(
    visitors: Visitors, monkeypatch: pytest.MonkeyPatch, octets: bytes
) -> None:
    monkeypatch.setattr(turnstile, "REQUEST_S", 0.2)
    reader = await visitors.come(octets)
    with contextlib.suppress(ConnectionError):
        await asyncio.wait_for(reader.read(), 5)
    assert reader.at_eof() or reader.exception() is not None


async def test_an_answer_has_to_be_taken(visitors: Visitors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turnstile, "REQUEST_S", 0.1)
    monkeypatch.setattr(turnstile, "RESPONSE_S", 0.5)
    reader = await visitors.come(WHOLE.replace(b"/ ", b"/large "))
    await asyncio.sleep(1.0)
    got = b""
    with contextlib.suppress(ConnectionError):
        got = await asyncio.wait_for(reader.read(), 10)
    assert len(got) < LARGE


async def test_a_slow_reader_has_longer_than_a_slow_speaker(
    visitors: Visitors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turnstile, "REQUEST_S", 0.2)
    reader = await visitors.come(
        WHOLE.replace(b"/ ", b"/large ").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    )
    await asyncio.sleep(0.6)
    assert len(await asyncio.wait_for(reader.read(), 20)) > LARGE


async def test_one_connection_may_ask_many_times(visitors: Visitors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turnstile, "RESPONSE_S", 0.3)
    reader = await visitors.come(WHOLE)
    for _ in range(4):
        assert await visitors.answer(reader) == b"HTTP/1.1 200 OK"
        while (await reader.readline()).strip():
            pass
        await reader.readexactly(2)
        await asyncio.sleep(0.15)
        visitors.writers[-1].write(WHOLE)


@pytest.mark.parametrize("takes", [True, False])
async def test_a_file_may_take_as_long_as_somebody_takes_it(
    visitors: Visitors, monkeypatch: pytest.MonkeyPatch, takes: bool
) -> None:
    monkeypatch.setattr(turnstile, "RESPONSE_S", 0.5)
    reader = await visitors.come(
        WHOLE.replace(b"/ ", b"/stream ").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    )
    got = 0
    for _ in range(8):  # two seconds
        await asyncio.sleep(0.25)
        if takes:
            got += len(await reader.readexactly(6 << 20))
    with contextlib.suppress(ConnectionError):
        while octets := await asyncio.wait_for(reader.read(8 << 20), 10):
            got += len(octets)
    assert (got > LARGE) is takes


async def test_a_file_does_not_take_for_ever_to_be_taken(
    visitors: Visitors, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Octet by octet a file would stay in memory for half a day."""
    monkeypatch.setattr(turnstile, "RESPONSE_S", 0.3)
    monkeypatch.setattr(turnstile, "ANSWER_S", 0.5)
    reader = await visitors.come(WHOLE.replace(b"/ ", b"/stream "))
    got = 0
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        for _ in range(8):
            await asyncio.sleep(0.25)
            got += len(await reader.readexactly(6 << 20))
        while octets := await asyncio.wait_for(reader.read(8 << 20), 10):
            got += len(octets)
    assert got < LARGE
