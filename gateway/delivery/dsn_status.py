"""The part of a status notification that machines read: message/delivery-status (RFC 3464 2). Pure.

Names the recipients it is given and no other. Values that peers and senders chose fit into their line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from enum import StrEnum

from gateway.delivery.reply import MAX_TEXT
from gateway.message.status_request import RecipientRequest
from gateway.spool.lifecycle import State
from gateway.spool.values import Recipient, Stored

_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_CODE = re.compile(r"^([245])\d\d\b")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_CLASS = {State.BOUNCED: "5", State.DELIVERED: "2"}


class Action(StrEnum):
    """What is told (RFC 3464 2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    RELAYED = "relayed"


def status_part(
    hostname: str, stored: Stored, rows: Sequence[Recipient], action: Action, until: datetime
) -> bytes:
    """Return the body of the part; it is ASCII unless an address is not (RFC 6533). `until` is for delays."""
    about = [f"Reporting-MTA: dns; {hostname}", f"X-Sekisho-Queue-Id: {stored.queue_id}"]
    if stored.envelope.asked.envid:
        about.insert(0, f"Original-Envelope-Id: {line(stored.envelope.asked.envid)}")
    about.append(f"Arrival-Date: {format_datetime(stored.received_at)}")
    groups = [about, *(_group(row, stored.envelope.request(row.index), action, until) for row in rows)]
    return "\r\n".join("".join(f"{field}\r\n" for field in group) for group in groups).encode()


def _group(row: Recipient, asked: RecipientRequest, action: Action, until: datetime) -> list[str]:
    kind = "utf-8" if row.address.needs_smtputf8 else "rfc822"
    fields = [
        f"Final-Recipient: {kind}; {line(str(row.address))}",
        f"Action: {action}",
        f"Status: {shown_status(row)}",
    ]
    if asked.original_type:  # RFC 3461 6.3: only what the sender gave, as the sender gave it
        fields.insert(0, f"Original-Recipient: {asked.original_type}; {line(asked.original)}")
    if _CODE.match(row.reply):
        fields.append(f"Diagnostic-Code: smtp; {_ascii_line(row.reply)}")
    if row.changed_at is not None:
        fields.append(f"Last-Attempt-Date: {format_datetime(row.changed_at)}")
    if action is Action.DELAYED:
        fields.append(f"Will-Retry-Until: {format_datetime(until)}")
    return fields


def shown_status(row: Recipient) -> str:
    """Return the enhanced status code: the reply's own, or what its reply code or the state implies.

    A temporary reply that became final by expiry is 4.4.7 (RFC 3463 3.5).
    """
    status = _status_of(row)
    return "4.4.7" if row.state is State.BOUNCED and status.startswith("4") else status


def _status_of(row: Recipient) -> str:
    """Return what the reply says, unless it speaks of success where there was none, or the reverse."""
    taken = row.state is State.DELIVERED
    match = _STATUS.search(row.reply[:MAX_TEXT])
    if match is not None and (match[1][0] == "2") is taken:
        return match[1]
    code = _CODE.match(row.reply)
    if code is not None and (code[1] == "2") is taken:
        return f"{code[1]}.0.0"
    return f"{_CLASS.get(row.state, '4')}.0.0"


def line(text: str) -> str:
    """Return a text that fits into one line, whoever wrote it."""
    return _CONTROL.sub(" ", text).strip()


def _ascii_line(text: str) -> str:
    return line(text)[:MAX_TEXT].encode("ascii", "replace").decode("ascii")
