"""Calendar objects (RFC 5545): who is invited, and the words of the invitation."""

from __future__ import annotations

import re

from gateway.evidence.content.files import File
from gateway.evidence.content.gathering import Gathering
from gateway.evidence.content.octets import text_of
from gateway.message.address import Address, AddressError, parse_path

_FOLD = re.compile(r"\r?\n[ \t]")
_LINE = re.compile(r"([A-Za-z-]{1,40})((?:;[^\n:\"]*+(?:\"[^\"\n]*+\"[^\n:\"]*+)*+)?):([^\r\n]*)")
_EMAIL = re.compile(r";EMAIL=\"?([^\";:]{3,320})", re.IGNORECASE)
_ESCAPED = re.compile(r"\\([\\;,nN])")
_TEXTS = frozenset({"SUMMARY", "DESCRIPTION", "LOCATION", "COMMENT", "X-ALT-DESC", "CONTACT"})
_PEOPLE = frozenset({"ATTENDEE"})


def read(file: File, into: Gathering) -> None:
    """Read a calendar object; ATTENDEEs go to the mail's list of those invited."""
    into.tell(encrypted=False, macros=False)
    read_calendar(text_of(file.octets, file.charset), into)


def read_calendar(text: str, into: Gathering) -> None:
    """Read the lines of a calendar object, unfolded (RFC 5545 3.1)."""
    words: list[str] = []
    for match in _LINE.finditer(_FOLD.sub("", text)):
        name = match[1].upper()
        if name in _PEOPLE:
            _invite(match[2], match[3], into)
        elif name in _TEXTS:
            words.append(_ESCAPED.sub(lambda sign: "\n" if sign[1] in "nN" else sign[1], match[3]))
    into.say("\n".join(words))


def _invite(parameters: str, value: str, into: Gathering) -> None:
    """Note an attendee by its `mailto:`, and by its EMAIL parameter (RFC 7986 6.2) where the value is something else."""
    email = _EMAIL.search(parameters)
    scheme, _, path = value.partition(":")
    for text in (path if scheme.lower() == "mailto" else "", email[1] if email else ""):
        address = _address(text.partition("?")[0].strip())
        if address is not None:
            into.budget.invite(address)


def _address(text: str) -> Address | None:
    try:
        return parse_path(text) if text else None
    except AddressError:
        return None
