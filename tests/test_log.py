"""The time of a log line is its own, although what lines of one second share is written out once."""

from __future__ import annotations

import time

import pytest

from gateway.log import _Stamp


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
