"""Write the octets of a case's mail: a header section as given, a short text, attachments of the size asked for.

Deterministic: the boundary is fixed, and no Date or Message-ID is made up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import SMTP

from gateway.message.text import encode_header

MAX_ATTACHMENT = 64 << 20  # octets; a case is for rules about size, not for filling memory
_TEXT = "本文 body\r\n"


def write_mail(
    fields: Mapping[str, str], attachments: Sequence[tuple[str, int]], body: str | None = None
) -> bytes:
    """Return a mail in wire form with these header fields, body and attachments (name, size in octets)."""
    text = _TEXT if body is None else body
    head = b"".join(_field(name, value) for name, value in fields.items())
    return head + (_parts(attachments, text) if attachments else _flat(MIMEText(text, "plain", "utf-8")))


def _field(name: str, value: str) -> bytes:
    # Values that are ASCII stand as they are: a case about a broken To field needs it broken.
    return (
        name.encode("ascii") + b": " + (value.encode() if value.isascii() else encode_header(value)) + b"\r\n"
    )


def _parts(attachments: Sequence[tuple[str, int]], text: str) -> bytes:
    mail = MIMEMultipart("mixed", boundary="=_case")
    mail.attach(MIMEText(text, "plain", "utf-8"))
    for name, size in attachments:
        part = MIMEApplication(bytes(size), "octet-stream")
        part.add_header("Content-Disposition", "attachment", filename=("utf-8", "", name))
        mail.attach(part)
    return _flat(mail)


def wire_form(octets: bytes) -> bytes:
    """Return a mail with CRLF line ends, as SMTP would carry it."""
    return octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _flat(mail: MIMEMultipart | MIMEText) -> bytes:
    return mail.as_bytes(policy=SMTP)
