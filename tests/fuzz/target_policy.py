"""The policy loader: any text is a policy or a list of problems with places, and a policy decides about any mail."""

from __future__ import annotations

from datetime import UTC, datetime

from gateway.message.gather import gather
from gateway.policy.decide import decide
from gateway.policy.load import load_policy
from gateway.policy.model import Policy
from gateway.policy.stored_decision import from_json, to_json
from gateway.yaml_source import Problems
from tests.transform.sample import envelope

NOW = datetime(2026, 11, 21, tzinfo=UTC)
RAW = (
    "From: 事務局 <office@sports.example.jp>\r\nTo: a@example.com, b@example.net\r\nSubject: 社外秘 list\r\n"
    "Content-Type: text/plain; name=a.exe\r\n\r\nbody\r\n"
).encode()
FACTS = gather(envelope("a@example.com", "b@example.net", "c@city.example.lg.jp"), RAW)


def check(octets: bytes) -> None:
    policy = _loaded(octets.decode("utf-8", "replace"))
    if isinstance(policy, Problems):
        assert policy.problems
        assert all(problem.line >= 1 and problem.column >= 1 for problem in policy.problems)
        assert str(policy)
        return
    decision = decide(FACTS, policy, NOW)
    assert len(decision.assigned) == 3
    assert from_json(to_json(decision), decision.assigned) == decision


def _loaded(text: str) -> Policy | Problems:
    try:
        return load_policy({"policy.yaml": text})
    except Problems as problems:
        return problems
