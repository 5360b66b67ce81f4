"""Every real mail through the real process, addressed to thirty outsiders: taken whole or refused with a reason, no leak."""

from __future__ import annotations

import re
import smtplib
from pathlib import Path

import pytest

from tests.process import gateway, next_hop, wait_for
from tests.thoroughness import part_of

pytestmark = pytest.mark.corpus

SENDER = "office@sports.example.jp"
CITIZENS = 30
FORMS = ("{}", ' "{}" <{}>', " =?iso-2022-jp?B?GyRCRURDZhsoQg==?= <{}>", " ({}) {}")


def people(number: int) -> list[str]:
    """Return thirty outside addresses that belong to mail `number` only."""
    return [f"c{number:04d}-{index:02d}@example.com" for index in range(CITIZENS)]


def with_people(raw: bytes, number: int) -> bytes:
    """Put the thirty into the mail's own header section: To in one of several ways, the rest in Cc and Reply-To."""
    shown = [FORMS[index % 4].replace("{}", address) for index, address in enumerate(people(number))]
    to, cc, reply = ",\r\n".join(shown[:15]), "; ".join(shown[15:25]), ", ".join(shown[25:])
    name = ("To", "To ", "TO", "Resent-To")[number % 4]
    return f"{name}: {to}\r\nCc: {cc}\r\nReply-To: {reply}\r\n".encode() + raw


def test_every_mail_is_taken_whole_or_refused_with_a_reason(
    corpus: list[tuple[str, bytes]], tmp_path: Path
) -> None:
    tried = part_of(corpus)
    sent: dict[int, tuple[str, bytes]] = {}
    refused: list[str] = []
    with (
        next_hop() as hop,
        gateway(tmp_path, hop.port, window="1s", extra="limits: {errors: 100000, commands: 100000}\n") as gw,
    ):
        with smtplib.SMTP("127.0.0.1", gw.smtp_port, timeout=60) as client:
            client.ehlo()
            for number, (name, original) in enumerate(tried):
                raw = with_people(original, number)
                client.mail(SENDER, ["BODY=8BITMIME"])
                for recipient in people(number):
                    client.rcpt(recipient)
                code, text = client.data(stuffable(raw))
                if code == 250:
                    sent[number] = name, raw
                else:
                    assert 550 <= code <= 554, (name, code, text)
                    assert re.fullmatch(rb"5\.\d\.\d [\x20-\x7e\r\n]+", text), (name, text)
                    refused.append(name)
        wait_for(lambda: len(hop.recipients()) >= CITIZENS * len(sent), "every copy at the next hop", 240)
        assert "Traceback" not in gw.log_text
        assert '"level":"error"' not in gw.log_text
    assert len(sent) > 0.9 * len(tried), refused
    for taken in hop.taken:
        number = int(taken.recipients[0][1:5])
        name, raw = sent[number]
        assert taken.body == stuffable(raw).partition(b"\r\n\r\n")[2], name
        leaked = [address for address in people(number) if address.encode() in taken.header.lower()]
        assert leaked == [], name


def stuffable(raw: bytes) -> bytes:
    """End the last line: SMTP cannot carry a mail that ends within one."""
    return raw if raw.endswith(b"\r\n") else raw + b"\r\n"
