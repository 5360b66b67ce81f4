"""The policy loader: any text is a policy or a list of problems with places, and a policy decides about any mail.

Whatever is loaded also explains itself, adds its copies, is stored and read back, and tells the same from a record of facts.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from gateway.message.address import Address
from gateway.message.evidence import (
    Content,
    Earlier,
    Evidence,
    FileEvidence,
    Findings,
    Volume,
)
from gateway.message.facts import Facts
from gateway.message.gather import gather
from gateway.message.recorded_facts import from_json as facts_from_json
from gateway.message.recorded_facts import to_json as facts_to_json
from gateway.policy.copies import as_handed_in, with_copies
from gateway.policy.decide import decide
from gateway.policy.difference import covers
from gateway.policy.explain import explain
from gateway.policy.load import load_policy
from gateway.policy.model import Policy
from gateway.policy.replay import tried
from gateway.policy.stored_decision import from_json, to_json
from gateway.yaml_source import Problems
from tests.transform.sample import envelope

NOW = datetime(2026, 11, 21, tzinfo=UTC)
RAW = (
    "From: 事務局 <office@sports.example.jp>\r\nTo: a@example.com, b@example.net\r\nSubject: 社外秘 list\r\n"
    "In-Reply-To: <1@example.com>\r\nContent-Type: text/plain; name=a.exe\r\n\r\nbody\r\n"
).encode()
EVIDENCE = Evidence(
    content=Content(
        body=Findings(my_number=1, person=2),
        files=(FileEvidence("exe", None, True, ("a/b.exe",), False, "encrypted", Findings(card=1)),),
        mail_is=frozenset({"calendar"}),
        invited=(Address("x", "example.org"),),
        greets_other=True,
        texts={"body": ("社外秘",)},
        cut=frozenset({"attachments"}),
    ),
    writers={"a@example.com": ("office@sports.example.jp", "")},
    volume=Volume(1, 2, 3, 4),
    replies=True,
    earlier=Earlier(frozenset({"a@example.com"})),
    domains={"example.com": "accepts", "example.net": "null-mx"},
    look_alikes={"example.net": "example.jp"},
)
BARE = gather(envelope("a@example.com", "b@example.net", "c@city.example.lg.jp"), RAW)
MAILS = (
    BARE,
    replace(BARE, evidence=EVIDENCE),
    replace(BARE, confident=False, unclear=frozenset({"boundary"})),
)


def check(octets: bytes) -> None:
    policy = _loaded(octets.decode("utf-8", "replace"))
    if isinstance(policy, Problems):
        assert policy.problems
        assert all(problem.line >= 1 and problem.column >= 1 for problem in policy.problems)
        assert str(policy)
        return
    for facts in MAILS:
        _decides(facts, policy)


def _decides(facts: Facts, policy: Policy) -> None:
    handed_in = decide(facts, policy, NOW)
    assert len(handed_in.assigned) == 3
    whole, decision = with_copies(facts, handed_in, policy, NOW)
    assert as_handed_in(whole, decision)[0] == facts.envelope
    assert from_json(to_json(decision), decision.assigned) == decision
    assert len(explain(decision, whole.recipients, NOW)) == len(decision.assigned)
    record = facts_from_json(facts_to_json(facts), facts.envelope, facts.subject, facts.size_bytes)
    again = tried(record, policy, NOW)
    assert covers(again.decision, handed_in)
    assert covers(handed_in, again.least)


def _loaded(text: str) -> Policy | Problems:
    try:
        return load_policy({"policy.yaml": text})
    except Problems as problems:
        return problems
