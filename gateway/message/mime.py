"""The MIME parts of a mail by their offsets: one pass over the raw octets, nothing decoded, nothing written again.

Promise: never raises; linear in the mail; bounded in depth and number of parts. What can be read in two ways is named in
`Structure.unclear`, from the closed list UNCLEAR, so that a policy can hold it. A nested message/rfc822 is one attachment,
and its own parts are walked too (unless it is encoded, which RFC 2046 5.2.1 forbids: then `odd-encoding`).
Not its job: judging what an attachment holds.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.message.header import Field, HeaderSection, parse_fields
from gateway.message.mime_fields import NOTHING, FieldValue, file_names, parse_value

MAX_DEPTH = 100
"""Nested multiparts and messages; Postfix's `mime_nesting_limit`."""

MAX_PARTS = 1000
"""Parts of one mail; Haraka stops there too."""

MAX_PART_HEADER = 64 << 10
"""Octets of one part's header section; longer ones are `bad-header`, and the rest is read as its body."""

MAX_BOUNDARY = 256
"""Octets of a boundary; RFC 2046 5.1.1 allows 70."""

UNCLEAR = frozenset(
    {
        "bad-content-type",  # a Content-Type without a type
        "bad-header",  # a part's header section holds a line that is no field, or does not end
        "duplicate-boundary",  # two boundary parameters, or one cut in pieces
        "duplicate-content-type",
        "duplicate-disposition",
        "duplicate-encoding",
        "missing-boundary",  # a multipart without a boundary, or whose boundary never comes
        "missing-end",  # the closing delimiter of a multipart never comes
        "odd-encoding",  # an unknown transfer encoding, or an encoded multipart or message
        "partial",  # message/partial or message/external-body: the content is elsewhere
        "too-deep",
        "too-many-parameters",
        "too-many-parts",
        "two-names",  # a part whose names end in different suffixes
    },
)
"""Every word `Structure.unclear` can hold."""

_IDENTITY = frozenset({"", "7bit", "8bit", "binary"})
_ENCODINGS = _IDENTITY | {"base64", "quoted-printable"}
_IMAGE_SUFFIXES = frozenset(
    {"png", "jpg", "jpeg", "gif", "bmp", "svg", "webp", "tif", "tiff", "heic", "ico", "emz", "wmz"}
)
_MACHINE_TYPES = frozenset(
    {
        "application/pgp-signature",
        "application/pkcs7-signature",
        "application/x-pkcs7-signature",
        "application/pgp-encrypted",
        "message/delivery-status",
        "message/global-delivery-status",
        "message/disposition-notification",
        "message/feedback-report",
    },
)
_MESSAGES = ("message/rfc822", "message/global")


@dataclass(slots=True)
class Part:
    """One part. Offsets are into the raw mail: header section from `header_at`, body from `body_at` to `end`.

    `name` is the file name as shown to people; `encoding` and `disposition` are lower case, empty where absent;
    `content_id` has no angle brackets. `size_bytes` is the size of the decoded body. `within` is the type of the multipart or
    message around it. Treated as frozen once `scan_structure` returned it.
    """

    header_at: int
    body_at: int
    end: int
    depth: int
    content_type: str
    charset: str
    disposition: str
    name: str
    encoding: str
    content_id: str
    within: str
    is_attachment: bool = False
    inline: bool = False
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Structure:
    """All parts in the order they stand, containers included, and the words for what is unclear."""

    parts: tuple[Part, ...]
    unclear: frozenset[str]


def scan_structure(raw: bytes, header: HeaderSection, body_at: int) -> Structure:
    """Find the parts of a mail whose header section and body offset are known (`header.split`)."""
    scan = _Scan(raw)
    scan.open(0, body_at, header.fields, "", 0)
    scan.run(body_at)
    for part in scan.parts:
        _judge(part, raw)
    return Structure(tuple(scan.parts), frozenset(scan.unclear))


@dataclass(slots=True)
class _Boundary:
    """A multipart that is open: `level` is its place on the stack; parts within it have a higher one."""

    delimiter: bytes
    part: Part
    seen: bool = False


class _Scan:
    """The walk: a stack of open boundaries, and the parts that are open on each level of it."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.parts: list[Part] = []
        self.unclear: set[str] = set()
        self.stack: list[_Boundary] = []
        self.open_parts: list[tuple[int, Part]] = []
        self.full = False

    def run(self, at: int) -> None:
        """Go from delimiter line to delimiter line; `at` is where the body begins."""
        raw, find = self.raw, self.raw.find
        at = max(at - 1, 0)
        if at == 0 and raw.startswith(b"--"):
            at = self._line(0)
        while self.stack and not self.full:
            at = find(b"\n--", at)
            if at < 0:
                break
            at = self._line(at + 1)
        self._finish()

    def _line(self, start: int) -> int:
        """Look at a line that begins with two hyphens; return where to go on."""
        index, closing = self._matching(start)
        if index is None:
            return start + 1
        end = self._before(start)
        self._close_above(index, end)
        if closing:
            self._forget(index)
            return start + 1
        self.stack[index].seen = True
        line_end = self.raw.find(b"\n", start)
        if line_end < 0:
            return start + 1
        self._open_part(line_end + 1, self.stack[index].part)
        return max(line_end, start + 1)

    def _matching(self, start: int) -> tuple[int | None, bool]:
        """Find the open boundary that a line delimits, innermost first (RFC 2046 5.1.2), and whether it closes."""
        line = self.raw[start : start + MAX_BOUNDARY + 8].split(b"\n", 1)[0].rstrip(b" \t\r")
        for index in range(len(self.stack) - 1, -1, -1):
            delimiter = self.stack[index].delimiter
            if line.startswith(delimiter):
                rest = line[len(delimiter) :]
                if rest in (b"", b"--"):
                    return index, rest != b""
        return None, False

    def _before(self, start: int) -> int:
        """Return where the body before a delimiter ends: the line end before it belongs to the delimiter."""
        if self.raw[max(start - 2, 0) : start] == b"\r\n":
            return start - 2
        return max(start - 1, 0)

    def _close_above(self, index: int, end: int) -> None:
        while len(self.stack) > index + 1:
            self._drop_unclosed()
        while self.open_parts and self.open_parts[-1][0] > index:
            part = self.open_parts.pop()[1]
            part.end = max(end, part.body_at)

    def _forget(self, index: int) -> None:
        del self.stack[index:]

    def _drop_unclosed(self) -> None:
        boundary = self.stack.pop()
        self.unclear.add("missing-end" if boundary.seen else "missing-boundary")

    def _finish(self) -> None:
        if not self.full:
            while self.stack:
                self._drop_unclosed()
        for _, part in self.open_parts:
            part.end = len(self.raw)

    def _open_part(self, start: int, around: Part) -> None:
        """Open the part whose header section begins at `start`."""
        header_end, body_at = self._header_end(start)
        fields = parse_fields(self.raw[start:header_end])
        self.open(start, body_at, fields, around.content_type, around.depth + 1)

    def _header_end(self, start: int) -> tuple[int, int]:
        """Return where a part's header section ends and its body begins; a delimiter ends both."""
        raw = self.raw
        if raw.startswith(b"\r\n", start):
            return start, start + 2
        limit = min(start + MAX_PART_HEADER, len(raw))
        found = raw.find(b"\r\n\r\n", start, limit)
        end, body_at = (found + 2, found + 4) if found >= 0 else (limit, limit)
        at = start if raw.startswith(b"--", start) else raw.find(b"\n--", start, end) + 1
        while at:
            if self._matching(at)[0] is not None:
                self.unclear.add("bad-header")
                return at, at
            at = raw.find(b"\n--", at, end) + 1
        if found < 0:
            self.unclear.add("bad-header")
        return end, body_at

    def open(self, start: int, body_at: int, fields: tuple[Field, ...], within: str, depth: int) -> None:
        """Note a part, and open the boundary or the nested message it holds."""
        if len(self.parts) >= MAX_PARTS or depth > MAX_DEPTH:
            self.unclear.add("too-many-parts" if depth <= MAX_DEPTH else "too-deep")
            self.full = True
            return
        part, boundary = _read_part(start, body_at, fields, within, depth, self.unclear)
        self.parts.append(part)
        self.open_parts.append((len(self.stack), part))
        plain = part.encoding in _IDENTITY
        if boundary is not None:
            if plain:
                self.stack.append(_Boundary(b"--" + boundary, part))
            else:
                self.unclear.add("odd-encoding")
        elif part.content_type in _MESSAGES and not plain:
            self.unclear.add("odd-encoding")
        elif part.content_type in _MESSAGES:
            self._open_part(body_at, part)


def _read_part(
    start: int,
    body_at: int,
    fields: tuple[Field, ...],
    within: str,
    depth: int,
    unclear: set[str],
) -> tuple[Part, bytes | None]:
    """Read a part's fields; the second value is its boundary if it is a multipart that has one."""
    content_type = _only(fields, "content-type", unclear, "duplicate-content-type")
    disposition = _only(fields, "content-disposition", unclear, "duplicate-disposition")
    encoding = _encoding(fields, unclear)
    if depth and any(not field.name for field in fields):
        unclear.add("bad-header")
    names = file_names(disposition, content_type)
    if len({name.rpartition(".")[2].lower() for name in names}) > 1:
        unclear.add("two-names")
    kind = _type_of(content_type, fields, within, unclear)
    part = Part(
        header_at=start,
        body_at=body_at,
        end=body_at,
        depth=depth,
        content_type=kind,
        charset=content_type.parameters.get("charset", "").lower(),
        disposition=disposition.main,
        name=names[0] if names else "",
        encoding=encoding,
        content_id=_content_id(fields),
        within=within,
    )
    return part, _boundary(content_type, unclear) if kind.startswith("multipart/") else None


def _only(fields: tuple[Field, ...], name: str, unclear: set[str], word: str) -> FieldValue:
    """Parse the first field of a name; a second one is unclear, because readers differ in which of them counts."""
    values = [field for field in fields if field.name == name]
    if len(values) > 1:
        unclear.add(word)
    if not values:
        return NOTHING
    parsed = parse_value(values[0].value)
    if "" in parsed.repeated:
        unclear.add("too-many-parameters")
    return parsed


def _encoding(fields: tuple[Field, ...], unclear: set[str]) -> str:
    values = [field.value for field in fields if field.name == "content-transfer-encoding"]
    if not values:
        return ""
    if len(values) > 1:
        unclear.add("duplicate-encoding")
    encoding = values[0][:64].decode("ascii", "replace").lower()
    if encoding not in _ENCODINGS:
        unclear.add("odd-encoding")
    return encoding


def _type_of(value: FieldValue, fields: tuple[Field, ...], within: str, unclear: set[str]) -> str:
    """Return `type/subtype`, with the defaults of RFC 2045 5.2 and RFC 2046 5.1.5."""
    if "/" in value.main:
        if value.main in ("message/partial", "message/external-body"):
            unclear.add("partial")
        return value.main
    if any(field.name == "content-type" for field in fields) and value.main != "text":
        unclear.add("bad-content-type")
        return "text/plain"
    return "message/rfc822" if within == "multipart/digest" else "text/plain"


def _boundary(value: FieldValue, unclear: set[str]) -> bytes | None:
    if "boundary" in value.repeated or "boundary" in value.continued:
        unclear.add("duplicate-boundary")
    boundary = value.parameters.get("boundary", "").rstrip().encode("utf-8", "replace")
    if not boundary or len(boundary) > MAX_BOUNDARY:
        unclear.add("missing-boundary")
        return None
    return boundary


def _content_id(fields: tuple[Field, ...]) -> str:
    for field in fields:
        if field.name == "content-id":
            return field.value[:512].decode("ascii", "replace").strip().removeprefix("<").removesuffix(">")
    return ""


def _judge(part: Part, raw: bytes) -> None:
    """Fill in the size, and whether a person would call the part an attachment."""
    part.size_bytes = _size(part, raw)
    if part.content_type.startswith("multipart/") and not part.name and part.disposition != "attachment":
        return
    part.is_attachment = _is_attachment(part)
    suffix = part.name.rpartition(".")[2].lower() if part.name else ""
    part.inline = (
        part.is_attachment
        and part.within == "multipart/related"
        and part.content_id != ""
        and part.content_type.startswith("image/")
        and part.disposition != "attachment"
        and (not part.name or "." not in part.name or suffix in _IMAGE_SUFFIXES)
    )


def _is_attachment(part: Part) -> bool:
    """Tell whether a leaf is an attachment: asked for, named, or of a type that is shown as a file.

    Signatures and the machine-readable parts of reports are not, whatever they are named.
    """
    if part.content_type in _MACHINE_TYPES and part.within in (
        "multipart/signed",
        "multipart/encrypted",
        "multipart/report",
    ):
        return False
    if part.disposition == "attachment" or part.name:
        return True
    return not part.content_type.startswith("text/")


def _size(part: Part, raw: bytes) -> int:
    """Return the size of the decoded body, from counts alone."""
    at, end = part.body_at, part.end
    length = end - at
    if part.encoding == "base64":
        digits = length - 2 * raw.count(b"\r\n", at, end) - raw.count(b" ", at, end)
        return max(digits * 3 // 4 - raw[max(at, end - 6) : end].count(b"="), 0)
    if part.encoding == "quoted-printable":
        soft = raw.count(b"=\r\n", at, end)
        return length - 3 * soft - 2 * (raw.count(b"=", at, end) - soft)
    return length
