"""Address lists in header fields: a strict reading that says whether it is certain, and a lenient scan that
misses nobody.

Promise: `Mailboxes.confident` is True only where every octet was understood (RFC 5322 3.4 with its obsolete
forms); `scan` finds at least what the strict reading finds, and everything else that looks like an address in
the raw octets, in the value without comments and folding, and in the value with its encoded words decoded.
Both are linear and never raise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from gateway.message import charset
from gateway.message.address import Address, AddressError, parse_path
from gateway.message.address_plain import certain_addresses
from gateway.message.address_scan import lenient, may_hold_address
from gateway.message.text import decode_header, one_line
from gateway.values import dataclass

MAX_STRICT = 128 << 10
"""Octets of a value that are read strictly; receive refuses longer fields, anything beyond is not confident."""

_FOLD = re.compile(rb"\r\n(?=[ \t])")
_TOKEN = re.compile(
    r"""(?P<space>[ \t]++)
      | (?P<atom>[^\x00-\x20\x7f-\x9f"(),:;<>@\[\]\\\u2028\u2029\ufffd\ud800-\udfff]++)
      | (?P<quoted>"(?:[^"\\\x00-\x08\x0a-\x1f]|\\[^\x00-\x1f])*+")
      | (?P<angle><(?:[^<>"\\\x00-\x08\x0a-\x1f]|"(?:[^"\\\x00-\x08\x0a-\x1f]|\\[^\x00-\x1f])*+")*+>)
      | (?P<literal>\[[^\[\]\\\s]*+\])
      | (?P<special>[,:;@(])""",
    re.VERBOSE,
)
_COMMENT_MARK = re.compile(r"[()\x00-\x08\x0a-\x1f]|\\.?", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One entry of an address list: the decoded display name (or comment), empty where there is none, and the address."""

    name: str
    address: Address


@dataclass(frozen=True, slots=True)
class Mailboxes:
    """What a field holds, groups flattened. `confident` is False where anything in the field was not understood."""

    items: tuple[Mailbox, ...]
    confident: bool


def parse_mailboxes(value: bytes) -> Mailboxes:
    """Read an address-list value (RFC 5322 3.4, RFC 6532; RFC 2047 in names), unfolded or not. Never raises."""
    text, certain = charset.guess(_unfolded(value[:MAX_STRICT]))
    reader = _Reader(text)
    reader.run()
    return Mailboxes(tuple(reader.items), certain and reader.confident and len(value) <= MAX_STRICT)


def scan(value: bytes) -> tuple[Address, ...]:
    """Find everything in a value that looks like an address, distinct by key, in order (see address_scan.py)."""
    if not may_hold_address(value):
        return ()
    plain = certain_addresses(_unfolded(value))
    if plain is not None:
        return distinct(plain)
    return distinct([*(item.address for item in parse_mailboxes(value).items), *lenient(value)])


def distinct(addresses: Iterable[Address]) -> tuple[Address, ...]:
    """Drop repetitions by key; of two spellings of one address the first stays."""
    return tuple(by_key(addresses).values())


def by_key(addresses: Iterable[Address]) -> dict[str, Address]:
    """Return the addresses by their keys, in order; of two spellings of one address the first."""
    first: dict[str, Address] = {}
    for address in addresses:
        first.setdefault(address.key, address)
    return first


def _unfolded(value: bytes) -> bytes:
    return _FOLD.sub(b"", value.removesuffix(b"\r\n")) if b"\r\n" in value else value


class _Reader:
    """One pass over the tokens of a value; `words` are the tokens of the entry that is being read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.items: list[Mailbox] = []
        self.confident = True
        self.words: list[tuple[str, str]] = []
        self.comment = ""
        self.in_group = False

    def run(self) -> None:
        while self.at < len(self.text):
            match = _TOKEN.match(self.text, self.at)
            if match is None:
                self.confident = False
                break
            self.at = match.end()
            self._take(str(match.lastgroup), match[0])
        self._end_of_entry()
        self.confident = self.confident and not self.in_group

    def _take(self, kind: str, text: str) -> None:
        if kind != "special" or text == "@":
            self.words.append((kind, text))
        elif text == ",":
            self._end_of_entry()
        elif text == ";":
            self._end_of_entry()
            self.confident = self.confident and self.in_group
            self.in_group = False
        elif text == ":":
            self._open_group()
        else:
            self._skip_comment()

    def _open_group(self) -> None:
        named = any(kind != "space" for kind, _ in self.words)
        plain = all(kind in ("space", "atom", "quoted") for kind, _ in self.words)
        self.confident = self.confident and named and plain and not self.in_group
        self.in_group = True
        self.words = []
        self.comment = ""

    def _skip_comment(self) -> None:
        """Go past a comment (RFC 5322 3.2.2), nested to any depth; without its end the rest is not understood."""
        start, depth = self.at, 1
        for match in _COMMENT_MARK.finditer(self.text, start):
            depth += {"(": 1, ")": -1}.get(match[0], 0)
            if match[0] < "\t" or "\t" < match[0] < " ":
                break
            if depth == 0:
                self.comment = self.text[start : match.start()]
                self.at = match.end()
                self.words.append(("space", " "))
                return
        self.confident = False
        self.at = len(self.text)

    def _end_of_entry(self) -> None:
        words, comment = self.words, self.comment
        self.words, self.comment = [], ""
        solid = [word for word in words if word[0] != "space"]
        if not solid:
            return
        mailbox = _name_and_angle(words, solid) if solid[-1][0] == "angle" else _bare(solid, comment)
        if mailbox is None:
            self.confident = False
        else:
            self.items.append(mailbox)


def _name_and_angle(words: list[tuple[str, str]], solid: list[tuple[str, str]]) -> Mailbox | None:
    """Read `name <address>`; a name may hold dots (RFC 5322 4.1), but no bare `@` and no second address."""
    if any(kind not in ("atom", "quoted") for kind, _ in solid[:-1]):
        return None
    address = _parse(solid[-1][1][1:-1].strip(" \t"))
    if address is None:
        return None
    return Mailbox(_name([word for word in words if word[0] != "angle"]), address)


def _bare(solid: list[tuple[str, str]], comment: str) -> Mailbox | None:
    """Read an address without brackets: words around one `@`, where white space may stand (RFC 5322 4.4) at `@` and dots."""
    if sum(kind == "special" for kind, _ in solid) != 1:
        return None
    for (kind, left), (other, right) in pairwise(solid):
        if "special" not in (kind, other) and not (left.endswith(".") or right.startswith(".")):
            return None
    address = _parse("".join([token for _, token in solid]))
    return None if address is None else Mailbox(decode_header(comment.encode()), address)


def _name(words: list[tuple[str, str]]) -> str:
    text = "".join([_ESCAPED.sub(r"\1", token[1:-1]) if kind == "quoted" else token for kind, token in words])
    return decode_header(text.encode()) if "=?" in text else one_line(text).strip()


def _parse(text: str) -> Address | None:
    try:
        return parse_path(text)
    except AddressError:
        return None
