"""winmail.dat, built here attribute by attribute; the packed text's examples are those of MS-OXRTFCP, section 3."""

from __future__ import annotations

import random
import struct

import pytest

from gateway.evidence.content.gathering import Unread
from gateway.evidence.content.packed_rtf import unpacked_rtf
from gateway.message.evidence import UNREAD
from tests.evidence.content.making import docx, mail, paragraph, part, told, told_of

HELLO = bytes.fromhex(
    "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
)
CROSSING = bytes.fromhex("1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0")


def test_packed_text_is_unpacked() -> None:
    assert unpacked_rtf(HELLO) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
    assert unpacked_rtf(CROSSING) == b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}"
    assert unpacked_rtf(struct.pack("<III", 20, 4, 0x414C454D) + bytes(4) + b"{ab}") == b"{ab}"


@pytest.mark.parametrize("octets", [b"", bytes(16), HELLO[:4] + b"\xff\xff\xff\xff" + HELLO[8:]])
def test_packed_text_that_is_none_is_refused(octets: bytes) -> None:
    with pytest.raises(Unread):
        unpacked_rtf(octets)


def attribute(kind: int, octets: bytes, level: int = 1) -> bytes:
    return struct.pack("<BII", level, kind, len(octets)) + octets + struct.pack("<H", sum(octets) & 0xFFFF)


def properties(*each: tuple[int, int, bytes]) -> bytes:
    out = struct.pack("<I", len(each))
    for number, kind, value in each:
        out += struct.pack("<HH", kind, number)
        if kind in (0x1E, 0x1F, 0x0D, 0x102):
            out += struct.pack("<II", 1, len(value)) + value + bytes(-len(value) % 4)
        else:
            out += value
    return out


def stream(*attributes: bytes) -> bytes:
    return b"\x78\x9f\x3e\x22\x01\x00" + b"".join(attributes)


def wide(text: str) -> bytes:
    return text.encode("utf-16-le") + b"\0\0"


WINMAIL = stream(
    attribute(0x00018004, "件名です".encode("cp932") + b"\0"),
    attribute(
        0x00069003,
        properties(
            (0x0017, 3, bytes(4)),
            (0x1000, 0x1F, wide("本文です")),
            (0x1009, 0x102, HELLO),
            (0x1013, 0x102, "<p>HTML です</p>".encode()),
        ),
    ),
    attribute(0x00069002, bytes(14), 2),
    attribute(0x00018010, b"SHORT~1.DOC\0", 2),
    attribute(0x0006800F, docx(paragraph("個人番号 123456789018")), 2),
    attribute(0x00069005, properties((0x3707, 0x1F, wide("名簿.docx"))), 2),
    attribute(0x00069002, bytes(14), 2),
    attribute(
        0x00069005,
        properties(
            (0x3707, 0x1E, b"forwarded\0"),
            (0x3701, 0x0D, bytes(16) + stream(attribute(0x00018004, b"inner subject\0"))),
        ),
        2,
    ),
)


def test_winmail_dat_is_read_with_its_files() -> None:
    evidence, text = told_of("winmail.dat", WINMAIL)
    assert evidence.kind == "tnef"
    assert evidence.members == ("名簿.docx", "forwarded")
    for each in ("件名です", "本文です", "hello world", "HTML です", "inner subject"):
        assert each in text
    assert evidence.found.my_number == 1
    assert (evidence.encrypted, evidence.macros, evidence.unread) == (False, False, "")


def test_a_mail_with_it_is_told() -> None:
    assert told(mail(part("winmail.dat", WINMAIL, "application/ms-tnef")))[0].mail_is == {"tnef"}


def test_what_is_cut_or_changed_gets_a_word() -> None:
    assert told_of("winmail.dat", WINMAIL[:60])[0].unread == "damaged"
    chance = random.Random(11)
    for _ in range(300):
        octets = bytearray(WINMAIL)
        for _ in range(chance.randint(1, 10)):
            octets[chance.randrange(4, len(octets))] = chance.choice((0, 1, 255, chance.randrange(256)))
        assert told_of("winmail.dat", bytes(octets))[0].unread in {*UNREAD, ""}
