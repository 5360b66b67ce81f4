"""`python -m tests.bench.receive`: what reception alone costs, against stock aiosmtpd, in one interleaved run.

smtp-source sends 10 KiB mails over kept plain-text connections, one command at a time, into each server in turn; both
take the mail and do nothing with it. A server runs in a process of its own on uvloop and tells its CPU time by
getrusage. Prints the median CPU and rate of each and their ratio. Bounded: MESSAGES a run, RUNS runs, a limit each.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import resource
import statistics
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from multiprocessing.connection import Connection

import uvloop
from aiosmtpd.smtp import SMTP

from gateway.config.settings import Limits, Listen, Settings, Smtp
from gateway.message.envelope import Envelope
from gateway.receive.accounts import Accounts
from gateway.receive.listener import Listener
from gateway.receive.reply import Reply
from tests.bench.source import OUTSIDE, send

RUNS = int(os.environ.get("BENCH_RUNS", "5"))
MESSAGES = int(os.environ.get("BENCH_MESSAGES", "4000"))
SIZE = int(os.environ.get("BENCH_SIZE", "10240"))
_TAKEN = Reply(250, "2.0.0", "taken")

Start = Callable[[], Awaitable[int]]


async def submit(envelope: Envelope, raw: bytes) -> Reply:
    """Take the mail and do nothing with it."""
    return _TAKEN


async def sekisho() -> int:
    """Start our listener in this process; return its port."""
    smtp = Smtp(listen=(Listen(host="127.0.0.1", port=0),), trusted_networks=(ip_network("127.0.0.0/8"),))
    limits = Limits(commands=1_000_000)
    listener = Listener(
        Settings(hostname="gate.example.jp", smtp=smtp, limits=limits), submit, Accounts(None)
    )
    await listener.start()
    _KEPT.append(listener)
    return listener.addresses[0][1]


class Discard:
    """aiosmtpd's handler that takes everything."""

    async def handle_DATA(self, *_: object) -> str:  # noqa: N802 - aiosmtpd's name
        return "250 2.0.0 taken"


async def stock() -> int:
    """Start aiosmtpd as it comes; return its port."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Discard(), hostname="gate.example.jp"), "127.0.0.1", 0)
    _KEPT.append(server)
    return int(server.sockets[0].getsockname()[1])


_KEPT: list[object] = []  # servers that would be collected otherwise


def serve(start: Start, pipe: Connection) -> None:
    """Run a server; answer each word that comes with the CPU seconds used so far, stop at the end of input."""

    async def main() -> None:
        pipe.send(await start())
        loop = asyncio.get_running_loop()
        done = asyncio.Event()
        loop.add_reader(pipe.fileno(), lambda: _answer(pipe, done))
        await done.wait()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def _answer(pipe: Connection, done: asyncio.Event) -> None:
    if pipe.recv() == "stop":
        done.set()
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    pipe.send(used.ru_utime + used.ru_stime)


@contextmanager
def running(start: Start) -> Iterator[tuple[int, Callable[[], float]]]:
    """Yield a server's port and its CPU meter."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=serve, args=(start, theirs))
    process.start()

    def cpu() -> float:
        ours.send("cpu")
        return float(ours.recv())

    try:
        yield int(ours.recv()), cpu
    finally:
        ours.send("stop")
        process.join(10)
        if process.is_alive():
            process.kill()


def once(port: int, cpu: Callable[[], float], count: int = MESSAGES) -> tuple[float, float]:
    """Send mails; return microseconds of the server's CPU for a mail, and mails per second."""
    before, begin = cpu(), time.monotonic()
    send(port, count, SIZE, OUTSIDE)
    seconds = time.monotonic() - begin
    return (cpu() - before) / count * 1e6, count / seconds


def main() -> None:
    """Measure in turn and print a table."""
    results: dict[str, list[tuple[float, float]]] = {"sekisho": [], "aiosmtpd": []}
    with running(sekisho) as ours, running(stock) as theirs:
        for _ in range(RUNS):
            results["sekisho"].append(once(*ours))
            results["aiosmtpd"].append(once(*theirs))
    medians = {
        name: [statistics.median(column) for column in zip(*rows, strict=True)]
        for name, rows in results.items()
    }
    for name, (cost, rate) in medians.items():
        print(
            f"{name:<9} {cost:7.0f} us CPU per mail {rate:7.0f} mails/s   ({SIZE} octets, median of {RUNS})"
        )
    print(f"ratio     {medians['aiosmtpd'][0] / medians['sekisho'][0]:7.2f}")


if __name__ == "__main__":
    main()
