"""What pages tell of files is what the order for the copy says."""

from __future__ import annotations

from gateway.policy.decision import Decision, Outcome
from gateway.policy.demands import NOTHING
from gateway.policy.handling import Attached, Handling
from gateway.policy.protection import How
from gateway.transform.handled_preview import files_of
from gateway.transform.preview import Sight, header_of, preview
from gateway.transform.view import variant_of
from tests.transform.sample import WHEN, envelope, mail, original

FILES = (Attached(2, "a.pdf", "pdf", 5, "plain"), Attached(3, "b.zip", "zip", 6, "encrypted"))
HANDLED = Outcome(True, NOTHING, handling=Handling(("r",), ((2, How.NATIVE),)))


def test_each_file_is_told_with_what_becomes_of_it_and_with_nothing_where_it_stays() -> None:
    decision = Decision("d", (HANDLED, Outcome(False, NOTHING)), (0, 1), files=FILES)
    assert [(each.name, each.size_bytes, each.becomes) for each in files_of(decision, 0)] == [
        ("a.pdf", 5, How.NATIVE),
        ("b.zip", 6, None),
    ]
    assert {each.becomes for each in files_of(decision, 1)} == {None}
    variant = variant_of(decision.of(0).handling, 0)
    assert variant is not None
    assert dict(variant.forms) == {each.place: each.becomes for each in files_of(decision, 0) if each.becomes}


def test_of_a_mail_that_nobody_looked_at_nothing_is_told() -> None:
    assert files_of(Decision("d", (Outcome(True, NOTHING),), (0,)), 0) == ()


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
