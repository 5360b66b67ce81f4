"""Mail servers in front of the gateway: what they make of a mail on their way to it, and what comes back to its sender."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from gateway.receive.account import Account
from gateway.receive.accounts_file import write
from tests.interop.conftest import missing
from tests.peers import dovecot, postfix
from tests.process import Gateway, NextHop, mail, wait_for

pytestmark = pytest.mark.interop

OFFICE = "office@sports.example.jp"
CITIZENS = [f"citizen{number:03d}@example.com" for number in range(120)]
BODY = "皆さま\r\n.先頭の点\r\n..\r\n".encode() + b"x" * 900 + b"\r\nend\r\n"
NOBODYS = (
    "$argon2id$v=19$m=8,t=1,p=1$c29tZSBzYWx0$AAAAAAAAAAAAAAAAAAAAAA"  # the front has looked at the password
)
REFUSES = """\
  - id: secret
    reason: {ja: 極秘, en: secret}
    when: {subject: {contains: [SECRET]}}
    then: {refuse: {ja: 極秘のメールは送れません, en: mail marked SECRET stays here}}
"""


@pytest.fixture
def gw(hop: NextHop, tmp_path: Path) -> Iterator[Gateway]:
    """A gateway that hears XCLIENT, knows the office's account, and refuses what is secret."""
    running = Gateway(tmp_path, hop.port, "1s", "accounts: accounts.yaml\n")
    running.surroundings["SEKISHO_SMTP__XCLIENT_NETWORKS"] = "[127.0.0.0/8]"
    running.write()
    policy = tmp_path / "policies" / "default.yaml"
    policy.write_text(policy.read_text() + REFUSES)
    write(tmp_path / "accounts.yaml", (Account(login="office", password=NOBODYS, addresses=(OFFICE,)),))
    running.start()
    try:
        yield running
    finally:
        running.stop()


def outside(hop: NextHop) -> set[str]:
    return {address for address in hop.recipients() if address.endswith("@example.com")}


def test_postfix(gw: Gateway, hop: NextHop) -> None:
    if not postfix.available():
        missing("Postfix is not installed, or this is not root")
    relayed = {"relayhost": f"[127.0.0.1]:{gw.smtp_port}"}
    with TemporaryDirectory() as folder, postfix.postfix(Path(folder), relayed) as front:
        with smtplib.SMTP("127.0.0.1", front.port) as client:
            # More recipients than Postfix puts into one transaction, and all of them in each To.
            client.sendmail(OFFICE, CITIZENS, mail(CITIZENS, "many", BODY), ["BODY=8BITMIME"])
            # An address in other letters: Postfix adds an ORCPT of its own making.
            client.sendmail(
                OFFICE,
                ["山田@example.com"],
                mail(["山田@example.com"], "utf8", BODY),
                ["SMTPUTF8", "BODY=8BITMIME"],
            )
            client.sendmail(OFFICE, [CITIZENS[0]], mail([CITIZENS[0]], "SECRET"))
        wait_for(lambda: outside(hop) == {*CITIZENS, "山田@example.com"}, "the copies at the next hop")
        [report] = wait_for(lambda: [m for m in hop.taken if m.recipients == (OFFICE,)], "Postfix's report")
    copies = [taken for taken in hop.taken if taken.sender == OFFICE]
    assert {taken.body for taken in copies} == {BODY}
    assert not any(b"citizen" in taken.header for taken in copies)
    assert report.sender == ""
    assert b"mail marked SECRET stays here" in report.body


def test_dovecot(gw: Gateway, hop: NextHop) -> None:
    if not dovecot.available():
        missing("Dovecot's submission service is not installed, or this is not root")
    with (
        TemporaryDirectory() as folder,
        dovecot.dovecot(Path(folder), gw.smtp_port) as port,
        smtplib.SMTP("127.0.0.1", port) as client,
    ):
        client.login("office", dovecot.PASSWORD)
        client.sendmail(OFFICE, CITIZENS[:30], mail(CITIZENS[:30], "many", BODY), ["BODY=8BITMIME"])
        with pytest.raises(smtplib.SMTPDataError, match="mail marked SECRET stays here"):
            client.sendmail(OFFICE, [CITIZENS[0]], mail([CITIZENS[0]], "SECRET"))
        with pytest.raises(smtplib.SMTPSenderRefused, match="your account may not send as"):
            client.sendmail("boss@sports.example.jp", [CITIZENS[0]], mail([CITIZENS[0]], "not mine"))
        wait_for(lambda: len(outside(hop)) == 30, "the copies at the next hop")
    assert {taken.body for taken in hop.taken} == {BODY}
    assert not any(b"citizen" in taken.header for taken in hop.taken)
    assert '"account":"office"' in gw.log_text
