"""A next hop of our own, for what smtp-sink cannot do: STARTTLS, on uvloop in a process of its own.

`python -m tests.bench.own_sink [CHAIN.pem]` prints its port, answers each line it is given with the mails it has taken and
how many of them came encrypted, and ends with its input. It reads the octets of a mail only for its end.
"""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import cast

import trustme
import uvloop

END = b"\r\n.\r\n"
REPLIES = {b"DATA": b"354 go on\r\n", b"QUIT": b"221 2.0.0 bye\r\n"}
OFFERS = b"250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n%b250 SIZE\r\n"


@dataclass
class Count:
    """What all sessions have taken."""

    mails: int = 0
    encrypted: int = 0


class Session(asyncio.Protocol):
    """One connection."""

    def __init__(self, count: Count, context: ssl.SSLContext | None) -> None:
        self._count, self._context = count, context
        self._input = b""
        self._in_mail = False
        self._encrypted = False
        self._upgrade: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if not self._encrypted:
            self._transport.write(b"220 sink.example ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._input += data
        while self._input and (self._mail() if self._in_mail else self._command()):
            pass

    def _mail(self) -> bool:
        """Drop what is here of a mail; tell whether it has ended."""
        end = self._input.find(END)
        if end < 0:
            self._input = self._input[-len(END) + 1 :]
            return False
        self._input, self._in_mail = self._input[end + len(END) :], False
        self._count.mails += 1
        self._count.encrypted += self._encrypted
        self._transport.write(b"250 2.0.0 taken\r\n")
        return True

    def _command(self) -> bool:
        line, found, rest = self._input.partition(b"\r\n")
        if not found:
            return False
        self._input = rest
        verb = line[:8].upper()
        if verb == b"STARTTLS" and self._context is not None:
            self._upgrade = asyncio.get_running_loop().create_task(self._starttls(self._context))
            return False
        self._in_mail = verb == b"DATA"
        self._transport.write(
            self._offers() if verb[:4] == b"EHLO" else REPLIES.get(verb, b"250 2.0.0 ok\r\n")
        )
        return True

    def _offers(self) -> bytes:
        return OFFERS % (b"250-STARTTLS\r\n" if self._context and not self._encrypted else b"")

    async def _starttls(self, context: ssl.SSLContext) -> None:
        self._transport.write(b"220 2.0.0 go on\r\n")
        self._encrypted = True
        upgraded = await asyncio.get_running_loop().start_tls(
            self._transport, self, context, server_side=True
        )
        assert upgraded is not None
        self._transport = upgraded


async def serve(context: ssl.SSLContext | None) -> None:
    """Take mail until the input ends."""
    count, loop, done = Count(), asyncio.get_running_loop(), asyncio.Event()
    server = await loop.create_server(lambda: Session(count, context), "127.0.0.1", 0, backlog=512)

    def answer() -> None:
        if sys.stdin.readline():
            print(count.mails, count.encrypted, flush=True)
        else:
            done.set()

    loop.add_reader(sys.stdin.fileno(), answer)
    print(server.sockets[0].getsockname()[1], flush=True)
    await done.wait()


class OwnSink:
    """The sink's process, asked over its input."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.port = int(self._read())

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def counts(self) -> tuple[int, int]:
        """Return how many mails it has taken, and how many of them encrypted."""
        assert self._process.stdin is not None
        print("?", file=self._process.stdin, flush=True)
        mails, encrypted = self._read().split()
        return int(mails), int(encrypted)

    def messages(self) -> int:
        return self.counts()[0]


@contextmanager
def own_sink(certificate: trustme.LeafCert | None = None) -> Iterator[OwnSink]:
    """Run the sink, with STARTTLS where it is given a certificate."""
    with ExitStack() as stack:
        command = [sys.executable, "-m", __name__]
        if certificate is not None:
            command.append(stack.enter_context(certificate.private_key_and_cert_chain_pem.tempfile()))
        process = stack.enter_context(
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )
        try:
            yield OwnSink(process)
        finally:
            process.kill()


def _context(chain: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context


if __name__ == "__main__":
    uvloop.run(serve(_context(sys.argv[1]) if sys.argv[1:] else None))
