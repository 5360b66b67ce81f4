"""A rule on new recipients in the real process: it knows whom mail went to before the rule was there, also after a kill."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.test_main_job import submit
from tests.process import Gateway, NextHop, Taken, gateway, mail, next_hop, wait_for

ANA, BOB = "ana@example.com", "bob@example.com"
NEW = "X-New: 1"
RULES = """\
version: 1
rules:
  - {id: new, reason: new, when: {new_recipient: sender}, then: {tag: {X-New: "1"}}}
  - {id: many, reason: many, when: {sent_last_hour: {mails: {at_least: 1}}}, then: {tag: {X-Many: "1"}}}
"""


@pytest.fixture
def hop() -> Iterator[NextHop]:
    with next_hop() as running:
        yield running


@pytest.fixture
def gw(hop: NextHop, tmp_path: Path) -> Iterator[Gateway]:
    with gateway(tmp_path, hop.port, window="1s") as running:
        yield running


def sent(gw: Gateway, hop: NextHop, to: str, number: int) -> str:
    """Send a mail and return the header section that arrived."""
    subject = f"mail-{number}"
    submit(gw, [to], mail([to], subject))

    def arrived() -> Taken | None:
        return next((each for each in hop.taken if subject.encode() in each.header), None)

    found: Taken = wait_for(arrived, subject)
    return found.header.decode()


def test_whom_mail_went_to_is_known(gw: Gateway, hop: NextHop) -> None:
    assert NEW not in sent(gw, hop, ANA, 0)  # before there was the rule
    (gw.folder / "policies" / "people.yaml").write_text(RULES, encoding="utf-8")
    wait_for(lambda: gw.log_text.count('"policy.in-force"') == 2, "the new policy")
    assert NEW in sent(gw, hop, BOB, 1)
    gw.stop(signal.SIGKILL)
    gw.start()
    numbers = iter(range(2, 100))
    wait_for(lambda: NEW not in sent(gw, hop, ANA, next(numbers)), "Ana to be known")
    assert NEW not in sent(gw, hop, BOB, next(numbers))
    assert NEW in sent(gw, hop, "carol@example.net", next(numbers))
    assert "X-Many: 1" in sent(gw, hop, ANA, next(numbers))
    assert gw.metric('sekisho_evidence_missing_total{kind="writers"}') == 0
    assert gw.stop() == 0
