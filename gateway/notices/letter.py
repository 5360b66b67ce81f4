"""The mail a notice becomes: its header fields and its two alternatives, as octets ready for the spool.

Built with the stdlib's email package, which folds and encodes; nothing a peer chose gets here except
through `languages.shown`, so that no value holds a line break. Sekisho's own mail says that it is automatic
(RFC 3834 5) and goes out with the null reverse-path, so that nothing answers it. No `Precedence`: it is no
standard, and `bulk` gets mail filed as junk.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address as Mailbox
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from gateway.message.address import Address
from gateway.message.text import encode_header

# Every next hop can carry base64 and quoted-printable; a notice must not bounce for want of 8BITMIME.
_SEVEN_BIT = SMTP.clone(cte_type="7bit")


@dataclass(frozen=True, slots=True)
class Author:
    """Who Sekisho writes as."""

    name: str
    address: str
    hostname: str


@dataclass(frozen=True, slots=True)
class Letter:
    """What a notice says, before it is mail. `kind` and `queue_id` end up in header fields for people who
    filter."""

    kind: str
    queue_id: str
    notice_id: int
    language: str
    subject: str
    text: str
    html: str


def to_octets(letter: Letter, author: Author, to: Address, at: datetime) -> bytes:
    """Return the notice in wire form: the same letter gives the same Message-ID, however often it is
    written."""
    mail = EmailMessage(policy=_SEVEN_BIT)
    mail["Date"] = format_datetime(at)
    mail["From"] = Mailbox(author.name, addr_spec=author.address)
    mail["Message-ID"] = f"<{letter.queue_id}.{letter.kind}.{letter.notice_id}@{author.hostname}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail["X-Sekisho-Notice"] = f"{letter.kind}; about={letter.queue_id}"
    mail.set_content(letter.text, subtype="plain", charset="utf-8")
    mail.add_alternative(letter.html, subtype="html", charset="utf-8")
    mail["Content-Language"] = letter.language  # after the content: setting it clears Content-*
    # `=_` cannot occur in base64 nor in quoted-printable (RFC 2045 6.7), so no text can close the part.
    mail.set_boundary(f"=_{letter.queue_id}.{letter.notice_id}")
    for part in mail.iter_parts():
        del part["MIME-Version"]
    return _chosen_by_strangers(letter, to) + mail.as_bytes()


def _chosen_by_strangers(letter: Letter, to: Address) -> bytes:
    """Return the fields whose values others choose, written by our own encoder.

    The stdlib decodes encoded words in what it is given, and a line break inside one becomes a header field
    of its own; the local part of an address may look like an encoded word too.
    """
    return b"To: <%b>\r\nSubject: %b\r\n" % (str(to).encode(), encode_header(letter.subject))
