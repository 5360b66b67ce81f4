"""Whether a key opens a file: tried on the file itself, so that a yes is certain.

ZIP (the old cipher and AES), PDF, and Office documents of any age can be tried; of others nobody can tell here. A try takes a
millisecond on a ZIP, seven on a PDF, a fifth of a second on an Office document; MAX_ROUNDS bounds what a file may ask for.
Parses what a stranger may have made: call it in a worker process. Never raises; nothing is kept, nothing is written.
"""

from __future__ import annotations

import hashlib
import hmac
import zipfile
import zlib
from collections.abc import Callable
from io import BytesIO

import pikepdf
from msoffcrypto import OfficeFile  # type: ignore[import-untyped]

from gateway.detect.kinds import kind_of
from gateway.protect.office import MAX_ROUNDS
from gateway.protect.pdf import opens_without_key

Opens = Callable[[str], bool]

MAX_MEMBERS = 20_000
"""Members of an archive among which the smallest sealed one is looked for."""

MAX_OLD_OCTETS = 1 << 20
"""Octets of a member in the old cipher that are opened as a whole: below a second. The check octet alone errs once in 256."""

_SEALED, _STRONG = 0x0001, 0x0040
_LOCAL_OCTETS = 30
_AES_METHOD, _AES_EXTRA = 99, 0x9901
_SALTS = {1: 8, 2: 12, 3: 16}  # by strength: 128, 192 and 256 bits
_ROUNDS, _CHECK_OCTETS, _TAG_OCTETS = 1000, 2, 10
_OLE_START = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def opener(name: str, octets: bytes) -> Opens | None:
    """Return what tries keys on a file that is encrypted; None where its kind cannot be tried."""
    try:
        if octets.startswith(b"PK"):
            return _zip_opener(octets)
        if octets.startswith(_OLE_START):
            return _office_opener(octets)
        return _pdf_opener(octets) if kind_of(name, octets) == "pdf" else None
    except Exception:  # a damaged file makes parsers raise anything, and cannot be tried
        return None


def _zip_opener(octets: bytes) -> Opens | None:
    archive = zipfile.ZipFile(BytesIO(octets))
    members = archive.infolist()
    sealed = [one for one in members if one.flag_bits & _SEALED and one.file_size > 0]
    if not sealed or len(members) > MAX_MEMBERS or any(one.flag_bits & _STRONG for one in sealed):
        return None
    smallest = min(sealed, key=lambda one: one.compress_size)
    if smallest.compress_type == _AES_METHOD:
        return _by_spelling(_aes_opener(octets, smallest))
    if smallest.file_size > MAX_OLD_OCTETS:
        return None
    return _by_spelling(lambda key: _opens_old(archive, smallest, key))


def _opens_old(archive: zipfile.ZipFile, member: zipfile.ZipInfo, key: bytes) -> bool:
    """Open a member in the old cipher (APPNOTE 6.1); its check sum says whether what came out is the file."""
    try:
        return len(archive.read(member, pwd=key)) == member.file_size
    except (RuntimeError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError, NotImplementedError):
        return False


def _aes_opener(octets: bytes, member: zipfile.ZipInfo) -> Callable[[bytes], bool]:
    """Return what checks a key by the code over a member (AE-1 and AE-2 of WinZip); raises ValueError."""
    salt_octets = _SALTS[_strength(member.extra)]
    start = member.header_offset + _LOCAL_OCTETS
    start += sum([int.from_bytes(octets[start - at : start - at + 2], "little") for at in (4, 2)])
    sealed = octets[start : start + member.compress_size]
    salt, check = sealed[:salt_octets], sealed[salt_octets : salt_octets + _CHECK_OCTETS]
    inside, tag = sealed[salt_octets + _CHECK_OCTETS : -_TAG_OCTETS], sealed[-_TAG_OCTETS:]
    key_octets = 2 * salt_octets

    def opens(key: bytes) -> bool:
        derived = hashlib.pbkdf2_hmac("sha1", key, salt, _ROUNDS, 2 * key_octets + _CHECK_OCTETS)
        if derived[2 * key_octets :] != check:
            return False
        code = hmac.digest(derived[key_octets : 2 * key_octets], inside, "sha1")
        return hmac.compare_digest(code[:_TAG_OCTETS], tag)

    return opens


def _strength(extra: bytes) -> int:
    at = 0
    while at + 4 <= len(extra):
        kind, size = (
            int.from_bytes(extra[at : at + 2], "little"),
            int.from_bytes(extra[at + 2 : at + 4], "little"),
        )
        if kind == _AES_EXTRA and size >= 7:
            return extra[at + 8]
        at += 4 + size
    raise ValueError("no AES extra field")


def _by_spelling(opens: Callable[[bytes], bool]) -> Opens:
    """Try a key in the octets of UTF-8 and of Japanese Windows: programs differ in which they take."""

    def tried(key: str) -> bool:
        spellings = {key.encode("utf-8", "replace"), key.encode("cp932", "replace")}
        return any(opens(octets) for octets in spellings)

    return tried


def _pdf_opener(octets: bytes) -> Opens | None:
    if opens_without_key(octets) is not False:
        return None

    def opens(key: str) -> bool:
        try:
            with pikepdf.open(BytesIO(octets), password=key, attempt_recovery=False, suppress_warnings=True):
                return True
        except (pikepdf.PasswordError, pikepdf.PdfError, ValueError, RuntimeError):
            return False

    return opens


def _office_opener(octets: bytes) -> Opens | None:
    document = OfficeFile(BytesIO(octets))
    if not document.is_encrypted():
        return None
    if document.format == "ooxml" and document.type == "agile" and document.info["spinValue"] > MAX_ROUNDS:
        return None

    is_package = document.format == "ooxml"

    def opens(key: str) -> bool:
        try:
            document.load_key(password=key, **({"verify_password": True} if is_package else {}))
        except Exception:  # a wrong key and a file that cannot be tried are the same here
            return False
        return is_package or bool(
            document.key == key
        )  # an obfuscated Word 97 file takes any key, and keeps none

    return opens
