"""From a policy's text to what is stored and said: dropped recipients, copies, reports, routes, texts under the mail."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from gateway.message.address import parse_path
from gateway.message.envelope import Client, Envelope
from gateway.message.gather import gather
from gateway.policy.decide import decide
from gateway.policy.load import load_policy
from gateway.receive.intake import Intake
from gateway.spool.accepting import acceptance
from gateway.spool.contract import Spool
from gateway.spool.notice import NoticeKind
from gateway.spool.values import NewMessage
from tests.receive.test_intake import Store

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
HEAD = """\
version: 1
organisation: {name: x, internal: [city.example.lg.jp]}
groups:
  hall: {senders: city.example.lg.jp, report_to: audit@city.example.lg.jp}
disclaimers:
  note: {ja: 文面です, en: a text}
rules:
"""
ENVELOPE = Envelope(
    parse_path("desk@city.example.lg.jp"),
    tuple(map(parse_path, ("p@example.com", "q@example.com", "chief@city.example.lg.jp"))),
    Client("192.0.2.1", account="desk"),
)
RAW = b"From: desk@city.example.lg.jp\r\nTo: p@example.com\r\nSubject: x\r\n\r\nhello\r\n"
BOSS = "boss@city.example.lg.jp"


async def submitted(*then: str, envelope: Envelope = ENVELOPE, raw: bytes = RAW) -> tuple[str, NewMessage]:
    """Submit a mail under rules with these demands; return what was said and what was stored."""
    rules = "".join(f"  - {{id: r{n}, reason: why, {each}}}\n" for n, each in enumerate(then))
    policy = load_policy({"policy.yaml": HEAD + rules})
    store = Store()
    reply = await Intake(cast(Spool, store), lambda: policy, decide, gather, lambda: NOW).submit(
        envelope, raw
    )
    assert reply.code == 250
    (message,) = store.accepted
    return reply.text.removeprefix("4bxQ "), message


P_IS_GONE = "when: {recipient: p@example.com}, then: {drop_recipient: true}"


async def test_the_reply_says_how_many_are_not_sent() -> None:
    said, message = await submitted(P_IS_GONE)
    assert said == "queued, 1 of 3 not sent by policy"
    assert [message.decision.of(index).demands.drop for index in range(3)] == [True, False, False]
    assert message.decision.tells_dropped
    said, _ = await submitted(P_IS_GONE, "then: {hold: {window: 10m, for: all}}")
    assert said == "held until 2026-11-21T10:10:00Z, 1 of 3 not sent by policy"
    said, _ = await submitted("then: {drop_recipient: {for: all}}")
    assert said == "3 of 3 not sent by policy"


async def test_a_stranger_is_not_told_who_is_dropped() -> None:
    stranger = replace(ENVELOPE, sender=parse_path("x@example.org"), client=Client("192.0.2.1"))
    _, message = await submitted(P_IS_GONE, envelope=stranger)
    assert not message.decision.tells_dropped


async def test_a_copy_is_stored_and_not_counted_in_the_reply() -> None:
    said, message = await submitted(f"then: {{bcc_to: [{BOSS}, p@example.com]}}", "then: {hold: 10m}")
    assert said == "queued, 2 of 3 held until 2026-11-21T10:10:00Z"
    assert [str(each) for each in message.envelope.recipients][3:] == [BOSS]
    copy = message.decision.of(3)
    assert message.decision.is_copy(3)
    assert not copy.external
    assert copy.demands.window == timedelta(minutes=10)  # as the strictest of the others
    assert copy.rules == ("r0",)


async def test_conditions_do_not_count_copies() -> None:
    _, message = await submitted(
        "then: {bcc_to: s@example.net}", "when: {external: {at_least: 3}}, then: {hold: 1h}"
    )
    assert [reason.rule for reason in message.decision.reasons] == ["r0"]
    _, message = await submitted("then: {bcc_to: s@example.net}", "then: {recipients: individual}")
    assert message.decision.of(3).demands.form.name == "INDIVIDUAL"


async def test_where_nobody_gets_the_mail_nobody_gets_a_copy() -> None:
    _, message = await submitted(f"then: {{bcc_to: {BOSS}, drop_recipient: {{for: all}}}}")
    assert message.decision.of(3).demands.drop


@pytest.mark.parametrize("to", ["hall", "audit@city.example.lg.jp"])
async def test_reports_go_to_addresses_and_to_those_of_groups(to: str) -> None:
    _, message = await submitted(f"then: {{report_to: {to}}}")
    assert message.decision.report_to == {"audit@city.example.lg.jp"}
    kinds = [row[0] for row in acceptance("Q", message).notices]
    assert kinds == [NoticeKind.REPORT]


async def test_the_event_tells_what_was_changed_about_what_leaves() -> None:
    _, message = await submitted(
        f"then: {{bcc_to: {BOSS}, route: archive, disclaimer: note, report_to: hall}}", P_IS_GONE
    )
    accepted, dropped = acceptance("Q", message).events
    detail = accepted.detail
    assert detail is not None
    assert (detail["bcc_to"], detail["report_to"]) == ([BOSS], ["audit@city.example.lg.jp"])
    assert detail["disclaimers"] == ["note"]
    assert "left_out" not in detail
    outcomes = cast(list[dict[str, object]], detail["outcomes"])
    assert {"dropped": True, "routes": ["archive"]}.items() <= outcomes[0].items()
    assert (dropped.recipients, dropped.detail) == ("0", {"rules": ["r0", "r1"]})


async def test_what_cannot_carry_a_text_is_stored_with_the_reason() -> None:
    signed = RAW.replace(b"\r\n\r\n", b"\r\nContent-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\n")
    _, message = await submitted("then: {disclaimer: {name: note, for: all}}", raw=signed)
    (left_out,) = message.decision.left_out
    assert (left_out.keys, left_out.why) == (("note",), "signed")
    detail = acceptance("Q", message).events[0].detail
    assert detail is not None
    assert detail["left_out"] == [{"disclaimers": ["note"], "why": "signed"}]


async def test_a_policy_without_any_of_it_stores_what_it_did() -> None:
    _, message = await submitted("then: {hold: 10m}")
    assert message.envelope is ENVELOPE
    decision = message.decision
    assert (decision.copied, decision.texts, decision.left_out, decision.tells_dropped) == (0, (), (), False)
