"""A scripted next hop: an SMTP server that behaves, except where a test says otherwise. Keeps every octet it
gets."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

CLOSE = "<close>"  # answer: close without a word
HANG = "<hang>"  # answer: nothing, ever

Script = Callable[[str, int], str | None]
"""(command line or GREETING or END, its number so far) -> the reply without CRLF, CLOSE, HANG, None for the
usual one."""

EXTENSIONS = ("PIPELINING", "SIZE 35882577", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES")


@dataclass
class Taken:
    """One mail the hop took: the commands' arguments and the octets between 354 and the final dot, still
    stuffed."""

    mail_from: str
    rcpt_to: list[str]
    data: bytes

    @property
    def content(self) -> bytes:
        """Undo the stuffing by the letter of RFC 5321 4.5.2, line by line: slow, simple, and not the code
        under test."""
        lines = self.data.split(b"\r\n")
        return b"\r\n".join(line[1:] if line.startswith(b".") else line for line in lines)


@dataclass
class NextHop:
    script: Script = lambda line, number: None
    extensions: tuple[str, ...] = EXTENSIONS
    context: ssl.SSLContext | None = None
    implicit_tls: bool = False
    credentials: tuple[str, str] | None = None
    drip: bool = False
    pause: float = 0.0  # seconds between two octets that drip
    delay: float = 0.0
    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    connections: int = 0
    open_now: int = 0
    open_most: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open_now += 1
        self.open_most = max(self.open_most, self.open_now)
        self.writers.add(writer)
        try:
            await _Session(self, reader, writer).run()
        except (ConnectionError, asyncio.IncompleteReadError, _Closed):
            pass
        finally:
            self.open_now -= 1
            self.writers.discard(writer)
            writer.transport.abort()

    def answer(self, line: str) -> str | None:
        key = line.split(" ")[0].upper()
        number = self.counts.get(key, 0)
        self.counts[key] = number + 1
        return self.script(line, number)

    def close_all(self) -> None:
        for writer in self.writers:
            writer.transport.abort()


class _Closed(Exception):
    pass


class _Session:
    def __init__(self, hop: NextHop, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.hop, self.reader, self.writer = hop, reader, writer
        self.mail_from = ""
        self.rcpt_to: list[str] = []

    async def run(self) -> None:
        await self.say("GREETING", "220 hop.example.net ESMTP")
        while True:
            line = (await self.reader.readuntil(b"\r\n")).decode()[:-2]
            self.hop.lines.append(line)
            await self.command(line)

    async def command(self, line: str) -> None:
        verb = line.split(" ")[0].upper()
        if verb == "EHLO":
            await self.say(line, self.ehlo())
        elif verb == "MAIL":
            self.mail_from, self.rcpt_to = line[10:], []
            await self.say(line, "250 2.1.0 ok")
        elif verb == "RCPT":
            if (await self.say(line, "250 2.1.5 ok")).startswith("2"):
                self.rcpt_to.append(line[8:])
        elif verb == "DATA":
            await self.data(line)
        elif verb == "STARTTLS":
            await self.start_tls(line)
        elif verb == "AUTH":
            await self.auth(line)
        elif verb == "QUIT":
            await self.say(line, "221 bye")
            raise _Closed
        else:
            await self.say(line, "250 ok")

    def ehlo(self) -> str:
        offered = [*self.hop.extensions]
        if self.hop.context is not None and not self.writer.get_extra_info("ssl_object"):
            offered.append("STARTTLS")
        lines = ["hop.example.net", *offered]
        marks = ["-"] * (len(lines) - 1) + [" "]
        return "\r\n".join(f"250{mark}{text}" for mark, text in zip(marks, lines, strict=True))

    async def data(self, line: str) -> None:
        usual = "354 go ahead" if self.rcpt_to else "554 5.5.1 no valid recipients"
        if not (await self.say(line, usual)).startswith("354"):
            return
        content = await self.reader.readexactly(3)
        if content != b".\r\n":
            content += await self.reader.readuntil(b"\r\n.\r\n")
        if self.hop.delay:
            await asyncio.sleep(self.hop.delay)
        await self.say("END", "250 2.0.0 queued", Taken(self.mail_from, self.rcpt_to, content[:-3]))

    async def start_tls(self, line: str) -> None:
        assert self.hop.context is not None
        if (await self.say(line, "220 go ahead")).startswith("220 go ahead"):
            with contextlib.suppress(OSError):
                await self.writer.start_tls(self.hop.context)

    async def auth(self, line: str) -> None:
        words = line.split(" ")
        if words[1] == "LOGIN":
            await self.say("CHALLENGE", "334 VXNlcm5hbWU6")
            words.append((await self.reader.readuntil(b"\r\n")).decode()[:-2])
            await self.say("CHALLENGE", "334 UGFzc3dvcmQ6")
            words.append((await self.reader.readuntil(b"\r\n")).decode()[:-2])
        self.hop.lines.append(" ".join(words))
        good = self.hop.credentials == tuple(words[2:])
        await self.say("AUTHDONE", "235 2.7.0 ok" if good else "535 5.7.8 bad credentials")

    async def say(self, line: str, usual: str, taken: Taken | None = None) -> str:
        reply = self.hop.answer(line) or usual
        if reply == HANG:
            await asyncio.sleep(3600)
        if reply == CLOSE:
            raise _Closed
        if taken is not None and reply.startswith("250"):
            self.hop.taken.append(taken)  # before the reply: the test may look as soon as it has arrived
        octets = reply.encode() + b"\r\n"
        if self.hop.drip:
            for octet in octets:
                self.writer.write(bytes([octet]))
                await self.writer.drain()
                await asyncio.sleep(self.hop.pause)
        else:
            self.writer.write(octets)
            await self.writer.drain()
        return reply


@contextlib.asynccontextmanager
async def running(hop: NextHop) -> AsyncIterator[NextHop]:
    """Run the hop on a port of its own."""
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(hop.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(
        accept, "127.0.0.1", 0, limit=1 << 24, ssl=hop.context if hop.implicit_tls else None
    )
    hop.port = server.sockets[0].getsockname()[1]
    try:
        yield hop
    finally:
        server.close()
        for task in set(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
        await asyncio.sleep(0)
