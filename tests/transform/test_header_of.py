"""The header section of a copy can be shown whatever becomes of its files: no sealed mail is needed for it."""

from __future__ import annotations

from gateway.policy.decision import Decision, Outcome
from gateway.policy.demands import NOTHING
from gateway.policy.handling import Attached, Handling
from gateway.policy.protection import How
from gateway.transform.preview import Sight, header_of, preview
from tests.transform.sample import WHEN, envelope, mail, original

FILES = (Attached(2, "a.pdf", "pdf", 5, "plain"),)
HANDLED = Outcome(True, NOTHING, handling=Handling(("r",), ((2, How.NATIVE),)))


def test_headers_of_protected_copies_can_be_shown_without_a_sealed_mail() -> None:
    sent = envelope("ana@example.com", "chief@sports.example.jp")
    decision = Decision("d", (HANDLED, Outcome(False, NOTHING)), (0, 1), files=FILES)
    mail_ = original(
        mail("From: clerk@sports.example.jp", "To: ana@example.com", "Subject: x"), sent, decision
    )
    assert b"Subject: x" in header_of(mail_, 0)
    assert header_of(mail_, 0) == header_of(mail_, 1)
    shown = preview(mail_.raw, sent, decision, "Q1", WHEN, "gw.example.jp", [0, 1])
    assert [group.sight for group in shown.groups] == [Sight(alone=True), Sight("ana@example.com")]
