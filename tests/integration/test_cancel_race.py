"""Thousands of cancels against the release at the due moment, on the real process: every answer is the truth.

Half of the cancels come over HTTP as the page posts them, half from a second process's view of the store, as
`sekisho held cancel` has it. Then what was answered is compared with what the next hop took. Each recipient
is asked about once, at a random moment around its due time.
"""

from __future__ import annotations

import asyncio
import http.client
import random
import re
import smtplib
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

from gateway.clock import utc_now
from gateway.links import Links
from gateway.spool.lifecycle import Reason
from gateway.spool.sql import open_spool
from gateway.spool.values import Actor
from gateway.store.keys import MasterKey
from tests.process import Gateway, NextHop, gateway, mail, next_hop, wait_for

OFFICE = "office@sports.example.jp"
MAILS, RECIPIENTS, CLIENTS = 440, 5, 6
PACE_S = (
    0.016  # between two mails: the due moments, and the cancels with them, come spread over seven seconds
)
WINDOW_S = 6
EARLY_S, LATE_S = 0.25, 1.1  # a due hold leaves within a second of its time


@dataclass(frozen=True, slots=True)
class Wish:
    """One recipient to cancel at a moment (monotonic seconds)."""

    at: float
    queue_id: str
    index: int
    address: str
    by_page: bool


def test_every_answer_to_a_cancel_is_the_truth(tmp_path: Path) -> None:
    with next_hop() as hop, gateway(tmp_path, hop.port, window=f"{WINDOW_S}s") as gw:
        told: dict[str, bool] = {}
        wishes = submitted(gw)
        pages = [wish for wish in wishes if wish.by_page]
        command = threading.Thread(target=lambda: asyncio.run(from_outside(gw, wishes, told)))
        command.start()
        with ThreadPoolExecutor(CLIENTS) as clients:
            for answers in clients.map(lambda n: from_the_page(gw, pages[n::CLIENTS]), range(CLIENTS)):
                told |= answers
        command.join()
        drained(gw)
        check(told, wishes, hop)
        assert gw.cli("log", "verify", "--config", str(gw.config)).returncode == 0


def check(told: dict[str, bool], wishes: list[Wish], hop: NextHop) -> None:
    """Compare what was answered with what left."""
    taken = Counter(hop.recipients())
    assert len(told) == len(wishes) == MAILS * RECIPIENTS
    assert [who for who, cancelled in told.items() if cancelled and taken[who]] == [], (
        "cancelled, but it left"
    )
    assert [who for who, cancelled in told.items() if not cancelled and taken[who] != 1] == [], (
        "too late, but it did not leave"
    )
    assert min(Counter(told.values()).values()) > 50, "there was no race"


def submitted(gw: Gateway) -> list[Wish]:
    """Send the mails at a steady pace; return what to cancel, in the order of time."""
    chance = random.Random(20261121)
    wishes: list[Wish] = []
    with smtplib.SMTP("127.0.0.1", gw.smtp_port, timeout=20) as client:
        client.ehlo("client.example")
        for number in range(MAILS):
            begun = time.monotonic()
            to = [f"m{number:03d}-{index}@example.com" for index in range(RECIPIENTS)]
            queue_id = send(client, to, number)
            due = time.monotonic() + WINDOW_S
            wishes += [
                Wish(
                    due + chance.uniform(-EARLY_S, LATE_S), queue_id, index, to[index], chance.random() < 0.5
                )
                for index in range(RECIPIENTS)
            ]
            time.sleep(max(0.0, begun + PACE_S - time.monotonic()))
    return sorted(wishes, key=lambda wish: wish.at)


def send(client: smtplib.SMTP, to: list[str], number: int) -> str:
    client.mail(OFFICE)
    for recipient in to:
        client.rcpt(recipient)
    code, text = client.data(mail(to, f"race{number}"))
    found = re.search(rb"\b([0-9A-Z]{16})\b", text)
    assert code == 250, text
    assert found, text
    return found[1].decode()


def master(gw: Gateway) -> MasterKey:
    return MasterKey.load(gw.folder / "var" / "master.key")


def from_the_page(gw: Gateway, wishes: list[Wish]) -> dict[str, bool]:
    """Post the page's form for each wish at its time, on one connection; return who was said to be cancelled."""
    links = Links(master(gw).derive("links"), f"http://127.0.0.1:{gw.web_port}", timedelta(days=1))
    connection = http.client.HTTPConnection("127.0.0.1", gw.web_port, timeout=30)
    answers = {}
    for wish in wishes:
        token = links.url(wish.queue_id, OFFICE).rpartition("/")[2]
        form = {"which": "ticked", "recipient": wish.index, "seal": links.seal(token, {"form": 1})}
        time.sleep(max(0.0, wish.at - time.monotonic()))
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", f"/m/{token}/cancel", urlencode(form), headers)
        response = connection.getresponse()
        response.read()
        assert response.status == 303
        (sealed,) = parse_qs(urlsplit(response.headers["Location"]).query)["answer"]
        answers[wish.address] = is_done(links.unseal(f"{token} {wish.queue_id}", sealed))
    connection.close()
    return answers


def is_done(answer: dict[str, object]) -> bool:
    """Read the page's answer about one recipient; too late means that it is leaving or has left."""
    if answer["done"] == 1:
        assert answer["late"] == {}
        return True
    assert answer["late"] in ({"active": 1}, {"delivered": 1})
    return False


async def from_outside(gw: Gateway, wishes: list[Wish], told: dict[str, bool]) -> None:
    """Cancel the other wishes as the command line does: with a store of our own on the same state directory."""
    spool = open_spool(gw.folder / "var", master(gw))

    async def cancel(wish: Wish) -> None:
        await asyncio.sleep(max(0.0, wish.at - time.monotonic()))
        actor = Actor("admin", "root")
        change = await spool.cancel(wish.queue_id, [wish.index], actor, Reason.BY_ADMIN, utc_now())
        assert len(change.done) + len(change.not_done) == 1
        told[wish.address] = bool(change.done)

    await asyncio.gather(*[cancel(wish) for wish in wishes if not wish.by_page])
    await spool.close()


def drained(gw: Gateway) -> None:
    """Wait until no recipient is on its way any more."""
    states = ("held", "queued", "active", "deferred")

    def empty() -> bool:
        text = gw.get("/metrics")[1]
        depth = {
            state: re.search(rf'(?m)^sekisho_queue_recipients{{state="{state}"}} (\S+)$', text)
            for state in states
        }
        return all(found and not float(found[1]) for found in depth.values())

    wait_for(empty, "the queue to run empty", 60)
