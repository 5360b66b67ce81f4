"""Messages as Outlook saves them (MS-OXMSG): subject, body and attachments of a mail that was dragged into a mail."""

from __future__ import annotations

import re

from gateway.evidence.content.files import File, read_file
from gateway.evidence.content.gathering import Gathering
from gateway.evidence.content.octets import text_of, whole
from gateway.evidence.content.ole import Compound
from gateway.evidence.content.pages import say_page

_STREAM = "__substg1.0_"
_TEXTS = ("0037", "0E04", "0E03", "0C1F", "1000")  # subject, To, Cc, sender's address, body
_WIDE, _NARROW, _BINARY = "001F", "001E", "0102"
_HTML = "1013"
_LONG_NAME, _SHORT_NAME, _DATA = "3707", "3704", "3701"
_ATTACHMENT = re.compile(r"__attach_version1\.0_#[0-9A-F]{8}", re.IGNORECASE)


def read(compound: Compound, file: File, into: Gathering) -> None:
    """Read a message; one that is attached to it as a message is read through its texts."""
    for path in _messages(compound):
        for code in _TEXTS:
            into.say(_text(compound, path, code) + "\n")
        page = compound.find(f"{path}{_STREAM}{_HTML}{_BINARY}")
        if page is not None:
            say_page(text_of(compound.stream(page)), into)
    for entry in compound.entries:
        folder, _, name = entry.path.rpartition("/")
        if name.upper() == f"{_STREAM}{_DATA}{_BINARY}".upper() and _ATTACHMENT.search(folder):
            _read_attachment(compound, file, f"{folder}/", compound.stream(entry), into)


def _messages(compound: Compound) -> list[str]:
    """Return where the message itself stands, and those that are attached to it as messages."""
    inner = [
        entry.path.removesuffix("__properties_version1.0")
        for entry in compound.entries
        if entry.path.endswith(f"{_STREAM}{_DATA}000D/__properties_version1.0")
    ]
    return ["", *inner]


def _text(compound: Compound, path: str, code: str) -> str:
    wide = compound.find(f"{path}{_STREAM}{code}{_WIDE}")
    if wide is not None:
        return whole(compound.stream(wide).decode("utf-16-le", "replace"))
    narrow = compound.find(f"{path}{_STREAM}{code}{_NARROW}")
    return text_of(compound.stream(narrow)) if narrow is not None else ""


def _read_attachment(compound: Compound, file: File, path: str, octets: bytes, into: Gathering) -> None:
    name = _text(compound, path, _LONG_NAME) or _text(compound, path, _SHORT_NAME)
    into.member(file.prefix + name)
    into.budget.unpack(len(octets))
    read_file(file.inside(name, octets), into)
