"""Put texts into a text/html part, before the end of its body. Pure.

What is inserted is ASCII, other characters as references, so that it fits the part's charset whatever that is; only where the
charset is not built on ASCII the part is left alone. All octets of the decoded part stay, in their order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from gateway.message import charset
from gateway.message.mime_part import IDENTITY
from gateway.policy.disclaimers import Disclaimer
from gateway.transform.part_octets import (
    MAX_LINE,
    decoded,
    encoded_anew,
    header_anew,
    in_base64,
    in_quoted_printable,
)
from gateway.transform.under_plain import Body, Written, back_in_ascii, kanji_of

_NOT_ON_ASCII = frozenset({"utf-7", "utf-16", "utf-16le", "utf-16be", "iso2022_kr"})
_ENDS = (re.compile(rb"</body(?=[\s>/])", re.IGNORECASE), re.compile(rb"</html(?=[\s>/])", re.IGNORECASE))


def put_into(body: Body, plain: bytes, texts: Sequence[Disclaimer], *, anew: bool = False) -> Written:
    """Put the texts into the part, whose decoded octets are `plain`; `anew` always gives it another transfer encoding."""
    if charset.known(body.charset) and charset.codec(body.charset) in _NOT_ON_ASCII:
        return Written(why="charset")
    at = end_of_body(plain)
    piece = back_in_ascii(plain[:at]) + b"".join(map(_piece, texts))
    whole = plain[:at] + piece + plain[at:]
    if not anew:
        octets = _in_its_own_encoding(body, plain, at, piece)
        if octets is not None and decoded(octets, body.encoding) == whole:
            return Written(octets)
    encoding, octets = encoded_anew(whole, opaque=anew)
    section = header_anew(body.section, encoding, None)
    return Written(why="part-header") if section is None else Written(octets, section)


def end_of_body(plain: bytes) -> int:
    """Return where the body ends: before the last </body> that is no comment, else the last </html>, else at the end."""
    tags = bytearray(plain)
    for start, end in (*_comments(plain), *kanji_of(plain)):
        tags[start:end] = bytes(end - start)
    for pattern in _ENDS:
        last = max((found.start() for found in pattern.finditer(tags)), default=None)
        if last is not None:
            return last
    return len(plain)


def _comments(plain: bytes) -> list[tuple[int, int]]:
    found = []
    at = plain.find(b"<!--")
    while at >= 0:
        end = plain.find(b"-->", at + 4)
        if end < 0:
            break  # never closed: browsers read on as if it were text
        found.append((at, end))
        at = plain.find(b"<!--", end)
    return found


def _piece(text: Disclaimer) -> bytes:
    inner = text.html or escape(text.text).replace("\n", "<br>\n")
    lines = "\r\n".join(inner.split("\n"))
    return f"\r\n<div>\r\n{lines}\r\n</div>\r\n".encode("ascii", "xmlcharrefreplace")


def _in_its_own_encoding(body: Body, plain: bytes, at: int, piece: bytes) -> bytes | None:
    if body.encoding == "base64":
        return in_base64(plain[:at] + piece + plain[at:])
    if body.encoding == "quoted-printable":
        place = _place_in_quoted(body.octets, plain, at)
        if place is None:
            return None
        return body.octets[:place] + in_quoted_printable(piece) + body.octets[place:]
    if body.encoding in IDENTITY and all(len(line) <= MAX_LINE for line in piece.split(b"\r\n")):
        return body.octets[:at] + piece + body.octets[at:]
    return None


def _place_in_quoted(octets: bytes, plain: bytes, at: int) -> int | None:
    """Find the place `at` of the decoded part in its quoted-printable form: where the tag stands there as it is."""
    if at == len(plain):
        return len(octets) if not octets.endswith(b"=") else None
    tag = plain[at : at + 6]
    place = octets.rfind(tag)
    while place >= 0:
        if decoded(octets[:place], "quoted-printable") == plain[:at]:
            return place
        place = octets.rfind(tag, 0, place) if octets.count(tag, 0, place) <= 3 else -1
    return None
