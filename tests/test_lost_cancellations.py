"""`asyncio.wait_for` is not used on events: in Python 3.11 it loses a cancellation that comes in the moment of the event,
and a loop that waits so never ends (python/cpython issue 86296)."""

from __future__ import annotations

import re

from tests.process import ROOT


def test_no_loop_waits_for_an_event_by_wait_for() -> None:
    found = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "gateway").rglob("*.py"))
        if re.search(r"wait_for\([\w.]+\.wait\(\)", path.read_text(encoding="utf-8"))
    ]
    assert found == []
