"""Cases that prove little, and rules that no case meets: worth saying, though nothing is broken. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.message.facts import Facts
from gateway.policy.cases import Case, decided
from gateway.policy.model import Policy
from gateway.policy.sources import Source
from gateway.values import dataclass
from gateway.yaml_source import Document, Problem


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A file of cases: what it says, where, the policy its cases run against, and the facts of each one's mail."""

    document: Document
    cases: tuple[Case, ...]
    policy: Policy
    facts: Sequence[Facts]


def weak_cases(files: Sequence[CaseFile], sources: Sequence[Source]) -> Iterator[Problem]:
    """Report cases without a mail or that meet no rule, cases that expect nothing, and rules that no case meets."""
    met: set[str] = set()
    for file in files:
        for index, (case, facts) in enumerate(zip(file.cases, file.facts, strict=True)):
            decision = decided(case, file.policy, facts)
            rules = {reason.rule for reason in decision.reasons} | {each.rule for each in decision.watched}
            met |= rules
            for message, hint in _weak(case, not decision.assigned, not rules):
                yield file.document.problem((index,), message, hint)
    yield from _not_met(sources, met)


def _weak(case: Case, nobody: bool, no_rule: bool) -> Iterator[tuple[str, str]]:
    if nobody:
        yield "a case without a mail: it goes to nobody", "write to:, cc:, bcc: or envelope:"
    elif no_rule and case.expect.rules is None:
        yield "no rule applies to this mail", "write rules: [] where that is what the case is to show"
    if not case.expect.model_fields_set:
        yield "nothing is expected but that the mail is not refused", "write into expect: what it is to get"


def _not_met(sources: Sequence[Source], met: set[str]) -> Iterator[Problem]:
    for source in sources:
        for index, rule in enumerate(source.file.rules):
            if rule.id not in met:
                hint = "write a mail that it applies to into a file ending in .cases.yaml"
                yield source.document.problem(("rules", index), f"no case meets {rule.id}", hint)
