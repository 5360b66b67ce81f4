"""Clients that never give up, an admin with second thoughts, and what both were told, for the accounting after the kills."""

from __future__ import annotations

import asyncio
import random
import re
import smtplib
import threading
import time

from gateway.clock import utc_now
from gateway.spool.contract import StoreUnavailable
from gateway.spool.lifecycle import Reason
from gateway.spool.sql import SqlSpool, open_spool
from gateway.spool.values import Actor
from gateway.store.keys import MasterKey
from gateway.store.where import Where
from tests.process import mail

SENDER = "office@sports.example.jp"
CLIENTS = 6
PAUSE_S = 0.005  # between two mails of a client: the kills are the test, not the rate
SIZES = (10, 10, 5_000, 5_000, 5_000, 30_000, 200_000)  # the last lies in a file of its own
LINE = b"x" * 70 + b"\r\n"
KINDS = {5: "held", 7: "refused"}  # by number modulo 8; the others are plain
FIRST = {
    "plain": "{}-a@example.com",
    "held": "{}-h@later.example.net",
    "refused": "{}-r@refused.example.net",
}


def kind_of(name: str) -> str:
    """Return what becomes of a mail: `plain`, `held` for an hour, `refused` by the next hop for good."""
    return KINDS.get(int(name[-6:]) % 8, "plain")


def recipients_of(name: str) -> list[str]:
    """Return whom a mail goes to; the plain ones have a colleague too, whose copy leaves at once."""
    first = FIRST[kind_of(name)].format(name)
    return [first, f"{name}-b@city.example.lg.jp"] if kind_of(name) == "plain" else [first]


class Load:
    """Clients that send until they are stopped; `acknowledged` has the queue id of each mail that got its 250."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.acknowledged: dict[str, str] = {}
        self._number = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._client, daemon=True) for _ in range(CLIENTS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def _client(self) -> None:
        while not self._stop.is_set():
            try:
                with smtplib.SMTP("127.0.0.1", self._port, timeout=5) as client:
                    while not self._stop.wait(PAUSE_S):
                        self._send(client)
            except (OSError, smtplib.SMTPException):
                time.sleep(0.02)

    def _send(self, client: smtplib.SMTP) -> None:
        with self._lock:
            self._number += 1
            name = f"load{self._number:06d}"
        to = recipients_of(name)
        client.ehlo_or_helo_if_needed()
        client.mail(SENDER)
        for recipient in to:
            client.rcpt(recipient)
        body = LINE * (random.Random(name).choice(SIZES) // len(LINE) + 1)
        code, text = client.data(mail(to, name, body=body))
        assert code < 500, text
        found = re.search(rb"\b([0-9A-Z]{10,})\b", text)
        if code == 250 and found:
            self.acknowledged[name] = found[1].decode()


class SecondThoughts:
    """Cancels the outside recipient of some mails, as `sekisho held cancel` does it, while gateways die around it."""

    def __init__(self, where: Where, load: Load, seed: int) -> None:
        self._where = where
        self._load = load
        self._chance = random.Random(seed)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self.cancelled: set[str] = set()  # told that it did not leave
        self.perhaps: set[str] = set()  # told that it may have left, in an attempt that a kill ended
        self.too_late: set[str] = set()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(30)

    async def _run(self) -> None:
        spool = opened(self._where)
        seen = 0
        while not self._stop.is_set():
            await asyncio.sleep(self._chance.uniform(0.02, 0.2))
            names = list(self._load.acknowledged)[seen:]
            seen += len(names)
            for name in self._chance.sample(names, min(2, len(names))):
                await self._cancel(spool, name)
        await spool.close()

    async def _cancel(self, spool: SqlSpool, name: str) -> None:
        """Cancel recipient 0 and believe the answer; one that the store refuses was never given."""
        admin, queue_id = Actor("admin", "tester"), self._load.acknowledged[name]
        try:
            change = await spool.cancel(queue_id, [0], admin, Reason.BY_ADMIN, utc_now())
        except StoreUnavailable:
            return
        told = self.too_late if not change.done else self.perhaps if change.perhaps else self.cancelled
        told.add(name)


def opened(where: Where) -> SqlSpool:
    """Open a running gateway's spool beside it, as the command line does."""
    return open_spool(where, MasterKey.load(where.state / "master.key", {}))
