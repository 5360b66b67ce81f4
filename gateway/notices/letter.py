"""The mail a notice becomes: its header fields and its two alternatives, as octets ready for the spool.

Written as octets, not by the stdlib's email package: that decodes encoded words in what it is given, so that a line break
hidden in a subject becomes a header field, and it takes longer than all the rest of a notice. What others chose (address,
subject) is written by our own encoder. Sekisho's own mail says that it is automatic (RFC 3834 5) and goes out with the null
reverse-path, so that nothing answers it. No `Precedence`: it is no standard, and `bulk` gets mail filed as junk.
"""

from __future__ import annotations

from binascii import b2a_base64, b2a_qp
from datetime import datetime
from email.utils import format_datetime

from gateway.message.address import Address
from gateway.message.text import encode_header
from gateway.message.write import write_fields, write_mailbox
from gateway.values import dataclass

LINE = 76  # octets of base64 (RFC 2045 6.8)
_ASCII = bytes(range(128))


@dataclass(frozen=True, slots=True)
class Author:
    """Who Sekisho writes as."""

    name: str
    address: str
    hostname: str


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that goes with a letter. Its name and media type are ours, in ASCII."""

    name: str
    media_type: str
    octets: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """What a notice says, before it is mail. `kind`, `queue_id` and `mails` end up in header fields for people who filter;
    of several mails, `queue_id` and `notice_id` are those of the first."""

    kind: str
    queue_id: str
    notice_id: int
    language: str
    subject: str
    text: str
    html: str
    mails: int = 1
    attached: Attached | None = None


def to_octets(letter: Letter, author: Author, to: Address, at: datetime) -> bytes:
    """Return the notice in wire form, 7-bit but for an international address: no next hop has to bounce it for want of
    8BITMIME. The same letter gives the same octets, and so the same Message-ID, however often it is written."""
    # `=_` cannot occur in base64 nor in quoted-printable (RFC 2045 6.7), so no text can end a part.
    boundary = f"=_{letter.queue_id}.{letter.notice_id}".encode()
    parts = (_part("plain", letter.text), _part("html", letter.html))
    body, kind = _multipart(boundary, *parts), b'multipart/alternative; boundary="%b"' % boundary
    if letter.attached is not None:
        inner = b"Content-Type: %b\r\n\r\n%b" % (kind, body)
        outer = boundary + b"+"
        body = _multipart(outer, inner, _file(letter.attached))
        kind = b'multipart/mixed; boundary="%b"' % outer
    return _header(letter, author, to, at, kind) + body


def _multipart(boundary: bytes, *parts: bytes) -> bytes:
    return b"".join(b"--%b\r\n%b\r\n" % (boundary, part) for part in parts) + b"--%b--\r\n" % boundary


def _file(attached: Attached) -> bytes:
    name = attached.name.encode("ascii")
    return (
        b'Content-Type: %b\r\nContent-Disposition: attachment; filename="%b"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\n%b"
        % (attached.media_type.encode("ascii"), name, _in_lines(b2a_base64(attached.octets, newline=False)))
    )


def _header(letter: Letter, author: Author, to: Address, at: datetime, kind: bytes) -> bytes:
    own_id = f"{letter.queue_id}.{letter.kind}.{letter.notice_id}@{author.hostname}"
    fields = {
        "Date": format_datetime(at).encode(),
        "From": write_mailbox(author.name, author.address),
        "To": b"<%b>" % str(to).encode(),
        "Subject": encode_header(letter.subject),
        "Message-ID": f"<{own_id}>".encode(),
        "Auto-Submitted": b"auto-generated",
        "X-Auto-Response-Suppress": b"All",
        "X-Sekisho-Notice": _about(letter).encode(),
        "Content-Language": letter.language.encode(),
        "MIME-Version": b"1.0",
        "Content-Type": kind,
    }
    return write_fields(fields)


def _about(letter: Letter) -> str:
    several = f"; mails={letter.mails}" if letter.mails > 1 else ""
    return f"{letter.kind}; about={letter.queue_id}{several}"


def _part(subtype: str, text: str) -> bytes:
    octets = "\r\n".join(text.splitlines()).encode() + b"\r\n"
    foreign = octets.translate(None, _ASCII)
    if len(foreign) * 6 > len(octets):  # above this share base64 is the shorter one
        encoding, encoded = b"base64", _in_lines(b2a_base64(octets, newline=False))
    else:
        encoding, encoded = b"quoted-printable", b2a_qp(octets)
    return b"Content-Type: text/%b; charset=utf-8\r\nContent-Transfer-Encoding: %b\r\n\r\n%b" % (
        subtype.encode(),
        encoding,
        encoded,
    )


def _in_lines(encoded: bytes) -> bytes:
    lines = [encoded[start : start + LINE] for start in range(0, len(encoded), LINE)]
    return b"\r\n".join(lines) + b"\r\n"
