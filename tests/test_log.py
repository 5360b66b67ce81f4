"""Log lines: the time of each is its own, although what a second's lines share is written once; JSON holds nothing harmful."""

from __future__ import annotations

import json
import time

import pytest

from gateway.log import _as_json, _Stamp


def test_each_line_has_its_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    stamp = _Stamp()
    times = iter([1_795_143_601_000_000_000, 1_795_143_601_000_042_999, 1_795_143_602_999_999_999, 0])
    monkeypatch.setattr(time, "time_ns", lambda: next(times))
    assert [stamp(None, "info", {"event": "x"}) for _ in range(4)] == [
        {"event": "x", "timestamp": "2026-11-20T03:00:01.000000Z"},
        {"event": "x", "timestamp": "2026-11-20T03:00:01.000042Z"},
        {"event": "x", "timestamp": "2026-11-20T03:00:02.999999Z"},
        {"event": "x", "timestamp": "1970-01-01T00:00:00.000000Z"},
    ]


@pytest.mark.parametrize("text", ["plain", "目黒区", "\x7f", "\x1b[2J\r\n", "\u202e", "\x85", "\ud800"])
def test_a_line_of_json_says_the_same_and_holds_nothing_harmful(text: str) -> None:
    line = _as_json(None, "info", {"event": text})
    assert line.isprintable()
    assert json.loads(line) == {"event": text}


@pytest.mark.parametrize(
    ("value", "shown"), [(2**70, 2**70), (b"x", "b'x'"), ({1, 2}, "{1, 2}"), (None, None)]
)
def test_what_json_does_not_know_is_shown(value: object, shown: object) -> None:
    assert json.loads(_as_json(None, "info", {"value": value})) == {"value": shown}
