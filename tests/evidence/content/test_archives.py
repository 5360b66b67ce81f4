"""Archives: their members by name, whether they are encrypted, and what is in them to a depth."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile

import pytest

from gateway.evidence.content.bounds import Bounds
from tests.evidence.content.making import told_of, zipped

TEXT = "個人番号は 123456789018 です"


def test_zip_members_are_listed_and_read_with_names_of_windows() -> None:
    octets = zipped({"AA.txt": TEXT.encode("cp932"), "dir/b.csv": b"a,b\nc,d"})
    octets = octets.replace(b"AA.txt", "名簿".encode("cp932") + b"xx")  # no UTF-8 flag
    evidence, text = told_of("a.zip", octets)
    assert evidence.members == ("名簿xx", "dir/b.csv")
    assert evidence.found.my_number == 1
    assert "c\vd" in text
    assert (evidence.kind, evidence.encrypted, evidence.complete, evidence.unread) == ("zip", False, True, "")


def test_archives_in_archives_are_read_to_a_depth() -> None:
    inner = zipped({"x.txt": TEXT.encode()})
    evidence, _ = told_of("a.zip", zipped({"inner.zip": inner, "b.txt": b"hi"}))
    assert evidence.members == ("inner.zip", "inner.zip/x.txt", "b.txt")
    assert evidence.found.my_number == 1
    for _ in range(10):
        inner = zipped({"i.zip": inner})
    evidence, _ = told_of("a.zip", inner)
    assert evidence.unread == "too-deep"
    assert len(evidence.members) == Bounds().depth + 1
    assert evidence.encrypted is None


def flagged(octets: bytes) -> bytes:
    """Set the flag for encryption in every header of a ZIP."""
    for sign, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = octets.find(sign)
        while place >= 0:
            octets = octets[: place + at] + bytes([octets[place + at] | 1]) + octets[place + at + 1 :]
            place = octets.find(sign, place + 4)
    return octets


def test_an_encrypted_zip_is_told_with_its_names() -> None:
    evidence, text = told_of("a.zip", flagged(zipped({"secret.docx": b"x" * 50})))
    assert (evidence.encrypted, evidence.unread, evidence.members) == (True, "encrypted", ("secret.docx",))
    assert text == ""
    evidence, _ = told_of(
        "outer.zip", zipped({"in.zip": flagged(zipped({"s": b"x"})), "b.txt": TEXT.encode()})
    )
    assert evidence.encrypted is True
    assert evidence.unread == "encrypted"
    assert evidence.found.my_number == 1


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_members_packed_in_every_way_are_read(method: int) -> None:
    assert told_of("a.zip", zipped({"a.txt": TEXT.encode()}, method))[1] == TEXT


def test_a_zip_behind_a_program_is_found_by_its_end() -> None:
    from gateway.evidence.content.zip_directory import Directory

    directory = Directory(b"MZ" + bytes(500) + zipped({"a.txt": b"hi"}))
    assert [directory.unpacked(entry, 100) for entry in directory.entries()] == [b"hi"]


def test_tar_and_gzip_are_read() -> None:
    with tarfile.open(fileobj=(out := io.BytesIO()), mode="w") as archive:
        for name, octets in (("名簿/" + "長" * 60 + ".txt", TEXT.encode()), ("b.txt", b"second")):
            info = tarfile.TarInfo(name)
            info.size = len(octets)
            archive.addfile(info, io.BytesIO(octets))
    evidence, text = told_of("a.tgz", gzip.compress(out.getvalue()))
    assert evidence.members == ("a.tar", "a.tar/名簿/" + "長" * 60 + ".txt", "a.tar/b.txt")
    assert "second" in text
    assert evidence.found.my_number == 1
