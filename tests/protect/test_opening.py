"""Whether a key opens a file: yes for the key it was sealed with, in every form, and no for any other."""

from __future__ import annotations

import io
import zipfile
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.protect.archive import zip_aes256, zip_legacy
from gateway.protect.file import File
from gateway.protect.office import encrypt_office
from gateway.protect.opening import opener
from gateway.protect.pdf import encrypt_pdf
from tests.protect.sample import AT, KEY, NOISE, entropy, locked_pdf, office, pdf, run

LETTERS = [File.of("a.txt", b"plain words"), File.of("b.bin", NOISE[:3000])]
SEALED = {
    "aes.zip": lambda: b"".join(zip_aes256(LETTERS, KEY, at=AT, entropy=entropy())),
    "old.zip": lambda: b"".join(zip_legacy(LETTERS, KEY, at=AT, entropy=entropy())),
    "a.pdf": lambda: b"".join(encrypt_pdf(pdf(), KEY, entropy=entropy())),
    "b.pdf": lambda: locked_pdf(KEY, "owner"),
    "a.docx": lambda: b"".join(encrypt_office(office(), KEY, entropy=entropy())),
}


@cache
def sealed(name: str) -> bytes:
    return SEALED[name]()


WRONG = ("Sakura-tanuki-yuzu", "sakura-tanuki-yuz", "", "パスワード", "x" * 300)


@pytest.mark.parametrize("name", SEALED)
def test_the_key_and_no_other_opens(name: str) -> None:
    opens = opener(name, sealed(name))
    assert opens is not None
    assert [opens(key) for key in (*WRONG, KEY, WRONG[0])] == [False] * len(WRONG) + [True, False]


@pytest.mark.parametrize(("tool", "method"), [("7z", "AES256"), ("7z", "AES128"), ("7z", "ZipCrypto")])
def test_what_other_programs_sealed_opens(tool: str, method: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("plain words" * 50)
    run(tool, "a", "-tzip", f"-p{KEY}", f"-mem={method}", tmp_path / "a.zip", tmp_path / "a.txt")
    opens = opener("a.zip", (tmp_path / "a.zip").read_bytes())
    assert opens is not None
    assert [opens("other"), opens(KEY)] == [False, True]


def test_the_check_octet_of_the_old_cipher_alone_is_no_yes() -> None:
    opens = opener("old.zip", sealed("old.zip"))
    assert opens is not None
    assert not any(opens(f"key-{number}") for number in range(600))


@pytest.mark.parametrize(
    ("name", "octets"),
    [
        ("a.txt", b"plain words"),
        ("a.docx", office()),
        ("a.zip", b"PK\x03\x04" + bytes(30)),
        ("a.7z", b"7z\xbc\xaf\x27\x1c" + bytes(40)),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)),
        ("", b""),
    ],
)
def test_what_cannot_be_tried(name: str, octets: bytes) -> None:
    assert opener(name, octets) is None


def test_a_large_member_in_the_old_cipher_is_not_tried() -> None:
    out = io.BytesIO(b"".join(zip_legacy([File.of("a", bytes(2 << 20))], KEY, at=AT, entropy=entropy())))
    assert zipfile.ZipFile(out).infolist()[0].flag_bits & 1
    assert opener("a.zip", out.getvalue()) is None


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(SEALED)), st.integers(0, 3000), st.binary(min_size=1, max_size=40))
def test_damage_raises_nothing(name: str, at: int, octets: bytes) -> None:
    whole = sealed(name)
    opens = opener(name, whole[:at] + octets + whole[at + len(octets) :])
    assert opens is None or opens("other") in (True, False)
