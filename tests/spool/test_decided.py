"""What is written of a decision: remembered where it is of a policy, never where it is of one mail."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.policy.decision import Decision, Outcome
from gateway.policy.demands import Demands, Language
from gateway.policy.disclaimers import Disclaimer
from gateway.policy.handling import Attached, Handling
from gateway.spool import decided as deciding
from gateway.spool.decided import FEW, REMEMBERED, decided
from gateway.spool.mail_json import decision_json
from tests.spool.mails import mail
from tests.spool.test_accepted_rows import MAILS

USUAL = mail(held=1, queued=1).decision
OF_ONE_MAIL = {
    "people": replace(USUAL, outcomes=(Outcome(True, Demands(), ("citizen@example.com",)),) * 2),
    "handling": replace(USUAL, outcomes=(Outcome(True, Demands(), (), (), Handling(("p",))),) * 2),
    "text": replace(USUAL, texts=(Disclaimer("~0", "https://sekisho.example.jp/s/secret"),)),
    "file": replace(USUAL, files=(Attached(1, "名簿.xlsx", "xlsx", 3_000, "plain"),)),
    "many": mail(held=FEW + 1).decision,
}


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    deciding._remembered.cache_clear()


@pytest.mark.parametrize("queue_id", MAILS)
def test_what_is_remembered_is_what_is_written(queue_id: str) -> None:
    decision = MAILS[queue_id].decision
    for _ in range(2):
        assert decided(decision) == deciding._decided(decision)
        assert decided(decision).stored == decision_json(decision)


@pytest.mark.parametrize("decision", OF_ONE_MAIL.values(), ids=OF_ONE_MAIL)
def test_what_is_of_one_mail_is_not_remembered(decision: Decision) -> None:
    decided(decision)
    assert deciding._remembered.cache_info().currsize == 0


def test_decisions_that_differ_are_told_apart() -> None:
    others = [
        USUAL,
        replace(USUAL, assigned=(0, 0)),
        replace(USUAL, language=Language.EN),
        replace(USUAL, digest="d2"),
        replace(USUAL, notify_sender=True),
        replace(USUAL, outcomes=(replace(USUAL.outcomes[0], rules=("other",)), USUAL.outcomes[1])),
    ]
    assert len({repr(decided(each)) for each in others}) == len(others)
    assert deciding._remembered.cache_info().maxsize == REMEMBERED
