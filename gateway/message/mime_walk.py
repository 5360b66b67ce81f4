"""The walk over a mail's parts: from delimiter line to delimiter line, by offset (RFC 2046 5.1).

Promise: never raises; linear in the mail; stops at MAX_PARTS and MAX_DEPTH and says so. A delimiter of an
outer multipart closes the inner ones. A nested message is walked like a multipart with one part, unless it is
encoded.
"""

from __future__ import annotations

from gateway.message.header import Field, parse_fields
from gateway.message.mime_part import MAX_BOUNDARY, Draft, read_part
from gateway.message.piecewise import find

MAX_DEPTH = 100
"""Nested multiparts and messages; Postfix's `mime_nesting_limit`."""

MAX_PARTS = 1000
"""Parts of one mail; Haraka stops there too."""

MAX_DASHED_LINES = 100_000
"""Lines that begin with two hyphens and are looked at in one mail: bounds the time; more is `too-many-parts`."""

MAX_PART_HEADER = 64 << 10
"""Octets of one part's header section; a longer one is `bad-header`, and the rest is read as its body."""

MAX_PART_HEADERS = 512 << 10
"""Octets of the header sections of all parts together, as many as the mail's own may have; more is `too-many-parts`."""

_MESSAGES = ("message/rfc822", "message/global")


class _Boundary:
    """A multipart that is open, and whether its delimiter has come yet."""

    __slots__ = ("delimiter", "draft", "seen")

    def __init__(self, draft: Draft, delimiter: bytes) -> None:
        self.draft = draft
        self.delimiter = delimiter
        self.seen = False


class Walk:
    """One walk. `drafts` are the parts found, in order; `unclear` the words for what can be read in two ways."""

    def __init__(self, raw: bytes) -> None:
        self.drafts: list[Draft] = []
        self.unclear: set[str] = set()
        self._raw = raw
        self._stack: list[_Boundary] = []
        self._index: dict[bytes, int] = {}  # delimiter -> its place on the stack, the innermost of equals
        self._open: list[
            tuple[int, Draft]
        ] = []  # parts not closed yet, with how many boundaries are around each
        self._full = False
        self._dashed = MAX_DASHED_LINES
        self._unread = MAX_PART_HEADERS

    def run(self, fields: tuple[Field, ...], body_at: int) -> None:
        """Walk the whole mail, whose header section and body offset are known."""
        self._enter((0, body_at), fields, "", 0)
        if self._stack:
            self._from_line_to_line(body_at)
        self._finish()

    def _from_line_to_line(self, body_at: int) -> None:
        at = self._look(body_at) if self._raw.startswith(b"--", body_at) else max(body_at - 1, 0)
        while not self._full and self._stack:
            at = find(self._raw, b"\n--", at, len(self._raw))
            if at < 0:
                break
            at = self._look(at + 1)

    def _look(self, start: int) -> int:
        """Act on a line that begins with two hyphens; return where to go on."""
        index, closing = self._matching(start)
        if index is None:
            return start + 1
        self._close_above(index, self._before(start))
        if closing:
            self._drop(index)
            return start + 1
        self._stack[index].seen = True
        line_end = self._raw.find(b"\n", start)
        if line_end < 0:
            return len(self._raw)
        self._enter_at(line_end + 1, self._stack[index].draft)
        return line_end

    def _matching(self, start: int) -> tuple[int | None, bool]:
        """Find the open boundary that the line at `start` delimits, and whether it closes it."""
        self._dashed -= 1
        if self._dashed < 0:
            self._stop("too-many-parts")
            return None, False
        line = self._raw[start : start + MAX_BOUNDARY + 8].split(b"\n", 1)[0].rstrip(b" \t\r")
        index = self._index.get(line)
        if index is None and line.endswith(b"--"):
            return self._index.get(line[:-2]), True
        return index, False

    def _before(self, start: int) -> int:
        """Return where the body before a delimiter ends: the line end before it belongs to the delimiter."""
        return start - (2 if self._raw.startswith(b"\r\n", start - 2) else 1)

    def _close_above(self, index: int, end: int) -> None:
        """Close everything inside stack place `index`."""
        for boundary in self._stack[index + 1 :]:
            self.unclear.add("missing-end" if boundary.seen else "missing-boundary")
        if len(self._stack) > index + 1:
            self._drop(index + 1)
        while self._open and self._open[-1][0] > index:
            draft = self._open.pop()[1]
            draft.end = max(end, draft.body_at)

    def _drop(self, index: int) -> None:
        del self._stack[index:]
        self._index = {boundary.delimiter: place for place, boundary in enumerate(self._stack)}

    def _finish(self) -> None:
        if not self._full:
            self._close_above(-1, len(self._raw))
        for _, draft in self._open:
            draft.end = len(self._raw)

    def _enter_at(self, start: int, around: Draft) -> None:
        """Enter the part whose header section begins at `start`."""
        header_end, body_at = self._header_end(start)
        self._unread -= header_end - start
        if self._unread < 0:
            self._stop("too-many-parts")
            return
        fields = parse_fields(self._raw[start:header_end])
        self._enter((start, body_at), fields, around.content_type, around.depth + 1)

    def _header_end(self, start: int) -> tuple[int, int]:
        """Return where a part's header section ends and where its body begins; a delimiter ends both."""
        if self._raw.startswith(b"\r\n", start):
            return start, start + 2
        limit = min(start + MAX_PART_HEADER, len(self._raw))
        found = self._raw.find(b"\r\n\r\n", start, limit)
        end, body_at = (limit, limit) if found < 0 else (found + 2, found + 4)
        delimiter = self._delimiter_within(start, end)
        if delimiter is not None:
            end = body_at = delimiter
        if delimiter is not None or found < 0:
            self.unclear.add("bad-header")
        return end, body_at

    def _delimiter_within(self, start: int, end: int) -> int | None:
        at = start if self._raw.startswith(b"--", start) else find(self._raw, b"\n--", start, end) + 1
        while at and not self._full:
            if self._matching(at)[0] is not None:
                return at
            at = find(self._raw, b"\n--", at, end) + 1
        return None

    def _enter(self, offsets: tuple[int, int], fields: tuple[Field, ...], within: str, depth: int) -> None:
        """Note a part, and open the boundary or the nested message it holds."""
        if len(self.drafts) >= MAX_PARTS or depth > MAX_DEPTH:
            self._stop("too-deep" if depth > MAX_DEPTH else "too-many-parts")
            return
        draft = read_part(offsets, fields, within, depth, self.unclear)
        self.drafts.append(draft)
        self._open.append((len(self._stack), draft))
        holds = draft.boundary is not None or draft.content_type in _MESSAGES
        if holds and not draft.plain:
            self.unclear.add("odd-encoding")
        elif draft.boundary is not None:
            self._push(_Boundary(draft, b"--" + draft.boundary))
        elif holds:
            self._enter_at(draft.body_at, draft)

    def _stop(self, word: str) -> None:
        self.unclear.add(word)
        self._full = True

    def _push(self, boundary: _Boundary) -> None:
        if boundary.delimiter in self._index:
            self.unclear.add("duplicate-boundary")
        self._index[boundary.delimiter] = len(self._stack)
        self._stack.append(boundary)
