"""Bodies at rest: sealed, in order on disk, damaged ones noticed and kept."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway import durable
from gateway.store import files as storing
from gateway.store.bodies import FILE, INLINE, INLINE_LIMIT, Bodies
from gateway.store.errors import BodyDamaged, BodyRefused, StoreUnavailable
from gateway.store.files import Files
from gateway.store.frames import FRAME_BYTES, TAG_BYTES, seal, seal_whole, unseal
from gateway.store.keys import MasterKey

KEY = bytes(32)
STEP = FRAME_BYTES + TAG_BYTES
THREE = bytes(range(256)) * (FRAME_BYTES // 128) + b"end"  # two full frames and a short one
SEALED = b"".join(seal(THREE, KEY, "Q"))
LARGE = os.urandom(INLINE_LIMIT + 1)


@pytest.fixture
def store(tmp_path: Path) -> Bodies:
    return Bodies(Files(tmp_path, "me"), MasterKey(KEY))


@given(st.binary(max_size=300))
def test_what_is_sealed_opens(raw: bytes) -> None:
    assert unseal(b"".join(seal(raw, KEY, "Q")), KEY, "Q") == raw
    assert seal_whole(raw, KEY, "Q") == b"".join(seal(raw, KEY, "Q"))


def test_a_frame_holds_no_more_than_a_frame() -> None:
    assert unseal(seal_whole(THREE[:FRAME_BYTES], KEY, "Q"), KEY, "Q") == THREE[:FRAME_BYTES]
    with pytest.raises(ValueError, match="into a frame"):
        seal_whole(THREE[: FRAME_BYTES + 1], KEY, "Q")


@pytest.mark.parametrize("size", [FRAME_BYTES - 1, FRAME_BYTES, FRAME_BYTES + 1, 2 * FRAME_BYTES])
def test_frames_meet_at_their_edges(size: int) -> None:
    raw = os.urandom(size)
    frames = list(seal(raw, KEY, "Q"))
    assert len(frames) == -(-size // FRAME_BYTES)
    assert unseal(b"".join(frames), KEY, "Q") == raw


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "last frame cut off": lambda s: s[: 2 * STEP],
    "only the first frame": lambda s: s[:STEP],
    "nothing left": lambda s: b"",
    "one octet short": lambda s: s[:-1],
    "one octet more": lambda s: s + b"\0",
    "two frames swapped": lambda s: s[STEP : 2 * STEP] + s[:STEP] + s[2 * STEP :],
    "a frame twice": lambda s: s[:STEP] + s,
    "a frame left out": lambda s: s[:STEP] + s[2 * STEP :],
    "one bit": lambda s: s[:5] + bytes([s[5] ^ 1]) + s[6:],
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_no_damage_goes_unnoticed(damage: Callable[[bytes], bytes]) -> None:
    with pytest.raises(BodyDamaged):
        unseal(damage(SEALED), KEY, "Q")


def test_a_body_of_another_message_does_not_open() -> None:
    with pytest.raises(BodyDamaged):
        unseal(SEALED, KEY, "P")


def test_small_bodies_are_inline_and_large_ones_files(store: Bodies, tmp_path: Path) -> None:
    small, large = store.seal(LARGE[:-1], "QSMALL"), store.seal(LARGE, "QLARGE")
    assert (small.place, large.place, large.data) == (INLINE, FILE, None)
    (path,) = [p for p in (tmp_path / "bodies").rglob("*") if p.is_file()]
    assert (path.name, path.stat().st_mode & 0o777) == ("QLARGE", 0o600)
    assert LARGE[:64] not in path.read_bytes()
    assert (store.open(small), store.open(large)) == (LARGE[:-1], LARGE)


def test_the_file_is_synced_before_it_has_its_name(
    store: Bodies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    fsync, rename, sync = os.fsync, Path.rename, durable.sync_directory

    def fsynced(handle: int) -> None:
        order.append("fsync")
        fsync(handle)

    def renamed(source: Path, target: Path) -> None:
        order.append("rename")
        rename(source, target)

    def synced(directory: Path) -> None:
        order.append(f"sync {directory.name}")
        sync(directory)

    monkeypatch.setattr(os, "fsync", fsynced)
    monkeypatch.setattr(Path, "rename", renamed)
    monkeypatch.setattr(storing, "sync_directory", synced)
    store.seal(LARGE, "QAB")
    steps = [step for step in order if step != "fsync"]
    assert order[0] == "fsync"
    assert steps == ["sync bodies", "rename", "sync AB"]


def test_a_body_that_cannot_be_written_is_temporary_and_leaves_nothing(
    store: Bodies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StoreUnavailable, match="No space") as caught:
        store.seal(LARGE, "Q1")
    assert caught.value.full
    assert [p for p in (tmp_path / "bodies").rglob("*") if p.is_file()] == []


def test_another_master_key_is_no_damage(tmp_path: Path, store: Bodies) -> None:
    body = store.seal(LARGE, "Q1")
    with pytest.raises(BodyRefused, match="needs master key"):
        Bodies(Files(tmp_path, "me"), MasterKey(b"x" * 32)).open(body)


def test_a_damaged_file_is_set_aside_not_deleted(store: Bodies, tmp_path: Path) -> None:
    body = store.seal(LARGE, "Q1")
    store.set_aside(body)
    with pytest.raises(BodyDamaged, match="missing"):
        store.open(body)
    assert (tmp_path / "corrupt" / "Q1").stat().st_size > len(LARGE)


def test_the_sweep_takes_old_files_without_a_row_and_nothing_else(store: Bodies, tmp_path: Path) -> None:
    for name in ("KEEP", "LOST", "YOUNG"):
        store.seal(LARGE, name)
    temporary = tmp_path / "bodies" / "tmp"
    (temporary / "dead-OLD").write_bytes(b"x")
    (temporary / "alive-NEW").write_bytes(b"x")
    for path in (tmp_path / "bodies").rglob("*"):
        if path.name in {"KEEP", "LOST", "dead-OLD"}:
            os.utime(path, (1000, 1000))
    assert store.sweep(lambda names: {"KEEP"} & set(names), before=2000) == 2
    left = {p.name for p in (tmp_path / "bodies").rglob("*") if p.is_file()}
    assert left == {"KEEP", "YOUNG", "alive-NEW"}
