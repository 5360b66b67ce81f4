"""kill -9 at every step of accept, release and delivery: nothing acknowledged is lost, nothing cancelled leaves.

One row per step. The gateway dies there, is started again without the fuse, and the books are made: an acknowledged mail
arrives at everybody, at most twice where the step lies between the next hop's 250 and our record of it.
"""

from __future__ import annotations

import os
import signal
import smtplib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.nursery import Child
from tests.process import Gateway, NextHop, environment, mail, next_hop, nursery, wait_for

pytestmark = pytest.mark.crash

LARGE = b"x" * 70 + b"\r\n"
TO = ("a@example.com", "b@example.com", "clerk@city.example.lg.jp")

HELD = TO[:2]  # nobody whose copy leaves at once: nothing is leased as it is accepted


@dataclass(frozen=True)
class Step:
    """A step; has the client got its 250 then (None: it may have), may a recipient get the mail twice."""

    where: str
    answered: bool | None = False
    twice: bool = False
    to: tuple[str, ...] = TO
    chunked: bool = False

    def __str__(self) -> str:
        kind = "held-only-" * (self.to == HELD) + "chunked-" * self.chunked
        return kind + self.where.replace(" ", "-")


# The colleague's copy is leased with its acceptance and begins to leave while the 250 is on its way.
STEPS = [
    Step("gateway.receive.intake:Intake.submit before"),
    Step("gateway.receive.intake:Intake.submit before", chunked=True),
    Step("gateway.store.segments:Segments.write before"),
    Step("gateway.store.segments:Segments.write after"),
    Step("gateway.store.segments:Segments.settle before"),
    Step("gateway.store.segments:Segments.settle after"),
    Step("commit accept before", to=HELD),
    Step("commit accept after", to=HELD),
    Step("commit accept before"),
    Step("commit accept after"),
    Step("commit accept after", chunked=True),
    Step("gateway.receive.intake:Intake.submit after"),
    Step("commit release_due before", True),
    Step("commit release_due after", True),
    Step("commit claim before", True),
    Step("commit claim after", True),
    Step("gateway.release.dispatch:Dispatcher.run before", None),
    Step("gateway.release.dispatch:Dispatcher.run before", True, to=HELD),
    Step("gateway.transform.render:render after", None),
    Step("gateway.transform.render:render after", True, to=HELD),
    Step("gateway.delivery.transaction:transact before", None),
    Step("gateway.delivery.courier:Courier.deliver after", None, twice=True),
    Step("commit record before", None, twice=True),
    # The first record may be that of the notice, while the next hop has just said 250 to the colleague's copy.
    Step("commit record after", None, twice=True),
    # The notice is written while the colleague's copy leaves: that one may be under way when the process dies.
    Step("commit notices.finish before", True, twice=True),
    Step("commit notices.finish after", True, twice=True),
]


def start_with_fuse(gw: Gateway, step: str) -> Child:
    """Start the gateway with the fuse and wait until it answers or is dead already."""
    words, surroundings = ["serve", "--config", str(gw.config)], {**environment(), "KILL_AT": step}
    with (gw.folder / "log.jsonl").open("ab") as out:
        process = nursery().start("tests.crash.child", words, surroundings, out.fileno(), out.fileno())
    gw.process = process
    wait_for(lambda: process.poll() is not None or gw.alive(), "the gateway with the fuse")
    return process


def send(gw: Gateway, step: Step) -> bool:
    """Send one mail; return whether the client saw 250."""
    raw = mail(step.to, "step", LARGE * 2000)
    try:
        with smtplib.SMTP("127.0.0.1", gw.smtp_port, timeout=20) as client:
            if not step.chunked:
                return client.sendmail("office@sports.example.jp", step.to, raw) == {}
            client.ehlo("client.example")
            client.mail("office@sports.example.jp")
            for recipient in step.to:
                client.rcpt(recipient)
            for chunk, last in ((raw[:50_000], ""), (raw[50_000:], " LAST")):
                client.send(f"BDAT {len(chunk)}{last}\r\n".encode() + chunk)
                code, _ = client.getreply()
            return code == 250
    except (OSError, smtplib.SMTPException):
        return False


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_killed_at(step: Step, tmp_path: Path) -> None:
    with next_hop() as hop:
        gw = Gateway(tmp_path, hop.port, window="1s")
        gw.write()
        policy = tmp_path / "policies" / "default.yaml"
        policy.write_text(policy.read_text().replace("hold: 1s", "hold: 1s, notify: [sender]"))
        process = start_with_fuse(gw, step.where)
        try:
            answered = send(gw, step)
            assert process.wait(30) == -signal.SIGKILL, gw.log_text
            assert step.answered in (None, answered)
            gw.start()
            if not answered:
                assert send(gw, step), "the client tries again, as clients do"
            settle(gw, hop, step)
            check(gw, hop, answered, step)
        finally:
            if gw.process is not None and gw.process.poll() is None:
                os.kill(gw.process.pid, signal.SIGKILL)
                gw.process.wait()


def settle(gw: Gateway, hop: NextHop, step: Step) -> None:
    """Wait until every recipient and the sender's notice have arrived and nothing is under way."""
    expected = {*step.to, "office@sports.example.jp"}
    wait_for(lambda: expected <= set(hop.recipients()), "all copies and the notice", 60)
    wait_for(lambda: states_left(gw) == set(), "an empty queue", 60)


def states_left(gw: Gateway) -> set[str]:
    text = gw.get("/metrics")[1]
    wanted = ("held", "queued", "active", "deferred")
    return {state for state in wanted if f'sekisho_queue_recipients{{state="{state}"}} 0.0' not in text}


def check(gw: Gateway, hop: NextHop, answered: bool, step: Step) -> None:
    counts = Counter(recipient for taken in hop.taken if taken.sender for recipient in taken.recipients)
    # A client that saw no 250 and sent again may have been heard the first time: a duplicate, never a loss.
    most = 2 if step.twice or not answered else 1
    assert all(1 <= counts[recipient] <= most for recipient in step.to), counts
    for taken in hop.taken:
        if taken.sender:
            assert taken.body == LARGE * 2000
            assert not [a for a in TO[:2] if a.encode() in taken.header] or TO[2] in taken.recipients
    assert gw.cli("log", "verify", "--config", str(gw.config)).returncode == 0
