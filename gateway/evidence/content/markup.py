"""HTML to text and tables, as a reader of the mail could see or find it: hidden text counts, scripts and styles do not.

Promise: linear in the text on every input, also where tags, quotes and comments never end (the standard library's parser is
not: CVE-2025-6069), and never raises. Lines inside `blockquote` begin with `> `, so that a quotation looks alike in HTML and
plain text. Not its job: what it looks like.
"""

from __future__ import annotations

import html
import re
from typing import NamedTuple

MAX_TAG = 1_024
"""Characters in which the quotes of a tag are obeyed; a longer one ends at its first `>`. Bounds the time."""

MAX_DEPTH = 50
"""Nested tables that are told apart; mails are laid out in some ten."""

_TAG = re.compile(r"<(/?)([a-zA-Z][^\s/>]{0,40}+)((?:[^>\"']++|\"[^\"]*+\"|'[^']*+')*+)>")
_SHORT = re.compile(r"<(/?)([a-zA-Z][^\s/>]{0,40}+)([^>]*+)>")
_BLANKS = re.compile(r"[ \t\r\n\f]+")
_MAILTO = re.compile(r"""href\s{0,9}=\s{0,9}["']?mailto:([^"'?>\s]{3,320})""", re.IGNORECASE)
_CLOSERS = {name: re.compile(rf"</{name}\b[^>]{{0,99}}>", re.IGNORECASE) for name in ("script", "style")}
_BLOCK_NAMES = (
    "p div br tr li ul ol dl dt dd table caption h1 h2 h3 h4 h5 h6 hr pre blockquote title body section article header "
    "footer address form fieldset option select textarea"
)
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_CELLS = frozenset({"td", "th"})

Rows = list[list[str]]


class Page(NamedTuple):
    """A page's text, and its tables as rows of cells; of nested tables each cell belongs to the innermost."""

    text: str
    tables: list[Rows]


class _Table:
    """A table that is open: its rows, and the pieces of the cell at hand (None between cells)."""

    __slots__ = ("cell", "rows")

    def __init__(self) -> None:
        self.rows: Rows = []
        self.cell: list[str] | None = None

    def end_cell(self) -> None:
        if self.cell is not None and self.rows:
            self.rows[-1].append(_BLANKS.sub(" ", "".join(self.cell)).strip())
        self.cell = None

    def end_row(self) -> None:
        self.end_cell()
        if self.rows and not self.rows[-1]:
            self.rows.pop()


class _Reading:
    """One pass over a page."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.out: list[str] = []
        self.tables: list[Rows] = []
        self.open: list[_Table] = []
        self.beyond = 0  # tables deeper than MAX_DEPTH that are open
        self.quoted = 0
        self.pre = 0
        self.gone: set[str] = set()  # what has no end any more: not looked for again

    def run(self) -> Page:
        source, at = self.source, 0
        while True:
            tag = source.find("<", at)
            if tag < 0:
                break
            if tag > at:
                self._say(source[at:tag])
            at = self._markup(tag)
        self._say(source[at:])
        while self.open:
            self._end_table()
        return Page("".join(self.out), self.tables)

    def _markup(self, at: int) -> int:
        """Act on what begins with `<` and return where to go on."""
        source = self.source
        if source.startswith(("<!-->", "<!--->"), at):  # empty comments (HTML Living Standard 13.2.5.43)
            return source.index(">", at) + 1
        if source.startswith("<!--", at) and not source.startswith(
            "[if", at + 4
        ):  # what follows [if Outlook shows
            return self._after("-->", at + 4) or self._literally(at)
        if source.startswith(("<!", "<?"), at):
            return self._after(">", at) or self._literally(at)
        match = _TAG.match(source, at, at + MAX_TAG) or self._unquoted(at)
        if match is None:
            return self._literally(at)
        name = match[2].lower()
        if name in _CLOSERS and not match[1]:
            return self._after_element(name, match.end())
        self._tag(name, match[1] != "", match[3])
        return match.end()

    def _unquoted(self, at: int) -> re.Match[str] | None:
        """Read a tag to its first `>`; where none follows any more, there are no more tags."""
        return _SHORT.match(self.source, at) if self._after(">", at) else None

    def _after(self, sign: str, at: int) -> int:
        """Return where the next `sign` ends, or 0; each sign is missed once only."""
        if sign in self.gone:
            return 0
        found = self.source.find(sign, at)
        if found < 0:
            self.gone.add(sign)
            return 0
        return found + len(sign)

    def _after_element(self, name: str, at: int) -> int:
        found = None if name in self.gone else _CLOSERS[name].search(self.source, at)
        if found is None:
            self.gone.add(name)
            return at
        return found.end()

    def _literally(self, at: int) -> int:
        self._say("<")
        return at + 1

    def _tag(self, name: str, closing: bool, attributes: str) -> None:
        if name == "pre":
            self.pre = max(0, self.pre + (-1 if closing else 1))
        elif name == "blockquote":
            self.quoted = max(0, self.quoted + (-1 if closing else 1))
        elif name == "a" and not closing:
            self._link(attributes)
        if name in _CELLS or name in ("tr", "table"):
            self._table_tag(name, closing)
        if name in _BLOCKS and (not closing or name != "br"):
            self._line_end()
        elif name in _CELLS:
            self.out.append(" ")

    def _table_tag(self, name: str, closing: bool) -> None:
        if name == "table":
            self._table_edge(closing)
        elif self.open and not self.beyond:
            table = self.open[-1]
            if name == "tr":
                table.end_row()
                if not closing:
                    table.rows.append([])
            else:
                table.end_cell()
                if not closing:
                    table.rows = table.rows or [[]]
                    table.cell = []

    def _table_edge(self, closing: bool) -> None:
        if not closing:
            if len(self.open) < MAX_DEPTH:
                self.open.append(_Table())
            else:
                self.beyond += 1
        elif self.beyond:
            self.beyond -= 1
        elif self.open:
            self._end_table()

    def _end_table(self) -> None:
        table = self.open.pop()
        table.end_row()
        if len(table.rows) > 1 and any(len(row) > 1 for row in table.rows):
            self.tables.append(table.rows)

    def _link(self, attributes: str) -> None:
        found = _MAILTO.search(attributes) if "mailto" in attributes.lower() else None
        if found is not None:
            self._say(f" <{found[1]}> ")

    def _line_end(self) -> None:
        self.out.append("\n> " if self.quoted else "\n")
        if self.open and self.open[-1].cell is not None:
            self.open[-1].cell.append(" ")

    def _say(self, piece: str) -> None:
        text = html.unescape(piece) if "&" in piece else piece
        if not self.pre:
            text = _BLANKS.sub(" ", text)
            if text == " " and self.out and self.out[-1].endswith((" ", "\n")):
                return
        self.out.append(text)
        if self.open and self.open[-1].cell is not None and not self.beyond:
            self.open[-1].cell.append(text)


def page(source: str) -> Page:
    """Read HTML."""
    return _Reading(source).run()
