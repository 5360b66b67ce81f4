"""The draft report as a Word document: the sections written with python-docx, of which this is the only home.

Made in memory from texts that were checked before (draft_sections.py); it holds no macro, no link and no field. What XML
cannot carry becomes a replacement character, so that no odd subject makes a file that does not open.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from zoneinfo import ZoneInfo

from docx import Document
from docx.document import Document as Written
from docx.enum.text import WD_COLOR_INDEX
from docx.oxml.ns import qn
from docx.shared import Cm, Pt
from docx.styles.style import ParagraphStyle

from gateway.audit.timeline import Timeline
from gateway.incidents.clocks import Verdict
from gateway.incidents.contract import Incident
from gateway.incidents.draft_sections import TO_WRITE, Item, Sections, sections
from gateway.spool.values import Stored

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
FONT = "Yu Gothic"  # what Japanese offices have; others put theirs in its place
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0 2.2


def draft(
    incident: Incident,
    message: Stored | None,
    story: Timeline | None,
    found: Verdict,
    zone: ZoneInfo,
    now: datetime,
) -> bytes:
    """Return the draft as the octets of a .docx file."""
    return written(sections(incident, message, story, found, zone, now))


def written(what: Sections) -> bytes:
    """Return the document that says this."""
    document = _blank()
    document.add_heading(_text(what.title), level=0)
    document.add_paragraph(_text(what.made))
    document.add_paragraph(_text(what.caution))
    document.add_heading("報告の期限（目安）", level=1)
    for line in what.deadlines:
        document.add_paragraph(_text(line), style="List Bullet")
    for item in what.items:
        _item(document, item)
    document.add_heading("別紙1　時系列（イベント記録から）", level=1)
    _table(document, ("日時", "行った人", "内容"), what.timeline, (4.2, 4.8, 7.0))
    document.add_heading("別紙2　回収の状況", level=1)
    _table(document, ("宛先", "取り消しの結果", "削除の依頼"), what.recovery, (5.5, 6.0, 4.5))
    for line in what.left_out:
        document.add_paragraph(_text(line))
    return _octets(document)


def _blank() -> Written:
    document = Document()
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21.0), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.5)
    for name in ("Normal", "Title", "Heading 1"):
        style = document.styles[name]
        assert isinstance(style, ParagraphStyle)  # noqa: S101 - of the template that python-docx brings
        style.font.name = FONT
        style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), FONT)
    normal = document.styles["Normal"]
    assert isinstance(normal, ParagraphStyle)  # noqa: S101
    normal.font.size = Pt(10.5)
    return document


def _item(document: Written, item: Item) -> None:
    document.add_heading(_text(item.title), level=1)
    for line in item.known:
        document.add_paragraph(_text(line))
    for line in item.to_write:
        run = document.add_paragraph().add_run(f"{TO_WRITE}{_text(line)}")
        run.font.highlight_color = WD_COLOR_INDEX.YELLOW


def _table(
    document: Written, heads: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[float]
) -> None:
    if not rows:
        document.add_paragraph("記録はありません。")
        return
    table = document.add_table(rows=1 + len(rows), cols=len(heads))
    table.style = "Table Grid"
    cells = table._cells  # one walk: `table.rows[n].cells` walks the whole table for each row
    for place, text in enumerate([*heads, *[text for row in rows for text in row]]):
        cells[place].text = _text(text)
        cells[place].width = Cm(widths[place % len(widths)])


def _octets(document: Written) -> bytes:
    """Return the file, without a name of who made it: whoever hands it in signs it."""
    properties = document.core_properties
    properties.author, properties.title, properties.comments = "", "", ""
    made = BytesIO()
    document.save(made)
    return made.getvalue()


def _text(text: str) -> str:
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", text)
