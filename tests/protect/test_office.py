"""Office documents that stay what they are: decrypted again by the other half of the library, integrity checked."""

from __future__ import annotations

import io
import zipfile

import msoffcrypto
import pytest
from msoffcrypto.exceptions import InvalidKeyError

from gateway.detect.kinds import kind_of
from gateway.protect import office as protected
from gateway.protect.office import MIN_OCTETS, encrypt_office, needs_key, why_not
from tests.detect.files import ole
from tests.protect.sample import KEY, TYPES, office


def sealed(octets: bytes, key: str = KEY) -> bytes:
    return b"".join(encrypt_office(octets, key))


def opened(octets: bytes, key: str) -> bytes:
    document = msoffcrypto.OfficeFile(io.BytesIO(octets))
    document.load_key(password=key, verify_password=True)
    out = io.BytesIO()
    document.decrypt(out, verify_integrity=True)
    return out.getvalue()


@pytest.mark.parametrize("folder", ["word", "xl", "ppt"])
@pytest.mark.parametrize("size", [4097, 8191, 8192, 300_000])
def test_it_opens_with_the_key_octet_for_octet(folder: str, size: int) -> None:
    plain = office(folder, content=b"w" * size)
    octets = sealed(plain)
    assert opened(octets, KEY) == plain
    assert kind_of("a.docx", octets) == "docx"
    with pytest.raises(InvalidKeyError):
        opened(octets, "wrong")


def test_the_smallest_that_is_encrypted_opens() -> None:
    """One octet less is refused: the library would write what nobody can open."""
    plain = archive_of(MIN_OCTETS)
    assert why_not(plain) == ""
    assert opened(sealed(plain), KEY) == plain
    assert why_not(archive_of(MIN_OCTETS - 1)) == "too-small"


def archive_of(size: int) -> bytes:
    """Return a document of so many octets, the last of which are its comment."""
    bare = io.BytesIO()
    with zipfile.ZipFile(bare, "w") as made:
        made.writestr("[Content_Types].xml", TYPES)
    missing = size - len(bare.getvalue())
    with zipfile.ZipFile(bare, "a") as made:
        made.comment = b"c" * missing
    return bare.getvalue()


def test_macros_are_sealed_with_the_rest() -> None:
    plain = office("xl", "xl/vbaProject.bin")
    assert opened(sealed(plain), KEY) == plain


def test_nothing_readable_is_left() -> None:
    assert b"plain words" in office()
    assert b"plain words" not in sealed(office())


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (office(), ""),
        (office("ppt"), ""),
        (office()[:-30], "damaged"),
        (b"PK\x03\x04" + bytes(5000), "damaged"),
        (b"PK\x03\x04", "too-small"),
        (sealed(office()), "damaged"),
    ],
)
def test_why_it_cannot_be_encrypted_as_it_is(octets: bytes, reason: str) -> None:
    assert why_not(octets) == reason


def test_a_large_one_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protected, "MAX_OCTETS", 100)
    assert why_not(office()) == "too-large"


@pytest.mark.parametrize(
    ("octets", "needed"),
    [
        (sealed(office()), True),
        (sealed(office("xl"), "VelvetSweatshop"), False),
        (office(), False),
        (ole("DocumentText"), False),
        (ole("WordDocument"), None),
        (ole("EncryptionInfo", "EncryptedPackage"), None),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", None),
    ],
)
def test_whether_a_key_is_needed(octets: bytes, needed: bool | None) -> None:
    assert needs_key(octets) is needed


@pytest.mark.parametrize("key", ["", "さくら", "k" * 256])
def test_a_key_that_programs_cut_or_write_in_two_ways_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="ASCII"):
        list(encrypt_office(office(), key))
