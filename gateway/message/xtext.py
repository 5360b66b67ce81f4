"""xtext: octets in the value of an SMTP parameter (RFC 3461 4), and its sister for other alphabets (RFC 6533 3). Pure.

Promise: `decode(encode(text)) == text` for every text that a status notification can show; what cannot be
shown in one line (control characters, line ends) is neither decoded nor encoded, but a ValueError.
"""

from __future__ import annotations

import re

_XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*")
_HEX = re.compile(r"\+([0-9A-F]{2})")
_NOT_PLAIN = re.compile(r"[^!-*,-<>-~]")
_PRINTABLE = re.compile(r"[ -~]*")

_UTF8 = re.compile(r"(?:[!-*,-<>-\[\]-~]|\\x\{[0-9A-F]{2,6}\}|[^\x00-\x7f])*")
_POINT = re.compile(r"\\x\{([0-9A-F]{2,6})\}")
_NOT_PLAIN_UTF8 = re.compile(r"[^!-*,-<>-\[\]-~]")


def decode(value: str) -> str:
    """Return what an xtext stands for: printable ASCII and spaces (RFC 3461 4.2, 4.4); raises ValueError."""
    text = decode_octets(value)
    if _PRINTABLE.fullmatch(text) is None:
        raise ValueError("a character that cannot be printed")
    return text


def decode_octets(value: str) -> str:
    """Return what the octets of an xtext stand for, read as UTF-8: some write other alphabets so; raises ValueError."""
    if _XTEXT.fullmatch(value) is None:
        raise ValueError("not xtext")
    octets = _HEX.sub(lambda found: chr(int(found[1], 16)), value).encode("latin-1")
    text = octets.decode("utf-8")  # what is none is a ValueError
    if not text.isprintable():
        raise ValueError("a character that cannot be printed")
    return text


def encode(text: str) -> str:
    """Return printable ASCII as xtext; raises ValueError."""
    if _PRINTABLE.fullmatch(text) is None:
        raise ValueError("a character that cannot be printed")
    return _NOT_PLAIN.sub(lambda found: f"+{ord(found[0]):02X}", text)


def decode_utf8(value: str) -> str:
    """Return what a `utf-8` address stands for: utf-8-addr-xtext or utf-8-addr-unitext (RFC 6533 3); raises ValueError."""
    if _UTF8.fullmatch(value) is None:
        raise ValueError("not a utf-8 address")
    text = _POINT.sub(lambda found: chr(int(found[1], 16)), value)  # ValueError above U+10FFFF
    if not text.isprintable():
        raise ValueError("a character that cannot be printed")
    return text


def encode_utf8(text: str) -> str:
    """Return a text as utf-8-addr-xtext, which is ASCII and so passes every server; raises ValueError."""
    if not text.isprintable():
        raise ValueError("a character that cannot be printed")
    return _NOT_PLAIN_UTF8.sub(lambda found: f"\\x{{{ord(found[0]):02X}}}", text)
