"""What is protected already: files as real programs make them, and files that lie."""

from __future__ import annotations

import base64
import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.protect.archive import zip_aes256, zip_legacy
from gateway.protect.file import File
from gateway.protect.office import encrypt_office
from gateway.protect.pdf import encrypt_pdf
from gateway.protect.state import State, state_of
from tests.detect.files import DISGUISED, FILES, archive, ole
from tests.protect.sample import AT, KEY, entropy, locked_pdf, office, pdf, run
from tests.thoroughness import examples

SOME = [File.of("a.txt", b"plain words"), File.of("b.txt", b"more plain words")]
ODT = "application/vnd.oasis.opendocument.text"


def sealed_zip() -> bytes:
    return b"".join(zip_aes256(SOME, KEY, at=AT, entropy=entropy()))


def cms(oid: bytes) -> bytes:
    return b"0\x82\x10\x00\x06" + bytes([len(oid)]) + oid + bytes(40)


def pem(octets: bytes) -> bytes:
    return b"-----BEGIN PKCS7-----\n" + base64.encodebytes(octets) + b"-----END PKCS7-----\n"


def armour(packet: int, *headers: bytes) -> bytes:
    lines = b"".join(each + b"\n" for each in headers)
    body = base64.b64encode(bytes([0xC0 | packet, 10]) + bytes(10))
    return b"-----BEGIN PGP MESSAGE-----\n" + lines + b"\n" + body + b"\n-----END PGP MESSAGE-----\n"


def open_document(manifest: str, content: bytes = b"?") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("mimetype", ODT)
        made.writestr("content.xml", content)
        made.writestr("META-INF/manifest.xml", manifest)
    return out.getvalue()


ENVELOPED = cms(b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03")
SIGNED = cms(b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02")
AUTH_ENVELOPED = cms(b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17")


@pytest.mark.parametrize(
    ("name", "octets", "state"),
    [
        ("a.txt", b"words", State.PLAIN),
        ("empty.txt", b"", State.PLAIN),
        ("a.bin", bytes(100), State.PLAIN),
        ("a.pdf", pdf(), State.PLAIN),
        ("a.pdf", b"".join(encrypt_pdf(pdf(), KEY, entropy=entropy())), State.ENCRYPTED),
        ("only-no-printing.pdf", locked_pdf("", "owner"), State.PLAIN),
        ("a.pdf", pdf()[:-40], State.UNREADABLE),
        ("a.docx", office(), State.PLAIN),
        ("a.docx", b"".join(encrypt_office(office(), KEY, entropy=entropy())), State.ENCRYPTED),
        ("no-name-for-it", b"".join(encrypt_office(office(), KEY, entropy=entropy())), State.ENCRYPTED),
        (
            "excel-opens-it.xlsx",
            b"".join(encrypt_office(office("xl"), "VelvetSweatshop", entropy=entropy())),
            State.PLAIN,
        ),
        ("a.xlsx", ole("EncryptionInfo", "EncryptedPackage"), State.UNREADABLE),
        ("a.jtd", ole("DocumentText"), State.PLAIN),
        ("a.zip", archive("a.txt"), State.PLAIN),
        ("empty.zip", archive(), State.PLAIN),
        ("a.zip", sealed_zip(), State.ENCRYPTED),
        ("a.zip", b"".join(zip_legacy(SOME, KEY, at=AT, entropy=entropy())), State.ENCRYPTED),
        ("other.name", sealed_zip(), State.ENCRYPTED),
        ("a.zip", sealed_zip()[:-30], State.UNREADABLE),
        ("a.odt", open_document("<manifest/>"), State.PLAIN),
        ("a.odt", open_document("<m:encryption-data/>"), State.ENCRYPTED),
        ("a.odt", open_document("<m:encryption-data/>", b"<\x91\xd4 \x07 octets"), State.ENCRYPTED),
        (
            "a.odt",
            open_document("<!-- encryption-data -->", b"\xef\xbb\xbf\n<?xml version='1.0'?><a/>"),
            State.PLAIN,
        ),
        ("a.odt", archive("content.xml", mimetype=ODT), State.UNREADABLE),
        ("smime.p7m", ENVELOPED, State.ENCRYPTED),
        ("smime.p7m", AUTH_ENVELOPED, State.ENCRYPTED),
        ("smime.p7m", SIGNED, State.PLAIN),
        ("smime.p7m", pem(ENVELOPED), State.ENCRYPTED),
        ("smime.p7m", pem(SIGNED), State.PLAIN),
        ("a.asc", armour(1), State.ENCRYPTED),
        ("a.asc", armour(3, b"Version: x", b"Comment: y"), State.ENCRYPTED),
        ("a.asc", armour(18), State.ENCRYPTED),
        ("a.asc", armour(8), State.PLAIN),
        ("a.gpg", bytes([0x85, 1, 12]) + bytes(20), State.ENCRYPTED),
        ("a.gpg", bytes([0xD2, 20]) + bytes(20), State.ENCRYPTED),
        ("a.gpg", b"no such thing", State.PLAIN),
        ("a.asc", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ==\n", State.PLAIN),
        ("a.asc", b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nwords\n", State.PLAIN),
        ("a.asc", b"-----BEGIN PGP MESSAGE-----\n????", State.UNREADABLE),
        ("a.rar", b"Rar!\x1a\x07\x01\x00", State.UNREADABLE),
        ("a.7z", b"7z\xbc\xaf\x27\x1c\x00\x04", State.UNREADABLE),
    ],
)
def test_states(name: str, octets: bytes, state: State) -> None:
    assert state_of(name, octets) is state


def test_an_archive_whose_members_call_themselves_plain_is_not_encrypted() -> None:
    """The directory says sealed, the members themselves do not: a program that believes them opens them."""
    octets = bytearray(archive("a.txt"))
    octets[octets.rindex(b"PK\x01\x02") + 8] |= 1
    assert state_of("a.zip", bytes(octets)) is State.PLAIN


def test_an_archive_that_only_says_that_its_directory_is_sealed_is_not_encrypted() -> None:
    octets = bytearray(archive("a.txt"))
    octets[octets.rindex(b"PK\x01\x02") + 9] |= 0x20
    assert state_of("a.zip", bytes(octets)) is State.UNREADABLE


def test_folders_and_empty_files_do_not_make_an_archive_partly_encrypted() -> None:
    mixed = [*SOME, File.of("empty.txt", b"")]
    octets = bytearray(b"".join(zip_aes256(mixed, KEY, at=AT, entropy=entropy())))
    octets[octets.rindex(b"PK\x01\x02") + 8] ^= 1
    assert state_of("a.zip", bytes(octets)) is State.ENCRYPTED


@pytest.mark.interop
@pytest.mark.parametrize(
    ("calls", "state"),
    [
        ([["-t7z"]], State.PLAIN),
        ([["-t7z", "-m0=copy"]], State.PLAIN),
        ([["-t7z", "-mhc=off", "-ms=off"]], State.PLAIN),
        ([["-t7z", f"-p{KEY}"]], State.ENCRYPTED),
        ([["-t7z", f"-p{KEY}", "-mhe=on"]], State.ENCRYPTED),
        ([["-t7z", f"-p{KEY}", "-ms=off", "-mhc=off"]], State.ENCRYPTED),
        ([["-t7z", f"-p{KEY}", "-m0=BCJ2"]], State.ENCRYPTED),
        ([["-t7z", f"-p{KEY}", "-x!a.txt"], ["-t7z", "-x!b.txt"]], State.PARTLY),
        ([["-tzip"]], State.PLAIN),
        ([["-tzip", f"-p{KEY}"]], State.ENCRYPTED),
        ([["-tzip", f"-p{KEY}", "-mem=AES256"]], State.ENCRYPTED),
        ([["-tzip", f"-p{KEY}", "-x!a.txt"], ["-tzip", "-x!b.txt"]], State.PARTLY),
    ],
)
def test_archives_that_seven_zip_makes(calls: list[list[str]], state: State, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.txt", "b.txt"):
        (folder / name).write_text(f"words of {name}\n" * 50)
    made = tmp_path / "made"
    for options in calls:
        assert run("7z", "a", *options, made, f"{folder}/.").returncode == 0
    (found,) = [each for each in tmp_path.iterdir() if each.is_file()]
    assert state_of(found.name, found.read_bytes()) is state


@pytest.mark.parametrize(("name", "octets"), [(name, octets) for name, octets, _ in FILES + DISGUISED])
def test_no_file_makes_it_raise(name: str, octets: bytes) -> None:
    assert state_of(name, octets) in State


SEEDS = [
    ("a.zip", sealed_zip()),
    ("a.pdf", locked_pdf("secret", "owner")),
    ("a.docx", b"".join(encrypt_office(office(), KEY, entropy=entropy()))),
    ("a.p7m", pem(ENVELOPED)),
    ("a.asc", armour(1)),
    ("a.odt", open_document("<m:encryption-data/>")),
    ("a.7z", b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(4) + (10).to_bytes(8, "little") * 2 + bytes(40)),
]


@settings(max_examples=examples(150), deadline=None)
@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), max_size=8))
def test_no_damage_makes_it_raise(seed: tuple[str, bytes], changes: list[tuple[int, int]]) -> None:
    octets = bytearray(seed[1])
    for at, value in changes:
        octets[at % len(octets)] = value
    assert state_of(seed[0], bytes(octets)) in State
