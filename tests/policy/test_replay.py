"""Replay never claims more than it knows, and what it claims is what would have been decided."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.message.address import parse_path
from gateway.message.envelope import Client, Envelope
from gateway.message.evidence import Evidence, Volume
from gateway.message.facts import Facts
from gateway.message.gather import gather
from gateway.message.recorded_facts import from_json, to_json
from gateway.message.replies import is_reply
from gateway.policy.compile import compile_policy
from gateway.policy.conditions.context import Need
from gateway.policy.decide import decide
from gateway.policy.difference import covers, differences, same_effect
from gateway.policy.load import load_policy
from gateway.policy.model import Policy
from gateway.policy.replay import Verdict, as_decided, tried, tried_again, verdict
from gateway.policy.schema import PolicyFile
from gateway.policy.tally import OTHERS, Tally
from tests.policy.generated import additions, floors
from tests.policy.generated_conditions import Json
from tests.policy.generated_facts import NOW, facts
from tests.thoroughness import examples

thorough = settings(max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.too_slow])


def policy(*files: Json) -> Policy:
    """Compile generated files without the detour over text; rules that never apply are drawn too."""
    shapes = {f"{number}.yaml": PolicyFile.model_validate(file) for number, file in enumerate(files)}
    return compile_policy(shapes, json.dumps(files, sort_keys=True))


policies = st.builds(policy, floors(), additions())


mails = facts().map(  # whoever looks for the earlier mail tells from the header section whether there is one
    lambda mail: replace(mail, evidence=replace(mail.evidence, replies=is_reply(mail.header)))
)


def recorded(of: Facts) -> Facts:
    return from_json(to_json(of), of.envelope, of.subject, of.size_bytes)


@thorough
@given(policies, mails)
def test_what_is_told_from_a_record_is_what_the_mail_gets(tried_policy: Policy, mail: Facts) -> None:
    truth = decide(mail, tried_policy, NOW)
    found = tried(recorded(mail), tried_policy, NOW)
    assert covers(found.decision, truth)
    assert covers(truth, found.least)
    if found.told:
        assert same_effect(found.decision, truth)


@thorough
@given(policies, policies, mails)
def test_a_verdict_is_certain(one: Policy, other: Policy, mail: Facts) -> None:
    then, now = decide(mail, one, NOW), decide(mail, other, NOW)
    record = recorded(mail)
    for tries in (
        (as_decided(then), tried_again(record, other, NOW, then)),
        (tried(record, one, NOW), tried(record, other, NOW)),
    ):
        match verdict(*tries):
            case Verdict.SAME:
                assert same_effect(then, now)
            case Verdict.STRICTER:
                assert covers(now, then)
                assert not same_effect(then, now)
            case Verdict.MILDER:
                assert covers(then, now)
                assert not same_effect(then, now)
            case Verdict.DIFFERENT:
                assert not same_effect(then, now)


@thorough
@given(policies, policies, mails)
def test_differences_are_said_exactly_where_there_are_some(one: Policy, other: Policy, mail: Facts) -> None:
    then, now = decide(mail, one, NOW), decide(mail, other, NOW)
    assert (differences(then, now) == ()) is same_effect(then, now)


def of(*rules: str) -> Policy:
    text = "version: 1\norganisation: {name: x, internal: [city.example.lg.jp]}\nrules:\n"
    return load_policy(
        {"a.yaml": text + "".join(f"  - {{id: r{n}, reason: x, {r}}}\n" for n, r in enumerate(rules))}
    )


HOLD = "then: {hold: {window: 10m, for: all}}"
LONGER = "then: {hold: {window: 1h, for: all}}"
BCC = "then: {recipients: {form: bcc, for: all}}"
WORDS = "when: {header: {X-Mailer: {contains: batch}}}, then: {hold: {window: 2h, for: all}}"


def mail_to(*people: str) -> Facts:
    envelope = Envelope(
        parse_path("desk@city.example.lg.jp"), tuple(map(parse_path, people)), Client("192.0.2.1")
    )
    raw = f"From: desk@city.example.lg.jp\r\nTo: {', '.join(people)}\r\nSubject: hi\r\n\r\nbody\r\n"
    return gather(envelope, raw.encode())


MAIL = mail_to("p@example.com", "chief@city.example.lg.jp")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ((HOLD,), (HOLD,), Verdict.SAME),
        ((HOLD,), (HOLD, LONGER), Verdict.STRICTER),
        ((LONGER,), (HOLD,), Verdict.MILDER),
        ((LONGER,), (HOLD, BCC), Verdict.DIFFERENT),
        ((HOLD,), (HOLD, WORDS), Verdict.UNTOLD),
        ((HOLD, WORDS), (HOLD, WORDS), Verdict.SAME),
        ((HOLD, WORDS), (HOLD, WORDS.replace("batch", "other")), Verdict.UNTOLD),
        ((HOLD, WORDS), (HOLD, WORDS, "then: {recipients: {form: bcc, for: all}}"), Verdict.STRICTER),
        (("then: {hold: {window: 3h, for: all}}",), ("then: {hold: {window: 3h, for: all}}", WORDS), Verdict.SAME),
        (("then: {hold: {window: 3h, for: all}}",), (HOLD, WORDS), Verdict.MILDER),
    ],
)  # fmt: skip
def test_verdicts(before: tuple[str, ...], after: tuple[str, ...], expected: Verdict) -> None:
    record = recorded(MAIL)
    assert verdict(tried(record, of(*before), NOW), tried(record, of(*after), NOW)) is expected


def test_the_policy_that_decided_decides_the_same_whatever_is_not_recorded() -> None:
    same = of(HOLD, WORDS)
    then = decide(MAIL, same, NOW)
    found = tried_again(recorded(MAIL), same, NOW, then)
    assert verdict(as_decided(then), found) is Verdict.SAME


def test_evidence_that_nobody_looked_up_is_untold() -> None:
    rule = replace(of(HOLD).rules[0], needs=Need.VOLUME)
    asking = replace(of(HOLD), rules=(rule,))
    record = recorded(MAIL)
    assert not tried(record, asking, NOW).told
    known = replace(record, evidence=Evidence(volume=Volume()))
    assert tried(known, asking, NOW).told


def test_a_tally_counts_and_keeps_no_more_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.policy.tally.MAX_SENDERS", 1)
    tally = Tally(keep=1)
    record = recorded(MAIL)
    other = recorded(replace(MAIL, envelope=replace(MAIL.envelope, sender=None)))
    for mail in (record, other, record):
        tally.add("Q", NOW, mail, tried(mail, of(HOLD), NOW), tried(mail, of(LONGER, BCC), NOW))
    tally.add("Q", NOW, record, tried(record, of(HOLD), NOW), tried(record, of(WORDS), NOW))
    assert (tally.mails, tally.differ, tally.verdicts[Verdict.UNTOLD]) == (4, 3, 1)
    assert tally.senders == {"desk@city.example.lg.jp": 2, OTHERS: 1}
    [differing] = tally.listed
    assert [(d.what, d.then, d.now, d.recipients) for d in differing.differences] == [
        ("window", "10m", "1h", 2),
        ("form", "original", "bcc", 2),
        ("hide_internal", "no", "yes", 2),
    ]
    assert differing.gained == ("r1",)
    assert tally.rules["r0"].then == 3
    assert tally.rules[OTHERS].now == 3


def test_time_is_the_mails_own() -> None:
    at = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
    assert tried(recorded(MAIL), of(HOLD), at).decision == decide(recorded(MAIL), of(HOLD), at)


def test_every_kind_of_evidence_that_a_rule_may_need_is_missed_where_it_is_missing() -> None:
    record = recorded(MAIL)
    for need in Need:
        rule = replace(of(HOLD).rules[0], needs=need)
        assert not tried(record, replace(of(HOLD), rules=(rule,)), NOW).told, need


def test_the_same_words_in_another_policy_are_not_the_same_rule() -> None:
    text = (
        "version: 1\norganisation: {{name: x, internal: [city.example.lg.jp]}}\ncircles: {{c: [{person}]}}\nrules:\n"
        "  - {{id: a, reason: x, unless: {{circle: c, header: {{X-A: {{contains: b}}}}}}, then: {{hold: 1h}}}}\n"
    )
    one, other = (
        load_policy({"a.yaml": text.format(person=who)}) for who in ("p@example.com", "q@example.com")
    )
    record = recorded(MAIL)
    assert verdict(tried(record, one, NOW), tried(record, other, NOW)) is Verdict.UNTOLD
    assert verdict(tried(record, one, NOW), tried(record, one, NOW)) is Verdict.SAME
