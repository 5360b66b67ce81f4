"""Which file is protected how, and that nothing readable is left of any."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime

import pytest

from gateway.protect import seal as room
from gateway.protect.file import File
from gateway.protect.office import encrypt_office
from gateway.protect.seal import Form, Outcome, Recipe, Refused, seal
from gateway.protect.state import State, state_of
from tests.detect.files import archive, ole
from tests.protect.sample import AT, KEY, entropy, locked_pdf, office, pdf

WORDS = b"plain words to look for, " * 20


def recipe(form: Form, *, at: datetime = AT, hide_names: bool = False) -> Recipe:
    return Recipe(form, KEY, at, entropy(), "添付ファイル.zip", hide_names)


def sealed(form: Form, *files: tuple[str, bytes]) -> Outcome:
    return seal([File.of(name, octets) for name, octets in files], recipe(form))


def partly() -> bytes:
    """Return an archive one of whose two members calls itself encrypted, in both places."""
    octets = bytearray(archive("a.txt", "b.txt"))
    octets[6] |= 1
    octets[octets.index(b"PK\x01\x02") + 8] |= 1
    return bytes(octets)


@pytest.mark.parametrize("form", Form)
def test_all_files_are_in_what_leaves_and_none_can_be_read(form: Form) -> None:
    files = [("a.pdf", pdf()), ("b.docx", office()), ("c.txt", WORDS), ("d.doc", ole("WordDocument") + WORDS)]
    outcome = sealed(form, *files)
    assert sorted(number for each in outcome.sealed for number in each.holds) == [0, 1, 2, 3]
    for each in outcome.sealed:
        octets = b"".join(each.chunks())
        assert b"plain words" not in octets
        assert state_of(each.name, octets) is State.ENCRYPTED


def test_one_archive_holds_all() -> None:
    (one,) = sealed(Form.ZIP_AES256, ("a.pdf", pdf()), ("名簿.csv", WORDS)).sealed
    assert (one.name, one.content_type) == ("添付ファイル.zip", "application/zip")
    with zipfile.ZipFile(io.BytesIO(b"".join(one.chunks()))) as opened:
        assert opened.namelist() == ["a.pdf", "名簿.csv"]


def test_each_time_it_is_sealed_anew() -> None:
    (one,) = sealed(Form.ZIP_AES256, ("a.txt", WORDS)).sealed
    assert b"".join(one.chunks()) != b"".join(one.chunks())


def test_native_keeps_what_can_be_kept() -> None:
    files = [
        ("説明.pdf", pdf()),
        ("表.xlsx", office("xl")),
        ("macro.xlsm", office("xl", "xl/vbaProject.bin")),
    ]
    outcome = sealed(Form.NATIVE, *files)
    assert [(each.name, each.holds) for each in outcome.sealed] == [
        ("説明.pdf", (0,)),
        ("表.xlsx", (1,)),
        ("macro.xlsm", (2,)),
    ]
    assert outcome.sealed[0].content_type == "application/pdf"
    assert outcome.packed == {}


@pytest.mark.parametrize(
    ("name", "octets", "reason"),
    [
        ("signed.pdf", pdf(signed=True), "signed"),
        ("no-printing.pdf", locked_pdf("", "owner"), "encrypted"),
        ("broken.pdf", pdf()[:-40], "damaged"),
        ("broken.docx", office()[:-30], "no-form"),
        ("sheet.pdf", office("xl"), "other-name"),
        ("old.doc", ole("WordDocument"), "no-form"),
        ("a.txt", WORDS, "no-form"),
        ("empty.txt", b"", "no-form"),
        ("a.zip", archive("a.txt"), "no-form"),
    ],
)
def test_native_packs_what_cannot_be_kept_and_says_why(name: str, octets: bytes, reason: str) -> None:
    outcome = sealed(Form.NATIVE, (name, octets), ("keep.pdf", pdf()))
    assert outcome.packed == {0: reason}
    assert [(each.name, each.holds) for each in outcome.sealed] == [
        ("keep.pdf", (1,)),
        ("添付ファイル.zip", (0,)),
    ]


@pytest.mark.parametrize("form", Form)
def test_what_is_encrypted_already_is_left_alone(form: Form) -> None:
    already = b"".join(encrypt_office(office(), "another key", entropy=entropy()))
    outcome = sealed(form, ("a.docx", already), ("b.pdf", locked_pdf("secret", "owner")))
    assert outcome == Outcome((), (0, 1), {})
    mixed = sealed(form, ("a.docx", already), ("b.txt", WORDS))
    assert mixed.left == (0,)
    assert [each.holds for each in mixed.sealed] == [(1,)]


@pytest.mark.parametrize("form", Form)
def test_what_is_encrypted_in_part_is_refused(form: Form) -> None:
    with pytest.raises(Refused) as refused:
        sealed(form, ("a.txt", WORDS), ("b.zip", partly()))
    assert (refused.value.reason, refused.value.number) == ("partly-encrypted", 1)


def test_a_file_too_large_to_look_at_is_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MAX_LOOKED_AT_OCTETS", 100)
    outcome = sealed(Form.NATIVE, ("a.pdf", pdf()))
    assert outcome.packed == {0: "too-large"}
    assert [each.name for each in outcome.sealed] == ["添付ファイル.zip"]


def test_no_files_are_nothing() -> None:
    assert sealed(Form.NATIVE) == Outcome((), (), {})


def test_neither_key_nor_entropy_is_shown() -> None:
    assert KEY not in repr(recipe(Form.NATIVE))
    assert KEY not in repr(sealed(Form.NATIVE, ("a.txt", WORDS)))
