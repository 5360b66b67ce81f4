"""The fields a relay adds: Received (RFC 5321 4.4), and Date and Message-ID where a mail came without (RFC 6409 8).

Deterministic in its arguments, so that a copy rendered again after a restart is the same copy. The Received field never has a
`for` clause: it would show one recipient to another.
"""

from __future__ import annotations

import re
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from gateway.message.envelope import Client, Envelope
from gateway.message.header import Field
from gateway.values import dataclass

MAX_HELO = 255  # octets: the longest domain name (RFC 5321 4.5.3.1.2); a peer's longer claim is cut
_NOT_IN_HELO = re.compile(r"[^A-Za-z0-9.:_\[\]-]")


@dataclass(frozen=True, slots=True)
class Added:
    """The fields that every copy of one mail gets: `received` always, the others where they are missing."""

    received: bytes
    date: bytes
    message_id: bytes

    def to(self, fields: tuple[Field, ...]) -> bytes:
        """Return what goes on top of these fields."""
        date = b"" if _is_there("date", fields) else self.date
        message_id = b"" if _is_there("message-id", fields) else self.message_id
        return self.received + date + message_id


def _is_there(name: str, fields: tuple[Field, ...]) -> bool:
    """Tell whether a field of the name holds anything."""
    return any(field.value for field in fields if field.name == name)


def added_fields(envelope: Envelope, queue_id: str, received_at: datetime, hostname: str) -> Added:
    """Return the fields we may add to a mail: our trace field, the Date of acceptance, a Message-ID as unique as the queue id.

    `received_at` is aware.
    """
    when = _date(received_at.replace(microsecond=0))
    received = (
        f"Received: from {_helo(envelope.client)} ({_literal(envelope.client.ip)})\r\n"
        f"\tby {hostname} (Sekisho) with {_protocol(envelope)} id {queue_id};\r\n"
        f"\t{when}\r\n"
    )
    return Added(
        received.encode("ascii", "replace"),
        f"Date: {when}\r\n".encode("ascii"),
        f"Message-ID: <{queue_id}@{hostname}>\r\n".encode("ascii", "replace"),
    )


@lru_cache(maxsize=64)  # many mails come in one second
def _date(at: datetime) -> str:
    return format_datetime(at)


def _helo(client: Client) -> str:
    """Return the HELO name with everything neutralised that could end a field, a comment or look like an address."""
    return _NOT_IN_HELO.sub("?", client.helo[:MAX_HELO]) or "unknown"


# A gateway has few clients; the text is what the kernel says of a peer, so it is short.
@lru_cache(maxsize=1024)
def _literal(ip: str) -> str:
    try:
        address = ip_address(ip.partition("%")[0])
    except ValueError:
        return "unknown"
    return f"[IPv6:{address}]" if isinstance(address, IPv6Address) else f"[{address}]"


def _protocol(envelope: Envelope) -> str:
    """Return the "with" keyword (RFC 3848; RFC 6531 4.3 for mail that uses SMTPUTF8)."""
    base = "UTF8SMTP" if envelope.smtputf8 else "ESMTP"
    return base + ("S" if envelope.client.tls else "") + ("A" if envelope.client.authenticated else "")
