"""HTML files."""

from __future__ import annotations

import re

from gateway.evidence.content.files import File
from gateway.evidence.content.gathering import Gathering
from gateway.evidence.content.markup import page
from gateway.evidence.content.octets import text_of
from gateway.message import charset

_CHARSET = re.compile(rb"""charset\s{0,9}=\s{0,9}["']?([A-Za-z0-9_.:-]{1,40})""", re.IGNORECASE)
_HEAD = 2_048
"""Octets in which a page says its charset (HTML Living Standard 4.2.5.4 gives it 1024)."""


def read(file: File, into: Gathering) -> None:
    """Read a page by the charset of its part, or that which it names itself."""
    into.tell(encrypted=False, macros=False)
    label = file.charset
    if not charset.known(label):
        named = _CHARSET.search(file.octets, 0, _HEAD)
        label = named[1].decode("ascii") if named else ""
    say_page(text_of(file.octets, label), into)


def say_page(source: str, into: Gathering) -> None:
    """Add a page's text and its tables."""
    read_page = page(source)
    for table in read_page.tables:
        into.tabulate(table)
    into.say(read_page.text)
