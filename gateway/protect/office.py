"""Office documents that stay what they are: the package inside an OLE file, in agile encryption ([MS-OFFCRYPTO] 2.3.4.10).

AES in 256 bits, SHA-512 in 100,000 rounds from the key: Office 2010 and later, LibreOffice and phones open it with the key.
Macros and signatures inside the package are encrypted with it and come out as they were. Documents of before 2007
(doc, xls, ppt) have no such form, and their own is broken: they go into an archive.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from io import BytesIO

from msoffcrypto import OfficeFile  # type: ignore[import-untyped]
from msoffcrypto.exceptions import FileFormatError  # type: ignore[import-untyped]
from msoffcrypto.format.ooxml import OOXMLFile  # type: ignore[import-untyped]

from gateway.protect.agile import encrypt
from gateway.protect.file import Entropy, pieces

MAX_OCTETS = 64 << 20
"""Octets of a document that is encrypted as such; it is in memory as a whole while it is looked at."""

MIN_OCTETS = 4096
"""Octets below which the large stream would have to lie elsewhere in the file; no program makes so small a document."""

MAX_KEY_CHARACTERS = 255
"""Characters of a key that Office takes ([MS-OFFCRYPTO] 2.3.4.11)."""

MAX_TYPES_OCTETS = 4 << 20
"""Octets of the list of types in a document, which is read to tell that it is one."""

KINDS = frozenset({"docx", "docm", "xlsx", "xlsm", "xlsb", "pptx", "pptm"})
"""Kinds (detect/kinds.py) that can be encrypted as such."""

_NO_SECRET = "VelvetSweatshop"  # noqa: S105 - what Excel tries by itself before it asks ([MS-OFFCRYPTO] 2.4.2.3)
_TYPES = "[Content_Types].xml"
MAX_ROUNDS = 1_000_000
"""Rounds of hashing that are done to try the one key that is known; about a second. Office writes 100,000."""


def why_not(octets: bytes) -> str:
    """Return why a document cannot be encrypted as it is: `damaged`, `too-small` or `too-large`; empty where it can."""
    if len(octets) > MAX_OCTETS:
        return "too-large"
    if len(octets) < MIN_OCTETS:
        return "too-small"
    try:
        with zipfile.ZipFile(BytesIO(octets)) as package:
            if package.getinfo(_TYPES).file_size > MAX_TYPES_OCTETS:
                return "damaged"
            return "" if OOXMLFile(BytesIO(octets)).type == "plain" else "damaged"
    except Exception:  # whatever a damaged file makes these libraries raise, it is damaged
        return "damaged"


def encrypt_office(octets: bytes, key: str, *, entropy: Entropy) -> Iterator[bytes]:
    """Return the chunks of a document that opens with the key alone. `why_not` has said yes to it."""
    if not key.isascii() or not 0 < len(key) <= MAX_KEY_CHARACTERS:
        raise ValueError(f"a key of a document is of 1 to {MAX_KEY_CHARACTERS} ASCII characters")
    return encrypt(len(octets), pieces(octets), key, entropy)


def needs_key(octets: bytes) -> bool | None:
    """Tell whether an OLE file is a document that opens with a key only; None where it cannot be told.

    An encrypted sheet whose key Excel knows by itself needs none. Files that are no documents are not encrypted documents.
    """
    try:
        document = OfficeFile(BytesIO(octets))
        return bool(document.is_encrypted()) and not _opens_by_itself(document)
    except FileFormatError:
        return False
    except (
        Exception
    ):  # the library reads fields as they come: anything may be raised, and means that nobody can tell
        return None


def _opens_by_itself(document: OOXMLFile) -> bool:
    if document.format == "ooxml" and document.type == "agile" and document.info["spinValue"] > MAX_ROUNDS:
        return False
    try:
        document.load_key(password=_NO_SECRET, verify_password=True)
    except Exception:  # a wrong key and a file that cannot be tried are the same here
        return False
    return True
