"""Segments: a group synced once, never again after a failure, and deleted only when nobody needs them."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.store import segments as storing
from gateway.store.errors import BodyDamaged, StoreUnavailable
from gateway.store.segments import Pending, Segments
from gateway.store.spots import whole_folder


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[Segments]:
    made = Segments(tmp_path, "me")
    yield made
    made.close()


def fail(code: int) -> OSError:
    return OSError(code, os.strerror(code))


def written(segments: Segments, octets: bytes) -> Pending:
    return segments.write([octets], len(octets))


def refused(segments: Segments, bodies: list[bytes]) -> list[StoreUnavailable]:
    """Write bodies and sync them together; return why each of them is not durable."""
    errors, group = [], []
    for body in bodies:
        try:
            group.append(written(segments, body))
        except StoreUnavailable as error:
            errors.append(error)
    segments.settle(group)
    return errors + [pending.error for pending in group if pending.error is not None]


def test_a_group_is_synced_once_before_anybody_is_told(
    ours: Segments, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    real = os.fdatasync

    def noted(handle: int) -> None:
        synced.append(os.fstat(handle).st_size)
        real(handle)

    monkeypatch.setattr(os, "fdatasync", noted)
    large = ours.write([b"c" * 10, b"d" * 5], 15)  # in pieces
    group = [written(ours, b"a" * 100), large, written(ours, b"b" * 50)]
    ours.settle(group)
    assert synced == [165]
    assert [pending.error for pending in group] == [None] * 3
    assert [ours.read(p.spot) for p in group] == [b"a" * 100, b"c" * 10 + b"d" * 5, b"b" * 50]


def test_a_segment_that_is_long_enough_is_followed_by_another(
    ours: Segments, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "SEGMENT_BYTES", 100)
    names = []
    for _ in range(3):
        pending = written(ours, b"x" * 60)
        ours.settle([pending])
        names.append(pending.spot.segment)
    assert len(set(names)) == 3
    assert ours.names() == names


@pytest.mark.parametrize(
    ("call", "code"), [("pwrite", errno.ENOSPC), ("pwrite", errno.EIO), ("fdatasync", errno.EIO)]
)
def test_after_a_failure_nothing_more_goes_into_that_segment(
    ours: Segments, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    before = written(ours, b"before")
    ours.settle([before])
    waits = ours.write([b"waits"], 5)
    with monkeypatch.context() as broken:

        def refuse(*_: object) -> int:
            raise fail(code)

        broken.setattr(os, call, refuse)
        errors = refused(ours, [b"lost", b"lost too"])
    assert [error.full for error in errors] == [code == errno.ENOSPC] * 2
    ours.settle([waits])
    assert (waits.error is not None) == (call == "fdatasync"), "a sync is never tried again on the same file"
    after = written(ours, b"after")
    ours.settle([after])
    assert after.error is None
    assert after.spot.segment != before.spot.segment
    assert ours.read(before.spot) == b"before"


def test_a_large_body_that_cannot_be_written_is_refused(
    ours: Segments, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise fail(errno.ENOSPC)

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(StoreUnavailable) as caught:
        ours.write([b"x"], 1)
    assert caught.value.full


def test_what_waits_for_its_row_keeps_its_segment(ours: Segments, tmp_path: Path) -> None:
    """A worker that looks for dead segments must not take one whose row is about to be committed."""
    pending = written(ours, b"x")
    ours.settle([pending])
    other = Segments(tmp_path, "other")
    name = pending.spot.segment
    ours.close()
    with other.at_rest(name) as size:
        assert size is None
    ours.release(pending)
    with other.at_rest(name) as size:
        assert size == 1
        assert other.remove(name)
    assert other.names() == []


def test_nothing_is_deleted_while_a_backup_copies(ours: Segments, tmp_path: Path) -> None:
    pending = written(ours, b"x")
    ours.settle([pending])
    with whole_folder(tmp_path / "segments", fcntl.LOCK_SH):
        assert not ours.remove(pending.spot.segment)
    assert ours.remove(pending.spot.segment)


def test_a_cut_or_missing_segment_is_damage_of_its_bodies(ours: Segments, tmp_path: Path) -> None:
    first, second = written(ours, b"first"), written(ours, b"second")
    ours.settle([first, second])
    path = tmp_path / "segments" / first.spot.segment
    os.truncate(path, 8)
    assert ours.read(first.spot) == b"first"
    assert ours.remains(second.spot) == b"sec"
    with pytest.raises(BodyDamaged, match="ends inside"):
        ours.read(second.spot)
    path.unlink()
    with pytest.raises(BodyDamaged, match="missing"):
        ours.read(first.spot)
