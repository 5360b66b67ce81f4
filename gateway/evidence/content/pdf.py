"""PDF files (ISO 32000) by pypdf: text of the pages, forms, notes on them, and files that are embedded.

A file that opens without a password, though it has one for its owner, is not encrypted for anybody who gets it. Only the
process that reads imports pypdf.
"""

from __future__ import annotations

import io
from typing import Any

from pypdf import PdfReader
from pypdf.errors import DependencyError, FileNotDecryptedError, PdfReadError, WrongPasswordError

from gateway.evidence.content.bounds import MAX_PAGES
from gateway.evidence.content.files import File, read_file
from gateway.evidence.content.gathering import Gathering, Unread
from gateway.evidence.content.octets import whole

_CHARSETS = (
    "90ms-RKSJ",
    "UniJIS-UTF16",
    "UniJIS-UCS2",
    "UniGB-UTF16",
    "UniKS-UTF16",
    "UniCNS-UTF16",
    "GBK-EUC",
    "GB-EUC",
)
_LEGIBLE = frozenset(f"/{name}-{way}" for name in _CHARSETS for way in "HV")
"""Encodings of composite fonts that pypdf knows; of the others it makes other characters than stand there, without a word."""


def read(file: File, into: Gathering) -> None:
    """Read a PDF; a page that cannot be read leaves its word, and the next is read."""
    reader = _opened(file.octets)
    into.tell(encrypted=False, macros=False)
    for number, page in enumerate(_pages(reader, into)):
        if number >= MAX_PAGES:
            into.note("too-large")
            break
        _say(page, into)
    _say_form(reader, into)
    _read_embedded(file, reader, into)


def _opened(octets: bytes) -> PdfReader:
    try:
        reader = PdfReader(io.BytesIO(octets), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unread("encrypted")
    except (FileNotDecryptedError, WrongPasswordError, DependencyError, NotImplementedError):
        raise Unread("encrypted") from None
    except PdfReadError:
        raise Unread("damaged") from None
    return reader


def _pages(reader: PdfReader, into: Gathering) -> list[Any]:
    try:
        return list(reader.pages[: MAX_PAGES + 1])
    except (Unread, MemoryError):
        raise
    except Exception:  # whatever the file makes of pypdf
        into.note("damaged")
        return []


def _say(page: Any, into: Gathering) -> None:
    try:
        text = whole(page.extract_text())
        legible = _is_legible(page)
        notes = [_note(note) for note in page.get("/Annots") or ()]
    except MemoryError:
        raise
    except Exception:  # see above
        into.note("damaged")
        return
    if not legible:
        into.note("unknown-kind")
    into.say(text + "\n")
    into.say("\n".join([note for note in notes if note]))


def _is_legible(page: Any) -> bool:
    """Tell whether every font of a page says which characters its codes are (ISO 32000-2 9.10.2)."""
    resources = page.get("/Resources")
    fonts = resources.get_object().get("/Font") if resources is not None else None
    for reference in fonts.get_object().values() if fonts is not None else ():
        font = reference.get_object()
        composite = font.get("/Subtype") == "/Type0"
        if composite and "/ToUnicode" not in font and str(font.get("/Encoding")) not in _LEGIBLE:
            return False
    return True


def _note(annotation: Any) -> str:
    content = annotation.get_object().get("/Contents")
    return whole(str(content)) if content is not None else ""


def _say_form(reader: PdfReader, into: Gathering) -> None:
    try:
        fields = reader.get_form_text_fields() or {}
        values = [whole(str(value)) for value in fields.values() if value]
    except MemoryError:
        raise
    except Exception:  # see above
        into.note("damaged")
        return
    into.say("\n".join(values))


def _read_embedded(file: File, reader: PdfReader, into: Gathering) -> None:
    try:
        embedded = [(str(name), octets) for name, parts in reader.attachments.items() for octets in parts]
    except MemoryError:
        raise
    except Exception:  # see above
        into.note("damaged")
        return
    for name, octets in embedded:
        into.budget.unpack(len(octets))
        into.member(file.prefix + whole(name))
        read_file(file.inside(whole(name), octets), into)
