"""Bodies in segments through the spool: sealed, moved, given back, and damaged ones that cost nobody else anything."""

from __future__ import annotations

import asyncio
import errno
import os
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.spool.contract import BodyUnreadable, StoreUnavailable
from gateway.spool.lifecycle import Reason
from gateway.spool.sql import SqlSpool, open_spool
from gateway.spool.values import Actor
from gateway.store import reclaim, segments
from gateway.store.bodies import INLINE_LIMIT, SEGMENT_LIMIT
from gateway.store.where import Where
from tests.spool.conftest import MASTER
from tests.spool.mails import T0, mail

MEDIUM, LARGE = os.urandom(INLINE_LIMIT + 1), os.urandom(200_000)
DAY = timedelta(days=1)


def files(state: Path) -> list[Path]:
    return sorted((state / "segments").iterdir())


async def gone(spool: SqlSpool, queue_ids: list[str]) -> None:
    for queue_id in queue_ids:
        await spool.cancel(queue_id, None, Actor("sender"), Reason.BY_SENDER, T0)
    await spool.ageing.purge(T0 + DAY, DAY, 9 * DAY, 100)


async def test_bodies_of_each_size_have_their_place(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, MASTER, serve=True)
    sizes = [0, INLINE_LIMIT, INLINE_LIMIT + 1, 3 << 20, SEGMENT_LIMIT, SEGMENT_LIMIT + 1]
    raws = [os.urandom(size) for size in sizes]
    ids = await asyncio.gather(*(spool.accept(mail(held=1, raw=raw)) for raw in raws))
    assert [await spool.raw(queue_id) for queue_id in ids] == raws
    assert len([path for path in (tmp_path / "bodies").rglob("*") if path.is_file()]) == 1
    assert len(files(tmp_path)) == 1
    await spool.close()
    again = open_spool(tmp_path, MASTER, serve=True)
    assert [await again.raw(queue_id) for queue_id in ids] == raws
    await again.accept(mail(held=1, raw=MEDIUM))
    assert len(files(tmp_path)) == 2, "another process's segment is never appended to"
    await again.close()


async def test_two_workers_write_and_read_each_other(tmp_path: Path) -> None:
    first, second = (open_spool(Where(tmp_path, worker=n, workers=2), MASTER, serve=True) for n in range(2))
    ids = await asyncio.gather(
        *(w.accept(mail(held=1, raw=LARGE)) for w in (first, second) for _ in range(5))
    )
    assert len(files(tmp_path)) == 2
    await gone(first, list(ids[:9]))
    assert await first.raw(ids[9]) == await second.raw(ids[9]) == LARGE
    for worker in (first, second):
        await worker.close()


@pytest.mark.parametrize("damage", ["altered", "cut", "gone"])
async def test_a_damaged_body_is_kept_aside_and_its_neighbour_is_whole(tmp_path: Path, damage: str) -> None:
    spool = open_spool(tmp_path, MASTER, serve=True)
    good, bad = [await spool.accept(mail(held=1, raw=LARGE)) for _ in range(2)]
    (path,) = files(tmp_path)
    octets = path.read_bytes()
    if damage == "altered":
        path.write_bytes(octets[:-9] + bytes([octets[-9] ^ 1]) + octets[-8:])
    elif damage == "cut":
        os.truncate(path, len(octets) - 1)
    else:
        path.rename(tmp_path / "away")
    with pytest.raises(BodyUnreadable):
        await spool.raw(bad)
    assert (tmp_path / "corrupt" / bad).exists() == (damage != "gone")
    if damage == "gone":
        (tmp_path / "away").rename(path)
    assert await spool.raw(good) == LARGE
    folder = tmp_path / "bodies" / bad[-2:]  # an operator puts it back as a file of its own
    folder.mkdir(exist_ok=True)
    (folder / bad).write_bytes(octets[len(octets) // 2 :])
    assert await spool.raw(bad) == LARGE
    await spool.close()


async def test_a_segment_goes_with_its_last_body_and_a_sparse_one_is_rewritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "SEGMENT_BYTES", 500_000)
    spool = open_spool(tmp_path, MASTER, serve=True)
    ids = [await spool.accept(mail(held=1, raw=LARGE)) for _ in range(7)]  # two in each, the last one open
    assert len(files(tmp_path)) == 4
    before = files(tmp_path)
    await gone(spool, ids[:2])
    assert not before[0].exists()
    await gone(spool, ids[2:3])
    assert before[1].exists(), "half of it is alive"
    with before[1].open("ab") as file:
        file.write(b"torn tail")
    await spool.ageing.purge(T0 + DAY, DAY, 9 * DAY, 100)
    assert not before[1].exists()
    assert [await spool.raw(queue_id) for queue_id in ids[3:]] == [LARGE] * 4
    await spool.close()


@pytest.mark.parametrize("step", ["read", "settle", "_point", "remove"])
async def test_rewriting_may_be_cut_off_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """What a crash would leave: each row has its octets, and the next start and round finish the work."""
    monkeypatch.setattr(reclaim, "ALIVE_SHARE", 1)
    spool = open_spool(tmp_path, MASTER, serve=True)
    ids = [await spool.accept(mail(held=1, raw=LARGE)) for _ in range(3)]
    await spool.close()
    spool = open_spool(tmp_path, MASTER, serve=True)

    def cut(*_: object) -> None:
        raise StoreUnavailable("cut off")

    with monkeypatch.context() as broken:
        broken.setattr(reclaim if step == "_point" else segments.Segments, step, cut)
        for queue_id in ids[:2]:
            await spool.cancel(queue_id, None, Actor("sender"), Reason.BY_SENDER, T0)
        if step != "settle":  # its errors are told in what it settles
            with pytest.raises(StoreUnavailable):
                await spool.ageing.purge(T0 + DAY, DAY, 9 * DAY, 100)
    await spool.close()
    again = open_spool(tmp_path, MASTER, serve=True)
    assert await again.raw(ids[2]) == LARGE
    await again.ageing.purge(T0 + DAY, DAY, 9 * DAY, 100)
    assert await again.raw(ids[2]) == LARGE
    assert len(files(tmp_path)) == 1
    await again.close()


@pytest.mark.parametrize("raw", [MEDIUM, LARGE])
async def test_a_full_disk_refuses_the_mail_and_the_next_one_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raw: bytes
) -> None:
    spool = open_spool(tmp_path, MASTER, serve=True)

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "pwrite", full)
        with pytest.raises(StoreUnavailable) as caught:
            await spool.accept(mail(held=1, raw=raw))
    assert caught.value.full
    assert await spool.held(10) == []
    assert await spool.raw(await spool.accept(mail(held=1, raw=raw))) == raw
    await spool.close()


async def test_a_start_removes_segments_without_rows(tmp_path: Path) -> None:
    spool = open_spool(tmp_path, MASTER, serve=True)
    queue_id = await spool.accept(mail(held=1, raw=MEDIUM))
    await spool.close()
    (tmp_path / "segments" / "dead-00000001").write_bytes(b"x")
    again = open_spool(tmp_path, MASTER, serve=True)
    assert [path.name for path in files(tmp_path) if path.name.startswith("dead")] == []
    assert await again.raw(queue_id) == MEDIUM
    await again.close()


async def test_dead_segments_go_also_where_a_full_disk_lets_nothing_be_rewritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the room that is needed is never given back."""
    spool = open_spool(tmp_path, MASTER, serve=True)
    monkeypatch.setattr(segments, "SEGMENT_BYTES", 3 * len(LARGE) + 10_000)
    ids = [await spool.accept(mail(held=1, raw=LARGE)) for _ in range(4)]
    await spool.close()
    spool = open_spool(tmp_path, MASTER, serve=True)
    sparse, dead = files(tmp_path)

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(reclaim, "ALIVE_SHARE", 1)
        broken.setattr(os, "pwrite", full)
        with pytest.raises(StoreUnavailable):
            await gone(spool, [ids[0], ids[3]])
    assert (sparse.exists(), dead.exists()) == (True, False)
    await spool.close()


@pytest.mark.parametrize("raw", [MEDIUM, LARGE])
async def test_what_a_failed_write_took_of_a_full_disk_is_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raw: bytes
) -> None:
    spool = open_spool(tmp_path, MASTER, serve=True)
    queue_id = await spool.accept(mail(held=1, raw=raw))
    (file,) = files(tmp_path)
    size, write, calls = file.stat().st_size, os.pwrite, [0]

    def half(handle: int, octets: bytes, at: int) -> int:
        calls[0] += 1
        if calls[0] > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(handle, octets[: len(octets) // 2], at)

    with monkeypatch.context() as broken:
        broken.setattr(os, "pwrite", half)
        with pytest.raises(StoreUnavailable):
            await spool.accept(mail(held=1, raw=raw))
    assert file.stat().st_size == size
    assert await spool.raw(queue_id) == raw
    await spool.close()
