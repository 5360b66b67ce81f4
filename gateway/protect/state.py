"""What is protected already: whether a file opens without a key.

Asked before a file is protected, so that no key is ever needed inside another (what is `encrypted` is left as it is), and
of a mail that says that it is protected. Doubt is strict: `encrypted` only where everything readable in the file is, in
every place that a program looks at. Parses what a stranger may have made: call it in a worker process. Never raises.
"""

from __future__ import annotations

from gateway.detect.kinds import kind_of, suffix_of
from gateway.protect import office, pdf
from gateway.protect.state_messages import cms_state, pgp_state
from gateway.protect.state_sevenzip import sevenzip_state
from gateway.protect.state_word import State
from gateway.protect.state_zip import open_document_state, zip_state

__all__ = ["State", "state_of"]

_OPEN_DOCUMENT = frozenset({"odt", "ods", "odp"})
_OLE = frozenset({"office", "doc", "docx", "docm", "xls", "xlsx", "xlsm", "xlsb", "ppt", "pptx", "pptm"})
_PGP_SUFFIXES = frozenset({"pgp", "gpg", "asc"})
_OLE_START = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ARCHIVE_START = b"PK"


def state_of(name: str, octets: bytes) -> State:
    """Tell whether a file opens without a key; of kinds that cannot be encrypted in themselves, that it does."""
    kind = kind_of(name, octets)
    if kind == "pdf":
        return _by_answer(pdf.opens_without_key(octets))
    if kind in _OPEN_DOCUMENT:
        return open_document_state(octets)
    if octets.startswith(_OLE_START):
        return _of_ole(kind, octets)
    return _of_archive(name, kind, octets)


def _of_archive(name: str, kind: str, octets: bytes) -> State:
    if octets.startswith(_ARCHIVE_START) or kind == "zip":
        return zip_state(octets)
    if kind == "7z":
        return sevenzip_state(octets)
    if kind == "rar":
        return State.UNREADABLE  # its headers are not read here; some hide, some do not
    if kind == "p7m" or suffix_of(name) == "p7m":
        return cms_state(octets)
    if kind == "pgp" or suffix_of(name) in _PGP_SUFFIXES:
        return pgp_state(octets)
    return State.PLAIN


def _of_ole(kind: str, octets: bytes) -> State:
    if kind not in _OLE:
        return State.PLAIN
    needed = office.needs_key(octets)
    return _by_answer(None if needed is None else not needed)


def _by_answer(opens: bool | None) -> State:
    if opens is None:
        return State.UNREADABLE
    return State.PLAIN if opens else State.ENCRYPTED
