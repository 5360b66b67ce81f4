"""How a file is called and what it is said to be when it is fetched: the fields Content-Disposition and Content-Type. Pure.

Names were chosen by a stranger: nothing of them gets out of its quotes, into another folder or into another field. What a
file is said to be comes from a closed list, so that no browser runs it in our name.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from gateway.protect.member_names import member_names

OCTETS = "application/octet-stream"
TYPES = {
    "pdf": "application/pdf",
    "zip": "application/zip",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "doc": "application/msword",
    "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "tiff": "image/tiff",
}
"""By the kind that the octets have (detect/kinds.py); anything else is octets."""

_QUOTED = frozenset('"\\%')  # RFC 6266 appendix D: recipients decode %-escapes that were none
_ATTR_CHAR = "!#$&+-.^_`|~"  # RFC 8187 3.2.1, beside letters and digits


def names_of(names: Sequence[str]) -> tuple[str, ...]:
    """Return names that are safe on every system, each of them once."""
    return member_names(names)


def disposition(name: str) -> str:
    """Return the field's value: an attachment, with a name in ASCII for old clients and the right one (RFC 6266 4.3)."""
    plain = "".join(each if " " <= each <= "~" and each not in _QUOTED else "_" for each in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe=_ATTR_CHAR)}"


def content_type(kind: str) -> str:
    """Return the media type of a file of this kind."""
    return TYPES.get(kind, OCTETS)
