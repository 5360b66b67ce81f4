"""Rich text as Outlook packs it (MS-OXRTFCP): references into a window of 4096 octets that begins with what all texts hold."""

from __future__ import annotations

import struct

from gateway.evidence.content.gathering import Unread

MAX_OCTETS = 16 << 20
"""Octets that one text unpacks to; a long letter takes a hundred thousand."""

_PACKED, _PLAIN = 0x75465A4C, 0x414C454D
_BEGINNING = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor MS Sans SerifSymbolArial"
    rb"Times New RomanCourier{\colortbl\red0\green0\blue0"
    + b"\r\n"
    + rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
_WINDOW = 4_096


def unpacked_rtf(octets: bytes) -> bytes:
    """Unpack a text; what is cut off is left out. Raises Unread."""
    if len(octets) < 16:
        raise Unread("damaged")
    size, kind = struct.unpack_from("<II", octets, 4)
    if kind == _PLAIN:
        return octets[16 : 16 + size]
    if kind != _PACKED:
        raise Unread("damaged")
    if size > MAX_OCTETS:
        raise Unread("too-large")
    return _unpack(octets, size)


def _unpack(octets: bytes, size: int) -> bytes:
    """Follow the controls, eight to an octet: a 1 stands for a reference, which at the place of writing is the end."""
    out = bytearray(_BEGINNING)
    at, begun = 16, len(_BEGINNING)
    while at < len(octets) and len(out) - begun < size:
        controls = octets[at]
        at += 1
        for bit in range(8):
            if not controls >> bit & 1:
                out += octets[at : at + 1]
                at += 1
                continue
            if at + 2 > len(octets):
                return bytes(out[begun:])
            reference = octets[at] << 8 | octets[at + 1]
            at += 2
            back = (len(out) - (reference >> 4)) % _WINDOW
            if back == 0:
                return bytes(out[begun:])
            _repeat(out, back, (reference & 0x0F) + 2)
    return bytes(out[begun : begun + size])


def _repeat(out: bytearray, back: int, count: int) -> None:
    for _ in range(count):
        out.append(out[-back] if back <= len(out) else 0x20)
