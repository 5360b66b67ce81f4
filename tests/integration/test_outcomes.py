"""What the sender learns when the next hop says no, and what the gateway does when nobody answers."""

from __future__ import annotations

import signal
import smtplib
import socket
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from tests.process import Taken, gateway, mail, next_hop, wait_for

OFFICE = "office@sports.example.jp"
CLERK = "clerk@city.example.lg.jp"


def send(port: int, to: list[str]) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        assert client.sendmail(OFFICE, to, mail(to, "outcome")) == {}


def test_a_refusal_by_the_next_hop_comes_back_as_a_dsn_in_japanese(tmp_path: Path) -> None:
    def refuse(taken: Taken) -> bytes:
        return b"550 5.7.1 we do not want it\r\n" if CLERK in taken.recipients else b"250 2.0.0 ok\r\n"

    with next_hop() as hop, gateway(tmp_path, hop.port) as gw:
        hop.answer = refuse
        send(gw.smtp_port, [CLERK])
        dsn = wait_for(lambda: next((m for m in hop.taken if OFFICE in m.recipients), None), "the DSN")
        assert dsn.sender == ""
        report = message_from_bytes(dsn.raw, _class=EmailMessage, policy=default)
        assert report.get_content_type() == "multipart/report"
        text, status, original = report.iter_parts()
        assert "届" in text.get_content()
        assert f"Final-Recipient: rfc822; {CLERK}" in status.as_string()
        assert "Status: 5.7.1" in status.as_string()
        assert "Subject: outcome" in original.as_string()
        wait_for(
            lambda: gw.metric('sekisho_recipients_bounced_total{reason="remote-reply"}') == 1, "the count"
        )


def test_an_unreachable_next_hop_defers_and_the_mail_survives_a_kill(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = probe.getsockname()[1]
    with gateway(tmp_path, nobody) as gw:
        send(gw.smtp_port, [CLERK])
        wait_for(
            lambda: gw.metric('sekisho_recipients_deferred_total{reason="no-connection"}') == 1,
            "the deferral",
        )
        assert gw.get("/readyz")[0] == 503
        gw.stop(signal.SIGKILL)
        gw.start()
        wait_for(
            lambda: gw.metric('sekisho_queue_recipients{state="deferred"}') == 1, "the deferred recipient"
        )
