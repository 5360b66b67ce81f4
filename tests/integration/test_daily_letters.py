"""The letter of the day and DKIM on the real process: one letter each that day, signed, also over a restart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dkim as checker  # type: ignore[import-untyped]
import pytest

from gateway.notices.dkim import Signer
from tests.integration.test_main_job import OFFICE, submit
from tests.notices.test_dkim import RSA_KEY, pem
from tests.process import Gateway, NextHop, Taken, gateway, mail, next_hop, wait_for

SIGNER = Signer("example.jp", "gw1", RSA_KEY)


@pytest.fixture
def hop() -> Iterator[NextHop]:
    with next_hop() as running:
        yield running


@pytest.fixture
def gw(hop: NextHop, tmp_path: Path) -> Iterator[Gateway]:
    with gateway(tmp_path, hop.port, window="1h") as running:
        yield running


def settings(gw: Gateway) -> str:
    key = gw.folder / "dkim.pem"
    key.write_bytes(pem(RSA_KEY))
    return f"""notices:
  address: sekisho@sports.example.jp
  dkim: {{domain: example.jp, selector: gw1, key_file: {key}}}
  digest: {{at: "{_lately()}", timezone: UTC, working_days: false, admins: [it@sports.example.jp]}}
"""


def _lately() -> str:
    """Return a time of day that is over, and not for long."""
    now = datetime.now(UTC)
    return (now - timedelta(minutes=5)).strftime("%H:%M") if now.hour or now.minute > 5 else "00:00"


def daily(hop: NextHop) -> list[Taken]:
    return [taken for taken in hop.taken if re.search(rb"\r\nX-Sekisho-Notice: digest", taken.raw)]


def test_each_gets_one_letter_that_day(gw: Gateway, hop: NextHop) -> None:
    submit(gw, ["citizen@example.com"], mail(["citizen@example.com"]))
    gw.stop()
    with gw.config.open("a", encoding="utf-8") as file:
        file.write(settings(gw))
    gw.start()
    wait_for(lambda: "digests-sent" in gw.log_text, "the day's letters")
    gw.stop()
    gw.start()
    wait_for(lambda: len(daily(hop)) == 2, "both letters")
    assert {taken.recipients[0] for taken in daily(hop)} == {OFFICE, "it@sports.example.jp"}
    record = {f"{SIGNER.name}.".encode(): SIGNER.record.encode()}
    for taken in daily(hop):
        signed = taken.raw[taken.raw.index(b"DKIM-Signature") :]
        assert checker.verify(signed, dnsfunc=lambda name, timeout=5: record.get(name))
    assert gw.log_text.count("digests-sent") == 1
