"""Our letters and what answers them, on the real process: robots, bounces, and senders that are ourselves breed nothing."""

from __future__ import annotations

import json
import smtplib
from collections.abc import Iterator
from email import message_from_bytes
from email.utils import parseaddr
from pathlib import Path

import pytest

from tests.integration.test_main_job import OFFICE, submit
from tests.process import Gateway, NextHop, Taken, gateway, mail, next_hop, wait_for


@pytest.fixture
def hop() -> Iterator[NextHop]:
    with next_hop() as running:
        yield running


@pytest.fixture
def gw(hop: NextHop, tmp_path: Path) -> Iterator[Gateway]:
    with gateway(tmp_path, hop.port, window="60s") as running:
        running.stop()
        policy = running.folder / "policies" / "default.yaml"
        policy.write_text(policy.read_text().replace("hold: 60s", "hold: 60s, notify: [sender]"))
        running.start()
        yield running


def letters(hop: NextHop) -> list[Taken]:
    return [taken for taken in hop.taken if b"\r\nX-Sekisho-Notice:" in taken.raw]


def fates(gw: Gateway) -> list[str]:
    """Return what became of each notice, in order: one line of the log for each letter, or for what is told of together."""
    events = (json.loads(line)["event"] for line in gw.log_text.splitlines() if line.startswith("{"))
    return [event for event in events if event in ("notice-written", "notice-dropped")]


def settled(gw: Gateway, hop: NextHop) -> list[str]:
    """Send one more mail, of somebody else, and wait until it is told of: so is whatever was put down before."""
    with smtplib.SMTP("127.0.0.1", gw.smtp_port, timeout=20) as client:
        client.sendmail("marker@sports.example.jp", ["citizen@example.com"], mail(["citizen@example.com"]))
    wait_for(lambda: "marker@sports.example.jp" in hop.recipients(), "the marker's letter")
    return fates(gw)


def author_of(letter: Taken) -> str:
    return parseaddr(message_from_bytes(letter.raw)["From"])[1]


def answer(gw: Gateway, letter: Taken, sender: str) -> None:
    """Answer a letter as a robot does that knows no Auto-Submitted: to From, through the gateway."""
    author = author_of(letter)
    with smtplib.SMTP("127.0.0.1", gw.smtp_port, timeout=20) as client:
        client.sendmail(sender, [author], mail([author], "I am on holiday"))


def test_a_robot_that_answers_our_letter_gets_no_other(gw: Gateway, hop: NextHop) -> None:
    submit(gw, ["citizen@example.com"], mail(["citizen@example.com"]))
    wait_for(lambda: letters(hop), "the letter")
    for _ in range(3):
        answer(gw, letters(hop)[0], OFFICE)
    wait_for(lambda: len(fates(gw)) == 2, "the answers' notices")  # ten seconds: they come in a burst
    assert fates(gw) == ["notice-written", "notice-dropped"]
    assert len(gw.cli_json("held", "list")) == 4
    assert len(letters(hop)) == 1


def test_a_robot_that_answers_from_nobody_gets_no_other(gw: Gateway, hop: NextHop) -> None:
    submit(gw, ["citizen@example.com"], mail(["citizen@example.com"]))
    wait_for(lambda: letters(hop), "the letter")
    answer(gw, letters(hop)[0], "")
    assert settled(gw, hop) == ["notice-written"] * 2


def test_a_mail_in_our_own_name_is_not_told_of(gw: Gateway, hop: NextHop) -> None:
    gw.stop()
    ours = "sekisho@sports.example.jp"  # inside: it would be told of
    with gw.config.open("a", encoding="utf-8") as file:
        file.write(f"notices: {{address: {ours}}}\n")
    gw.start()
    with smtplib.SMTP("127.0.0.1", gw.smtp_port, timeout=20) as client:
        client.sendmail(ours, ["citizen@example.com"], mail(["citizen@example.com"]))
    assert settled(gw, hop) == ["notice-dropped", "notice-written"]
    assert author_of(letters(hop)[0]) == ours


def test_a_letter_that_bounces_brings_nothing(gw: Gateway, hop: NextHop) -> None:
    hop.answer = lambda taken: (
        b"550 5.1.1 nobody\r\n" if OFFICE in taken.recipients else b"250 2.0.0 taken\r\n"
    )
    submit(gw, ["citizen@example.com"], mail(["citizen@example.com"]))
    wait_for(lambda: gw.metric('sekisho_queue_recipients{state="bounced"}') == 1, "the bounce of the letter")
    assert settled(gw, hop) == ["notice-written"] * 2
    assert hop.recipients() == ["marker@sports.example.jp"]
