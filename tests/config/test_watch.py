"""The policy folder is watched whatever happens to it: it may be missing at the start, go, and be replaced."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from gateway.config import policies
from gateway.config.policies import PolicyInForce
from gateway.yaml_source import Problems

SHIPPED = Path(__file__).parents[2] / "policies" / "default.yaml"
PATIENCE = 10.0  # seconds until a change that nobody noticed fails its test


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policies, "LOOK_AGAIN_MS", 50)


@contextlib.asynccontextmanager
async def watched(folder: Path) -> AsyncIterator[PolicyInForce]:
    policy, stop = PolicyInForce(folder), asyncio.Event()
    await policy.reload()
    task = asyncio.create_task(policy.watch(stop))
    try:
        yield policy
        assert not task.done()
    finally:
        stop.set()
        await task


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110 - it asks about the state of something that tells nobody
            await asyncio.sleep(0.02)


def put(folder: Path, text: str | None = None) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "default.yaml").write_text(SHIPPED.read_text("utf-8") if text is None else text, "utf-8")


async def test_a_folder_that_comes_later_is_read(tmp_path: Path) -> None:
    async with watched(tmp_path / "policies") as policy:
        with pytest.raises(Problems, match="No such file"):
            _ = policy.current
        put(tmp_path / "policies")
        await until(lambda: policy.problems is None)
        assert policy.current.rules


async def test_a_folder_that_goes_leaves_the_policy_and_says_so(tmp_path: Path) -> None:
    put(tmp_path / "policies")
    async with watched(tmp_path / "policies") as policy:
        digest = policy.current.digest
        shutil.rmtree(tmp_path / "policies")
        await until(lambda: policy.problems is not None)
        assert policy.current.digest == digest


async def test_a_folder_put_in_place_of_another_is_read_and_watched(tmp_path: Path) -> None:
    put(tmp_path / "policies")
    put(tmp_path / "next", "version: 1")
    async with watched(tmp_path / "policies") as policy:
        (tmp_path / "policies").rename(tmp_path / "before")
        (tmp_path / "next").rename(tmp_path / "policies")
        await until(lambda: policy.problems is not None)
        put(tmp_path / "policies")
        await until(lambda: policy.problems is None)
