"""Our letters and what answers them, on the real process: robots, bounces, and senders that are ourselves breed nothing."""

from __future__ import annotations

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


def quiet(gw: Gateway) -> None:
    """Wait until no notice is to be written and nothing is on its way."""
    wait_for(
        lambda: (
            gw.metric("sekisho_notices_pending") == 0
            and gw.metric('sekisho_queue_recipients{state="queued"}') == 0
        ),
        "everything told",
    )


def author_of(letter: Taken) -> str:
    return parseaddr(message_from_bytes(letter.raw)["From"])[1]


def answer(gw: Gateway, letter: Taken, sender: str) -> None:
    """Answer a letter as a robot does that knows no Auto-Submitted: to From, through the gateway."""
    author = author_of(letter)
    with smtplib.SMTP("127.0.0.1", gw.smtp_port, timeout=20) as client:
        client.sendmail(sender, [author], mail([author], "I am on holiday"))


@pytest.mark.parametrize("sender", [OFFICE, ""])
def test_a_robot_that_answers_our_letter_gets_no_other(gw: Gateway, hop: NextHop, sender: str) -> None:
    submit(gw, ["citizen@example.com"], mail(["citizen@example.com"]))
    wait_for(lambda: letters(hop), "the letter")
    for _ in range(3):
        answer(gw, letters(hop)[0], sender)
    wait_for(lambda: len(gw.cli_json("held", "list")) == 4, "the answers held")
    quiet(gw)
    written = gw.metric('sekisho_notices_total{kind="hold"}')
    assert written == 1
    assert len(letters(hop)) == 1


def test_a_mail_in_our_own_name_is_not_told_of(gw: Gateway, hop: NextHop) -> None:
    submit(gw, ["first@example.com"], mail(["first@example.com"]))
    wait_for(lambda: letters(hop), "the letter")
    ours = author_of(letters(hop)[0])
    with smtplib.SMTP("127.0.0.1", gw.smtp_port, timeout=20) as client:
        client.sendmail(ours, ["citizen@example.com"], mail(["citizen@example.com"]))
    quiet(gw)
    assert len(letters(hop)) == 1


def test_a_letter_that_bounces_brings_nothing(gw: Gateway, hop: NextHop) -> None:
    hop.answer = lambda _: b"550 5.1.1 nobody here\r\n"
    submit(gw, ["citizen@example.com"], mail(["citizen@example.com"]))
    wait_for(lambda: gw.metric('sekisho_queue_recipients{state="bounced"}') == 1, "the bounce of the letter")
    quiet(gw)
    assert gw.metric('sekisho_notices_total{kind="hold"}') == 1
    assert gw.metric('sekisho_notices_total{kind="failed"}') == 0
    assert hop.taken == []
