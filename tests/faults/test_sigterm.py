"""SIGTERM whatever is going on: it ends with 0 within the stated 45 seconds, and an orderly end makes no duplicates.

Each row brings the gateway into the middle of something, ends it there, starts it again and counts what arrived.
"""

from __future__ import annotations

import json
import signal
import smtplib
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from tests.faults.sending import LARGE, SENDER, send
from tests.process import ROOT, Gateway, NextHop, Taken, environment, mail, next_hop, wait_for

pytestmark = pytest.mark.crash

DRAIN_S = 45  # docs/operations.md, "Start, stop, reload"
MANY = 150
CLERK = "clerk{}@sports.example.jp"


@contextmanager
def a_gateway(folder: Path, hop: NextHop, window: str = "2s", notify: bool = False) -> Iterator[Gateway]:
    gw = Gateway(folder, hop.port, window=window)
    gw.write()
    if notify:
        policy = folder / "policies" / "default.yaml"
        policy.write_text(policy.read_text().replace(f"hold: {window}", f"hold: {window}, notify: [sender]"))
    gw.start()
    try:
        yield gw
    finally:
        if gw.process is not None:
            gw.process.kill()
            gw.process.wait()


def end(gw: Gateway) -> float:
    """SIGTERM; return after how many seconds it had ended, with status 0."""
    assert gw.process is not None
    process, began = gw.process, time.monotonic()
    process.terminate()
    assert process.wait(DRAIN_S + 5) == 0, gw.log_text[-2000:]
    gw.process = None
    return time.monotonic() - began


def send_many(gw: Gateway, count: int = MANY, sender: str = SENDER) -> list[str]:
    """Send mails to one outsider each on one connection, each from `sender` with its number; return to whom."""
    to = [f"many{number:03d}@example.com" for number in range(count)]
    with smtplib.SMTP("127.0.0.1", gw.smtp_port, timeout=30) as client:
        for address in to:
            assert client.sendmail(sender.format(address[4:7]), [address], mail([address], address)) == {}
    return to


def slowly(_: Taken) -> bytes:
    time.sleep(2)
    return b"250 2.0.0 taken\r\n"


def once_each(hop: NextHop, to: list[str]) -> None:
    wait_for(lambda: set(to) <= set(hop.recipients()), "everything", 60)
    time.sleep(1.5)  # for a duplicate, were there one
    counts = Counter(hop.recipients())
    assert {counts[address] for address in to} == {1}, "an orderly end makes no duplicates"


def test_while_mail_comes_in(tmp_path: Path) -> None:
    """A mail whose end comes after the signal is taken; a client that never ends it is cut off in time."""
    with next_hop() as hop, a_gateway(tmp_path, hop) as gw:
        raw = mail(["half@example.com"], "half", LARGE)
        with closing(smtplib.SMTP("127.0.0.1", gw.smtp_port, timeout=30)) as client:
            client.ehlo("client.example")
            client.mail(SENDER)
            client.rcpt("half@example.com")
            assert client.docmd("DATA")[0] == 354
            client.send(raw[:100_000])
            assert gw.process is not None
            gw.process.terminate()
            wait_for(lambda: '"stopping"' in gw.log_text, "the signal")
            client.send(raw[100_000:] + b".\r\n")
            assert client.getreply()[0] == 250
            assert client.getreply()[0] == 421
        assert end(gw) < DRAIN_S
        gw.start()
        once_each(hop, ["half@example.com"])


def test_more_signals_while_it_stops(tmp_path: Path) -> None:
    """Neither impatience nor a reload cuts an orderly end short."""
    with next_hop() as hop, a_gateway(tmp_path, hop) as gw:
        hop.answer = slowly
        to = send_many(gw, 10)
        wait_for(lambda: b"DATA\r\n" in hop.commands, "mail in flight")
        assert gw.process is not None
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            gw.process.send_signal(number)
            time.sleep(0.1)
        assert end(gw) < DRAIN_S
        gw.start()
        once_each(hop, to)


def test_while_many_clients_send(tmp_path: Path) -> None:
    with next_hop() as hop, a_gateway(tmp_path, hop) as gw:
        taken: list[str] = []

        def client(name: int) -> None:
            with suppress(OSError, smtplib.SMTPException):
                for number in range(10_000):
                    address = f"c{name}n{number}@example.com"
                    if send(gw, [address], LARGE if number % 5 == 0 else b"x\r\n")[0] == 250:
                        taken.append(address)

        clients = [threading.Thread(target=client, args=(name,)) for name in range(6)]
        for thread in clients:
            thread.start()
        wait_for(lambda: len(taken) > 30, "mail to flow")
        assert end(gw) < DRAIN_S
        for thread in clients:
            thread.join()
        gw.start()
        once_each(hop, taken)


def test_while_holds_are_released_and_delivered(tmp_path: Path) -> None:
    with next_hop() as hop, a_gateway(tmp_path, hop) as gw:
        to = send_many(gw)
        wait_for(lambda: len(hop.taken) > MANY // 10, "the first to leave")
        assert len(hop.taken) < MANY, "all gone before the signal: nothing was tested"
        assert end(gw) < DRAIN_S
        gw.start()
        once_each(hop, to)


def test_while_the_next_hop_thinks(tmp_path: Path) -> None:
    """Its answers come in time: they are waited for and recorded."""
    with next_hop() as hop, a_gateway(tmp_path, hop) as gw:
        hop.answer = slowly
        to = send_many(gw, 20)
        wait_for(lambda: b"DATA\r\n" in hop.commands, "mail in flight")
        time.sleep(0.5)
        assert end(gw) < DRAIN_S
        hop.answer = lambda _: b"250 2.0.0 taken\r\n"
        gw.start()
        once_each(hop, to)


def test_while_the_next_hop_never_answers(tmp_path: Path) -> None:
    """Nobody can wait for ever: the mail is given back, marked as one that may have arrived, and tried again."""
    stuck = threading.Event()

    def never(_: Taken) -> bytes:
        stuck.wait(120)
        return b"421 4.3.0 gone\r\n"

    with next_hop() as hop, a_gateway(tmp_path, hop, window="1s") as gw:
        hop.answer = never
        to = send_many(gw, 3)
        wait_for(lambda: hop.commands.count(b"DATA\r\n") == 3, "mail in flight")
        assert end(gw) < DRAIN_S
        hop.answer = lambda _: b"250 2.0.0 taken\r\n"
        gw.start()
        stuck.set()
        told = gw.cli("log", "query", "--kind", "deferred", "--config", str(gw.config), "--json").stdout
        reasons = [json.loads(line)["reason"] for line in told.splitlines()]
        assert len(reasons) >= 3
        assert set(reasons) <= {"lease-lost", "no-answer"}
        wait_for(lambda: set(to) <= set(hop.recipients()), "all of them", 100)


def test_while_notices_are_written(tmp_path: Path) -> None:
    with next_hop() as hop, a_gateway(tmp_path, hop, window="1h", notify=True) as gw:
        to = send_many(gw, sender=CLERK)  # of one sender's mails, all but the first are told in one letter
        wait_for(lambda: notices(hop), "the first notice")
        assert notices(hop) < MANY, "all written before the signal: nothing was tested"
        assert end(gw) < DRAIN_S
        gw.start()
        wait_for(lambda: notices(hop) >= MANY, "a notice for each", 60)
        time.sleep(1.5)
        assert notices(hop) == MANY, "none twice"
        assert not set(to) & set(hop.recipients())


def notices(hop: NextHop) -> int:
    return sum(taken.recipients[0].startswith("clerk") for taken in list(hop.taken))


@pytest.mark.parametrize("whom", ["gateway", "backup"])
def test_while_a_backup_is_made(tmp_path: Path, whom: str) -> None:
    with next_hop() as hop, a_gateway(tmp_path, hop, window="1h") as gw:
        for number in range(30):
            assert send(gw, [f"held{number}@example.com"], LARGE)[0] == 250
        target = tmp_path / "backup"
        backup = subprocess.Popen(
            [sys.executable, "-m", "gateway.cli", "backup", str(target), "--config", str(gw.config)],
            cwd=ROOT,
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(lambda: list(tmp_path.glob(".backup.*.part")) or target.exists(), "the backup to begin")
        if whom == "gateway":
            assert end(gw) < DRAIN_S
            assert backup.wait(60) == 0
            gw.start()
        else:
            backup.terminate()
            made = backup.wait(60) == 0
            assert target.exists() == made, "a backup has its name only when all of it is there"
        if not target.exists():
            gw.cli("backup", str(target), "--config", str(gw.config))
        assert sum(file.stat().st_size for file in target.rglob("*")) >= 30 * len(LARGE)
        assert len(gw.cli_json("held", "list")) == 30
        assert send(gw, ["after@example.com"])[0] == 250
        assert end(gw) < DRAIN_S
