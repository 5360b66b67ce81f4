"""Office before 2007, Outlook's messages, and encrypted documents: compound files built here by their formats."""

from __future__ import annotations

import random
import struct

import pytest

from gateway.evidence.content.ole import Compound
from gateway.message.evidence import UNREAD
from tests.evidence.content.compound import compound
from tests.evidence.content.making import docx, paragraph, told_of, zipped

TEXT = "個人番号は 123456789018 です"


def test_a_compound_file_is_read_by_its_chains() -> None:
    streams = {
        "big": bytes(range(256)) * 40,
        "folder/small": b"s" * 100,
        "folder/deeper/other": b"o" * 70,
        "empty": b"",
    }
    read = Compound(compound(streams))
    assert {entry.path: read.stream(entry) for entry in read.entries if entry.is_stream} == streams


def word_document(text: str, flags: int = 0, macros: bytes = b"") -> bytes:
    """Return a Word document of one piece in UTF-16 (MS-DOC 2.5, 2.8.35)."""
    octets = text.encode("utf-16-le")
    start = 0x800
    pieces = struct.pack("<IIHIH", 0, len(text), 0, start, 0)
    clx = b"\x01\x04\x00abcd" + b"\x02" + struct.pack("<I", len(pieces)) + pieces
    document = bytearray(start) + octets
    struct.pack_into("<HH", document, 0, 0xA5EC, 0x00C1)
    struct.pack_into("<H", document, 10, flags)
    struct.pack_into("<II", document, 0x01A2, 5, len(clx))
    return compound(
        {
            "WordDocument": bytes(document),
            "0Table": b"-----" + clx,
            "Macros/VBA/dir" if macros else "x": macros,
        }
    )


def test_a_word_document_is_read() -> None:
    evidence, text = told_of("a.doc", word_document(f"一行目\r{TEXT}\x07\x07"))
    assert "一行目\n" in text
    assert evidence.found.my_number == 1
    assert (evidence.kind, evidence.encrypted, evidence.macros, evidence.unread) == ("doc", False, False, "")


def test_a_piece_of_narrow_characters_is_read() -> None:
    octets = bytearray(word_document("abcdef"))
    at = octets.find(struct.pack("<IIHI", 0, 6, 0, 0x800))
    struct.pack_into("<I", octets, at + 10, 0x40000000 | 0x800 * 2)
    assert told_of("a.doc", bytes(octets))[1].startswith("a\0b")


def test_an_encrypted_word_document_is_told() -> None:
    evidence, text = told_of("a.doc", word_document(TEXT, flags=0x0100))
    assert (evidence.encrypted, evidence.unread, text) == (True, "encrypted", "")


def test_macros_of_old_documents_are_told() -> None:
    evidence, _ = told_of("a.doc", word_document("x", macros=b"m"))
    assert evidence.macros is True


def record(kind: int, octets: bytes) -> bytes:
    return struct.pack("<HH", kind, len(octets)) + octets


def string(text: str, wide: bool = True) -> bytes:
    return struct.pack("<HB", len(text), wide) + text.encode("utf-16-le" if wide else "latin-1")


def workbook(*records: bytes) -> bytes:
    """Return an Excel workbook of these records behind its first (MS-XLS 2.1.7.20)."""
    stream = record(0x0809, struct.pack("<HHHHII", 0x0600, 5, 0, 0, 0, 0)) + b"".join(records)
    return compound({"Workbook": stream.ljust(5_000, b"\0")})


def cell(kind: int, row: int, column: int, octets: bytes, style: int = 0) -> bytes:
    return record(kind, struct.pack("<HHH", row, column, style) + octets)


def test_a_workbook_is_read_with_strings_over_two_records_and_dates() -> None:
    names = [f"山田 花{n}" for n in "一二三四五"]
    shared = b"".join(string(name) for name in ["氏名", "生年月日", "abc", *names])
    first, rest = shared[:45], shared[45:]  # in the middle of a name: the next record begins with its width
    records = [
        record(0x00E0, struct.pack("<HH16x", 0, 0)),
        record(0x00E0, struct.pack("<HH16x", 0, 14)),
        record(0x0085, struct.pack("<IHBB", 0, 0, 2, 1) + "名簿".encode("utf-16-le")),
        record(0x00FC, struct.pack("<II", 8, 8) + first),
        record(0x003C, b"\x01" + rest),
        record(0x000A, b""),
        cell(0x00FD, 0, 0, struct.pack("<I", 0)),
        cell(0x00FD, 0, 2, struct.pack("<I", 1)),
    ]
    for row in range(1, 6):
        records.append(cell(0x00FD, row, 0, struct.pack("<I", row + 2)))
        records.append(cell(0x0203, row, 2, struct.pack("<d", 29_000 + row), style=1))
        records.append(cell(0x0203, row, 3, struct.pack("<d", 123456789018)))
    evidence, text = told_of("meibo.xls", workbook(*records, record(0x000A, b"")))
    assert evidence.unread == ""
    assert "名簿" in text
    assert "氏名\v\v生年月日" in text
    assert "山田 花一\v\v1979/05/26\v123456789018" in text
    assert evidence.found.person == 5
    assert evidence.kind == "xls"


@pytest.mark.parametrize(
    ("octets", "shown"),
    [
        (struct.pack("<I", (1234 << 2) | 2), "1234"),
        (struct.pack("<I", (1234 << 2) | 3), "12.34"),
        (struct.pack("<I", ((-5 & 0x3FFFFFFF) << 2) | 2), "-5"),
        (struct.pack("<d", 1.5)[4:], "1.5"),
    ],
)
def test_short_numbers_are_read(octets: bytes, shown: str) -> None:
    assert told_of("a.xls", workbook(cell(0x027E, 0, 0, octets), record(0x000A, b"")))[1].strip() == shown


def test_what_a_formula_gives_is_read() -> None:
    formula = cell(0x0006, 0, 0, b"\0" * 6 + b"\xff\xff" + bytes(8))
    assert (
        told_of("a.xls", workbook(formula, record(0x0207, string("結果")), record(0x000A, b"")))[1].strip()
        == "結果"
    )


def test_an_encrypted_workbook_is_told() -> None:
    evidence, text = told_of("a.xls", workbook(record(0x002F, b"\1\0" + bytes(50)), b"\xff" * 900))
    assert (evidence.encrypted, evidence.unread, text) == (True, "encrypted", "")


def atom(kind: int, octets: bytes, version: int = 0) -> bytes:
    return struct.pack("<HHI", version, kind, len(octets)) + octets


def test_a_presentation_is_read() -> None:
    slides = atom(
        0x03E8, atom(0x0FA0, "発表の題".encode("utf-16-le")) + atom(0x0FA8, b"narrow"), version=0x0F
    )
    user = struct.pack("<HHIII", 0, 0x0FF6, 20, 20, 0xE391C05F)
    evidence, text = told_of("a.ppt", compound({"PowerPoint Document": slides, "Current User": user}))
    assert text == "発表の題\nnarrow"
    assert evidence.unread == ""
    user = struct.pack("<HHIII", 0, 0x0FF6, 20, 20, 0xF3D1C4DF)
    assert (
        told_of("a.ppt", compound({"PowerPoint Document": slides, "Current User": user}))[0].unread
        == "encrypted"
    )


def test_a_message_of_outlook_is_read_with_its_attachments() -> None:
    streams = {
        "__properties_version1.0": bytes(32),
        "__substg1.0_0037001F": "件名です".encode("utf-16-le"),
        "__substg1.0_1000001F": "本文です".encode("utf-16-le"),
        "__substg1.0_10130102": "<p>HTML の本文</p>".encode(),
        "__attach_version1.0_#00000000/__substg1.0_3707001F": "名簿.docx".encode("utf-16-le"),
        "__attach_version1.0_#00000000/__substg1.0_37010102": docx(paragraph(TEXT)),
    }
    evidence, text = told_of("mail.msg", compound(streams))
    for each in ("件名です", "本文です", "HTML の本文"):
        assert each in text
    assert evidence.members == ("名簿.docx",)
    assert evidence.found.my_number == 1
    assert (evidence.kind, evidence.unread) == ("msg", "")


def test_an_encrypted_office_document_is_told_alone_and_in_an_archive() -> None:
    octets = compound({"EncryptedPackage": bytes(5_000), "EncryptionInfo": bytes(200)})
    evidence, _ = told_of("a.xlsx", octets)
    assert (evidence.kind, evidence.encrypted, evidence.unread) == ("xlsx", True, "encrypted")
    assert told_of("a.zip", zipped({"a.xlsx": octets}))[0].encrypted is True


def test_a_compound_file_of_a_kind_unknown_is_told() -> None:
    evidence, _ = told_of("Thumbs.db", compound({"whatever": b"x"}))
    assert (evidence.kind, evidence.encrypted, evidence.unread) == ("ole", None, "unknown-kind")


FILES = {
    "a.doc": word_document(TEXT),
    "a.xls": workbook(record(0x00FC, struct.pack("<II", 1, 1) + string("abc")), cell(0x00FD, 0, 0, bytes(4))),
    "a.msg": compound({"__properties_version1.0": bytes(32), "__substg1.0_1000001F": b"a\0"}),
}


@pytest.mark.parametrize("name", FILES)
def test_compound_files_with_octets_changed_or_cut_get_a_word(name: str) -> None:
    chance = random.Random(7)
    for _ in range(300):
        octets = bytearray(FILES[name])
        for _ in range(chance.randint(1, 12)):
            octets[chance.choice((chance.randrange(len(octets)), chance.randrange(512)))] = chance.choice(
                (0, 1, 255, chance.randrange(256))
            )
        end = chance.choice((len(octets), chance.randrange(len(octets))))
        assert told_of(name, bytes(octets[:end]))[0].unread in {*UNREAD, ""}
