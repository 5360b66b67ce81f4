"""Files made to break a reader: each gets its word in bounded work, nothing raises, and random octets are read too."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.config.settings import Content
from gateway.evidence.content.bounds import Bounds
from gateway.evidence.content.mail import Letter, read_letter
from gateway.evidence.content.markup import page
from gateway.evidence.content.reader import Reader
from gateway.evidence.content.told import BodyTold, Done, from_octets, to_octets
from gateway.message.evidence import UNREAD
from gateway.message.gather import attachments
from tests.evidence.content.making import (
    assembled_pdf,
    docx,
    facts_of,
    letter,
    mail,
    paragraph,
    part,
    pdf,
    pptx,
    told_of,
    xlsx,
    zipped,
)
from tests.thoroughness import examples

WORDS = {*UNREAD, ""}
SMALL_ROOM = Bounds(unpacked_octets=1 << 20, members=100, depth=3)


def test_a_zip_bomb_is_too_large() -> None:
    bomb = zipped({f"{n}.txt": b" " * (1 << 20) for n in range(20)})
    evidence, _ = told_of("a.zip", bomb, bounds=SMALL_ROOM)
    assert evidence.unread == "too-large"
    assert evidence.complete


def test_a_nested_zip_bomb_is_bounded_as_a_whole() -> None:
    inner = zipped({f"{n}.bin": b" " * (1 << 19) for n in range(4)})
    evidence, _ = told_of("a.zip", zipped({f"{n}.zip": inner for n in range(50)}), bounds=SMALL_ROOM)
    assert evidence.unread == "too-large"


def test_a_hundred_thousand_members_are_listed_to_the_bound() -> None:
    name = b"abcdef.txt"
    local = struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", 20, 0, 0, 0, 0, 0, 0, 0, len(name), 0) + name
    entry = (
        struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, len(name), 0, 0, 0, 0, 0, 0)
        + name
    )
    count = 100_000
    end = struct.pack(
        "<4s4H2IH", b"PK\x05\x06", 0, 0, count & 0xFFFF, count & 0xFFFF, len(entry) * count, len(local), 0
    )
    evidence, _ = told_of("a.zip", local + entry * count + end)
    assert not evidence.complete
    assert evidence.unread == "too-large"
    assert len(evidence.members) <= Bounds().members
    assert (evidence.encrypted, evidence.macros) == (None, None)


def test_a_member_that_says_it_is_small_is_bounded_by_what_it_is() -> None:
    octets = bytearray(zipped({"a.txt": b" " * (4 << 20)}))
    at = octets.find(b"PK\x01\x02")
    octets[at + 24 : at + 28] = struct.pack("<I", 10)
    assert told_of("a.zip", bytes(octets), bounds=SMALL_ROOM)[0].unread == "too-large"


LAUGHS = '<!DOCTYPE l [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(10)
)
FOREIGN = '<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">'


@pytest.mark.parametrize("doctype", [LAUGHS, FOREIGN])
def test_entities_are_never_followed(doctype: str) -> None:
    xml = f'<?xml version="1.0"?>{doctype}]><w:x xmlns:w="w"><w:p><w:t>&a;</w:t></w:p></w:x>'.encode()
    evidence, text = told_of("a.docx", docx(paragraph("fine"), word__header1_xml=xml))
    assert evidence.unread == "damaged"
    assert text.strip() == "fine"


def test_deeply_nested_xml_and_html_and_mails_are_read() -> None:
    nested = "<w:tbl><w:tr><w:tc>" * 5_000 + paragraph("deep") + "</w:tc></w:tr></w:tbl>" * 5_000
    assert told_of("a.docx", docx(nested))[0].unread in WORDS
    page("<table><tr><td>" * 5_000 + "deep" + "</td></tr></table>" * 5_000)
    inner = b"Subject: x\r\n\r\ndeepest"
    for _ in range(150):
        inner = b"Subject: x\r\nContent-Type: message/rfc822\r\n\r\n" + inner
    told = list(read_letter(Letter.of(inner, ()), Bounds()))
    assert isinstance(told[0], BodyTold)
    assert told[0].unread == "too-deep"


@pytest.mark.parametrize(
    "source",
    ["<a " * 200_000, '<a href="' * 100_000, "<!--" * 200_000, "<script>" * 100_000, "<" * 200_000, "&#" * 200_000,
     "<td>" * 200_000, "<table>" * 100_000, "<a '\"" * 100_000],
)  # fmt: skip
def test_html_that_never_ends_is_read_in_one_pass(source: str) -> None:
    page(source)  # a quadratic reader takes hours for it


PDFS = {
    "pages in a circle": assembled_pdf(
        [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [2 0 R] /Count 9 >>"]
    ),
    "no end": b"%PDF-1.7\n" + b"1 0 obj <<" * 2_000,
    "prev in a circle": pdf("x", trailer=b"/Prev 0 "),
    "no objects": b"%PDF-1.7\ntrailer << >>\nstartxref\n0\n%%EOF",
    "references in a circle": assembled_pdf([b"2 0 R", b"1 0 R"]),
    "deep arrays": assembled_pdf([b"<< /Type /Catalog /Pages " + b"[" * 20_000 + b" >>"]),
    "many pages said": pdf("x").replace(b"/Count 1", b"/Count 1000000000"),
    "a bomb": assembled_pdf(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>",
            b"<< /Filter /FlateDecode /Length %d >>\nstream\n" % len(zlib.compress(bytes(100 << 20)))
            + zlib.compress(bytes(100 << 20))
            + b"\nendstream",
        ]
    ),
}


@pytest.mark.parametrize("name", PDFS)
def test_hostile_pdfs_get_a_word(name: str) -> None:
    evidence, _ = told_of("a.pdf", PDFS[name])
    assert evidence.kind == "pdf"
    assert evidence.unread in WORDS


FILES = {
    "a.docx": docx(paragraph("text")),
    "a.xlsx": xlsx('<row r="1"><c r="A1" t="s"><v>0</v></c></row>', ("text",)),
    "a.pptx": pptx("text", "notes"),
    "a.pdf": pdf("text", "more"),
    "a.zip": zipped({"a.txt": b"text", "b.zip": zipped({"c": b"d"})}),
    "a.eml": mail(part("x.txt", b"y")),
    "a.ics": b"BEGIN:VCALENDAR\r\nATTENDEE:mailto:a@example.com\r\n",
}


@pytest.mark.parametrize("name", FILES)
def test_files_that_are_cut_anywhere_get_a_word(name: str) -> None:
    octets = FILES[name]
    step = max(1, len(octets) // 60)
    for end in range(0, len(octets), step):
        assert told_of(name, octets[:end])[0].unread in WORDS


@pytest.mark.parametrize("name", FILES)
def test_files_with_octets_changed_get_a_word(name: str) -> None:
    chance = random.Random(4)
    for _ in range(40):
        octets = bytearray(FILES[name])
        for _ in range(chance.randint(1, 8)):
            octets[chance.randrange(len(octets))] = chance.randrange(256)
        assert told_of(name, bytes(octets))[0].unread in WORDS


_MARKS = (
    b"PK\x03\x04 %PDF-1.7 \xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 \x1f\x8b\x08 {\\rtf1 <html> "
    b"Rar!\x1a\x07 \xff\xfe BZh9 7z\xbc\xaf\x27\x1c"
)
_BEGINNINGS = st.sampled_from(
    [b"", *_MARKS.split(b" "), b"BEGIN:VCALENDAR\n", b"From: x\nTo: y\nSubject: z\n", b"-----BEGIN PGP "]
)


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    _BEGINNINGS, st.binary(max_size=2_000), st.sampled_from(["a.bin", "a.csv", "a.eml", "a.html", "a.docx"])
)
def test_no_octets_raise(beginning: bytes, octets: bytes, name: str) -> None:
    evidence, _ = told_of(name, beginning + octets)
    assert evidence.unread in WORDS


@settings(max_examples=examples(150), deadline=None)
@given(
    st.binary(max_size=3_000),
    st.sampled_from(["text/plain", "text/html", "text/calendar", "text/x", "application/x"]),
)
def test_no_mail_raises(octets: bytes, content_type: str) -> None:
    for raw in (octets, letter(octets, content_type)):
        opened = Letter.of(raw, ("x",))
        told = list(read_letter(opened, Bounds()))
        assert len(told) == 1 + len(attachments(opened.structure))
        for piece in told:
            assert from_octets(to_octets(piece)) == piece


@pytest.mark.corpus
async def test_every_mail_of_the_corpus_is_read_in_time(corpus: list[tuple[str, bytes]]) -> None:
    reader = Reader(Content())
    try:
        for name, raw in corpus:
            facts = facts_of(raw)
            content = await reader.read(facts, raw)
            words = [content.body_unread, *(file.unread for file in content.files)]
            assert len(content.files) == len(facts.attachments), name
            assert set(words) <= WORDS - {"too-slow"}, name
    finally:
        await reader.close()


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"{}",
        b"[]",
        b"nonsense",
        b'{"done": 1}',
        b'{"file": {}}',
        b'{"body": []}',
        b'{"file": {"number": -1, "evidence": {}, "texts": [], "cut": false, "invited": []}}',
        to_octets(BodyTold()).replace(b'"unread":""', b'"unread":"fine"'),
        to_octets(BodyTold()).replace(b'"person":0', b'"person":-1'),
        to_octets(BodyTold()).replace(b'"texts":[]', b'"texts":[1]'),
        to_octets(BodyTold()).replace(b'"invited":[]', b'"invited":["nobody"]'),
    ],
)
def test_what_no_reader_says_is_refused(octets: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_octets(octets)
    assert from_octets(to_octets(Done(True))) == Done(True)


def test_a_truncated_zip_inside_a_whole_one_leaves_the_rest() -> None:
    with zipfile.ZipFile(buffer := io.BytesIO(), "w") as archive:
        archive.writestr("a.zip", zipped({"x": b"y"})[:-10])
        archive.writestr("b.txt", "read after")
    evidence, text = told_of("outer.zip", buffer.getvalue())
    assert evidence.unread == "damaged"
    assert text == "read after"
