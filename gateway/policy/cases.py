"""Cases: mails written down beside a policy, with the outcome its author expects. Pure; `sekisho policy test` runs them.

A case's mail becomes real octets and goes the same way as mail that arrives: gather, then decide. Only what `expect` names
is compared, except a refusal: a mail that is refused unexpectedly is always a difference.
"""

from __future__ import annotations

from pydantic import RootModel

from gateway.message.facts import Facts
from gateway.policy import values
from gateway.policy.case_attached import possible_ways, seen_of
from gateway.policy.case_expected import Expected, differences
from gateway.policy.case_given import CaseMail, arrives_at, envelope_of, facts_of
from gateway.policy.decide import decide
from gateway.policy.decision import Decision
from gateway.policy.handle import with_handling
from gateway.policy.handling import Seen
from gateway.policy.model import Policy
from gateway.policy.parts import Part, told
from gateway.values import dataclass
from gateway.yaml_source import load, validate


class Case(Part):
    """One mail and what is to become of it."""

    name: values.Sentence = told("何を確かめるか", "what the case is about", ...)
    mail: CaseMail = told("メール", "the mail", ...)
    expect: Expected = told("期待する結果", "the outcome expected", ...)


class _Cases(RootModel[tuple[Case, ...]]):
    """A `*.cases.yaml` file: a list of cases."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a case went: no difference is a pass."""

    name: str
    differences: tuple[str, ...]


def load_cases(text: str, file: str) -> tuple[Case, ...]:
    """Read a file of cases; raises `Problems`."""
    return validate(_Cases, load(text, file)).root


def run_case(case: Case, policy: Policy, facts: Facts | None = None, seen: Seen | None = None) -> Result:
    """Send the case's mail through the policy and compare; `facts` and `seen` as for `decided`."""
    decision = decided(case, policy, facts, seen)
    return Result(case.name, tuple(differences(case.expect, envelope_of(case.mail), decision)))


def decided(case: Case, policy: Policy, facts: Facts | None = None, seen: Seen | None = None) -> Decision:
    """Return what the policy decides about the case's mail.

    `facts` are those of the mail, and `seen` its files, where somebody looked further into it than a case says.
    """
    known = facts_of(case.mail) if facts is None else facts
    decision = decide(known, policy, arrives_at(case.mail, policy))
    if not decision.protects:
        return decision
    looked_at = seen_of(case.mail.attachments, known) if seen is None else seen
    return with_handling(decision, looked_at, possible_ways(case.mail, known.envelope))
