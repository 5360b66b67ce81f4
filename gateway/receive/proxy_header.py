"""The PROXY header of a load balancer, version 1 and 2 (HAProxy's proxy-protocol.txt): where it ends, whose address it names.

Where it ends is ours to say, before anything is read into it, so that no header takes more than its bound. What it
says is read by aiosmtpd's `proxy_protocol`. Pure: fed with octets, does no I/O.
"""

from __future__ import annotations

import re
from io import BytesIO

from aiosmtpd.proxy_protocol import V2_SIGNATURE, get_proxy

from gateway.values import dataclass

V1_OCTETS = 107  # the longest line of version 1, with CRLF (section 2.1)
V2_FIXED = 16  # signature, version and command, family and transport, length
# What follows the fixed part of version 2: the addresses take 216 at most; certificates' names in TLVs take some hundreds.
V2_OCTETS = 4096

_V1 = re.compile(rb"PROXY (?:UNKNOWN(?: [ -~]*)?|TCP4 [0-9. ]+|TCP6 [0-9A-Fa-f:. ]+)\r\n")
_V2_STREAMS = {0x11, 0x21}  # TCP over IPv4 and over IPv6
_V2_UNNAMED = {0x00, 0x31}  # unspecified, UNIX stream: the connection is real, its client has no address
_LOCAL = 0  # the balancer itself, for example a health check


class ProxyFault(Exception):
    """The octets are no PROXY header; the message says why and is fit for a log."""


@dataclass(frozen=True, slots=True)
class _Octets:
    """The reader that aiosmtpd asks for, over octets that are all there."""

    rest: BytesIO

    async def read(self, count: int = -1) -> bytes:
        return self.rest.read(count)

    async def readexactly(self, count: int) -> bytes:
        return self.rest.read(count)

    async def readuntil(self, end: bytes = b"\n") -> bytes:
        return self.rest.readline()


def header_length(octets: bytes | bytearray) -> int | None:
    """Return how many octets the header takes, None while more have to come; raises `ProxyFault`."""
    if octets[: len(V2_SIGNATURE)] == V2_SIGNATURE[: len(octets)]:
        return _v2_length(octets)
    if not (octets.startswith(b"PROXY ") or b"PROXY ".startswith(octets)):
        raise ProxyFault("it does not begin with a PROXY header")
    end = octets.find(b"\n", 0, V1_OCTETS)
    if end < 0 and len(octets) >= V1_OCTETS:
        raise ProxyFault(f"the header is longer than {V1_OCTETS} octets")
    return end + 1 if end >= 0 else None


def _v2_length(octets: bytes | bytearray) -> int | None:
    if len(octets) < V2_FIXED:
        return None
    length = int.from_bytes(octets[14:16], "big")
    if length > V2_OCTETS:
        raise ProxyFault(f"the header is longer than {V2_FIXED + V2_OCTETS} octets")
    return V2_FIXED + length if len(octets) >= V2_FIXED + length else None


async def named_client(header: bytes) -> str | None:
    """Return the address of the client that a whole header names, None where it names none; raises `ProxyFault`."""
    if header.startswith(V2_SIGNATURE):
        if header[12] >> 4 == 2 and header[12] & 0x0F == _LOCAL:
            return None
        if header[13] not in _V2_STREAMS | _V2_UNNAMED:
            raise ProxyFault("a family or transport that is not TCP")
    elif _V1.fullmatch(header) is None:
        raise ProxyFault("a line of version 1 that does not follow its grammar")
    found = await get_proxy(_Octets(BytesIO(header)))
    if not found.valid:
        raise ProxyFault(str(found.error))
    return str(found.src_addr) if found.src_port is not None else None
