"""The lenient reading of a field: whatever looks like an address, in every form a reader's program might make
of it.

Promise: linear in the value, never raises, and rather finds one too many than one too few. Read are the value
as text, the raw octets where their charset is a guess, the value with its encoded words decoded, and the
value with comments, folding and white space around `@` and dots taken out. An address needs a dot in its
domain here; `user@host` is left to the strict reading, because people write "@ home" in names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.message import charset
from gateway.message.address import MAX_LOCAL_OCTETS, Address, AddressError, normalise_domain, parse_path
from gateway.message.text import decode_header

MAX_SCAN = 128 << 10
"""Octets of one value that are scanned. Receive refuses longer fields; the strict reading is not confident beyond this."""

_SIGNS = "@＠﹫"
_WIDE = {"＠": "@", "﹫": "@", "．": ".", "。": ".", "｡": ".", "\u3000": " ", "\u00a0": " "}
# Characters that no reader sees must not hide an address.
_UNSEEN = dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff")
_AT_SIGNS = str.maketrans(_WIDE | _UNSEEN)
_STOP = (
    r"\x00-\x20\x7f-\xa0\"(),:;<>@\[\]\\\u3000\u2028\u2029\u200b\ufeff\ufffd（）＜＞「」『』【】、，；：”“"
)
_AT = re.compile(rf'(?<=[^{_STOP}]|")@(?=[^{_STOP}]|\[)')
_LOCAL_BACKWARDS = re.compile(rf"[^{_STOP}]{{1,{MAX_LOCAL_OCTETS}}}+")
_QUOTED_BACKWARDS = re.compile(rf'"[^"\x00-\x1f]{{0,{MAX_LOCAL_OCTETS}}}+"')
_DOMAIN = re.compile(rf"[^{_STOP}!#$%&'*+/=?^`{{|}}~’]{{1,253}}+")
_LITERAL = re.compile(r"\[[0-9A-Za-z:.]{1,64}\]")
_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.(?:[a-z]{2,}|xn--[a-z0-9-]+)")
_COMMENT_PART = re.compile(r'[()]|"(?:[^"\\]|\\.)*+"|\\.', re.DOTALL)
# White space next to an `@` or a dot. Tried at the first of a run only: a run tried at each of its places costs its square.
_LOOSE = re.compile(r"(?<=[@.])[ \t\r\n]++|(?<![ \t\r\n])[ \t\r\n]++(?=[@.])")
_ESCAPE = re.compile(rb"\x1b(?:\$\(?|\(|[)*+,\-./])[0@-Z]")
_HIGH = bytes([octet if octet < 0x80 and octet != 0x1B else 0x20 for octet in range(256)])


def may_hold_address(value: bytes) -> bool:
    """Tell quickly whether a value has an `@` in any form: as it is, encoded, or among raw 8-bit text."""
    if b"@" in value or b"\x1b" in value:
        return True
    if value.isascii():
        return b"=?" in value and at_signs(decode_header(value)) > 0
    return b"=?" in value or b"\r\n" in value or at_signs(charset.guess(value)[0]) > 0


def at_signs(text: str) -> int:
    """Count what is an `@` to a reader."""
    return text.count("@") if text.isascii() else sum(map(text.count, _SIGNS))


def lenient(value: bytes) -> Iterator[Address]:
    """Yield everything that looks like an address, with repetitions."""
    value = value[:MAX_SCAN]
    joined = value.replace(b"\r\n", b"")
    text, certain = charset.guess(joined)
    yield from _find(text)
    if not certain or b"\x1b" in value:
        octets = _ESCAPE.sub(b" ", value).translate(_HIGH).decode("ascii")
        yield from (found for found in _find(octets) if _HOST.fullmatch(found.domain))
    if b"=?" in value:
        text = decode_header(value)
        yield from _find(text)
    text = text if text.isascii() else text.translate(_AT_SIGNS)
    if "(" in text or _LOOSE.search(text) is not None:
        yield from _find(_LOOSE.sub("", without_comments(text)))
    if b"\r\n" in value:
        yield from _find(re.sub(r"\r\n[ \t]+", "", charset.guess(value)[0]))


def _find(text: str) -> Iterator[Address]:
    if not text.isascii():
        text = text.translate(_AT_SIGNS)
    for match in _AT.finditer(text):
        found = _around(text, match.start())
        if found is not None:
            yield found


def _around(text: str, at: int) -> Address | None:
    """Read outwards from an `@`; windows of fixed length keep it linear."""
    domain = _domain_at(text, at + 1)
    if domain is None:
        return None
    backwards = text[max(0, at - MAX_LOCAL_OCTETS - 2) : at][::-1]
    match = _QUOTED_BACKWARDS.match(backwards) or _LOCAL_BACKWARDS.match(backwards)
    if match is None:
        return None
    local = match[0][::-1]
    if local.startswith("'") and text[at + 1 + len(domain) :].startswith("'"):
        local = local[1:]  # 'taro@example.jp' <taro@example.jp>, as Outlook writes names
    return _address(local, domain) if local else None


def _domain_at(text: str, start: int) -> str | None:
    match = _LITERAL.match(text, start) or _DOMAIN.match(text, start)
    if match is None:
        return None
    domain = match[0].rstrip(".-")
    return domain if "." in domain or domain.startswith("[") else None


def _address(local: str, domain: str) -> Address:
    try:
        return parse_path(f"{local}@{domain}")
    except AddressError:
        return Address(local, _domain_or_text(domain), ambiguous=True)


def _domain_or_text(domain: str) -> str:
    try:
        return normalise_domain(domain)
    except AddressError:
        return domain.casefold()


def without_comments(text: str) -> str:
    """Take comments out; an unclosed one takes nothing, so that it cannot hide the rest."""
    out: list[str] = []
    depth, kept_to = 0, 0
    for match in _COMMENT_PART.finditer(text):
        if match[0] == "(":
            if depth == 0:
                out.append(text[kept_to : match.start()])
                kept_to = match.start()
            depth += 1
        elif match[0] == ")" and depth:
            depth -= 1
            kept_to = match.end() if depth == 0 else kept_to
    out.append(text[kept_to:])
    return "".join(out)
