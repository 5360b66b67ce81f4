"""Put texts under a text/plain part: in its own charset and transfer encoding where they can be said in it, else the part is
written anew in UTF-8. Pure.

Law, checked on each result: the decoded part is what it was, and the addition behind it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gateway.message import charset
from gateway.message.mime_part import IDENTITY
from gateway.transform.part_octets import (
    decoded,
    encoded_anew,
    header_anew,
    in_base64,
    in_quoted_printable,
)
from gateway.values import dataclass

_ASCII_LABELS = frozenset({"", "us-ascii", "ascii", "ansi_x3.4-1968", "646", "iso646-us"})
_APPENDABLE = re.compile(
    r"utf-8|cp932|euc_jp|cp125\d|iso8859_\d+|gb18030|cp949|big5hkscs|koi8-[ru]|cp874|tis-620"
)
_ESCAPE = re.compile(rb"\x1b(?:\$[@B]|\$\([@BDOPQ]|\([BHIJ])")
_TO_ASCII = b"\x1b(B"
_STUFFED = (" ", ">", "From ")


@dataclass(frozen=True, slots=True)
class Body:
    """A part as it stands: its header section, its encoded octets, and what they are."""

    section: bytes
    octets: bytes
    encoding: str
    charset: str
    flowed: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """A part written anew; `section` is None where its header section stays. `why` says that it cannot be."""

    octets: bytes = b""
    section: bytes | None = None
    why: str = ""


def put_under(body: Body, plain: bytes, texts: Sequence[str], *, anew: bool = False) -> Written:
    """Put the texts under the part, whose decoded octets are `plain`; `anew` does not try its own charset first."""
    if not anew:
        octets = _in_its_own_way(body, plain, addition(plain.decode("latin-1"), texts, flowed=body.flowed))
        if octets is not None:
            return Written(octets)
    text = certain_text(plain, body.charset)
    if text is None:
        return Written(why="charset")
    added = addition(text, texts, flowed=body.flowed)
    encoding, octets = encoded_anew((text + added).encode(), opaque=anew)
    section = header_anew(body.section, encoding, "utf-8")
    return Written(why="part-header") if section is None else Written(octets, section)


def addition(above: str, texts: Sequence[str], *, flowed: bool) -> str:
    """Return what goes behind a text: an empty line, then the texts with an empty line between; lines end with CRLF."""
    lines = "\n\n".join(texts).split("\n")
    if flowed:  # RFC 3676 4.4: a line that begins like a quotation is stuffed with a space
        lines = [f" {line}" if line.startswith(_STUFFED) else line for line in lines]
    before = "" if not above else "\r\n" if above.endswith("\n") else "\r\n\r\n"
    return before + "\r\n".join(lines) + "\r\n"


def certain_text(plain: bytes, label: str) -> str | None:
    """Return the text that octets certainly are, by their label or, without one, by what they look like."""
    if label in _ASCII_LABELS:
        text, certain = charset.guess(plain)
        return text if certain else None
    return charset.strictly(plain, label)


def _in_its_own_way(body: Body, plain: bytes, added: str) -> bytes | None:
    octets = _in_charset(added, body.charset, plain)
    if octets is None:
        return None
    made = _appended(body, plain, octets)
    return made if made is not None and decoded(made, body.encoding) == plain + octets else None


def _in_charset(added: str, label: str, plain: bytes) -> bytes | None:
    """Return the addition in the part's charset; None where it cannot be said in it, or only by chance could be read."""
    if label in _ASCII_LABELS:
        return added.encode() if added.isascii() and plain.isascii() and b"\x1b" not in plain else None
    if not charset.known(label):
        return None
    if not added.isascii() and charset.strictly(plain, label) is None:
        return None  # mislabelled: readers guess, and what is added would change their guess
    name = charset.codec(label)
    try:
        if name == "iso2022_jp_ext":
            return back_in_ascii(plain) + added.encode("iso2022_jp")
        return added.encode(name) if _APPENDABLE.fullmatch(name) else None
    except UnicodeEncodeError:
        return None


def back_in_ascii(octets: bytes) -> bytes:
    """Return what brings ISO-2022-JP that ends in the middle of kanji back to ASCII; nothing where it is there."""
    spans = kanji_of(octets)
    return _TO_ASCII if spans and spans[-1][1] == len(octets) and not octets.endswith(_TO_ASCII) else b""


def kanji_of(octets: bytes) -> list[tuple[int, int]]:
    """Return where ISO-2022-JP says something else than ASCII: from an escape sequence to the one that ends it."""
    spans: list[tuple[int, int]] = []
    start: int | None = None
    for found in _ESCAPE.finditer(octets) if b"\x1b" in octets else ():
        if found[0] != _TO_ASCII:
            start = found.start() if start is None else start
        elif start is not None:
            spans.append((start, found.end()))
            start = None
    return [*spans, (start, len(octets))] if start is not None else spans


def _appended(body: Body, plain: bytes, octets: bytes) -> bytes | None:
    if body.encoding == "base64":
        return in_base64(plain + octets)
    if body.encoding == "quoted-printable":
        open_end = b"\r\n" if body.octets.endswith(b"=") else b""
        return body.octets + open_end + in_quoted_printable(octets)
    # 8-bit octets in what was 7-bit would keep it from servers without 8BITMIME.
    if body.encoding in IDENTITY and (octets.isascii() or not body.octets.isascii()):
        return body.octets + octets
    return None
