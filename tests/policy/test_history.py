"""Conditions on earlier mail: what fits, and what fits when it could not be told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest

from gateway.message.address import parse_path
from gateway.message.envelope import Client, Envelope
from gateway.message.evidence import DOMAIN_STATES, Earlier, Evidence, Volume
from gateway.message.facts import Facts
from gateway.message.gather import gather
from gateway.policy.case_history import DomainState
from gateway.policy.cases import load_cases, run_case
from gateway.policy.conditions.context import Need
from gateway.policy.decide import decide
from gateway.policy.load import load_policy
from gateway.policy.model import Policy
from gateway.yaml_source import Problems
from tests.policy.generated_facts import NOW

ANA, BOB, EVE = "ana@example.com", "bob@example.com", "eve@example.net"
CLERK, BOSS = "clerk@example.jp", "boss@example.jp"
KNOWN = Evidence(writers={ANA: (CLERK,), BOB: (BOSS,)})


def policy(condition: str, key: str = "when") -> Policy:
    text = f"""
version: 1
organisation: {{name: x, internal: [example.jp]}}
groups: {{desk: {{senders: [{BOSS}]}}}}
rules:
  - {{id: r, reason: why, {key}: {{{condition}}}, then: {{hold: 1h}}}}
"""
    return load_policy({"p.yaml": text})


def mail(
    evidence: Evidence, *to: str, sender: str = CLERK, header: bytes = b"", account: str | None = None
) -> Facts:
    envelope = Envelope(
        parse_path(sender), tuple(parse_path(each) for each in to), Client("192.0.2.1", account=account)
    )
    return replace(gather(envelope, header + b"From: clerk@example.jp\r\n\r\nbody\r\n"), evidence=evidence)


def fits(condition: str, facts: Facts) -> tuple[bool, bool]:
    """Tell whether the condition fits as a `when`, and as an `unless`."""
    when = decide(facts, policy(condition), NOW)
    unless = decide(facts, policy(condition, "unless"), NOW)
    return bool(when.reasons), not unless.reasons


BOTH, NEITHER, DOUBT = (True, True), (False, False), (True, False)
SEVERAL = Evidence(writers={ANA: (CLERK, ""), BOB: (BOSS, ""), EVE: ("",)})


@pytest.mark.parametrize(
    ("condition", "evidence", "to", "told"),
    [
        ("new_recipient: sender", KNOWN, [ANA], NEITHER),
        ("new_recipient: sender", KNOWN, [ANA, BOB], BOTH),
        ("new_recipient: anybody", KNOWN, [ANA, BOB], NEITHER),
        ("new_recipient: anybody", KNOWN, [ANA, EVE], BOTH),
        ("new_recipient: desk", KNOWN, [ANA], BOTH),
        ("new_recipient: desk", KNOWN, [BOB], NEITHER),
        ("new_recipient: {of: sender, at_least: 2}", KNOWN, [ANA, BOB], NEITHER),
        ("new_recipient: {of: sender, at_least: 2}", KNOWN, [ANA, BOB, EVE], BOTH),
        ("new_recipient: {of: sender, at_most: 0}", KNOWN, [ANA], BOTH),
        ("new_recipient: sender", KNOWN, [BOSS], NEITHER),  # nobody outside
        ("new_recipient: sender", Evidence(), [ANA], DOUBT),
        ("new_recipient: {of: sender, at_most: 0}", Evidence(), [ANA], DOUBT),
        ("new_recipient: sender", Evidence(), [BOSS], NEITHER),
        ("new_recipient: sender", SEVERAL, [ANA], NEITHER),
        ("new_recipient: sender", SEVERAL, [BOB], DOUBT),
        ("new_recipient: anybody", SEVERAL, [BOB], NEITHER),
        ("new_recipient: anybody", SEVERAL, [EVE], DOUBT),
        ("new_recipient: {of: sender, at_least: 2}", SEVERAL, [BOB], NEITHER),
    ],
)
def test_new_recipient(condition: str, evidence: Evidence, to: list[str], told: tuple[bool, bool]) -> None:
    assert fits(condition, mail(evidence, *to)) == told


def test_a_recipient_that_can_be_read_in_two_ways_is_perhaps_new() -> None:
    odd = "ana%x@example.com"
    facts = mail(Evidence(writers={parse_path(odd).key: (CLERK,)}), odd)
    assert fits("new_recipient: sender", facts) == DOUBT


def test_nobody_wrote_for_the_empty_sender() -> None:
    facts = mail(Evidence(writers={ANA: (CLERK,)}), ANA)
    facts = replace(facts, envelope=replace(facts.envelope, sender=None))
    assert fits("new_recipient: sender", facts) == BOTH


REPLY = b"In-Reply-To: <a@x>\r\n"
PASSED = Evidence(replies=True, earlier=Earlier(frozenset({ANA})))
FOREIGN = Evidence(replies=True)


@pytest.mark.parametrize(
    ("condition", "evidence", "header", "to", "told"),
    [
        ("added_to_reply: {at_least: 1}", PASSED, REPLY, [ANA], NEITHER),
        ("added_to_reply: {at_least: 1}", PASSED, REPLY, [ANA, BOB], BOTH),
        ("added_to_reply: {at_least: 1}", PASSED, REPLY, [ANA, BOSS], NEITHER),
        ("added_to_reply: {at_most: 0}", PASSED, REPLY, [ANA], BOTH),
        ("added_to_reply: {at_least: 1}", Evidence(replies=False), b"", [ANA, BOB], NEITHER),
        ("added_to_reply: {at_least: 1}", FOREIGN, REPLY, [ANA], DOUBT),
        ("added_to_reply: {at_least: 2}", FOREIGN, REPLY, [ANA], NEITHER),
        ("added_to_reply: {at_least: 1, earlier: passed-here}", FOREIGN, REPLY, [ANA], NEITHER),
        ("added_to_reply: {at_least: 1, earlier: passed-here}", PASSED, REPLY, [BOB], BOTH),
        ("added_to_reply: {at_least: 1, earlier: passed-here}", Evidence(), REPLY, [ANA], DOUBT),
    ],
)
def test_added_to_reply(
    condition: str, evidence: Evidence, header: bytes, to: list[str], told: tuple[bool, bool]
) -> None:
    assert fits(condition, mail(evidence, *to, header=header)) == told


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("sent_last_hour: {mails: {at_least: 3}}", BOTH),
        ("sent_last_hour: {mails: {at_least: 4}}", NEITHER),
        ("sent_last_hour: {mails: {at_least: 3}, recipients: {at_most: 9}}", NEITHER),
        ("sent_last_day: {recipients: {at_least: 40}}", BOTH),
    ],
)
def test_volume(condition: str, told: tuple[bool, bool]) -> None:
    assert fits(condition, mail(Evidence(volume=Volume(3, 5, 10, 40)), ANA)) == told
    assert fits(condition, mail(Evidence(), ANA)) == DOUBT


def test_signed_in_and_replying() -> None:
    assert fits("authenticated: true", mail(Evidence(), ANA, account="clerk")) == BOTH
    assert fits("authenticated: true", mail(Evidence(), ANA)) == NEITHER
    assert fits("replies: true", mail(Evidence(), ANA, header=REPLY)) == BOTH
    assert fits("replies: false", mail(Evidence(), ANA, header=REPLY)) == NEITHER


def test_a_record_of_facts_tells_replies_without_a_header_section() -> None:
    facts = replace(mail(Evidence(), ANA), recorded=True)
    assert fits("replies: true", facts) == NEITHER
    assert fits("replies: true", replace(facts, answers=True)) == BOTH


@pytest.mark.parametrize(
    ("condition", "need"),
    [
        ("new_recipient: sender", Need.WRITERS),
        ("added_to_reply: {at_least: 1}", Need.EARLIER),
        ("sent_last_hour: {mails: {at_least: 1}}", Need.VOLUME),
        ("sent_last_day: {mails: {at_least: 1}}", Need.VOLUME),
        ("replies: true, authenticated: true", Need.NOTHING),
    ],
)
def test_only_what_is_asked_for_is_needed(condition: str, need: Need) -> None:
    assert policy(condition).needs == need
    assert policy(condition, "unless").needs == need


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("new_recipient: nobody", "no group is called 'nobody'"),
        ("new_recipient: {at_least: 1}", "of"),
        ("new_recipient: {of: sender, at_least: 3, at_most: 1}", "can never match"),
        ("added_to_reply: {}", "no bound"),
        ("added_to_reply: {at_least: 1, earlier: here}", "passed-here"),
        ("sent_last_hour: {}", "nothing is counted here"),
        ("sent_last_hour: {mail: {at_least: 1}}", "mails"),
    ],
)
def test_mistakes_are_told(condition: str, said: str) -> None:
    with pytest.raises(Problems) as found:
        policy(condition)
    assert said in str(found.value)


CASES = """
- name: the first mail to somebody waits
  mail: {from: clerk@example.jp, to: ana@example.com}
  expect: {rules: [r]}
- name: the second does not
  mail: {from: clerk@example.jp, to: ana@example.com, known: ana@example.com}
  expect: {rules: []}
- name: nor one to whom a colleague wrote
  mail: {from: clerk@example.jp, to: ana@example.com, known: {Ana@example.com: boss@example.jp}}
  expect: {rules: [r]}
"""
MORE = """
- name: nobody added
  mail: {from: clerk@example.jp, to: ana@example.com, replied_to: ana@example.com}
  expect: {rules: []}
- name: somebody added
  mail: {from: clerk@example.jp, to: [ana@example.com, eve@example.net], replied_to: ana@example.com, authenticated: true}
  expect: {rules: [r]}
- name: a busy sender
  mail: {from: clerk@example.jp, to: ana@example.com, sent_last_hour: {mails: 3}}
  expect: {rules: []}
"""


@pytest.mark.parametrize(
    ("condition", "cases"), [("new_recipient: sender", CASES), ("added_to_reply: {at_least: 1}", MORE)]
)
def test_cases_say_what_was_before(condition: str, cases: str) -> None:
    results: list[Any] = [run_case(case, policy(condition)) for case in load_cases(cases, "x.cases.yaml")]
    assert [result.differences for result in results] == [(), (), ()]


def test_a_case_may_say_how_much_was_sent() -> None:
    text = "- {name: x, mail: {from: a@example.jp, to: b@example.com, sent_last_hour: {mails: 3}}, expect: {rules: [r]}}"
    (case,) = load_cases(text, "x.cases.yaml")
    for condition in ("sent_last_hour: {mails: {at_least: 3}}", "sent_last_day: {mails: {at_least: 3}}"):
        assert run_case(case, policy(condition)).differences == ()


DOMAIN_CASES = """
- {name: a, mail: {from: a@example.jp, to: b@example.com}, expect: {rules: []}}
- {name: b, mail: {from: a@example.jp, to: b@example.com, domain_states: {example.com: missing}}, expect: {rules: [r]}}
- {name: c, mail: {from: a@example.jp, to: b@example.com, domain_states: {example.com: unknown}}, expect: {rules: [r]}}
"""
LOOK_ALIKE_CASES = """
- {name: a, mail: {from: a@example.jp, to: b@gardening.org}, expect: {rules: []}}
- {name: b, mail: {from: a@example.jp, to: b@gmial.com}, expect: {rules: [r]}}
- {name: c, mail: {from: a@example.jp, to: b@gardenlng.com, known: c@gardening.com}, expect: {rules: [r]}}
"""


@pytest.mark.parametrize(
    ("condition", "cases"),
    [("domain_state: [missing, null-mx]", DOMAIN_CASES), ("look_alike: true", LOOK_ALIKE_CASES)],
)
def test_cases_say_what_domains_are(condition: str, cases: str) -> None:
    results: list[Any] = [run_case(case, policy(condition)) for case in load_cases(cases, "x.cases.yaml")]
    assert [result.differences for result in results] == [(), (), ()]


def test_a_case_knows_all_states_there_are() -> None:
    assert get_args(DomainState) == DOMAIN_STATES
