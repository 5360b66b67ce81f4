"""What is refused in the content of a mail before any policy is asked. Pure.

Faults of the header section are the message room's to name (`message.header_faults`). More Received fields
than a mail collects on any honest way mean a loop (RFC 5321 6.3); they are counted in the octets, whatever
else is broken there.
"""

from __future__ import annotations

import re

from gateway.message.header import split
from gateway.message.header_faults import MAX_SECTION_OCTETS, header_faults
from gateway.receive.reply import Reply

NO_EMPTY_LINE = "no empty line separates the header section from the text; the mail cannot be taken"
_RECEIVED = re.compile(rb"\nreceived[ \t]*+:", re.IGNORECASE)


def content_reply(raw: bytes, received_limit: int) -> Reply | None:
    """Return the refusal of a mail whose header section is faulty or shows a loop."""
    header = header_octets(raw)
    fault = header_faults(header)
    if fault is not None:
        return Reply(550, "5.6.0", f"{fault}; the mail cannot be taken", "content")
    if len(header) == len(raw) and _mixes_fields_and_text(raw):
        return Reply(550, "5.6.0", NO_EMPTY_LINE, "content")
    if len(_RECEIVED.findall(b"\n" + header)) > received_limit:
        text = f"more than {received_limit} Received fields: the mail goes in circles"
        return Reply(554, "5.4.6", text, "loop")
    return None


def _mixes_fields_and_text(raw: bytes) -> bool:
    """Tell whether a mail without an empty line holds fields and lines that are no fields.

    The lines may be meant as the body; a copy that hides recipients drops them, so the text would be lost.
    """
    return len({bool(field.name) for field in split(raw)[0].fields}) == 2


def header_octets(raw: bytes) -> bytes:
    """Return the octets before the first empty line, one more than a section may have at most; all where there is none."""
    if raw.startswith(b"\r\n"):
        return b""
    end = raw.find(b"\r\n\r\n", 0, MAX_SECTION_OCTETS + 4)
    return raw[: MAX_SECTION_OCTETS + 1 if end < 0 else end + 2]
