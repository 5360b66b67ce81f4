"""What a copy says: its text, its HTML and the pictures in it, found in the octets that would leave. Pure.

Promise: never raises on any octets; what is too long is cut and says so. An attached mail is a file, not text of this one.
Character sets are read as evidence reads them: by mark, by label, by guess (ISO-2022-JP, Shift_JIS and EUC-JP are the normal
case). Not its job: making HTML harmless (safe_html.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from urllib.parse import unquote

from gateway.evidence.content.markup import page
from gateway.evidence.content.octets import text_of, undone
from gateway.message.header import split
from gateway.message.mime import Part, scan_structure
from gateway.values import dataclass

MAX_TEXT = 200_000  # characters of text on a page: some 100 printed pages
MAX_HTML = 512 << 10  # characters of HTML that are made harmless; newsletters have 100 KiB
MAX_PICTURES = 200  # parts that a text may name; the walk stops at 1,000 parts
TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})  # SVG is a program
_MESSAGES = frozenset({"message/rfc822", "message/global"})


@dataclass(frozen=True, slots=True)
class Letter:
    """The text of one copy. `plain` is made from the HTML where the mail has no other (`from_html`).

    `pictures` are pictures of the text by Content-ID, lower case: the octets as they stand in the mail are decoded by
    `picture`, when somebody asks. `cut`: there is more text than is kept.
    """

    plain: str = ""
    html: str = ""
    from_html: bool = False
    cut: bool = False
    raw: bytes = field(default=b"", repr=False)
    pictures: Mapping[str, Part] = field(default_factory=dict, repr=False)

    def picture(self, content_id: str, most: int) -> bytes | None:
        """Return the octets of a picture of at most so many; None where there is none, or a larger one."""
        part = self.pictures.get(unquote(content_id).lower())
        if part is None or part.size_bytes > most:
            return None
        octets = undone(self.raw[part.body_at : part.end], part.encoding)
        return octets if len(octets) <= most else None


def read(copy: bytes) -> Letter:
    """Read one copy as it would leave."""
    header, body_at = split(copy)
    parts = scan_structure(copy, header, body_at).parts
    texts = list(_texts(parts))
    html, html_cut = _said(copy, [part for part in texts if part.content_type == "text/html"], MAX_HTML)
    plain, cut = _said(copy, [part for part in texts if part.content_type != "text/html"], MAX_TEXT)
    derived = not plain.strip() and bool(html)
    if derived:
        whole = page(html).text.strip()
        plain, cut = whole[:MAX_TEXT], html_cut or len(whole) > MAX_TEXT
    return Letter(plain, html, derived, cut, copy, _pictures(parts))


def _texts(parts: tuple[Part, ...]) -> Iterator[Part]:
    """Yield the parts that are the text of this mail: no files, and nothing of a mail inside."""
    inside = len(parts) + 1
    for part in parts:
        if part.depth > inside:
            continue
        inside = part.depth if part.content_type in _MESSAGES else len(parts) + 1
        if part.content_type.startswith("text/") and not part.is_attachment:
            yield part


def _said(raw: bytes, parts: list[Part], most: int) -> tuple[str, bool]:
    """Return the texts one below the other, and whether something had to be left out."""
    said: list[str] = []
    left = most
    for part in parts:
        # Four octets hold a character in every charset known here; three in base64 are four on the wire, QP takes three each.
        end = min(part.end, part.body_at + 12 * left)
        text = text_of(undone(raw[part.body_at : end], part.encoding), part.charset)
        text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
        said.append(text[:left])
        left -= len(text)
        if left < 0 or end < part.end:
            return "\n".join(said), True
    return "\n".join(said), False


def _pictures(parts: tuple[Part, ...]) -> dict[str, Part]:
    named = [part for part in parts if part.content_id and part.content_type in TYPES]
    return {unquote(part.content_id).lower(): part for part in named[:MAX_PICTURES]}
