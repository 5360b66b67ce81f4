"""`python -m tests.bench.deliver`: what one delivery costs us, end to end to a smarthost at 10 KiB.

Our courier (pool, time-outs, transaction) on kept connections against smtplib on kept connections, both into
Postfix's smtp-sink on loopback, interleaved. Prints medians of CPU per mail (this process only) and of mails per
second. Bounded: RUNS of MESSAGES.
"""

from __future__ import annotations

import asyncio
import smtplib
import socket
import statistics
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import uvloop

from gateway.delivery.courier import Courier
from gateway.delivery.hop import Hop
from gateway.delivery.mail import Outgoing
from gateway.delivery.pool import Pool
from gateway.delivery.route import Route, Router
from gateway.delivery.session import Opener
from gateway.delivery.timeouts import Timeouts
from gateway.evidence.resolver import DnsResolver
from gateway.message.address import Address
from tests.bench.source import sink
from tests.process import wait_for

RUNS = 5
MESSAGES = 3000
SESSIONS = 20
HEADER = b"From: office@sports.example.jp\r\nSubject: bench\r\n\r\n"
BODY = b"All work and no play makes for a dull piece of mail, sixty-four.\r\n" * 155
SENDER = Address("office", "sports.example.jp")
RECIPIENT = Address("citizen", "example.com")

Measured = tuple[float, float]
"""CPU seconds and wall seconds of one run."""


def measured(work: Callable[[], None]) -> Measured:
    """Run `work` and return what it took of this process."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def wait_until_open(port: int) -> None:
    """Wait until something listens at a port."""

    def listens() -> bool:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True

    wait_for(listens, f"port {port}")


def ours(port: int, count: int = MESSAGES) -> Measured:
    """Deliver through the courier, SESSIONS at a time on kept connections."""
    return measured(lambda: uvloop.run(_deliver_all(port, count)))


async def _deliver_all(port: int, count: int) -> None:
    hop = Hop("127.0.0.1", port, tls="off")
    pool = Pool(Opener("gw.example.jp", Timeouts()), SESSIONS, SESSIONS)
    courier = Courier(pool, Router("gw.example.jp", DnsResolver(), hop, lambda hosts: None), Timeouts())
    left = iter(range(count))

    async def worker() -> None:
        start_by = asyncio.get_running_loop().time() + 60
        for _ in left:
            delivery = await courier.deliver(Route(hop), _outgoing, 1, start_by)
            assert delivery.verdicts[0].state.value == "delivered", delivery

    await asyncio.gather(*(worker() for _ in range(SESSIONS)))
    await pool.close()


def _outgoing() -> Outgoing:
    return Outgoing(SENDER, (RECIPIENT,), HEADER, memoryview(BODY), body_8bit=False)


def stock(port: int, count: int = MESSAGES) -> Measured:
    """Deliver the same with smtplib, a thread for each connection."""
    left, lock = iter(range(count)), threading.Lock()

    def worker() -> None:
        with smtplib.SMTP("127.0.0.1", port, local_hostname="gw.example.jp") as client:
            while True:
                with lock:
                    if next(left, None) is None:
                        return
                client.sendmail(str(SENDER), [str(RECIPIENT)], HEADER + BODY)

    def run() -> None:
        with ThreadPoolExecutor(SESSIONS) as threads:
            for done in [threads.submit(worker) for _ in range(SESSIONS)]:
                done.result()

    return measured(run)


def main() -> None:
    """Measure both, interleaved, and print medians."""
    peers = {"courier": ours, "smtplib": stock}
    runs: dict[str, list[Measured]] = {name: [] for name in peers}
    with sink() as target:
        wait_until_open(target.port)
        for _ in range(RUNS):
            for name, peer in peers.items():
                runs[name].append(peer(target.port))
    for name, found in runs.items():
        cpu = statistics.median(cpu for cpu, _ in found) / MESSAGES * 1e6
        rate = MESSAGES / statistics.median(wall for _, wall in found)
        print(f"{name}: {cpu:.0f} us of CPU per mail, {rate:.0f} mails/s")


if __name__ == "__main__":
    main()
