"""Office documents in ZIP form: Word, Excel, PowerPoint (ECMA-376) and OpenDocument (OASIS ODF 1.3).

Read is what a person could find in them: text with deleted and hidden parts of it, headers and footers, comments, notes of
slides, every sheet, and the documents that are embedded. Macros are told by the program that holds them (vbaProject.bin,
Basic), whatever the suffix says.
"""

from __future__ import annotations

import re

from gateway.evidence.content.files import File, read_file
from gateway.evidence.content.gathering import Gathering, Unread
from gateway.evidence.content.pivot import Cache
from gateway.evidence.content.sheets import Workbook
from gateway.evidence.content.xml_text import Words, read_xml
from gateway.evidence.content.zip_directory import Directory, Entry

_WORD = Words(
    text=frozenset({"t", "delText", "instrText"}),
    paragraph=frozenset({"p"}),
    blank=frozenset({"tab", "br", "cr"}),
    table=frozenset({"tbl"}),
    row=frozenset({"tr"}),
    cell=frozenset({"tc"}),
)
_SLIDE = Words(
    text=frozenset({"t", "text"}),
    paragraph=frozenset({"p", "text"}),
    blank=frozenset({"br"}),
    table=frozenset({"tbl"}),
    row=frozenset({"tr"}),
    cell=frozenset({"tc"}),
)
_COMMENT = Words(
    text=frozenset({"t", "text"}), paragraph=frozenset({"p", "comment", "threadedComment", "text"})
)
_DRAWING = Words(text=frozenset({"Text"}), paragraph=frozenset({"Text"}))
_PROPERTY_NAMES = frozenset(
    {"title", "subject", "description", "keywords", "category", "creator", "lastModifiedBy", "lpwstr"}
)
_PROPERTIES = Words(text=_PROPERTY_NAMES, paragraph=_PROPERTY_NAMES)
_ELSEWHERE = Words(text=frozenset({"v"}), paragraph=frozenset({"v"}), blank=frozenset({"row"}))
_OPEN = Words(
    text=frozenset({"p", "h"}),
    paragraph=frozenset({"p", "h"}),
    blank=frozenset({"tab", "line-break", "s"}),
    table=frozenset({"table"}),
    row=frozenset({"table-row"}),
    cell=frozenset({"table-cell"}),
)
_READ: tuple[tuple[re.Pattern[str], Words], ...] = (
    (
        re.compile(r"word/(?:glossary/)?[^/]+\.xml", re.I),
        _WORD,
    ),  # what a part is called is up to who writes it
    (
        re.compile(r"ppt/(?:(?:notes)?slides|\w{1,12}masters|slidelayouts|comments)/[^/]+\.xml", re.I),
        _SLIDE,
    ),
    (re.compile(r"docprops/(?:core|custom)\.xml", re.I), _PROPERTIES),
    (
        re.compile(r"(?:word|xl|ppt)/(?:charts|diagrams|drawings)/(?:chart|data|drawing)\d*\.xml", re.I),
        _SLIDE,
    ),
    (re.compile(r"xl/(?:comments\d*|threadedComments/[^/]+|comments/[^/]+)\.xml", re.I), _COMMENT),
    (re.compile(r"xl/externalLinks/externalLink\d+\.xml", re.I), _ELSEWHERE),
    (re.compile(r"visio/pages/page\d+\.xml", re.I), _DRAWING),
    (re.compile(r"(?:Object [^/]{1,20}/)?(?:content|styles)\.xml", re.I), _OPEN),
)
_EMBEDDED = re.compile(r"(?:word|xl|ppt)/embeddings/[^/]+|word/afchunk[^/]*", re.IGNORECASE)
_CACHE = re.compile(r"xl/pivotcache/pivotcachedefinition\d+\.xml")
_BINARY = re.compile(r"xl/(?:worksheets/[^/]+|sharedStrings)\.bin", re.IGNORECASE)
_MACROS = re.compile(r".*vbaproject\.bin|basic/.*/.*\.xml|scripts/.*|xl/macrosheets/.*\.xml", re.IGNORECASE)
_MANIFEST = "META-INF/manifest.xml"
_ENCRYPTION = b"encryption-data"


def read(file: File, directory: Directory, entries: list[Entry], into: Gathering) -> None:
    """Read a document whose directory is known."""
    into.tell(encrypted=False, macros=any(_MACROS.fullmatch(entry.name) for entry in entries))
    reading = _Document(file, directory, into)
    if reading.is_encrypted(entries):
        raise Unread("encrypted")
    for entry in entries:
        words = next((words for pattern, words in _READ if pattern.fullmatch(entry.name)), None)
        if words is not None:
            reading.text(entry, words)
    if any(_BINARY.fullmatch(entry.name) for entry in entries):  # .xlsb
        into.note("unknown-kind")
    reading.sheets(entries)
    reading.pivots(entries)
    for entry in entries:
        if _EMBEDDED.fullmatch(entry.name):
            reading.embedded(entry)


class _Document:
    """A document that is being read; a part of it that is damaged leaves its word, and the next is read."""

    def __init__(self, file: File, directory: Directory, into: Gathering) -> None:
        self._file = file
        self._directory = directory
        self._into = into

    def is_encrypted(self, entries: list[Entry]) -> bool:
        """Tell whether an OpenDocument says so of its parts (ODF 1.3 part 2, 3.4.1)."""
        manifest = next((entry for entry in entries if entry.name == _MANIFEST), None)
        return manifest is not None and _ENCRYPTION in self._octets(manifest)

    def text(self, entry: Entry, words: Words) -> None:
        try:
            read_xml(self._octets(entry), words, self._into)
        except Unread as unread:
            self._noted(unread)

    def sheets(self, entries: list[Entry]) -> None:
        named = {entry.name.lower(): entry for entry in entries}
        numbers = [name for name in named if re.fullmatch(r"xl/(?:work|macro)sheets/[^/]+\.xml", name)]
        if not numbers:
            return
        book = Workbook(self._into)
        for name in ("xl/sharedstrings.xml", "xl/styles.xml", "xl/workbook.xml", *sorted(numbers)):
            if name in named:
                try:
                    book.read(name, self._octets(named[name]))
                except Unread as unread:
                    self._noted(unread)

    def pivots(self, entries: list[Entry]) -> None:
        """Read each pivot cache, and the records that bear its number."""
        named = {entry.name.lower(): entry for entry in entries}
        for name, entry in named.items():
            if _CACHE.fullmatch(name):
                cache = Cache()
                records = named.get(name.replace("definition", "records"))
                try:
                    cache.define(self._octets(entry), self._into)
                    if records is not None:
                        cache.records(self._octets(records), self._into)
                except Unread as unread:
                    self._noted(unread)

    def embedded(self, entry: Entry) -> None:
        try:
            octets = self._octets(entry)
        except Unread as unread:
            self._noted(unread)
            return
        read_file(self._file.inside(entry.name.rpartition("/")[2], octets), self._into)

    def _octets(self, entry: Entry) -> bytes:
        octets = self._directory.unpacked(entry, max(self._into.budget.octets, 0))
        self._into.budget.unpack(len(octets))
        return octets

    def _noted(self, unread: Unread) -> None:
        """Note what one part of a document was not read for; where there is no room for more text, stop."""
        if self._into.left < 0:
            raise unread
        self._into.note(unread.word)
        if unread.word == "encrypted":
            self._into.tell(encrypted=True, macros=None)
