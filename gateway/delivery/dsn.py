"""Delivery status notifications (RFC 3464) to the sender: "failed", "delayed", "relayed". Pure and deterministic.

A notification goes to the sender of the mail and to nobody else, and names the recipients concerned and no
other; those of whom the sender did not want to hear (NOTIFY, RFC 3461 4.1) are left out. It returns the header
section of the original, never its body, whatever RET says. Mail from `<>` and our own mail get none.
"""

from __future__ import annotations

import quopri
import re
from base64 import encodebytes as b64_lines
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import partial

from gateway.delivery import dsn_words as words
from gateway.delivery.dsn_status import Action, line, shown_status, status_part
from gateway.delivery.reply import MAX_TEXT
from gateway.message.status_request import Notify
from gateway.message.text import encode_header
from gateway.message.write import write_fields, write_mailbox
from gateway.policy.demands import Language
from gateway.spool.lifecycle import State
from gateway.spool.notice import Notice, NoticeKind
from gateway.spool.values import Recipient, Stored

Composer = Callable[[Stored, Notice, bytes | None], bytes | None]

MAX_RETURNED = 64 * 1024
"""Octets of the original header section that are returned: the sender's client decides how long it is."""

MAX_SUBJECT = 200
"""Characters of the original subject in ours."""

MAX_WIRE_LINE = 998
"""Octets of a line without CRLF (RFC 5322 2.1.1); longer ones are encoded."""

_MESSAGE_ID = re.compile(rb"(?im)^message-id:[ \t\r\n]*(<[!-;=?-~]{1,250}>)")

_FIELD_START = re.compile(rb"[!-9;-~]{1,998}[ \t]*+:")

_TOLD = {  # the states it tells of, and the word of NOTIFY that asks for it
    Action.FAILED: (frozenset({State.BOUNCED}), Notify.FAILURE),
    Action.DELAYED: (frozenset({State.DEFERRED, State.ACTIVE}), Notify.DELAY),
    Action.RELAYED: (frozenset({State.DELIVERED}), Notify.SUCCESS),
}


def dsn_composers(
    hostname: str, from_address: str, name: str, give_up_after: timedelta
) -> Mapping[NoticeKind, Composer]:
    """Return the composers of the three kinds; each returns None where nobody may or need be told."""
    writer = _Writer(hostname, from_address, name, give_up_after)
    return {
        NoticeKind.FAILED: partial(writer.write, Action.FAILED),
        NoticeKind.DELAYED: partial(writer.write, Action.DELAYED),
        NoticeKind.RELAYED: partial(writer.write, Action.RELAYED),
    }


class _Writer:
    def __init__(self, hostname: str, from_address: str, name: str, give_up_after: timedelta) -> None:
        self._hostname = hostname
        self._from = from_address
        self._name = name
        self._give_up_after = give_up_after

    def write(self, action: Action, stored: Stored, notice: Notice, raw: bytes | None) -> bytes | None:
        rows = _rows(action, stored, notice)
        if not rows or stored.from_gateway or stored.envelope.sender is None:
            return None
        until = stored.received_at + self._give_up_after
        parts = [
            _part("text/plain; charset=utf-8", _sentences(action, stored, rows, until).encode(), "base64"),
            _status(status_part(self._hostname, stored, rows, action, until)),
        ]
        if raw is not None:
            parts.append(_returned(raw))
        boundary = f"=_{notice.queue_id}_{notice.notice_id}_dsn"
        head = self._head(action, stored, notice, raw, boundary)
        return (
            head
            + b"".join(b"--%b\r\n%b\r\n" % (boundary.encode(), part) for part in parts)
            + (b"--%b--\r\n" % boundary.encode())
        )

    def _head(
        self, action: Action, stored: Stored, notice: Notice, raw: bytes | None, boundary: str
    ) -> bytes:
        """Return the header section; all of it follows from the arguments, so that a repeated notice is the
        same."""
        title = words.SUBJECTS[action].in_(stored.language)
        fields = {
            "From": write_mailbox(self._name, self._from),
            "To": f"<{stored.envelope.sender}>".encode(),
            "Subject": encode_header(title + line(stored.subject)[:MAX_SUBJECT]),
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


def _status(octets: bytes) -> bytes:
    """Return the part for machines: RFC 3464, or RFC 6533 where an address is not ASCII."""
    if octets.isascii():
        return _part("message/delivery-status", octets, "7bit")
    return _part("message/global-delivery-status", octets, "base64")


def _rows(action: Action, stored: Stored, notice: Notice) -> list[Recipient]:
    """Return the rows the notice is about that are still in a state it tells of, and about which the sender wants to hear."""
    states, occasion = _TOLD[action]
    concerned = set(notice.recipients)
    return [
        row
        for row in stored.as_handed_in.recipients  # nobody hears of a copy that a rule asked for
        if row.index in concerned
        and row.state in states
        and stored.envelope.request(row.index).wants(occasion)
    ]


def _sentences(action: Action, stored: Stored, rows: list[Recipient], until: datetime) -> str:
    """Return the part for people: who did not get it, why, and what to do."""
    language = stored.language
    lines = [words.INTROS[action].in_(language), ""]
    for row in rows:
        lines += _about(row, language)
    if action is Action.DELAYED:
        lines += [words.UNTIL.in_(language) + _moment(until), ""]
    lines += [
        words.OTHERS.in_(language),
        "",
        words.SUBJECT.in_(language) + line(stored.subject)[:MAX_SUBJECT],
        words.SENT.in_(language) + _moment(stored.received_at),
        words.QUEUE_ID.in_(language) + stored.queue_id,
    ]
    return "".join(f"{text}\r\n" for text in lines)


def _about(row: Recipient, language: Language) -> list[str]:
    lines = [f"* {line(str(row.address))}", f"  {words.cause(shown_status(row), language)}"]
    if row.perhaps and row.state is not State.DELIVERED:
        lines.append(f"  {words.PERHAPS.in_(language)}")
    if row.reply:
        lines.append(f"  {words.SERVER_SAYS.in_(language)}{line(row.reply)[:MAX_TEXT]}")
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
    """Return the header section up to its empty line, cut at a line end where it is very long.

    A mail that begins with its text (or with the empty line before it) has none.
    """
    if _FIELD_START.match(raw) is None:
        return b""
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
