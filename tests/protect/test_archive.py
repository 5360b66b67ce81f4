"""Archives: opened again by programs that know nothing of ours, with the names and octets that went in."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.protect import archive, zip_records
from gateway.protect.archive import INNER_NAME, zip_aes256, zip_legacy
from gateway.protect.file import File
from gateway.protect.zip_records import TooLarge
from tests.protect.sample import AT, KEY, NAME, NOISE, TEXT, entropy, run

FILES = ((NAME, TEXT), ("empty.txt", b""), ("写真.jpg", NOISE), ("one.bin", b"\x00"))
Make = Callable[..., Iterator[bytes]]


def files(*pairs: tuple[str, bytes]) -> list[File]:
    return [File.of(name, octets) for name, octets in pairs or FILES]


def made(make: Make, *pairs: tuple[str, bytes], key: str = KEY, **more: bool) -> bytes:
    return b"".join(make(files(*pairs), key, at=AT, entropy=entropy(), **more))


def opened(octets: bytes) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(octets))


@pytest.mark.interop
@pytest.mark.parametrize("make", [zip_aes256, zip_legacy])
def test_seven_zip_opens_it_with_the_key_only(make: Make, tmp_path: Path) -> None:
    where = tmp_path / "sealed.zip"
    where.write_bytes(made(make))
    out = tmp_path / "out"
    assert run("7z", "x", f"-p{KEY}", f"-o{out}", where).returncode == 0
    assert {each.name: each.read_bytes() for each in out.iterdir()} == dict(FILES)
    assert run("7z", "t", "-pwrong", where).returncode != 0
    assert run("7z", "t", "-p", where).returncode != 0


@pytest.mark.interop
def test_unzip_opens_the_old_cipher(tmp_path: Path) -> None:
    where = tmp_path / "sealed.zip"
    where.write_bytes(made(zip_legacy))
    assert run("unzip", "-q", "-P", KEY, "-d", tmp_path / "out", where).returncode == 0
    assert {each.name: each.read_bytes() for each in (tmp_path / "out").iterdir()} == dict(FILES)
    assert run("unzip", "-t", "-P", "wrong", where).returncode != 0


@pytest.mark.interop
@pytest.mark.parametrize("make", [zip_aes256, zip_legacy])
def test_zipinfo_shows_the_names_and_the_time(make: Make, tmp_path: Path) -> None:
    where = tmp_path / "sealed.zip"
    where.write_bytes(made(make))
    shown = run("zipinfo", where).stdout
    assert all(name in shown for name, _ in FILES)
    assert "26-Nov-21 09:30" in shown


@pytest.mark.interop
def test_hidden_names_are_hidden_until_the_key_is_there(tmp_path: Path) -> None:
    octets = made(zip_aes256, hide_names=True)
    assert [each.filename for each in opened(octets).infolist()] == [INNER_NAME]
    assert not any(name.encode() in octets for name, _ in FILES)
    (tmp_path / "sealed.zip").write_bytes(octets)
    assert run("7z", "x", f"-p{KEY}", f"-o{tmp_path}", tmp_path / "sealed.zip").returncode == 0
    with zipfile.ZipFile(tmp_path / INNER_NAME) as inner:
        assert inner.testzip() is None
        assert {each.filename: inner.read(each) for each in inner.infolist()} == dict(FILES)
    assert run("unzip", "-t", tmp_path / INNER_NAME).returncode == 0


def test_the_standard_library_opens_the_old_cipher() -> None:
    with opened(made(zip_legacy)) as sealed:
        assert {each.filename: sealed.read(each, KEY.encode()) for each in sealed.infolist()} == dict(FILES)
        with pytest.raises(RuntimeError, match="Bad password"):
            sealed.read(NAME, b"not the key!")


@pytest.mark.parametrize("make", [zip_aes256, zip_legacy])
def test_every_member_is_sealed_and_named_in_utf8_with_its_sizes_in_front(make: Make) -> None:
    octets = made(make)
    for member in opened(octets).infolist():
        assert member.flag_bits == 0x0801
        own = octets[member.header_offset :]
        assert int.from_bytes(own[6:8], "little") == 0x0801
        assert int.from_bytes(own[18:22], "little") == member.compress_size
    assert b"plain" not in octets
    assert TEXT[:40] not in octets


def test_aes_says_what_the_format_asks_for() -> None:
    member = opened(made(zip_aes256)).infolist()[0]
    assert (member.compress_type, member.CRC, member.extract_version) == (99, 0, 51)
    assert member.extra == b"\x01\x99\x07\x00\x02\x00AE\x03\x08\x00"


def test_what_is_packed_already_is_not_packed_again() -> None:
    noise = entropy()(100_000)
    (member,) = opened(made(zip_legacy, ("a.jpg", noise))).infolist()
    assert member.compress_type == zipfile.ZIP_STORED
    (member,) = opened(made(zip_legacy, ("a.txt", TEXT))).infolist()
    assert member.compress_size < len(TEXT) / 10


@pytest.mark.parametrize("key", ["", "さくら", "tab\t", "line\n"])
def test_a_key_that_programs_would_write_in_two_ways_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="visible ASCII"):
        made(zip_aes256, key=key)


def test_two_archives_of_the_same_files_have_nothing_in_common() -> None:
    random = entropy()
    first, second = (b"".join(zip_aes256(files(("a", NOISE)), KEY, at=AT, entropy=random)) for _ in range(2))
    assert first[60:140] != second[60:140]


def test_more_than_the_format_holds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_records, "MAX_OCTETS", 10_000)
    with pytest.raises(TooLarge):
        made(zip_aes256, ("a.bin", NOISE))
    with pytest.raises(TooLarge):
        made(zip_aes256, ("a.bin", NOISE), hide_names=True)


def test_the_old_cipher_has_a_bound_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_LEGACY_OCTETS", 1000)
    with pytest.raises(TooLarge):
        made(zip_legacy, ("a.bin", entropy()(2000)))


def test_too_many_members_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_MEMBERS", 3)
    with pytest.raises(TooLarge):
        made(zip_aes256)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.text(max_size=300), st.binary(max_size=5000)), min_size=1, max_size=6),
    st.lists(st.integers(1, 2000), min_size=1, max_size=5),
)
def test_whatever_is_put_in_comes_out(pairs: list[tuple[str, bytes]], steps: list[int]) -> None:
    """Of whatever name, in chunks of whatever size; read back with the standard library."""
    chunked = [File(name, lambda octets=octets: _steps(octets, steps)) for name, octets in pairs]  # type: ignore[misc]
    sealed = opened(b"".join(zip_legacy(chunked, KEY, at=AT, entropy=entropy())))
    members = sealed.infolist()
    assert [sealed.read(each, KEY.encode()) for each in members] == [octets for _, octets in pairs]
    assert len({each.filename.casefold() for each in members}) == len(pairs)


def _steps(octets: bytes, steps: list[int]) -> Iterator[bytes]:
    at = number = 0
    while at < len(octets):
        step = steps[number % len(steps)]
        yield octets[at : at + step]
        at, number = at + step, number + 1
