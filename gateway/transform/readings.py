"""The ways in which a reader, or a program behind the reader, may read one header value; hidden addresses are sought in each.

Raw octets, RFC 2047 decoded, full-width letters, white space or comments around `@` and `.`, a value folded inside an
address, a parameter continued over several (RFC 2231 3), a sender rewritten by a forwarder (SRS), and what programs wrap
addresses in, some layers deep: percent signs (RFC 2231, links), HTML entities, `=40` (DKIM's copy of To), JSON. Only for
searching: no reading is ever written into a mail.
"""

from __future__ import annotations

import html
import re
from urllib.parse import unquote

from gateway.message.address_scan import without_comments
from gateway.message.compatibility import nfkc
from gateway.message.header import Field
from gateway.message.text import decode_header

LAYERS = 3
"""Codings within one another that are undone: a link in a link in an entity is what tracking services write."""

# A value without any of these holds no address in any reading. ESC and 8-bit octets may decode to a full-width `@`; `=`
# opens encoded words; what may stand for the `@` is said in hidden.py.
_SUSPECT = re.compile(rb"[@=&%+_#\\\x1b\x80-\xff]")
_BROKEN_FOLD = re.compile(rb"\r\n[ \t]+")
_ISO_2022 = re.compile(r"\x1b[$(][@-_]?[@-_]")
_COMMENT = re.compile(r"\([^()]*\)")
_HEX = re.compile(r"=([0-9A-Fa-f]{2})")
_JSON = re.compile(r"\\u00([2-7][0-9A-Fa-f])")
_SRS = re.compile(r"=([\w.-]{1,253})=([^=@\s<>]{1,128})@", re.ASCII)
# Tried at the first place of a run of white space only: a run tried at each of its places costs its square.
_LOOSE = re.compile(r"(?<=[@.])\s++|(?<!\s)\s++(?=[@.])")
_UNTIDY = re.compile(r"\s[@.]|[@.]\s|\(")
_MARKS = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")
_PIECE = re.compile(r";\s*+([\w-]{1,80})\*(\d{1,6})\*?\s*+=\s*+(\"(?:[^\"\\]|\\.)*+\"|[^\s;]*+)", re.DOTALL)
# What no reader sees (controls of direction, joiners, soft hyphens, variation selectors) must not split an address.
_UNSEEN = dict.fromkeys(
    (
        *(0xAD, 0x34F, 0x61C, 0x180E, 0xFEFF),
        *range(0x200B, 0x2010),
        *range(0x202A, 0x202F),
        *range(0x2060, 0x2070),
        *range(0xFE00, 0xFE10),
    )
)


def readings(field: Field) -> tuple[str, ...]:
    """Return the distinct readings of a field's value, not yet folded in case; none where it can hold no address."""
    body = field.body
    if _SUSPECT.search(body) is None:
        return ()
    found = dict.fromkeys(_texts(body, field.value))
    for text in tuple(found):
        found.update(dict.fromkeys(_unwrapped(text)))
    return tuple(found)


def fold(text: str) -> str:
    """Return the form that texts are compared in: NFKC (full-width letters), case-folded, ideographic full stop as dot,
    without what no reader sees."""
    if text.isascii():
        return text.lower()
    return nfkc(text.translate(_UNSEEN)).casefold().replace("。", ".")


def fold_with_origin(text: str) -> tuple[str, list[int]]:
    """Return the folded text and, for each of its characters, the index of the one it came from."""
    pieces = [fold(char) for char in text]
    origin = [index for index, piece in enumerate(pieces) for _ in piece]
    return "".join(pieces), origin


def _texts(body: bytes, value: bytes) -> list[str]:
    texts = _as_texts(value)
    if b"\r\n" in body:
        texts += _as_texts(_BROKEN_FOLD.sub(b"", body))
    if b"=?" in value or b"\x1b" in value or not value.isascii():
        texts.append(decode_header(value))
    return texts


def _as_texts(octets: bytes) -> list[str]:
    """Return the octets as text, with escape sequences as readers show them that know none, and without them."""
    text = octets.decode("utf-8", "replace")
    return [text, _ISO_2022.sub(" ", text)] if "\x1b" in text else [text]


def _unwrapped(text: str) -> list[str]:
    """Undo what hides an address from a plain search."""
    decoded = [text, *_peeled(text)]
    if "%" in text and "&" in text:
        decoded += [unquote(text, errors="replace"), html.unescape(text)]
    if "=" in text and (found := _SRS.findall(text)):
        decoded.append(" ".join([f"{local}@{domain}" for domain, local in found]))
    # `com` and an accent are no `com` any more once they are joined.
    if not text.isascii() and _MARKS.search(text):
        decoded.append(_MARKS.sub("", text))
    if "*" in text:
        decoded += _continued(text)
    untidy = [each for each in decoded if _UNTIDY.search(each)]
    tidy = [_LOOSE.sub("", each) for raw in untidy for each in (_COMMENT.sub("", raw), without_comments(raw))]
    return decoded + tidy


def _peeled(text: str) -> list[str]:
    """Return the text with one coding after the other taken off, as long as there is one."""
    found: list[str] = []
    for _ in range(LAYERS):
        peeled = _peel(text)
        if peeled == text:
            break
        found.append(peeled)
        text = peeled
    return found


def _peel(text: str) -> str:
    if "=40" in text:
        text = _HEX.sub(_character, text)
    if "%" in text:
        text = unquote(text, errors="replace")
    if "&" in text:
        text = html.unescape(text)
    if "\\" in text:
        text = _JSON.sub(_character, text).replace("\\", "")
    return text


def _character(code: re.Match[str]) -> str:
    return chr(int(code[1], 16))


def _continued(text: str) -> list[str]:
    """Join parameters that are cut into pieces (RFC 2231 3), by their numbers: pieces may stand apart and in any order."""
    pieces: dict[str, list[tuple[int, str]]] = {}
    for name, number, value in _PIECE.findall(text):
        plain = value[1:-1] if value.startswith('"') else value
        pieces.setdefault(name.lower(), []).append((int(number), plain))
    joined = ("".join(value for _, value in sorted(each)) for each in pieces.values())
    return [unquote(each, errors="replace") for each in joined]
