"""Content-Type and Content-Disposition values: the type, its parameters, and the file name a person would see.

Promise: never raises, is linear, reads what clients write (RFC 2045 5.1, RFC 2231, RFC 2047 inside quotes,
raw ISO-2022-JP, Shift_JIS and UTF-8), and says where a value can be read in two ways. A file name comes back
harmless: one line, no path.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from gateway.message import charset
from gateway.message.text import decode_header, one_line
from gateway.values import dataclass

MAX_PARAMETERS = 200
"""Parameters of one field that are read; a long RFC 2231 name takes some twenty."""

MAX_VALUE_OCTETS = 32 << 10
"""Octets of one field that are read; MAX_PARAMETERS of ordinary length fit."""

MAX_NAME_CHARACTERS = 255
"""Characters of a file name that are kept; the end stays, because the suffix is there. File systems hold no more."""

_REMEMBERED_OCTETS = 96
"""Values up to this are remembered (1024 of them): `text/plain; charset=iso-2022-jp` comes with every mail."""

_MAIN = re.compile(r"\s*+([^\s;/()\"=]+)(?:\s*+/\s*+([^\s;()\"=]+))?+")
_PARAMETER = re.compile(
    r"""(?:;|(?<=[^\s;])\s)\s*+([^\s=;"]++)\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"?+|([^;]*+))""",
    re.DOTALL,
)
_EQUALS = re.compile(r"\s*+=")
_ESCAPED = re.compile(r"\\([\"\\])")
_SEGMENT = re.compile(r"(.*?)(?:\*(\d{1,4}))?(\*)?", re.DOTALL)
_UNSAFE = re.compile('[/\\\\:*?"<>|\u202a-\u202e\u2066-\u2069]')


@dataclass(frozen=True, slots=True)
class FieldValue:
    """A parsed value: `main` (lower case, `type/subtype` or one token) and its parameters by lower-case name.

    `repeated` are names written twice, `continued` those in RFC 2231 form; `cut` says that there were more
    than are read.
    """

    main: str
    parameters: Mapping[str, str]
    repeated: frozenset[str] = frozenset()
    continued: frozenset[str] = frozenset()
    cut: bool = False


NOTHING = FieldValue("", {})


def parse_value(value: bytes) -> FieldValue:
    """Read a Content-Type or Content-Disposition value; of a repeated parameter the first counts."""
    return _remembered(value) if len(value) <= _REMEMBERED_OCTETS else _parse(value)


def _parse(value: bytes) -> FieldValue:
    text = charset.guess(value[:MAX_VALUE_OCTETS].replace(b"\r\n", b""))[0]
    main = _MAIN.match(text)
    cut = len(value) > MAX_VALUE_OCTETS
    if main is None or _EQUALS.match(text, main.end()):
        return _with_parameters("", ";" + text, 0, cut)
    whole = main[1] if main[2] is None else f"{main[1]}/{main[2]}"
    return _with_parameters(one_line(whole).lower(), text, main.end(), cut)


_remembered = lru_cache(maxsize=1024)(_parse)


def _with_parameters(main: str, text: str, at: int, cut: bool) -> FieldValue:
    plain: dict[str, str] = {}
    segments: dict[str, dict[int, tuple[str, bool]]] = {}
    repeated = set()
    for number, match in enumerate(_PARAMETER.finditer(text, at)):
        if number == MAX_PARAMETERS:
            cut = True
            break
        name, index, starred = _split_name(match[1].lower())
        value = _ESCAPED.sub(r"\1", match[2]) if match[2] is not None else match[3].strip()
        if index is None and not starred:
            repeated.update({name} & plain.keys())
            plain.setdefault(name, value)
        else:
            known = segments.setdefault(name, {})
            repeated.update({name} if (index or 0) in known else ())
            known.setdefault(index or 0, (value, starred))
    extended = {name: _join(parts) for name, parts in segments.items()}
    return FieldValue(main, {**plain, **extended}, frozenset(repeated), frozenset(segments), cut)


def _split_name(name: str) -> tuple[str, int | None, bool]:
    """Split `filename*1*` (RFC 2231 3 and 4) into its name, its number and whether it is percent-encoded."""
    match = _SEGMENT.fullmatch(name)
    if match is None or not match[1]:
        return name, None, False
    return match[1], None if match[2] is None else int(match[2]), match[3] is not None


def _join(segments: dict[int, tuple[str, bool]]) -> str:
    """Join RFC 2231 segments in the order of their numbers; the first says the charset for all percent-encoded ones."""
    label, out = "utf-8", b""
    for position, number in enumerate(sorted(segments)):
        value, starred = segments[number]
        if position == 0 and starred and value.count("'") >= 2:
            label, _, value = value.split("'", 2)
        octets = value.encode("utf-8", "replace")
        if starred:
            octets = unquote_to_bytes(octets)
        elif charset.known(label) and not value.isascii():
            octets = value.encode(charset.codec(label), "replace")
        out += octets
    return charset.decode(out, label)


def file_names(disposition: FieldValue, content_type: FieldValue) -> tuple[str, ...]:
    """Return the distinct display names a part carries, `filename` first, made harmless; none where it has no name."""
    first, second = disposition.parameters.get("filename", ""), content_type.parameters.get("name", "")
    if not first and not second:
        return ()
    names = [safe_name(name) for name in (first, second if second != first else "") if name]
    return tuple([name for name in dict.fromkeys(names) if name])


def safe_name(name: str) -> str:
    """Return a file name as it may be shown: encoded words decoded, no path, no controls, no change of direction."""
    if "=?" in name:
        name = decode_header(name.encode("utf-8", "replace"))
    name = _UNSAFE.sub("_", one_line(name)).strip()
    return name if len(name) <= MAX_NAME_CHARACTERS else name[-MAX_NAME_CHARACTERS:]
