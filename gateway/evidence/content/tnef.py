"""What Outlook wraps into winmail.dat (MS-OXTNEF): the text of the message in all its forms, and the files in it.

Linear: every attribute and every property is looked at once, and each says how long it is. Raises Unread.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.evidence.content import rich
from gateway.evidence.content.files import File, read_file
from gateway.evidence.content.gathering import Gathering, Unread
from gateway.evidence.content.octets import text_of
from gateway.evidence.content.packed_rtf import unpacked_rtf
from gateway.evidence.content.pages import say_page

_HEAD = 6  # the signature and a key
_SUBJECT, _BODY, _MESSAGE_PROPERTIES = 0x00018004, 0x0002800C, 0x00069003
_BEGINS, _TITLE, _DATA, _PROPERTIES = 0x00069002, 0x00018010, 0x0006800F, 0x00069005
_MANY, _NAMED = 0x1000, 0x8000
_SIZES = {2: 4, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 0x0A: 4, 0x0B: 4, 0x14: 8, 0x40: 8, 0x48: 16}
_NARROW, _WIDE, _OBJECT, _BINARY = 0x1E, 0x1F, 0x0D, 0x102
_P_SUBJECT, _P_BODY, _P_RTF, _P_HTML, _P_DATA, _P_LONG_NAME = 0x0037, 0x1000, 0x1009, 0x1013, 0x3701, 0x3707
_INTERFACE = 16  # octets before an embedded message


@dataclass(slots=True)
class _Attached:
    name: str = ""
    octets: bytes = b""


def read(file: File, into: Gathering) -> None:
    """Read a TNEF stream; what is cut off is damaged, and what stands before it read."""
    into.tell(encrypted=False, macros=False)
    attached: list[_Attached] = []
    try:
        for kind, octets in _attributes(file.octets):
            if kind == _BEGINS:
                attached.append(_Attached())
            elif attached and kind in (_TITLE, _DATA, _PROPERTIES):
                _note_attached(kind, octets, attached[-1])
            elif kind in (_SUBJECT, _BODY):
                into.say(text_of(octets.rstrip(b"\0")) + "\n")
            elif kind == _MESSAGE_PROPERTIES:
                _say_message(octets, into)
    finally:
        for each in attached:
            _read_attached(file, each, into)


def _attributes(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield number and value of each attribute (MS-OXTNEF 2.1.3.3)."""
    at = _HEAD
    while at + 9 <= len(octets) and octets[at] in (1, 2):
        kind, length = struct.unpack_from("<II", octets, at + 1)
        value = octets[at + 9 : at + 9 + length]
        if len(value) < length:
            raise Unread("damaged")
        yield kind, value
        at += 9 + length + 2


def _properties(octets: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield number, type and value of each property (MS-OXTNEF 2.1.3.4); of several values the first."""
    count = struct.unpack_from("<I", octets, 0)[0] if len(octets) >= 4 else 0
    at = 4
    try:
        for _ in range(count):
            kind, number = struct.unpack_from("<HH", octets, at)
            at = _behind_name(octets, at + 4) if number >= _NAMED else at + 4
            values, at = _values(octets, at, kind)
            yield number, kind & ~_MANY, values[0] if values else b""
    except struct.error:
        raise Unread("damaged") from None


def _behind_name(octets: bytes, at: int) -> int:
    by_name, length = struct.unpack_from("<II", octets, at + 16)
    return at + 24 + (_padded(length) if by_name else 0)


def _values(octets: bytes, at: int, kind: int) -> tuple[list[bytes], int]:
    size = _SIZES.get(kind & ~_MANY)
    count = 1
    if kind & _MANY or size is None:
        count = struct.unpack_from("<I", octets, at)[0]
        at += 4
    values: list[bytes] = []
    for _ in range(count):
        length = size
        if length is None:
            length = struct.unpack_from("<I", octets, at)[0]
            at += 4
        if at + length > len(octets):
            raise Unread("damaged")
        values.append(octets[at : at + length])
        at += _padded(length)
    return values, at


def _padded(length: int) -> int:
    return length + (-length % 4)


def _say_message(octets: bytes, into: Gathering) -> None:
    for number, kind, value in _properties(octets):
        if number in (_P_SUBJECT, _P_BODY):
            into.say(_text(kind, value) + "\n")
        elif number == _P_HTML:
            say_page(text_of(value), into)
        elif number == _P_RTF:
            into.say(rich.text_of_rtf(unpacked_rtf(value)) + "\n")


def _note_attached(kind: int, octets: bytes, attached: _Attached) -> None:
    if kind == _TITLE:
        attached.name = attached.name or text_of(octets.rstrip(b"\0"))
    elif kind == _DATA:
        attached.octets = octets
    else:
        for number, its_type, value in _properties(octets):
            if number == _P_LONG_NAME:
                attached.name = _text(its_type, value) or attached.name
            elif number == _P_DATA and its_type == _OBJECT:
                attached.octets = value[_INTERFACE:]


def _text(kind: int, value: bytes) -> str:
    return (value.decode("utf-16-le", "replace") if kind == _WIDE else text_of(value)).rstrip("\0")


def _read_attached(file: File, attached: _Attached, into: Gathering) -> None:
    into.member(file.prefix + attached.name)
    into.budget.unpack(len(attached.octets))
    read_file(file.inside(attached.name, attached.octets), into)
