"""Delivery status notifications (RFC 3464) to the sender: "failed" and "delayed". Pure and deterministic.

A notification goes to the sender of the mail and to nobody else, and names the recipients concerned and no
other. It returns the header section of the original, never its body. Mail from `<>` and our own mail get
none.
"""

from __future__ import annotations

import quopri
import re
from base64 import encodebytes as b64_lines
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime

from gateway.delivery import dsn_words as words
from gateway.delivery.reply import MAX_TEXT
from gateway.message.text import encode_header
from gateway.message.write import write_fields, write_mailbox
from gateway.policy.decision import Language
from gateway.spool.contract import Notice, NoticeKind, Recipient, Stored
from gateway.spool.lifecycle import State

Composer = Callable[[Stored, Notice, bytes | None], bytes | None]

MAX_RETURNED = 64 * 1024
"""Octets of the original header section that are returned: the sender's client decides how long it is."""

MAX_SUBJECT = 200
"""Characters of the original subject in ours."""

MAX_WIRE_LINE = 998
"""Octets of a line without CRLF (RFC 5322 2.1.1); longer ones are encoded."""

_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_CODE = re.compile(r"^([45])\d\d\b")
_MESSAGE_ID = re.compile(rb"(?im)^message-id:[ \t\r\n]*(<[!-;=?-~]{1,250}>)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def dsn_composers(
    hostname: str, from_address: str, name: str, give_up_after: timedelta
) -> Mapping[NoticeKind, Composer]:
    """Return the composers of FAILED and DELAYED; each returns None where nobody may or need be told."""
    writer = _Writer(hostname, from_address, name, give_up_after)
    return {NoticeKind.FAILED: writer.failed, NoticeKind.DELAYED: writer.delayed}


class _Writer:
    def __init__(self, hostname: str, from_address: str, name: str, give_up_after: timedelta) -> None:
        self._hostname = hostname
        self._from = from_address
        self._name = name
        self._give_up_after = give_up_after

    def failed(self, stored: Stored, notice: Notice, raw: bytes | None) -> bytes | None:
        rows = _rows(stored, notice, frozenset({State.BOUNCED}))
        return self._write(stored, notice, raw, rows, delayed=False)

    def delayed(self, stored: Stored, notice: Notice, raw: bytes | None) -> bytes | None:
        rows = _rows(stored, notice, frozenset({State.DEFERRED, State.ACTIVE}))
        return self._write(stored, notice, raw, rows, delayed=True)

    def _write(
        self, stored: Stored, notice: Notice, raw: bytes | None, rows: list[Recipient], *, delayed: bool
    ) -> bytes | None:
        if not rows or stored.from_gateway or stored.envelope.sender is None:
            return None
        until = stored.received_at + self._give_up_after if delayed else None
        parts = [
            _part("text/plain; charset=utf-8", _sentences(stored, rows, until).encode(), "base64"),
            self._status(stored, rows, until),
        ]
        if raw is not None:
            parts.append(_returned(raw))
        boundary = f"=_{notice.queue_id}_{notice.notice_id}_dsn"
        head = self._head(stored, notice, raw, boundary, delayed=delayed)
        return (
            head
            + b"".join(b"--%b\r\n%b\r\n" % (boundary.encode(), part) for part in parts)
            + (b"--%b--\r\n" % boundary.encode())
        )

    def _head(
        self, stored: Stored, notice: Notice, raw: bytes | None, boundary: str, *, delayed: bool
    ) -> bytes:
        """Return the header section; all of it follows from the arguments, so that a repeated notice is the
        same."""
        title = words.DELAYED_SUBJECT if delayed else words.FAILED_SUBJECT
        fields = {
            "From": write_mailbox(self._name, self._from),
            "To": f"<{stored.envelope.sender}>".encode(),
            "Subject": encode_header(title.in_(stored.language) + _line(stored.subject)[:MAX_SUBJECT]),
            "Date": format_datetime(notice.created_at).encode(),
            "Message-ID": f"<{notice.queue_id}.{notice.notice_id}.dsn@{self._hostname}>".encode(),
            "Auto-Submitted": b"auto-replied",  # RFC 3834 5: nobody's robot may answer this
        }
        original = _MESSAGE_ID.search(_header_section(raw)) if raw else None
        if original is not None:
            fields["In-Reply-To"] = fields["References"] = original[1]
        fields["MIME-Version"] = b"1.0"
        kind = f'multipart/report; report-type=delivery-status;\r\n boundary="{boundary}"'
        fields["Content-Type"] = kind.encode("ascii")
        return write_fields(fields)

    def _status(self, stored: Stored, rows: list[Recipient], until: datetime | None) -> bytes:
        """Return the part for machines: RFC 3464, or RFC 6533 where an address is not ASCII."""
        groups = [
            f"Reporting-MTA: dns; {self._hostname}\r\n"
            f"X-Sekisho-Queue-Id: {stored.queue_id}\r\n"
            f"Arrival-Date: {format_datetime(stored.received_at)}\r\n"
        ]
        groups += [_recipient_group(row, until) for row in rows]
        octets = "\r\n".join(groups).encode()
        if octets.isascii():
            return _part("message/delivery-status", octets, "7bit")
        return _part("message/global-delivery-status", octets, "base64")


def _rows(stored: Stored, notice: Notice, states: frozenset[State]) -> list[Recipient]:
    """Return the rows the notice is about that are still in the state it tells of."""
    concerned = set(notice.recipients)
    return [row for row in stored.recipients if row.index in concerned and row.state in states]


def status_of(row: Recipient) -> str:
    """Return the enhanced status code of a recipient: its reply's own, or one that its reply code or state
    implies."""
    match = _STATUS.search(row.reply[:MAX_TEXT])
    wanted = "5" if row.state is State.BOUNCED else "4"
    if match is not None and match[1][0] != "2":
        return match[1]
    code = _CODE.match(row.reply)
    if code is not None:
        return f"{code[1]}.0.0"
    return "5.0.0" if wanted == "5" else "4.0.0"


def _recipient_group(row: Recipient, until: datetime | None) -> str:
    kind = "utf-8" if row.address.needs_smtputf8 else "rfc822"
    lines = [
        f"Final-Recipient: {kind}; {_line(str(row.address))}",
        f"Action: {'delayed' if until else 'failed'}",
        f"Status: {_shown_status(row)}",
    ]
    if _CODE.match(row.reply):
        lines.append(f"Diagnostic-Code: smtp; {_ascii_line(row.reply)}")
    if row.changed_at is not None:
        lines.append(f"Last-Attempt-Date: {format_datetime(row.changed_at)}")
    if until is not None:
        lines.append(f"Will-Retry-Until: {format_datetime(until)}")
    return "".join(f"{line}\r\n" for line in lines)


def _shown_status(row: Recipient) -> str:
    """Return the Status field; a temporary reply that became final by expiry is 4.4.7 (RFC 3463 3.5)."""
    status = status_of(row)
    return "4.4.7" if row.state is State.BOUNCED and status.startswith("4") else status


def _sentences(stored: Stored, rows: list[Recipient], until: datetime | None) -> str:
    """Return the part for people: who did not get it, why, and what to do."""
    language = stored.language
    lines = [(words.DELAYED_INTRO if until else words.FAILED_INTRO).in_(language), ""]
    for row in rows:
        lines += _about(row, language)
    if until is not None:
        lines += [words.UNTIL.in_(language) + _moment(until), ""]
    lines += [
        words.OTHERS.in_(language),
        "",
        words.SUBJECT.in_(language) + _line(stored.subject)[:MAX_SUBJECT],
        words.SENT.in_(language) + _moment(stored.received_at),
        words.QUEUE_ID.in_(language) + stored.queue_id,
    ]
    return "".join(f"{line}\r\n" for line in lines)


def _about(row: Recipient, language: Language) -> list[str]:
    lines = [f"* {_line(str(row.address))}", f"  {words.cause(_shown_status(row), language)}"]
    if row.reply:
        lines.append(f"  {words.SERVER_SAYS.in_(language)}{_line(row.reply)[:MAX_TEXT]}")
    return [*lines, ""]


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC") if not at.utcoffset() else at.strftime("%Y-%m-%d %H:%M %z")


def _returned(raw: bytes) -> bytes:
    """Return the original header section as text/rfc822-headers (RFC 6522 4), encoded where it is not
    plain."""
    section = _header_section(raw)
    lines = section.split(b"\r\n")
    plain = section.isascii() and not any(b"\r" in line or b"\n" in line for line in lines)
    plain = plain and all(len(line) <= MAX_WIRE_LINE for line in lines)
    return _part("text/rfc822-headers", section, "7bit" if plain else "quoted-printable")


def _header_section(raw: bytes) -> bytes:
    """Return the header section up to its empty line, cut at a line end where it is very long."""
    end = raw.find(b"\r\n\r\n", 0, MAX_RETURNED)
    if end >= 0:
        return raw[: end + 2]
    return raw[: raw.rfind(b"\r\n", 0, MAX_RETURNED) + 2]


def _part(content_type: str, octets: bytes, encoding: str) -> bytes:
    """Return one body part with its header; encoded forms have lines short enough for every server."""
    if encoding == "base64":
        octets = b64_lines(octets).replace(b"\n", b"\r\n")
    elif encoding == "quoted-printable":
        octets = quopri.encodestring(octets.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
    head = f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode("ascii") + octets


def _line(text: str) -> str:
    return _CONTROL.sub(" ", text).strip()


def _ascii_line(text: str) -> str:
    return _line(text)[:MAX_TEXT].encode("ascii", "replace").decode("ascii")
