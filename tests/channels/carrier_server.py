"""A carrier of text messages on this machine that behaves as it is told: well, or as carriers do on bad days.

It is a plain socket server: it has to drip, hang and answer what no HTTP library would.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import orjson

SID = "SM" + "0123456789abcdef" * 2


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class CarrierServer:
    """`answer` is called for each request; set it to change the mood. `port` is where it listens."""

    answer: Callable[[Asked, asyncio.StreamWriter], object]
    port: int = 0
    asked: list[Asked] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                asked = await _read(reader)
                self.asked.append(asked)
                said = self.answer(asked, writer)
                if asyncio.iscoroutine(said):
                    await said
                    break
                assert isinstance(said, bytes)
                writer.write(said)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def carrier_server() -> AsyncIterator[CarrierServer]:
    """Serve on a port of its own; well-behaved until it is told otherwise."""
    server = CarrierServer(taken)
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await server.serve(reader, writer)
        except asyncio.CancelledError:
            pass
        finally:
            tasks.discard(task)
            writer.close()

    listening = await asyncio.start_server(connected, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Asked(method, path, headers, await reader.readexactly(int(headers.get("content-length", 0))))


def http(status: int, body: bytes = b"", *headers: str) -> bytes:
    """Return a whole answer."""
    head = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def taken(asked: Asked, _: asyncio.StreamWriter) -> bytes:
    """Take whatever comes, in the words of the carrier that is asked."""
    if asked.method == "HEAD":
        return b"HTTP/1.1 405 No\r\ncontent-length: 0\r\n\r\n"
    if asked.method == "GET":
        return http(200, b"{}")
    return http(201, orjson.dumps({"sid": SID, "status": "queued"}))


def always(answer: bytes) -> Callable[[Asked, asyncio.StreamWriter], bytes]:
    """Give everybody the same answer."""
    return lambda _asked, _writer: answer


async def hang(_asked: Asked, _writer: asyncio.StreamWriter) -> None:
    """Never answer."""
    await asyncio.Event().wait()


async def drip(_asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Answer an octet at a time, for ever: every single read is in time."""
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)


async def endless(_asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Answer at full speed, for ever."""
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def cut(_asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Hang up in the middle of an answer."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")
    await writer.drain()


async def nonsense(_asked: Asked, writer: asyncio.StreamWriter) -> None:
    """Answer what is no HTTP."""
    writer.write(b"220 smtp.example.jp ESMTP\r\n")
    await writer.drain()
