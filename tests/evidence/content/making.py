"""Mails and files made for the tests of reading: nothing here was written by anybody else."""

from __future__ import annotations

import io
import zipfile
import zlib
from base64 import encodebytes
from collections.abc import Mapping

from gateway.evidence.content.bounds import Bounds
from gateway.evidence.content.mail import Letter, read_letter
from gateway.evidence.content.told import BodyTold, FileTold, KeyTold
from gateway.message.address import parse_path
from gateway.message.envelope import Client, Envelope
from gateway.message.evidence import FileEvidence
from gateway.message.facts import Facts
from gateway.message.gather import gather

OCTETS = "application/octet-stream"
SMALL = Bounds(seconds=10)


def letter(body: bytes, content_type: str = "text/plain; charset=utf-8", head: str = "") -> bytes:
    """Return a mail with one part."""
    return (
        b"From: a@example.jp\r\nTo: suzuki@example.com\r\nSubject: test\r\nMIME-Version: 1.0\r\n"
        + f"{head}Content-Type: {content_type}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n".encode()
        + body
    )


def part(name: str, octets: bytes, content_type: str = OCTETS) -> bytes:
    """Return an attached part, in base64."""
    return (
        f"Content-Type: {content_type}\r\nContent-Transfer-Encoding: base64\r\n"
        f'Content-Disposition: attachment; filename="{name}"\r\n\r\n'.encode()
        + encodebytes(octets).replace(b"\n", b"\r\n")
    )


def mail(*parts: bytes, text: str = "hello") -> bytes:
    """Return a mail with a text and attached parts."""
    pieces = [f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}".encode(), *parts]
    inner = b"".join([b"--b\r\n" + piece + b"\r\n" for piece in pieces]) + b"--b--\r\n"
    return letter(inner, 'multipart/mixed; boundary="b"')


def facts_of(raw: bytes, *recipients: str) -> Facts:
    """Return the facts of a mail to these recipients."""
    to = tuple([parse_path(each) for each in recipients or ("suzuki@example.com",)])
    return gather(Envelope(parse_path("a@example.jp"), to, Client("127.0.0.1")), raw)


def told(
    raw: bytes, bounds: Bounds = SMALL, local_parts: tuple[str, ...] = ("suzuki",)
) -> tuple[BodyTold, list[FileTold]]:
    """Read a mail here, and return what is told about it and about its files."""
    first, *others = read_letter(Letter.of(raw, local_parts), bounds)
    files = [each for each in others if not isinstance(each, KeyTold)]
    assert isinstance(first, BodyTold)
    assert all(isinstance(file, FileTold) and file.number == at for at, file in enumerate(files))
    return first, [file for file in files if isinstance(file, FileTold)]


def told_of(
    name: str, octets: bytes, content_type: str = OCTETS, bounds: Bounds = SMALL
) -> tuple[FileEvidence, str]:
    """Return what is told of one attached file, and its text."""
    file = told(mail(part(name, octets, content_type)), bounds)[1][0]
    return file.evidence, "".join(file.texts)


def zipped(members: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a ZIP archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, octets in members.items():
            archive.writestr(name, octets)
    return out.getvalue()


_TYPES = b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
_WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def docx(body: str, **others: bytes) -> bytes:
    """Return a Word document whose body is this XML; others are parts by name, with `__` for `/` and `_` for a dot."""
    document = f'<?xml version="1.0"?><w:document {_WORD}><w:body>{body}</w:body></w:document>'
    more = _parts(others)
    return zipped({"[Content_Types].xml": _TYPES, "word/document.xml": document.encode(), **more})


def _parts(others: Mapping[str, bytes]) -> dict[str, bytes]:
    return {
        name.replace("__", "/").replace("_xml", ".xml").replace("_bin", ".bin"): octets
        for name, octets in others.items()
    }


def paragraph(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def xlsx(sheet: str, strings: tuple[str, ...] = (), styles: str = "", **others: bytes) -> bytes:
    """Return an Excel workbook with one sheet of this XML."""
    shared = "".join(f"<si><t>{text}</t></si>" for text in strings)
    more = _parts(others)
    return zipped(
        {
            "[Content_Types].xml": _TYPES,
            "xl/workbook.xml": '<workbook><sheets><sheet name="名簿" sheetId="1"/></sheets></workbook>'.encode(),
            "xl/sharedStrings.xml": f"<sst>{shared}</sst>".encode(),
            "xl/styles.xml": f"<styleSheet>{styles}</styleSheet>".encode(),
            "xl/worksheets/sheet1.xml": f"<worksheet><sheetData>{sheet}</sheetData></worksheet>".encode(),
            **more,
        }
    )


def pptx(slide: str, notes: str = "") -> bytes:
    """Return a presentation with one slide and its notes."""
    texts = {"ppt/slides/slide1.xml": slide, "ppt/notesSlides/notesSlide1.xml": notes}
    parts = {
        name: f"<s><a:p xmlns:a='a'><a:r><a:t>{text}</a:t></a:r></a:p></s>".encode()
        for name, text in texts.items()
    }
    return zipped({"[Content_Types].xml": _TYPES, **parts})


def pdf(*pages: str, extra: bytes = b"", trailer: bytes = b"") -> bytes:
    """Return a PDF with one line of ASCII on each page; `extra` are more objects, `trailer` more entries of the trailer."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, text in enumerate(pages):
        stream = zlib.compress(f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode())
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {5 + 2 * number} 0 R "
            f"/Resources << /Font << /F1 3 0 R >> >> >>".encode()
        )
        objects.append(
            f"<< /Length {len(stream)} /Filter /FlateDecode >>\nstream\n".encode() + stream + b"\nendstream"
        )
    return assembled_pdf(objects, extra, trailer)


def assembled_pdf(objects: list[bytes], extra: bytes = b"", trailer: bytes = b"") -> bytes:
    """Return a PDF of these objects, numbered from 1; the first is the catalog."""
    out, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    out += extra
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}".encode()
    return (
        out
        + f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R ".encode()
        + trailer
        + f">>\nstartxref\n{start}\n%%EOF\n".encode()
    )
