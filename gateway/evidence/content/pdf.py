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
        notes = [_note(note) for note in page.get("/Annots") or ()]
    except MemoryError:
        raise
    except Exception:  # see above
        into.note("damaged")
        return
    into.say(text + "\n")
    into.say("\n".join([note for note in notes if note]))


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
