"""One mail into a gateway at fault: the reply as it came, or none."""

from __future__ import annotations

import re
import smtplib
from collections.abc import Sequence

from tests.process import Gateway, mail

SENDER = "office@sports.example.jp"
SMALL = b"hello\r\n"
LARGE = (b"x" * 70 + b"\r\n") * 3_000  # a body of this size lies in a segment
HUGE = LARGE * 45  # and of this in a file of its own


def send(gw: Gateway, to: Sequence[str], body: bytes = SMALL) -> tuple[int, bytes]:
    """Send one mail; return code and text of the first reply that is not a go-ahead, or of the last."""
    with smtplib.SMTP("127.0.0.1", gw.smtp_port, timeout=30) as client:
        client.ehlo("client.example")
        code, text = client.mail(SENDER)
        for recipient in to:
            if code == 250:
                code, text = client.rcpt(recipient)
        return client.data(mail(to, to[0], body)) if code == 250 else (code, text)


def queue_id(text: bytes) -> str:
    """Return the queue id in a reply to the end of data."""
    found = re.search(rb"\b([0-9A-Z]{10,})\b", text)
    assert found, text
    return found[1].decode()
