"""The header section as a row of fields that keep their bytes (RFC 5322 2.2), whatever is broken in them.

Promise: joining the fields gives back the octets that were split, for every input; an edit touches no other
field. Lines end at CRLF only. A line that is no field (no colon, white space first, an mbox `From ` line) is
kept as a field with the name "", so that nothing in a header section is ever overlooked. Not its job:
refusing (header_faults.py) or decoding (text.py, address_list.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from gateway.values import dataclass

# One field with its folded lines. Possessive throughout, so linear on every input; group 2 is the name,
# absent for junk. A name with one of `@ = ? % &` in it, though RFC 5322 2.2 allows it, is a line of a broken list of
# addresses and no name that any program writes: as a field its name would be the one place where nobody looks.
_FIELD = re.compile(
    rb"(?s:(?=.))((?:([!-$'-9;<>A-~]++)[ \t]*+:)?+[^\r]*+(?:\r(?!\n(?![ \t]))[^\r]*+)*+(?:\r\n)?+)",
)
_FOLD = re.compile(rb"\r\n(?=[ \t])")
_LEADING = (b"From ", b">From ", b" ", b"\t")


class Field(NamedTuple):
    """One header field: `name` in lower case, "" for a line that is no field; `raw` with folding and the final CRLF."""

    name: str
    raw: bytes

    @property
    def body(self) -> bytes:
        """Return what follows the colon as it stands, folds included; the whole line where there is no name."""
        return self.raw[self.raw.index(b":") + 1 :] if self.name else self.raw

    @property
    def value(self) -> bytes:
        """Return the body unfolded (RFC 5322 2.2.3), without white space and line ends around it."""
        raw = self.raw
        body = (raw[raw.index(b":") + 1 :] if self.name else raw).strip(b" \t\r\n")
        return _FOLD.sub(b"", body) if b"\r\n" in body else body


@dataclass(frozen=True, slots=True)
class HeaderSection:
    """The fields in order. Every edit returns a new section; names are compared in lower case."""

    fields: tuple[Field, ...]

    def all(self, name: str) -> tuple[Field, ...]:
        """Return every field called `name`, in order."""
        wanted = name.lower()
        return tuple([field for field in self.fields if field.name == wanted])

    def first(self, name: str) -> Field | None:
        """Return the first field called `name`, or None."""
        wanted = name.lower()
        for field in self.fields:
            if field.name == wanted:
                return field
        return None

    def without(self, predicate: Callable[[Field], bool]) -> HeaderSection:
        """Return the section without the fields for which `predicate` is true."""
        return HeaderSection(tuple([field for field in self.fields if not predicate(field)]))

    def drop(self, *names: str) -> HeaderSection:
        """Return the section without any field called one of `names`."""
        unwanted = {name.lower() for name in names}
        return HeaderSection(tuple([field for field in self.fields if field.name not in unwanted]))

    def replace(self, name: str, new_raw: bytes) -> HeaderSection:
        """Put `new_raw` where the first field called `name` stands and drop all others of that name.

        Appends where there is none. `new_raw` is one or more whole fields, each ended by CRLF.
        """
        wanted = name.lower()
        for index, field in enumerate(self.fields):
            if field.name == wanted:
                rest = HeaderSection(self.fields[index + 1 :]).drop(wanted)
                return HeaderSection(self.fields[:index] + parse_fields(new_raw) + rest.fields)
        return self.append(new_raw)

    def prepend(self, raw: bytes) -> HeaderSection:
        """Add whole fields at the top.

        They go below a leading mbox line and below lines that begin with white space: above them they would
        swallow these lines as folding, or turn an mbox line, which MTAs skip at the top, into the end of the
        section.
        """
        at = 0
        while at < len(self.fields) and not self.fields[at].name and self.fields[at].raw.startswith(_LEADING):
            at += 1
        above = _ended(self.fields[:at])
        return HeaderSection(above + parse_fields(raw) + self.fields[at:])

    def append(self, raw: bytes) -> HeaderSection:
        """Add whole fields at the end; a last line without CRLF gets one, or the two would run together."""
        return HeaderSection(_ended(self.fields) + parse_fields(raw))

    def to_bytes(self) -> bytes:
        """Return the section's octets, without the empty line that ends it."""
        return b"".join([field.raw for field in self.fields])


def parse_fields(section: bytes) -> tuple[Field, ...]:
    """Return the fields of a header section that stands alone (no empty line in it)."""
    return tuple(
        [Field(name.decode("ascii").lower(), whole) for whole, name in _FIELD.findall(section)],
    )


def split(raw: bytes) -> tuple[HeaderSection, int]:
    """Return the header section and the offset of the body, which is after the first empty line.

    With an empty line `raw[:offset] == section.to_bytes() + CRLF`; without one the section is all of `raw`
    and the offset its length, unless no line of it is a field: then there is no section and all is body.
    """
    if raw.startswith(b"\r\n"):
        return HeaderSection(()), 2
    end = raw.find(b"\r\n\r\n")
    if end < 0:
        fields = parse_fields(raw)
        named = any(field.name for field in fields)
        return (HeaderSection(fields), len(raw)) if named or not raw else (HeaderSection(()), 0)
    return HeaderSection(parse_fields(raw[: end + 2])), end + 4


def body_offset(raw: bytes) -> int:
    """Return about where the body begins, without reading the section: behind the first empty line, or at the end."""
    end = raw.find(b"\r\n\r\n")
    return len(raw) if end < 0 else end + 4


def _ended(fields: tuple[Field, ...]) -> tuple[Field, ...]:
    if not fields or fields[-1].raw.endswith(b"\r\n"):
        return fields
    last = fields[-1]
    return (*fields[:-1], Field(last.name, last.raw + b"\r\n"))
