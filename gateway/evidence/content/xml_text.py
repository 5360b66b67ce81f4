"""Text and tables out of XML, as a stream: no tree is built, and no entity or document type is ever followed.

Promise: memory does not grow with the document but by its longest paragraph and one table at a time; a document type
declaration is refused (XML bombs, external entities: no Office program writes one). Raises Unread and what `Gathering` raises.
Names are compared without their namespace prefix.
"""

from __future__ import annotations

from xml.parsers import expat  # every DTD is refused below, which is all that defusedxml does

from gateway.evidence.content.gathering import Gathering, Unread
from gateway.values import dataclass

MAX_NESTED_TABLES = 20
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Words:
    """What elements mean in a format: those that hold text, end a paragraph, stand for a blank, and make tables."""

    text: frozenset[str]
    paragraph: frozenset[str]
    blank: frozenset[str] = frozenset()
    table: frozenset[str] = frozenset()
    row: frozenset[str] = frozenset()
    cell: frozenset[str] = frozenset()


class _Table:
    __slots__ = ("cell", "rows")

    def __init__(self) -> None:
        self.rows: list[list[str]] = []
        self.cell: list[str] | None = None


class _Stream:
    def __init__(self, words: Words, into: Gathering) -> None:
        self.words = words
        self.into = into
        self.depth = 0  # inside elements that hold text
        self.line: list[str] = []
        self.tables: list[_Table] = []

    def start(self, name: str, _: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        words = self.words
        if name in words.text:
            self.depth += 1
        elif name in words.blank:
            self._add(" ")
        elif name in words.table and len(self.tables) < MAX_NESTED_TABLES:
            self.tables.append(_Table())
        elif self.tables and name in words.row:
            self.tables[-1].rows.append([])
        elif self.tables and name in words.cell:
            self.tables[-1].cell = []

    def end(self, name: str) -> None:
        name = name.rpartition(":")[2]
        words = self.words
        if name in words.text:
            self.depth -= 1
        if name in words.paragraph:
            self.flush()
        elif self.tables and name in words.cell:
            self._end_cell()
        elif self.tables and name in words.table:
            self._end_table()

    def characters(self, text: str) -> None:
        if self.depth:
            self._add(text)

    def flush(self) -> None:
        """End a paragraph; in a table a cell goes on."""
        if self.tables and self.tables[-1].cell is not None:
            self.tables[-1].cell.append(" ")
        elif self.line:
            line, self.line = "".join(self.line), []
            self.into.say(line + "\n")

    def _add(self, text: str) -> None:
        if self.tables and self.tables[-1].cell is not None:
            self.tables[-1].cell.append(text)
        else:
            self.line.append(text)

    def _end_cell(self) -> None:
        table = self.tables[-1]
        if table.cell is not None and table.rows:
            table.rows[-1].append("".join(table.cell))
        table.cell = None

    def _end_table(self) -> None:
        table = self.tables.pop()
        self.into.tabulate([row for row in table.rows if row])


def read_xml(octets: bytes, words: Words, into: Gathering) -> None:
    """Read one XML document."""
    stream = _Stream(words, into)
    parser = parser_of()
    parser.StartElementHandler = stream.start
    parser.EndElementHandler = stream.end
    parser.CharacterDataHandler = stream.characters
    try:
        feed(parser, octets)
    finally:
        stream.tables.clear()
        stream.flush()


def parser_of() -> expat.XMLParserType:
    """Return a parser that refuses every document type declaration, and with it all entities."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)

    def refuse(*_: object) -> None:
        raise Unread("damaged")

    parser.StartDoctypeDeclHandler = refuse
    return parser


def feed(parser: expat.XMLParserType, octets: bytes) -> None:
    """Parse a whole document in pieces; raises Unread("damaged") at what is no XML."""
    try:
        for at in range(0, len(octets), _CHUNK):
            parser.Parse(octets[at : at + _CHUNK], False)
        parser.Parse(b"", True)
    except expat.ExpatError:
        raise Unread("damaged") from None
