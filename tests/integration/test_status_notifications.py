"""DSN on the real process, from what a client asks to what the next hop and the sender's mailbox get."""

from __future__ import annotations

import smtplib
import time
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from tests.process import Gateway, NextHop, Taken, gateway, mail, next_hop, wait_for

OFFICE = "office@sports.example.jp"
CLERKS = [f"clerk{number}@city.example.lg.jp" for number in range(3)]
PRIVACY = "privacy@city.example.lg.jp"
CITIZENS = ["a@example.com", "b@example.net"]


def send(
    gw: Gateway, asked: dict[str, str], sender: str = OFFICE, options: str = "RET=HDRS ENVID=Job+2D7"
) -> None:
    with smtplib.SMTP("127.0.0.1", gw.smtp_port, timeout=20) as client:
        client.ehlo()
        assert client.has_extn("dsn")
        assert client.mail(sender, options.split())[0] == 250
        for recipient, parameters in asked.items():
            assert client.rcpt(recipient, parameters.split())[0] == 250
        assert client.data(mail(list(asked), "dsn"))[0] == 250


def reports(hop: NextHop) -> list[EmailMessage]:
    """Return the status notifications that came to the office."""
    mails = [message_from_bytes(m.raw, _class=EmailMessage, policy=default) for m in to_office(hop)]
    return [one for one in mails if one.get_content_type() == "multipart/report"]


def to_office(hop: NextHop) -> list[Taken]:
    return [taken for taken in list(hop.taken) if OFFICE in taken.recipients]


def test_a_success_is_told_where_the_next_hop_will_not(tmp_path: Path) -> None:
    asked = dict(
        zip(CLERKS, ("NOTIFY=SUCCESS ORCPT=rfc822;Team+2BA@example.jp", "NOTIFY=NEVER", ""), strict=True)
    )
    with next_hop() as hop, gateway(tmp_path, hop.port) as gw:
        send(gw, asked)
        [report] = wait_for(lambda: reports(hop), "the notification")
        text, status, original = report.iter_parts()
        assert report["Subject"].startswith("【相手側のサーバーに渡しました】")
        groups = status.as_string()
        assert "Original-Envelope-Id: Job-7" in groups
        assert (
            f"Original-Recipient: rfc822; Team+A@example.jp\nFinal-Recipient: rfc822; {CLERKS[0]}" in groups
        )
        assert "Action: relayed\nStatus: 2.0.0" in groups
        assert CLERKS[1] not in groups + text.get_content()
        assert CLERKS[2] not in groups + text.get_content()
        assert original.get_content_type() == "text/rfc822-headers"
        assert not any(b"NOTIFY" in line or b"ENVID" in line for line in hop.commands)
        assert gw.metric('sekisho_notices_total{kind="relayed"}') == 1


def test_a_next_hop_that_tells_is_left_to_it(tmp_path: Path) -> None:
    asked = {CLERKS[0]: f"NOTIFY=SUCCESS,DELAY ORCPT=rfc822;{CLERKS[0]}", CLERKS[1]: "NOTIFY=NEVER"}
    with next_hop() as hop:
        hop.offers = (b"DSN",)
        with gateway(tmp_path, hop.port) as gw:
            send(gw, asked)
            wait_for(lambda: set(asked) <= set(hop.recipients()), "the mail")
            assert any(line.rstrip().endswith(b" RET=HDRS ENVID=Job-7") for line in hop.commands)
            told = {
                line.partition(b"> ")[2].rstrip().decode() for line in hop.commands if line[:4] == b"RCPT"
            }
            assert told == set(asked.values())
            wait_for(lambda: gw.metric('sekisho_queue_recipients{state="delivered"}') == 2, "the record")
            assert gw.metric("sekisho_notices_pending") == 0
            assert reports(hop) == []


def test_never_is_never_and_a_failure_that_was_asked_for_is_told(tmp_path: Path) -> None:
    with next_hop() as hop, gateway(tmp_path, hop.port) as gw:
        hop.answer = lambda taken: b"550 5.7.1 no\r\n" if OFFICE not in taken.recipients else b"250 ok\r\n"
        send(gw, {CLERKS[0]: "NOTIFY=NEVER", CLERKS[1]: "NOTIFY=SUCCESS,DELAY", CLERKS[2]: "NOTIFY=FAILURE"})
        [report] = wait_for(lambda: reports(hop), "the notification")
        wait_for(lambda: gw.metric("sekisho_notices_pending") == 0, "the outbox to be empty")
        assert len(reports(hop)) == 1
        status = list(report.iter_parts())[1].as_string()
        assert f"Final-Recipient: rfc822; {CLERKS[2]}" in status
        assert CLERKS[0] not in status
        assert CLERKS[1] not in status


def test_mail_of_the_null_sender_is_told_of_to_nobody(tmp_path: Path) -> None:
    with next_hop() as hop, gateway(tmp_path, hop.port) as gw:
        send(gw, {CLERKS[0]: "NOTIFY=SUCCESS"}, sender="", options="ENVID=x")
        wait_for(lambda: CLERKS[0] in hop.recipients(), "the mail")
        wait_for(lambda: gw.metric('sekisho_queue_recipients{state="delivered"}') == 1, "the record")
        assert gw.metric("sekisho_notices_pending") == 0
        assert len(hop.taken) == 1


def test_never_does_not_switch_off_what_the_policy_writes_and_a_cancel_writes_nothing(tmp_path: Path) -> None:
    with next_hop() as hop:
        gw = Gateway(tmp_path, hop.port, "1h")
        gw.write()
        policy = gw.folder / "policies" / "default.yaml"
        holds = policy.read_text().replace("{hold: 1h}", f"{{hold: 1h, notify: [sender, {PRIVACY}]}}")
        policy.write_text(holds)
        gw.start()
        try:
            send(gw, dict.fromkeys(CITIZENS, "NOTIFY=NEVER"))
            wait_for(lambda: to_office(hop), "the hold notice")
            wait_for(lambda: PRIVACY in hop.recipients(), "the copy to those responsible")
            [held] = gw.cli_json("held", "list")
            gw.cli("held", "cancel", held["queue_id"], "--config", str(gw.config))
            wait_for(lambda: len(to_office(hop)) == 2, "the notice of the cancellation")
            time.sleep(0.3)
            assert reports(hop) == []
        finally:
            gw.stop()


def test_no_copy_shows_what_was_asked_about_another_recipient(tmp_path: Path) -> None:
    asked = {
        CITIZENS[0]: f"ORCPT=rfc822;{CITIZENS[1]}",
        CITIZENS[1]: f"NOTIFY=SUCCESS ORCPT=rfc822;{CITIZENS[1]}",
    }
    with next_hop() as hop:
        hop.offers = (b"DSN",)
        with gateway(tmp_path, hop.port, window="1s") as gw:
            send(gw, asked)
            wait_for(lambda: set(CITIZENS) <= set(hop.recipients()), "the mail")
        commands = [line.rstrip() for line in hop.commands if line[:4] == b"RCPT"]
        assert b"RCPT TO:<a@example.com>" in commands
        assert b"RCPT TO:<b@example.net> NOTIFY=SUCCESS ORCPT=rfc822;b@example.net" in commands
        for taken in hop.taken:
            if set(taken.recipients) & set(CITIZENS):
                assert not any(address.encode() in taken.header for address in CITIZENS)
                assert b"Original-Recipient" not in taken.header
