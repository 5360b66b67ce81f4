"""What is refused in the content of a mail before any policy is asked. Pure.

C0 controls in the header section: other software reads some of them as line ends, and a field that we saw as one becomes
two at the next hop. ESC is let through as part of an ISO 2022 escape sequence: raw ISO-2022-JP names are everyday mail in
Japan and begin with ESC. More Received fields than a mail collects on any honest way mean a loop (RFC 5321 6.3).
"""

from __future__ import annotations

import re

from gateway.receive.reply import Reply, Why

_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f]|\x1b(?![$(.][\x20-\x7e])")
_RECEIVED = re.compile(rb"(?:\A|\n)received[ \t]*:", re.IGNORECASE)


def content_reply(raw: bytes, received_limit: int) -> Reply | None:
    """Return the refusal of a mail whose header section holds controls or whose Received fields show a loop."""
    header = header_octets(raw)
    control = _CONTROL.search(header)
    if control is not None:
        return _refuse_control(header, control.start())
    if _loops(header, received_limit):
        text = f"more than {received_limit} Received fields: the mail goes in circles"
        return Reply(554, "5.4.6", text, "loop")
    return None


def header_octets(raw: bytes) -> bytes:
    """Return the octets before the first empty line; all of them where there is none."""
    if raw.startswith(b"\r\n"):
        return b""
    end = raw.find(b"\r\n\r\n")
    return raw if end < 0 else raw[: end + 2]


def _refuse_control(header: bytes, at: int) -> Reply:
    line = header.count(b"\n", 0, at) + 1
    why: Why = "content"
    text = f"the header section holds control character 0x{header[at]:02X} in line {line}; send it without"
    return Reply(550, "5.6.0", text, why)


def _loops(header: bytes, limit: int) -> bool:
    return sum(1 for _ in _RECEIVED.finditer(header)) > limit
