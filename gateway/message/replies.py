"""Which mail this one answers: Message-ID, In-Reply-To and References (RFC 5322 3.6.4), as far as anybody needs them.

Everything here is the sender's own word, of any length: a bounded piece of each field is read, and a bounded number of ids
kept. An id is compared as it stands, without regard to anything that is not printable ASCII.
"""

from __future__ import annotations

import re

from gateway.message.facts import Facts
from gateway.message.header import HeaderSection

MAX_IDS = 20
"""Ids of one mail that are looked up: the one it replies to, and the latest of its ancestors."""

MAX_ID_OCTETS = 500
"""Octets of one id, the angle brackets not counted; RFC 5322 2.1.1 puts 998 on a line."""

MAX_READ_OCTETS = 16 << 10
"""Octets of one field that are read: the first of Message-ID and In-Reply-To, the last of References."""

_ID = re.compile(rb"<([!-;=?-~]{1,%d})>" % MAX_ID_OCTETS)


def message_id(header: HeaderSection) -> str:
    """Return the mail's own id without its brackets, empty where it has none that can be read."""
    field = header.first("message-id")
    found = _ID.search(field.value[:MAX_READ_OCTETS]) if field is not None else None
    return found[1].decode("ascii") if found is not None else ""


def is_reply(header: HeaderSection) -> bool:
    """Tell whether the mail says that it answers another one, in whatever broken words."""
    fields = (header.first("in-reply-to"), header.first("references"))
    return any(field is not None and field.value for field in fields)


def says_reply(facts: Facts) -> bool:
    """Tell the same of facts, which may come from a record and then have no header section."""
    return facts.answers if facts.recorded else is_reply(facts.header)


def answered(header: HeaderSection) -> tuple[str, ...]:
    """Return the ids of the mails it answers, distinct, the nearest first: In-Reply-To, then References from its end."""
    parent, ancestors = header.first("in-reply-to"), header.first("references")
    ids: dict[str, None] = {}
    if parent is not None:
        ids |= dict.fromkeys(_ids(parent.value[:MAX_READ_OCTETS])[:MAX_IDS])
    if ancestors is not None:
        ids |= dict.fromkeys(reversed(_ids(ancestors.value[-MAX_READ_OCTETS:])))
    return tuple(ids)[:MAX_IDS]


def _ids(text: bytes) -> list[str]:
    return [found.decode("ascii") for found in _ID.findall(text)]
