"""Kinds of files by the octets they begin with, and texts by their first words.

A table of what the makers of the formats say, nothing else: files that are built out of others (ZIP, OLE) are told apart in
containers.py, and the name never counts here.
"""

from __future__ import annotations

import re

HEAD = 4096  # octets of a file that are looked at
PDF_WITHIN = 1024  # octets before %PDF- that readers accept (ISO 32000-1 annex H 3.4.1)

STARTS: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"PK\x07\x08", "zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (b"%!PS", "ps"),
    (b"{\\rtf", "rtf"),
    (b"\x7fELF", "elf"),
    (b"\xca\xfe\xba\xbe", "class"),
    (b"\xcf\xfa\xed\xfe", "macho"),
    (b"\xce\xfa\xed\xfe", "macho"),
    (b"L\x00\x00\x00\x01\x14\x02\x00", "lnk"),
    (b"ITSF\x03", "chm"),
    (b"#!", "script"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"8BPS", "psd"),
    (b"AC10", "dwg"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!\x1a\x07", "rar"),
    (b"\x1f\x8b", "gz"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zst"),
    (b"MSCF\x00\x00\x00\x00", "cab"),
    (b"\x78\x9f\x3e\x22", "tnef"),
    (b"!BDN", "pst"),
    (b"\x00\x01\x00\x00Standard Jet DB", "mdb"),
    (b"\x00\x01\x00\x00Standard ACE DB", "accdb"),
    (b"SQLite format 3\x00", "sqlite"),
    (b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3", "one"),
    (b"OggS", "ogg"),
    (b"ID3", "mp3"),
    (b"fLaC", "flac"),
    (b"\x1aE\xdf\xa3", "mkv"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "wmv"),
    (b"\x00\x00\x01\xba", "mpeg"),
    (b"-----BEGIN PGP ", "pgp"),
    (b"-----BEGIN PKCS7-----", "p7m"),
    (b"vhdxfile", "vhd"),
    (b"conectix", "vhd"),
)
_BRANDS = {  # ISO/IEC 14496-12 4.3: the brand behind ftyp
    b"heic": "heic",
    b"heix": "heic",
    b"hevc": "heic",
    b"mif1": "heic",
    b"msf1": "heic",
    b"avif": "avif",
    b"qt  ": "mov",
    b"M4A ": "m4a",
}
_RIFF = {b"WEBP": "webp", b"WAVE": "wav", b"AVI ": "avi"}
_LHA = re.compile(rb"-l[hz][0-9ds]-")
_CMS = re.compile(rb"0[\x80-\x84].{0,4}\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07[\x02\x03\x06]", re.DOTALL)
_PROLOGUE = r"(?:<\?xml[^>]{0,200}>\s{0,20})?(?:<!--.{0,500}?-->\s{0,20})?"
_HTML = r"(?:<!doctype html|<(?:html|head|body|hta:application)\b)"
_WORDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"BEGIN:VCALENDAR\b", re.IGNORECASE), "ics"),
    (re.compile(r"BEGIN:VCARD\b", re.IGNORECASE), "vcf"),
    (re.compile(r"\[InternetShortcut\]", re.IGNORECASE), "url"),
    (re.compile(_PROLOGUE + r"<svg\b", re.IGNORECASE | re.DOTALL), "svg"),
    (re.compile(_PROLOGUE + _HTML, re.IGNORECASE | re.DOTALL), "html"),
    (re.compile(r"<\?xml\b"), "xml"),
    (
        re.compile(
            r"(?:(?:From|To|Cc|Subject|Date|Received|Return-Path|Message-ID|MIME-Version|Delivered-To|X-[\w-]{1,40}"
            r"|DKIM-Signature|Content-Type):[^\n]{0,2000}\n(?:[ \t][^\n]{0,2000}\n){0,20}){3}",
            re.IGNORECASE,
        ),
        "eml",
    ),
)

KINDS = frozenset(
    [kind for _, kind in STARTS]
    + [*_BRANDS.values(), *_RIFF.values(), *[kind for _, kind in _WORDS]]
    + ["bmp", "dll", "exe", "iso", "lzh", "mp4", "p7m", "pdf", "tar", "text"]
)
"""Every word that is told here."""


def by_octets(octets: bytes) -> str:
    """Return the kind that the first octets tell; empty where they tell none."""
    for start, kind in STARTS:
        if octets.startswith(start):
            return kind
    if b"%PDF-" in octets[: PDF_WITHIN + 5]:
        return "pdf"
    if octets[4:8] == b"ftyp":
        return _BRANDS.get(octets[8:12], "mp4")
    if octets[:4] == b"RIFF":
        return _RIFF.get(octets[8:12], "")
    return _elsewhere(octets)


def _elsewhere(octets: bytes) -> str:
    """Tell kinds whose mark is short, or does not stand at the beginning."""
    if octets[:2] == b"MZ" and len(octets) > 64:
        return _program(octets)
    if octets[257:262] == b"ustar":
        return "tar"
    if octets[0x8001:0x8006] == b"CD001":
        return "iso"
    if octets[:2] == b"BM" and octets[6:10] == b"\0\0\0\0":
        return "bmp"
    if _LHA.match(octets, 2):
        return "lzh"
    return "p7m" if _CMS.match(octets) else ""


def _program(octets: bytes) -> str:
    """Tell a library from a program by the flag in its header (PE format, Characteristics)."""
    at = int.from_bytes(octets[60:64], "little")
    flags = int.from_bytes(octets[at + 22 : at + 24], "little")
    return "dll" if octets[at : at + 4] == b"PE\0\0" and flags & 0x2000 else "exe"


def by_words(text: str) -> str:
    """Return the kind that the first words of a text tell: text where they tell none."""
    first = text.lstrip("\ufeff \t\r\n")
    return next((kind for pattern, kind in _WORDS if pattern.match(first)), "text")
