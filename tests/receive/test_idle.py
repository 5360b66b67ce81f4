"""Ten thousand clients that say nothing: mail flows beside them, and each costs no more than docs/smtp-in.md says."""

from __future__ import annotations

import asyncio
import re
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.receive.conftest import House, Open

WANTED = 10_000
SPARE = 300  # descriptors for everything else in this process
AT_ONCE = 200  # connections being made at a time, fewer than the backlog
PAGE = (Path(__file__).parents[2] / "docs" / "smtp-in.md").read_text()


def stated_bound() -> int:
    """Return the octets of one idle connection as the page states them."""
    found = re.search(r"An idle connection takes at most (\d+) KiB", PAGE)
    assert found is not None
    return int(found[1]) << 10


def resident() -> int:
    """Return the octets of memory this process has in use."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@contextmanager
def descriptors() -> Iterator[int]:
    """Raise the limit of open files as far as we may; yield how many connections fit, both ends being ours."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * WANTED + SPARE
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
    try:
        yield min(WANTED, (max(soft, most) - SPARE) // 2)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def visit(port: int) -> socket.socket:
    """Connect and take the banner, then stay silent."""
    loop = asyncio.get_running_loop()
    client = socket.socket()
    client.setblocking(False)
    await loop.sock_connect(client, ("127.0.0.1", port))
    assert (await asyncio.wait_for(loop.sock_recv(client, 100), 30)).startswith(b"220 ")
    return client


async def send_mail(house: House) -> None:
    client = await house.connect()
    await client.greet()
    await client.envelope()
    assert (await client.ask(b"Subject: x\r\n\r\nx\r\n.")).startswith("250 ")
    await client.ask(b"QUIT")
    await client.close()


async def test_idle_connections_are_cheap_and_in_nobody_s_way(open_house: Open) -> None:
    if not Path("/proc/self/statm").exists():
        pytest.skip("memory is read from /proc")
    with descriptors() as count:
        house = await open_house(connections=count + 100, connections_per_address=count + 100)
        for _ in range(20):
            await send_mail(house)
        idle: list[socket.socket] = []
        before = resident()
        try:
            while len(idle) < count:
                more = min(AT_ONCE, count - len(idle))
                idle += await asyncio.gather(*(visit(house.port) for _ in range(more)))
            each = (resident() - before) / count
            assert len(house.listener.reception.sessions) == count
            await send_mail(house)
            assert len(house.taken.mails) == 21
            assert each < stated_bound(), f"{each / 1024:.1f} KiB for each of {count}"
        finally:
            for client in idle:
                client.close()
        for _ in range(200):
            if not house.listener.reception.sessions:
                break
            await asyncio.sleep(0.05)
        assert not house.listener.reception.sessions
