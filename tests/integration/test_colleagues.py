"""A colleague's stop, end to end on the real process: the copy inside has the link, the one outside never leaves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from tests.integration.test_main_job import OFFICE, submit
from tests.integration.test_second_look import CITIZEN, demand, notice_to, press, states
from tests.process import Gateway, NextHop, gateway, mail, next_hop, wait_for

COLLEAGUE = "colleague@sports.example.jp"


@pytest.fixture
def hop() -> Iterator[NextHop]:
    with next_hop() as running:
        yield running


@pytest.fixture
def gw(hop: NextHop, tmp_path: Path) -> Iterator[Gateway]:
    with gateway(tmp_path, hop.port, window="1s") as running:
        yield running


def copy_to(hop: NextHop, person: str) -> str:
    """Wait for the copy of a mail, no notice, and return its text."""

    def found() -> list[bytes]:
        return [
            taken.raw
            for taken in hop.taken
            if person in taken.recipients and b"X-Sekisho-Notice" not in taken.raw
        ]

    wait_for(found, f"a copy to {person}")
    body = message_from_bytes(found()[0], policy=policy.default).get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def test_a_colleague_stops_what_has_not_left(gw: Gateway, hop: NextHop) -> None:
    demand(gw, "{hold: 10m, colleagues_may_stop: true}")
    queue_id = submit(gw, [CITIZEN, COLLEAGUE], mail([CITIZEN, COLLEAGUE], "ご案内"))
    text = copy_to(hop, COLLEAGUE)
    assert "外部の宛先(1件)へ送信される前に保留されています。" in text
    link = re.search(r"http://127\.0\.0\.1:\d+(/c/[\w.~-]+)", text)
    assert link is not None
    status, shown = gw.get(link[1])
    assert (status, CITIZEN in shown) == (200, True)  # it stands in To of the copy as well
    assert states(gw, queue_id) == ["held", "delivered"]
    assert "1件の宛先への送信を止めました。" in press(gw, link[1], "stop", ("because", "古い日程表です"))
    told = notice_to(hop, OFFICE, "stopped")
    assert COLLEAGUE in told
    assert "古い日程表です" in told
    assert states(gw, queue_id) == ["cancelled", "delivered"]
    assert "もう止められません" in gw.get(link[1])[1]
    assert not [taken for taken in hop.taken if CITIZEN in taken.recipients]
    exported = gw.cli("log", "export", "--format", "jsonl", "--config", str(gw.config)).stdout
    assert '"by-colleague"' in exported
