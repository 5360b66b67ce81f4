"""Octets to text when the label is wrong, missing or older than the characters: the normal case in Japanese
mail.

Promise: never raises, is linear, and only ever uses codecs from a closed table (codec names come from the
peer; Python's registry would import modules for them, and some codecs in it are no charsets).
"""

from __future__ import annotations

import re

_ASCII = (
    "us-ascii",
    "ascii",
    "ansi_x3.4-1968",
    "646",
    "iso646-us",
    "utf-8",
    "utf8",
    "unicode-1-1-utf-8",
    "utf8mb4",
)
_CODECS = {
    **dict.fromkeys(_ASCII, "utf-8"),
    **dict.fromkeys(("iso-2022-jp", "iso2022-jp", "iso2022jp", "csiso2022jp", "iso-2022-jp-1", "jis"), "jis"),
    **dict.fromkeys(("iso-2022-jp-ms", "cp50220", "cp50221", "cp50222", "x-windows-iso2022jp"), "jis"),
    **dict.fromkeys(("iso-2022-jp-2", "iso-2022-jp-3", "iso-2022-jp-2004", "iso-2022-jp-ext"), "jis"),
    **dict.fromkeys(("shift_jis", "shift-jis", "sjis", "x-sjis", "ms_kanji", "csshiftjis"), "cp932"),
    **dict.fromkeys(
        ("cp932", "ms932", "windows-31j", "windows-932", "cswindows31j", "shift_jis-ms"), "cp932"
    ),
    **dict.fromkeys(("euc-jp", "eucjp", "x-euc-jp", "x-eucjp", "ujis", "eucjp-ms", "cp51932"), "euc_jp"),
    **dict.fromkeys(("iso-8859-1", "iso8859-1", "latin1", "latin-1", "windows-1252", "cp1252"), "cp1252"),
    **dict.fromkeys(("gb2312", "gbk", "gb18030", "cp936", "x-gbk", "euc-cn", "gb_2312-80"), "gb18030"),
    **dict.fromkeys(("ks_c_5601-1987", "euc-kr", "cp949", "windows-949", "uhc", "ksc5601"), "cp949"),
    **dict.fromkeys(("big5", "big5-hkscs", "cp950", "x-big5"), "big5hkscs"),
    **{f"{prefix}{n}": f"cp{n}" for prefix in ("windows-", "cp") for n in range(1250, 1259) if n != 1252},
    **{f"iso-8859-{n}": f"iso8859_{n}" for n in range(2, 17) if n != 12},
    **dict.fromkeys(("iso-8859-8-i",), "iso8859_8"),
    **dict.fromkeys(("utf-7", "unicode-1-1-utf-7"), "utf-7"),
    **{
        name: name for name in ("utf-16", "utf-16le", "utf-16be", "koi8-r", "koi8-u", "tis-620", "iso2022_kr")
    },
    **dict.fromkeys(("iso-2022-kr",), "iso2022_kr"),
    **dict.fromkeys(("windows-874", "cp874"), "cp874"),
}
_LOW_OCTETS = bytes(range(0x80))
_EUC_OCTETS = bytes((0x8E, 0x8F, *range(0xA1, 0x100)))
_NO_CHARACTER = b"\xff".decode("cp932")
_ESCAPE = re.compile(rb"(\x1b(?:\$[@B]|\$\([@BDOPQ]|\([BHIJ]))")
_JIS_TEXT = re.compile(rb"\x1b(?:\$[@B]|\$\(|\(I)")


def known(label: str) -> bool:
    """Tell whether a charset label (any case) is in the table."""
    return label.lower() in _CODECS


def labels() -> frozenset[str]:
    """Return every label of the table, in lower case."""
    return frozenset(_CODECS)


def codec(label: str) -> str:
    """Return a Python codec that encodes what a known label means (for ISO-2022-JP without Windows' characters)."""
    name = _CODECS[label.lower()]
    return "iso2022_jp_ext" if name == "jis" else name


def decode(octets: bytes, label: str) -> str:
    """Decode by a label, by what the octets look like where that fails, with U+FFFD where nothing fits."""
    name = _CODECS.get(label.lower())
    text = None if name is None else _strict(octets, name)
    return guess(octets)[0] if text is None else text


def strictly(octets: bytes, label: str) -> str | None:
    """Decode by a label; None where it is unknown, or where an octet is not of that charset."""
    name = _CODECS.get(label.lower())
    return None if name is None else _strict(octets, name)


def guess(octets: bytes) -> tuple[str, bool]:
    """Decode unlabelled octets; the flag tells whether every octet is certain (ASCII, UTF-8 or ISO-2022-JP)."""
    if b"\x1b" in octets and _JIS_TEXT.search(octets) is not None:
        text = _strict(octets, "jis")
        return (_jis_lenient(octets), False) if text is None else (text, octets.isascii())
    text = _strict(octets, "utf-8")
    if text is not None:
        return text, True
    text = _cut_utf8(octets)
    if text is not None:
        return text, False
    for name in _by_likelihood(octets):
        text = _strict(octets, name)
        if text is not None:
            return text, False
    return octets.decode("utf-8", "replace"), False


def _cut_utf8(octets: bytes) -> str | None:
    """Decode UTF-8 that was cut in its last character, as long names are."""
    try:
        octets.decode()
    except UnicodeDecodeError as error:
        if error.start >= len(octets) - 3 and not octets[: error.start].isascii():
            return octets.decode("utf-8", "replace")
    return None


def _by_likelihood(octets: bytes) -> tuple[str, ...]:
    """Order the guesses: octets that only EUC-JP uses in pairs from A1 up, else Shift_JIS as Windows writes it."""
    high = octets.translate(None, _LOW_OCTETS)
    if len(high) % 2 == 0 and not high.translate(None, _EUC_OCTETS):
        return ("euc_jp", "cp932", "cp1252")
    return ("cp932", "euc_jp", "cp1252")


def _strict(octets: bytes, name: str) -> str | None:
    try:
        return octets.decode("iso2022_jp_ext" if name == "jis" else name)
    except (UnicodeError, ValueError):
        return _jis_windows(octets) if name == "jis" else None


def _jis_windows(octets: bytes) -> str | None:
    """Decode ISO-2022-JP that holds Windows' characters (circled digits, 株 in brackets), or None."""
    try:
        text = "".join(_segments(octets, "strict"))
    except UnicodeError:
        return None
    return None if _NO_CHARACTER in text else text


def _jis_lenient(octets: bytes) -> str:
    return "".join(_segments(octets, "replace")).replace(_NO_CHARACTER, "\ufffd")


def _segments(octets: bytes, errors: str) -> list[str]:
    """Decode between escape sequences by way of CP932, which has the characters ISO-2022-JP lacks."""
    pieces = _ESCAPE.split(octets)
    out = [_between(pieces[0], errors)]
    for escape, segment in zip(pieces[1::2], pieces[2::2], strict=True):
        if escape in (b"\x1b$@", b"\x1b$B", b"\x1b$(B", b"\x1b$(@"):
            out.append(_to_shift_jis(segment).decode("cp932", errors))
        elif escape == b"\x1b(I":
            out.append(bytes([octet | 0x80 for octet in segment]).decode("cp932", errors))
        elif escape.startswith(b"\x1b$"):
            out.append((escape + segment + b"\x1b(B").decode("iso2022_jp_3", errors))
        else:
            out.append(_between(segment, errors))
    return out


def _between(segment: bytes, errors: str) -> str:
    """Decode what stands outside the escape sequences: ASCII, or what some program put beside a JIS name."""
    text = _strict(segment, "utf-8")
    return segment.decode("cp932", errors) if text is None else text


def _to_shift_jis(segment: bytes) -> bytes:
    """Move JIS X 0208 pairs to where Shift_JIS has them; anything outside 21..7E becomes an octet no codec takes."""
    out = bytearray()
    for first, second in zip(segment[::2], segment[1::2], strict=False):
        if not (0x21 <= first <= 0x7E and 0x21 <= second <= 0x7E):
            out.append(0xFF)
            continue
        row = (first + 1) // 2
        out.append(row + (0x70 if row < 0x30 else 0xB0))
        out.append(second + 0x7E if first % 2 == 0 else second + (0x1F if second < 0x60 else 0x20))
    if len(segment) % 2:
        out.append(0xFF)
    return bytes(out)
