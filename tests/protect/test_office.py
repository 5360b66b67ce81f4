"""Office documents that stay what they are: decrypted again by the other half of the library, integrity checked."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import msoffcrypto  # type: ignore[import-untyped]
import olefile  # type: ignore[import-untyped]
import pytest
from msoffcrypto.exceptions import InvalidKeyError  # type: ignore[import-untyped]
from msoffcrypto.format.ooxml import OOXMLFile  # type: ignore[import-untyped]

from gateway.detect.kinds import kind_of
from gateway.protect import office as protected
from gateway.protect.office import MIN_OCTETS, encrypt_office, needs_key, why_not
from tests.detect.files import ole
from tests.protect.sample import KEY, NOISE, TYPES, entropy, office, run


def sealed(octets: bytes, key: str = KEY) -> bytes:
    return b"".join(encrypt_office(octets, key, entropy=entropy()))


def opened(octets: bytes, key: str) -> bytes:
    document = msoffcrypto.OfficeFile(io.BytesIO(octets))
    document.load_key(password=key, verify_password=True)
    out = io.BytesIO()
    document.decrypt(out, verify_integrity=True)
    return out.getvalue()


@pytest.mark.parametrize("folder", ["word", "xl", "ppt"])
@pytest.mark.parametrize("size", [4097, 8191, 8192, 65_536 - 345, 300_000])
def test_it_opens_with_the_key_octet_for_octet(folder: str, size: int) -> None:
    plain = office(folder, content=b"w" * size)
    octets = sealed(plain)
    assert opened(octets, KEY) == plain
    assert kind_of("a.docx", octets) == "docx"
    with pytest.raises(InvalidKeyError):
        opened(octets, "wrong")


@pytest.mark.interop
def test_seven_zip_reads_the_file_around_it(tmp_path: Path) -> None:
    """7-Zip knows OLE files, and extracts the streams of one."""
    where = tmp_path / "sealed.bin"
    where.write_bytes(sealed(office(content=NOISE * 40)))
    out = tmp_path / "out"
    done = run("7z", "x", "-tCompound", f"-o{out}", where)
    assert done.returncode == 0, done.stdout
    with olefile.OleFileIO(where.read_bytes()) as ole:
        assert (out / "EncryptedPackage").read_bytes() == ole.openstream("EncryptedPackage").read()


@pytest.mark.parametrize("size", [5_000, 60_000, 7_200_000, 8_000_000])
def test_the_file_around_it_has_no_defect(size: int) -> None:
    """Above 7 MB its tables need tables of their own."""
    octets = sealed(office(content=entropy(3)(1000) * (size // 1000)))
    with olefile.OleFileIO(octets, raise_defects=olefile.DEFECT_UNSURE) as ole:
        assert ole.parsing_issues == []
        assert len(octets) % 512 == 0
        assert ole.get_size("EncryptedPackage") > size


def test_its_folders_are_those_that_the_library_writes() -> None:
    """Octet for octet, but for what is random: they were taken from what Office writes."""
    theirs = io.BytesIO()
    OOXMLFile(io.BytesIO(office())).encrypt(KEY, theirs)
    with olefile.OleFileIO(theirs.getvalue()) as one, olefile.OleFileIO(sealed(office())) as other:
        assert one.listdir(streams=True, storages=True) == other.listdir(streams=True, storages=True)
        for name in other.listdir():
            if name[0] != "EncryptionInfo" and name[0] != "EncryptedPackage":
                assert one.openstream(name).read() == other.openstream(name).read(), name


def test_nothing_of_the_secret_is_fixed() -> None:
    """Two documents under one key and other random octets have no segment in common."""
    first, second = (b"".join(encrypt_office(office(), KEY, entropy=entropy(n))) for n in (1, 2))
    with olefile.OleFileIO(first) as one, olefile.OleFileIO(second) as other:
        a, b = (each.openstream("EncryptedPackage").read() for each in (one, other))
    assert a[:8] == b[:8]
    assert not {a[at : at + 16] for at in range(8, len(a), 16)} & {
        b[at : at + 16] for at in range(8, len(b), 16)
    }


def test_it_is_written_while_it_is_made() -> None:
    chunks = encrypt_office(office(content=NOISE * 40), KEY, entropy=entropy())
    assert max(len(each) for each in chunks) <= 1 << 20


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
        list(encrypt_office(office(), key, entropy=entropy()))
