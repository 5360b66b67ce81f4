"""kill -9 at random moments under load, time and again, then the accounting of every mail that got its 250.

Each such mail was delivered, is held, was cancelled or bounced with a notice to its sender; nothing that was "cancelled" left;
duplicates are counted. A third of the kills fall into the start that follows a kill, so recovery is killed too.
CRASH_CYCLES kills (a few in `make test`, dozens in `.ci/run`), each after at most a second; CRASH_SEED is printed.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.clock import utc_now
from gateway.spool.lifecycle import State
from gateway.store.where import Where
from tests.crash.herd import Herd
from tests.crash.load import SENDER, Load, SecondThoughts, kind_of, opened, recipients_of
from tests.crash.nursery import Nursery, nursery
from tests.process import Gateway, NextHop, Taken, next_hop, wait_for

pytestmark = pytest.mark.crash

CYCLES = int(os.environ.get("CRASH_CYCLES", "12"))
SEED = int(os.environ.get("CRASH_SEED", "20261121"))
SETTLED = {State.DELIVERED, State.CANCELLED, State.BOUNCED}
HELD_FOR_LONG = """\
  - id: until-later
    reason: {ja: 後で, en: later}
    when: {recipient: ["@later.example.net"]}
    then: {hold: 1h}
"""


def refuse_some(taken: Taken) -> bytes:
    if any(recipient.endswith("@refused.example.net") for recipient in taken.recipients):
        return b"550 5.1.1 nobody here\r\n"
    return b"250 2.0.0 taken\r\n"


def test_every_250_is_accounted_for_after_many_kills(tmp_path: Path) -> None:
    print(f"CRASH_SEED={SEED} CRASH_CYCLES={CYCLES}")
    with next_hop() as hop:
        hop.answer = refuse_some
        gw = Gateway(tmp_path, hop.port, window="1s")
        gw.write()
        with (tmp_path / "policies" / "default.yaml").open("a", encoding="utf-8") as policy:
            policy.write(HELD_FOR_LONG)
        with nursery(gw.config) as keeper:
            where = Where(tmp_path / "var")
            load, thoughts = kill_under_load(gw, keeper, where, CYCLES)
            wait_for(gw.alive, "the last gateway")
            asyncio.run(drained(where))
            assert keeper.kill(signal.SIGTERM) == 0, gw.log_text[-2000:]
        assert len(load.acknowledged) > CYCLES, "the load never got going"
        books = asyncio.run(account(where, load, hop))
        print(f"kills {CYCLES}, {books}")
        check(books, thoughts, CYCLES)
        assert gw.cli("log", "verify", "--config", str(gw.config)).returncode == 0


def kill_under_load(
    gw: Gateway, keeper: Nursery | Herd, where: Where, cycles: int
) -> tuple[Load, SecondThoughts]:
    """Kill gateways while clients send and an admin cancels; one runs on return, and nobody sends any more."""
    chance = random.Random(SEED)
    load = Load(gw.smtp_port)
    thoughts = SecondThoughts(where, load, SEED)
    keeper.launch()
    wait_for(gw.alive, "the first gateway")
    load.start()
    thoughts.start()
    for _ in range(cycles):
        if chance.random() < 1 / 3:
            time.sleep(chance.uniform(0, keeper.starting_s))
        else:
            wait_for(gw.alive, "a gateway after a kill")
            time.sleep(chance.uniform(0.02, 0.5))
        keeper.crash()
        keeper.launch()
    load.stop()
    thoughts.stop()
    return load, thoughts


async def drained(where: Where) -> None:
    """Wait until nothing is under way, no notice waits, and what is held is held for long."""
    spool = opened(where)
    end = time.monotonic() + 120
    while time.monotonic() < end:
        figures, due = await spool.figures(), await spool.next_due()
        moving = sum(figures.by_state.get(state, 0) for state in (State.QUEUED, State.ACTIVE, State.DEFERRED))
        later = due is None or due > utc_now() + timedelta(minutes=10)
        if later and not moving and not figures.pending_notices:
            break
        await asyncio.sleep(0.2)
    else:
        raise AssertionError(f"still under way: {figures}, next due {due}")
    await spool.close()


@dataclass
class Books:
    """What became of the recipients of acknowledged mails, by the spool's word and by what the next hop has."""

    states: Counter[str] = field(default_factory=Counter)
    duplicates: int = 0
    lost: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)  # bounced, and the sender never heard of it
    arrived: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        states = ", ".join(f"{state} {count}" for state, count in sorted(self.states.items()))
        return f"recipients: {states}; arrived {self.arrived.total()}, of them again {self.duplicates}"


async def account(where: Where, load: Load, hop: NextHop) -> Books:
    ours = {address for name in load.acknowledged for address in recipients_of(name)}
    books = Books(arrived=Counter(address for address in hop.recipients() if address in ours))
    told = b"".join(taken.raw for taken in hop.taken if taken.recipients == (SENDER,))
    spool = opened(where)
    for name, queue_id in load.acknowledged.items():
        for row in (await spool.get(queue_id)).recipients:
            address = recipients_of(name)[row.index]
            books.states[row.state.value] += 1
            if row.state is State.DELIVERED and not books.arrived[address]:
                books.lost.append(address)
            elif row.state is State.BOUNCED and address.encode() not in told:
                books.untold.append(address)
            elif row.state not in SETTLED and kind_of(name) != "held":
                books.lost.append(address)
    await spool.close()
    books.duplicates = sum(count - 1 for count in books.arrived.values())
    return books


def check(books: Books, thoughts: SecondThoughts, cycles: int) -> None:
    assert books.lost == [], "acknowledged, and neither delivered, held, cancelled nor bounced"
    assert books.untold == [], "bounced without a notice to the sender"
    left = [name for name in thoughts.cancelled if books.arrived[recipients_of(name)[0]]]
    assert left == [], "told that it was cancelled, but it left"
    assert books.states["cancelled"] >= len(thoughts.cancelled | thoughts.perhaps)
    assert set(books.states) <= {"delivered", "held", "cancelled", "bounced"}
    if cycles >= 10:
        assert all(books.states[state] for state in ("delivered", "held", "cancelled", "bounced"))
