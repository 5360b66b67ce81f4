"""`sekisho held freeze`, `thaw`, `extend`, `correct`, and `held list` with conditions, on a store on disk."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.clock import utc_now
from gateway.spool.lifecycle import State
from gateway.spool.sql import open_spool
from gateway.spool.values import Stored
from gateway.store.keys import MasterKey, key_file
from tests.spool.mails import mail


@pytest.fixture
def state(tmp_path: Path) -> Path:
    MasterKey.create(key_file(tmp_path, None))
    return tmp_path


def put(state: Path, **knobs: Any) -> str:
    async def work() -> str:
        spool = open_spool(state, MasterKey.load(key_file(state, None)))
        try:
            return await spool.accept(mail(at=utc_now(), **knobs))
        finally:
            await spool.close()

    return asyncio.run(work())


def get(state: Path, queue_id: str) -> Stored:
    async def work() -> Stored:
        spool = open_spool(state, MasterKey.load(key_file(state, None)))
        try:
            return await spool.get(queue_id)
        finally:
            await spool.close()

    return asyncio.run(work())


def held(state: Path, *words: str) -> Result:
    verb, *rest = words
    return CliRunner().invoke(main, ["held", verb, "--state", str(state), *rest])


def test_freezing_and_thawing(state: Path) -> None:
    queue_id = put(state, held=1)
    done = held(state, "freeze", queue_id, "--because", "確認中")
    assert (done.exit_code, done.output) == (0, "r0@example.com: frozen, it does not leave\n")
    assert "frozen by" in held(state, "list").output
    told = json.loads(held(state, "show", queue_id, "--json").output)["frozen"]
    assert told["because"] == "確認中"
    assert held(state, "release", queue_id).exit_code == 1
    assert held(state, "freeze", queue_id).exit_code == 1
    assert held(state, "thaw", queue_id).exit_code == 0
    assert get(state, queue_id).frozen is None
    assert held(state, "thaw", "NOSUCHMAIL").exit_code == 1


def test_how_long_a_freeze_lasts_stands_in_the_settings(state: Path) -> None:
    queue_id = put(state, held=1)
    config = state / "sekisho.yaml"
    config.write_text("hostname: mail.example.jp\nretention: {frozen: 2h}\n", encoding="utf-8")
    assert held(state, "freeze", queue_id, "--config", str(config)).exit_code == 0
    frozen = get(state, queue_id).frozen
    assert frozen is not None
    assert frozen.until - frozen.at == timedelta(hours=2)


def test_waiting_longer(state: Path) -> None:
    queue_id = put(state, held=1)
    before = get(state, queue_id).recipients[0].due_at
    assert held(state, "extend", queue_id, "--by", "2h").exit_code == 0
    after = get(state, queue_id).recipients[0].due_at
    assert before is not None
    assert after is not None
    assert after - before > timedelta(hours=1)
    assert held(state, "extend", queue_id, "--by", "1m").exit_code == 1
    for wrong in ("soon", "31d", "0s"):
        assert held(state, "extend", queue_id, "--by", wrong).exit_code == 2


def test_a_correction(state: Path) -> None:
    queue_id = put(state, held=2)
    words = ("--recipient", "r1@example.com", "--meant", "right@example.com")
    done = held(state, "correct", queue_id, *words, "--json")
    assert json.loads(done.output)["done"] == ["r1@example.com"]
    assert [row.state for row in get(state, queue_id).recipients] == [State.HELD, State.CANCELLED]
    assert held(state, "correct", queue_id, *words).exit_code == 1
    for wrong in (("--recipient", "x@example.com", "--meant", "a@example.jp"), (*words[:2], "--meant", "no")):
        assert held(state, "correct", queue_id, *wrong).exit_code == 2


def test_a_list_is_narrowed_and_sorted(state: Path) -> None:
    one = put(state, held=1, subject="テニス")
    two = put(state, held=2, subject="水泳")
    held(state, "freeze", two)

    def listed(*words: str) -> list[str]:
        result = held(state, "list", "--json", *words)
        assert result.exit_code == 0, result.output
        return [each["queue_id"] for each in json.loads(result.output)]

    assert listed() == [two, one]
    assert listed("--ascending") == [one, two]
    assert listed("--before", two) == [one]
    assert listed("--words", "水泳") == [two]
    assert listed("--recipient", "r1@") == [two]
    assert listed("--waits", "frozen") == [two]
    assert listed("--order", "due", "--ascending") == [one, two]
    assert listed("--sender", "nobody") == listed("--group", "x") == listed("--until", "1d") == []
    assert listed("--since", "1h", "--rule", "cancel-window", "--limit", "1") == [two]
