"""Mails made to cost much: one generator for each way to be large, deep, long or ambiguous; pure, deterministic.

Each takes the octets it may fill and returns a whole mail in wire form that SMTP would carry: CRLF line ends, no line over 998
octets, so that nothing but our own bounds stops it.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable

HEAD = b"From: office@sports.example.jp\r\nTo: a@example.com, b@example.net\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
FIELD = 99_000  # octets of one field, below the bound of the header section's own check
SECTION = 500_000  # octets of a header section, below it, too
LINE = 900


def _folded(unit: bytes, octets: int, first: bytes = b"") -> bytes:
    """Repeat a unit over folded lines of some LINE octets."""
    line = unit * max(1, LINE // len(unit))
    return first + b"\r\n ".join([line] * max(1, octets // (len(line) + 3)))


def _fields(name: bytes, unit: bytes, octets: int, first: bytes = b"") -> bytes:
    """Return as many fields of FIELD octets as `octets` hold, and the rest in one more."""
    sizes = [FIELD] * (octets // FIELD) + [octets % FIELD]
    return (
        HEAD
        + b"".join(name + b": " + _folded(unit, size, first) + b"\r\n" for size in sizes if size)
        + b"\r\nx\r\n"
    )


def _header(name: bytes, unit: bytes, first: bytes = b"") -> Callable[[int], bytes]:
    return lambda octets: _fields(name, unit, min(octets, SECTION), first)


def _short_fields(octets: int) -> bytes:
    count = min(octets // 30, 990)
    return HEAD + b"".join(b"X-%d: ana=example.com%d\r\n" % (n, n) for n in range(count)) + b"\r\nx\r\n"


def _parts(octets: int) -> bytes:
    return (
        HEAD
        + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        + b"--b\r\n\r\n\r\n" * (octets // 9)
        + b"--b--\r\n"
    )


def _dashes(octets: int) -> bytes:
    return (
        HEAD
        + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n"
        + b"--\r\n" * (octets // 4)
        + b"--b--\r\n"
    )


def _prefixed_dashes(octets: int) -> bytes:
    long = b"--" + b"b" * 250
    return (
        HEAD
        + b"Content-Type: multipart/mixed; boundary=%b\r\n\r\n" % (b"b" * 251)
        + (long + b"\r\n") * (octets // 254)
    )


def _nested_multiparts(octets: int) -> bytes:
    layers = [
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(octets // 55)
    ]
    return HEAD + b"".join(layers) + b"\r\nx\r\n"


def _nested_messages(octets: int) -> bytes:
    return HEAD + b"Content-Type: message/rfc822\r\n\r\n" * (octets // 32) + b"\r\nx\r\n"


def _part_headers(octets: int) -> bytes:
    part = b"--b\r\nContent-Type: text/plain" + b"; x=y" * 190 + b"\r\n" + b"X: y\r\n" * 9_000 + b"\r\n\r\n"
    return (
        HEAD
        + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        + part * (octets // len(part))
        + b"--b--\r\n"
    )


def _parameters(octets: int) -> bytes:
    pieces = b"".join(b";\r\n name*%d*=%%E3%%81%%82" % n for n in range(min(octets, FIELD) // 22))
    return HEAD + b"Content-Type: text/plain" + pieces + b"\r\n\r\nx\r\n"


def _base64(octets: int) -> bytes:
    line = b64encode(bytes(57)) + b"\r\n"
    head = b"Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return HEAD + head + line * (octets // len(line))


def _quoted(octets: int) -> bytes:
    head = b"Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    return HEAD + head + (b"=3D" * 24 + b"=\r\n") * (octets // 75)


def _begins(octets: int) -> bytes:
    return HEAD + b"\r\n" + b"begin 644 \r\n" * (octets // 12)


def _dots(octets: int) -> bytes:
    return HEAD + b"\r\n" + b".\r\n" * (octets // 3)


_WORD = b"=?utf-8?b?" + b64encode("様 a@example.org ".encode()) + b"?= "
BOMBS: dict[str, Callable[[int], bytes]] = {
    "addresses in To": _header(b"To", b"a@example.com, "),
    "names and addresses in Cc": _header(b"Cc", b'"Yamada, Taro" <taro@example.com>, '),
    "unclear addresses in To": _header(b"To", b"a @ b.example.com;"),
    "at signs in To": _header(b"To", b"@"),
    "a@ in To": _header(b"To", b"a@"),
    "a@b. in Reply-To": _header(b"Reply-To", b"a@b."),
    "encoded words in To": _header(b"To", _WORD),
    "encoded words in Subject": _header(b"Subject", _WORD),
    "short encoded words in Subject": _header(b"Subject", b"=?a?q??="),
    "open encoded words in Subject": _header(b"Subject", b"=?"),
    "mixed charsets in Subject": _header(b"Subject", b"=?utf-8?q?a?= =?sjis?q?b?= "),
    "8-bit octets in To": _header(b"To", "あ@例え.example ".encode()),
    "Shift_JIS in To": _header(b"To", "表＠例".encode("cp932")),
    "raw ISO-2022-JP in To": _header(b"To", "漢".encode("iso2022_jp") + b"a@b.jp,"),
    "comments in To": _header(b"To", b"("),
    "closed comments in To": _header(b"To", b"(a)"),
    "open quotes in To": _header(b"To", b'"a\\'),
    "quotes and at signs in To": _header(b"To", b'"a"@b.jp '),
    "angles in To": _header(b"To", b"<"),
    "groups in To": _header(b"To", b"g:;"),
    "white space in To": _header(b"To", b"\t", b"a"),
    "white space behind X-Any": _header(b"X-Any", b"\t", b"a@b"),
    "escaped quotes in Content-Type": _header(b"Content-Type", b'\\"', b'text/plain;a="a@example.com'),
    "quotes in X-Any": _header(b"X-Any", b';a*1="\\"', b"@"),
    "white space in X-Any": _header(b"X-Any", b" .", b"@"),
    "comments in X-Any": _header(b"X-Any", b"(@", b"@"),
    "percents in X-Any": _header(b"X-Any", b"%40a%2e"),
    "entities in X-Any": _header(b"X-Any", b"&#64;a&amp;"),
    "hidden addresses in X-Any": _header(b"X-Any", b"=example.com"),
    "hidden addresses in Subject": _header(b"Subject", b"a@example.com "),
    "full-width hidden addresses in Subject": _header(b"Subject", "ａ＠example．com".encode()),
    "ligatures in Subject": _header(b"Subject", "ﷺ@".encode()),
    "combining marks in Subject": _header(b"Subject", "\u0301\u0316".encode(), b"@"),
    "pieces in X-Any": _header(b"X-Any", b";a*1*=b@"),
    "addresses in From": _header(b"From", b"a@example.com, "),
    "comments in From": _header(b"From", b"("),
    "semicolons in Content-Type": _header(b"Content-Type", b";a=b"),
    "quotes in Content-Type": _header(b"Content-Type", b';a="\\'),
    "hidden addresses in Content-Type": _header(b"Content-Type", b';a="a@example.com"', b"text/plain"),
    "junk lines": _header(b"no field", b"a@example.com "),
    "many fields": _short_fields,
    "many Received": _header(b"Received", b"from a@example.com by b "),
    "RFC 2231 pieces": _parameters,
    "parts": _parts,
    "lines with dashes": _dashes,
    "nearly delimiters": _prefixed_dashes,
    "nested multiparts": _nested_multiparts,
    "nested messages": _nested_messages,
    "long part headers": _part_headers,
    "base64": _base64,
    "quoted-printable": _quoted,
    "uuencode beginnings": _begins,
    "dot lines": _dots,
    "no empty line": lambda octets: HEAD + b"X: y\r\n" * (octets // 6),
}
"""Every bomb by its name; give the octets it may fill."""
