"""What a file is, by its octets and not by its name: a report.pdf that is a program is a program.

The name decides only where octets cannot: among texts (a CSV, a script and a letter are all text) and among encrypted
Office documents, which all look the same from outside. Bounded in time, whatever the file is; never raises.
"""

from __future__ import annotations

import re

from gateway.detect import containers, magic
from gateway.detect.containers import kind_of_ole, kind_of_zip
from gateway.detect.magic import HEAD, by_octets, by_words

_TEXTS = {
    **dict.fromkeys(("csv", "tsv"), "csv"),
    **dict.fromkeys(
        (
            "js",
            "jse",
            "vbs",
            "vbe",
            "wsf",
            "wsh",
            "ps1",
            "psm1",
            "bat",
            "cmd",
            "sh",
            "py",
            "pl",
            "rb",
            "php",
            "reg",
            "scr",
        ),
        "script",
    ),
    "json": "json",
}
_SAME_OCTETS = {
    "office": frozenset({"docx", "docm", "xlsx", "xlsm", "xlsb", "pptx", "pptm"}),
    "html": frozenset({"hta"}),
}
_SUFFIXES = {
    "exe": "exe scr com",
    "dll": "dll cpl sys ocx drv",
    "jpeg": "jpg jpeg jpe jfif",
    "tiff": "tif tiff",
    "html": "html htm xhtml shtml",
    "text": "txt text log md csv tsv json ini conf yaml yml tex sql srt vtt asc",
    "csv": "csv tsv txt",
    "json": "json",
    "script": " ".join(suffix for suffix, kind in _TEXTS.items() if kind == "script"),
    "zip": "zip",
    "gz": "gz tgz",
    "bz2": "bz2 tbz2",
    "xz": "xz txz",
    "docx": "docx dotx docm dotm",
    "docm": "docm dotm",
    "xlsx": "xlsx xltx xlsm xltm",
    "xlsm": "xlsm xltm xlam",
    "pptx": "pptx potx ppsx pptm potm ppsm",
    "pptm": "pptm potm ppsm",
    "vsdx": "vsdx",
    "doc": "doc dot",
    "xls": "xls xlt",
    "ppt": "ppt pps pot",
    "office": "docx docm xlsx xlsm xlsb pptx pptm dotx xltx potx",
    "jtd": "jtd jtt jttc jtdc",
    "p7m": "p7m p7s p7c p7b",
    "pgp": "pgp gpg asc sig key",
    "mp4": "mp4 m4v mov 3gp m4a",
    "mov": "mov qt",
    "mpeg": "mpg mpeg vob",
    "wmv": "wmv wma asf",
    "mkv": "mkv webm",
    "ogg": "ogg oga ogv opus",
    "heic": "heic heif hif",
    "eml": "eml mht mhtml txt",
    "ics": "ics ical vcs",
    "vcf": "vcf vcard",
    "tnef": "dat tnef",
    "xml": "xml xsl xsd rss kml gpx musicxml",
    "ps": "ps eps ai",
    "pdf": "pdf ai",
    "mdb": "mdb mde",
    "accdb": "accdb accde",
    "pst": "pst ost",
    "iso": "iso img",
    "vhd": "vhd vhdx",
    "cab": "cab",
    "lzh": "lzh lha",
    "sqlite": "sqlite db sqlite3",
    "ole": "db wps mpp pub hwp",
    "jar": "jar war",
}
_FITS = {kind: frozenset(suffixes.split()) for kind, suffixes in _SUFFIXES.items()}
KINDS = magic.KINDS.union(containers.KINDS, _TEXTS.values(), *_SAME_OCTETS.values())
"""Every word that `kind_of` returns, but for the empty one."""
_CLAIM = KINDS.union(*_FITS.values())
_MARKS = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (b"\xef\xbb\xbf", "utf-8"))
_NOT_TEXT = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]")  # \x1b begins ISO-2022-JP


def kind_of(name: str, octets: bytes) -> str:
    """Return a word for what a file is (pdf, zip, docx, xlsm, exe, text ...); empty where nobody knows."""
    kind = by_octets(octets)
    if kind == "zip":
        return kind_of_zip(octets)
    if kind == "ole":
        kind = kind_of_ole(octets)
    if not kind:
        text = _as_text(octets)
        kind = by_words(text) if text is not None else ""
    suffix = suffix_of(name)
    if kind == "text":
        return _TEXTS.get(suffix, kind)
    return suffix if suffix in _SAME_OCTETS.get(kind, ()) else kind


def suffix_of(name: str) -> str:
    """Return what stands behind the last dot of a file name, in lower case; empty where there is none."""
    stem, dot, suffix = name.rstrip(". ").rpartition(".")
    return suffix.casefold() if dot and stem else ""


def fits_name(kind: str, name: str) -> bool | None:
    """Tell whether a file of this kind may bear this name; None where nobody knows the kind.

    A name without a suffix, or with one that names no kind (`plan.2026`), claims nothing and fits whatever the file is.
    """
    suffix = suffix_of(name)
    if suffix not in _CLAIM:
        return True
    return suffix in _FITS.get(kind, frozenset({kind})) if kind else None


def _as_text(octets: bytes) -> str | None:
    """Return the head of a text in whatever charset, only good for telling what it is; None where it is no text."""
    head = octets[:HEAD]
    for mark, charset in _MARKS:
        if head.startswith(mark):
            return head.decode(charset, "replace")
    if not head or _NOT_TEXT.search(head):
        return None
    return head.decode("latin-1")
