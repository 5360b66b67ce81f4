"""Reloads of the policy that meet each other, and reloads that fail in a way nobody foresaw."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from gateway.config import policies
from gateway.config.policies import PolicyInForce, read_policy
from gateway.config.policy_files import read_files

SHIPPED = (Path(__file__).parents[2] / "policies" / "default.yaml").read_text("utf-8")
NEWER = SHIPPED.replace("name:", "name: newer ", 1)


async def test_an_older_read_never_replaces_a_newer_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A SIGHUP and the file watch may read at the same time; the slow first read saw the old files."""
    slow, go_on = threading.Event(), threading.Event()

    def read(folder: Path) -> dict[str, str]:
        found = read_files(folder)
        if not slow.is_set():
            slow.set()
            assert go_on.wait(10)
        return found

    monkeypatch.setattr(policies, "read_files", read)
    (tmp_path / "default.yaml").write_text(SHIPPED, "utf-8")
    policy = PolicyInForce(tmp_path)
    first = asyncio.create_task(policy.reload())
    await asyncio.to_thread(slow.wait, 10)
    (tmp_path / "default.yaml").write_text(NEWER, "utf-8")
    second = asyncio.create_task(policy.reload())
    await asyncio.wait([second], timeout=0.5)
    go_on.set()
    await asyncio.gather(first, second)
    assert policy.current.digest == read_policy(tmp_path).digest


async def test_an_error_nobody_foresaw_keeps_the_policy_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "default.yaml").write_text(SHIPPED, "utf-8")
    policy = PolicyInForce(tmp_path)
    assert await policy.reload()

    def broken(_folder: Path) -> dict[str, str]:
        raise RecursionError

    monkeypatch.setattr(policies, "read_files", broken)
    assert not await policy.reload()
    assert policy.problems is not None
    assert policy.current.digest == read_policy(tmp_path).digest


@pytest.mark.parametrize("name", ["more.yml", "more.YAML"])
async def test_a_file_that_only_looks_like_a_policy_keeps_the_policy_and_says_so(
    tmp_path: Path, name: str
) -> None:
    """A file renamed while the gateway runs must not take its rules away in silence."""
    (tmp_path / "default.yaml").write_text(SHIPPED, "utf-8")
    rule = "version: 1\nrules: [{id: more, reason: why, then: {hold: 1h}}]\n"
    (tmp_path / "more.yaml").write_text(rule, "utf-8")
    policy = PolicyInForce(tmp_path)
    assert await policy.reload()
    (tmp_path / "more.yaml").rename(tmp_path / name)
    assert not await policy.reload()
    assert "more" in [rule.id for rule in policy.current.rules]
    assert policy.problems is not None
    assert "this file is not read" in str(policy.problems)
