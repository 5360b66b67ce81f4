"""Real mail clients in: what arrives at the next hop is what they sent, octet for octet, under the header the policy wants."""

from __future__ import annotations

import smtplib
import subprocess
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest

from tests.interop.conftest import require
from tests.peers.postfix import Postfix
from tests.process import Gateway, NextHop, mail, wait_for

pytestmark = pytest.mark.interop

OFFICE = "office@sports.example.jp"
CITIZENS = [f"citizen{number:02d}@example.com" for number in range(30)]
BODY = "皆さま\r\n.先頭の点\r\n..\r\n\r\n".encode() + b"x" * 900 + b"\r\nend\r\n"


def run(*command: str | Path, stdin: bytes | None = None) -> None:
    done = subprocess.run(
        [str(part) for part in command], input=stdin, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, (done.stdout, done.stderr)


def arrived(hop: NextHop, count: int = 30) -> None:
    wait_for(lambda: len(set(hop.recipients()) & set(CITIZENS)) == count, f"{count} copies at the next hop")
    for taken in hop.taken:
        if set(taken.recipients) & set(CITIZENS):
            assert taken.body == BODY
            leaked = [address for address in CITIZENS if address.encode() in taken.header]
            assert leaked == []


def test_swaks(gw: Gateway, hop: NextHop, tmp_path: Path) -> None:
    swaks = require("swaks")
    sent = tmp_path / "mail.eml"
    sent.write_bytes(mail(CITIZENS, "swaks", BODY).replace(b"\r\n", b"\n"))
    run(
        swaks,
        "--server",
        f"127.0.0.1:{gw.smtp_port}",
        "--from",
        OFFICE,
        "--to",
        ",".join(CITIZENS),
        "--data",
        f"@{sent}",
    )
    arrived_body = wait_for(
        lambda: [m for m in hop.taken if CITIZENS[0] in m.recipients], "the copy from swaks"
    )[0].body
    assert arrived_body.rstrip(b"\r\n") == BODY.rstrip(b"\r\n"), (
        "swaks adds line ends of its own after the last"
    )


def test_curl(gw: Gateway, hop: NextHop, tmp_path: Path) -> None:
    curl = require("curl")
    sent = tmp_path / "mail.eml"
    sent.write_bytes(mail(CITIZENS, "curl", BODY))
    recipients = [part for citizen in CITIZENS for part in ("--mail-rcpt", citizen)]
    url = f"smtp://127.0.0.1:{gw.smtp_port}/client.example"
    run(curl, "--silent", "--show-error", "--url", url, "--mail-from", OFFICE, *recipients, "-T", sent)
    arrived(hop)


def test_msmtp(gw: Gateway, hop: NextHop) -> None:
    msmtp = require("msmtp")
    where = ["--host=127.0.0.1", f"--port={gw.smtp_port}", "--auth=off", "--tls=off", f"--from={OFFICE}"]
    run(
        msmtp,
        "--file=/dev/null",
        *where,
        "--",
        *CITIZENS,
        stdin=mail(CITIZENS, "msmtp", BODY).replace(b"\r\n", b"\n"),
    )
    arrived(hop)


def test_smtplib_with_a_generated_mail(gw: Gateway, hop: NextHop) -> None:
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = OFFICE, ", ".join(CITIZENS), "添付のある通知"
    message.set_content("本文")
    message.add_attachment(b"%PDF-1.4 \x00\xff", maintype="application", subtype="pdf", filename="名簿.pdf")
    raw = message.as_bytes()
    with smtplib.SMTP("127.0.0.1", gw.smtp_port) as client:
        client.sendmail(OFFICE, CITIZENS, raw)
    wait_for(lambda: set(CITIZENS) <= set(hop.recipients()), "the copies")
    sent_body = raw.partition(b"\r\n\r\n")[2]
    assert all(taken.body == sent_body for taken in hop.taken if CITIZENS[0] in taken.recipients)


def test_through_a_real_postfix(behind_postfix: tuple[Gateway, NextHop, Postfix]) -> None:
    gw, hop, mta = behind_postfix
    with smtplib.SMTP("127.0.0.1", gw.smtp_port) as client:
        client.sendmail(OFFICE, CITIZENS, mail(CITIZENS, "postfix", BODY), ["BODY=8BITMIME"])
    arrived(hop)
    wait_for(lambda: mta.log.count("status=sent") == len(CITIZENS), "the MTA's word on each")


def test_a_real_postfix_tells_of_success_in_our_place(
    behind_postfix: tuple[Gateway, NextHop, Postfix],
) -> None:
    gw, hop, mta = behind_postfix
    colleague, citizen = "clerk@city.example.lg.jp", CITIZENS[0]
    with smtplib.SMTP("127.0.0.1", gw.smtp_port) as client:
        client.ehlo()
        client.mail(OFFICE, ["RET=HDRS", "ENVID=Job+2B7"])
        client.rcpt(colleague, ["NOTIFY=SUCCESS", f"ORCPT=rfc822;{colleague}"])
        client.rcpt(citizen, ["NOTIFY=NEVER", "ORCPT=rfc822;hidden@example.org"])
        assert client.data(mail([colleague, citizen], "dsn"))[0] == 250
    told = wait_for(lambda: [m for m in hop.taken if m.recipients == (OFFICE,)], "Postfix's notification")
    wait_for(lambda: citizen in hop.recipients(), "the citizen's copy")
    [report] = told
    assert report.sender == ""
    assert b"Reporting-MTA: dns; mta.example\r\n" in report.body
    assert b"Original-Envelope-Id: Job+7\r\n" in report.body
    assert f"Original-Recipient: rfc822;{colleague}\r\n".encode() in report.body
    assert b"Action: relayed\r\n" in report.body
    assert (
        citizen.encode()
        not in report.body.partition(b"message/delivery-status")[2].partition(b"rfc822-headers")[0]
    )
    assert b"hidden@example.org" not in b"".join(taken.raw for taken in hop.taken) + mta.log.encode()
    assert gw.metric('sekisho_notices_total{kind="relayed"}') == 0
