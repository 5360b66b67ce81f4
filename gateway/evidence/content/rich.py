"""Rich Text Format, as Word writes it: its text without its controls (Microsoft RTF 1.9.1)."""

from __future__ import annotations

import re

from gateway.evidence.content.files import File
from gateway.evidence.content.gathering import Gathering
from gateway.evidence.content.octets import whole
from gateway.message import charset

_TOKEN = re.compile(
    rb"\\'([0-9a-fA-F]{2})|\\u(-?[0-9]{1,6})[ ]?|\\([a-zA-Z]{1,32})(-?[0-9]{1,10})?[ ]?|\\([^a-zA-Z0-9])|([{}])|([^\\{}\r\n]+)"
)
_PAGE = re.compile(rb"\\ansicpg([0-9]{3,5})")
_LINES = frozenset({b"par", b"line", b"row", b"page", b"sect"})
_SKIPPED = frozenset(
    {
        b"fonttbl",
        b"colortbl",
        b"stylesheet",
        b"info",
        b"pict",
        b"themedata",
        b"datastore",
        b"listtable",
        b"rsidtbl",
    }
)
_HEAD = 1_024


def read(file: File, into: Gathering) -> None:
    """Read the text; embedded objects are not read, and say so."""
    into.tell(encrypted=False, macros=False)
    into.say(text_of_rtf(file.octets))
    if b"\\objdata" in file.octets:
        into.note("unknown-kind")


def text_of_rtf(octets: bytes) -> str:
    """Return the text without its controls."""
    page = _PAGE.search(octets, 0, _HEAD)
    label = f"cp{page[1].decode()}" if page else "cp932"
    out: list[str] = []
    run = bytearray()  # octets of one charset that wait for the rest of their character

    def flush() -> None:
        if run:
            out.append(charset.decode(bytes(run), label))
            run.clear()

    depth, skipped_from, to_skip = 0, 0, 0
    for match in _TOKEN.finditer(octets):
        escaped, code, word, _, sign, brace, plain = match.groups()
        if brace:
            depth += 1 if brace == b"{" else -1
            skipped_from = 0 if depth < skipped_from else skipped_from
        elif skipped_from:
            continue
        elif escaped or plain:
            octets_here = bytes([int(escaped, 16)]) if escaped else plain
            run += octets_here[to_skip:]
            to_skip = 0
        elif code:
            flush()
            out.append(chr(int(code) & 0xFFFF))
            to_skip = 1  # what stands behind is for programs that know no Unicode
        elif word in _SKIPPED or sign == b"*":
            skipped_from = depth
        elif word in _LINES or word in (b"tab", b"cell"):
            flush()
            out.append("\n" if word in _LINES else "\t")
        elif sign in (b"\\", b"{", b"}"):
            run += sign
    flush()
    return whole("".join(out).replace("\0", ""))
