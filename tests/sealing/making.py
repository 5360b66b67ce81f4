"""Orders and mails for the tests of sealing; nothing here was written by anybody else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

from gateway.message.header import split
from gateway.message.mime import Structure, scan_structure
from gateway.policy.handling import Seen
from gateway.policy.protection import How
from gateway.sealing.order import Order
from gateway.transform.part_content import content_of
from tests.evidence.content.making import docx, mail, paragraph, part, pdf, xlsx

KEY = "kaede-tsuru-minato"
AT = datetime(2026, 11, 21, 9, 30)  # noqa: DTZ001 - what a clock on a wall shows
WORDS = "名簿の内容 distinct content of the file 4711"

LINES = [f"{WORDS} {hashlib.sha256(b'%d' % number).hexdigest()}" for number in range(300)]

DOCX = docx("".join(map(paragraph, LINES)))
XLSX = xlsx("".join(f'<c t="inlineStr"><is><t>{line}</t></is></c>' for line in LINES))
PDF = pdf("words of the PDF 4711")
TEXT = (WORDS + "\r\n").encode() * 50

FILES = {"report.pdf": PDF, "list.docx": DOCX, "table.xlsx": XLSX, "notes.txt": TEXT}


def mail_with(files: dict[str, bytes] | None = None) -> bytes:
    """Return a mail with these files, by default one of each form."""
    return mail(*(part(name, octets) for name, octets in (FILES if files is None else files).items()))


def order_for(
    places: Iterable[int], how: How, *, key: str = KEY, note: str = "", hide_names: bool = False
) -> Order:
    """Return the order to treat all these files alike."""
    return Order(tuple((place, how) for place in places), key, note, AT, hide_names=hide_names)


def places_of(seen: Seen) -> list[int]:
    return [each.place for each in seen.files]


def structure_of(raw: bytes) -> Structure:
    header, body_at = split(raw)
    return scan_structure(raw, header, body_at)


def parts_of(raw: bytes) -> dict[str, bytes]:
    """Return what the named parts of a mail hold, decoded."""
    return {each.name: b"".join(content_of(raw, each)) for each in structure_of(raw).parts if each.name}


def text_of(raw: bytes) -> str:
    """Return the first text of a mail, decoded."""
    plain = next(each for each in structure_of(raw).parts if each.content_type == "text/plain")
    return b"".join(content_of(raw, plain)).decode()
