"""What no rule asks for is not looked up; so it must not matter, or another file that asks for it could change the outcome."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from hypothesis import HealthCheck, given, settings

from gateway.message.evidence import Evidence
from gateway.message.facts import Facts
from gateway.policy.conditions.context import Need
from gateway.policy.decide import decide
from gateway.policy.model import Policy
from tests.policy.generated import additions, floors
from tests.policy.generated_conditions import Json
from tests.policy.generated_facts import TIMES, facts
from tests.policy.test_only_adds import assert_not_weaker, policy_of
from tests.thoroughness import examples

thorough = settings(max_examples=examples(120), suppress_health_check=[HealthCheck.too_slow])

FIELDS = {
    Need.CONTENT: ("content",),
    Need.WRITERS: ("writers",),
    Need.VOLUME: ("volume",),
    Need.EARLIER: ("earlier", "replies"),
    Need.DOMAINS: ("domains",),
    Need.LOOK_ALIKES: ("look_alikes",),
    Need.HALVES: ("halves",),
}


def looked_up(mail: Facts, policy: Policy) -> Facts:
    """Return the facts with the evidence that this policy asks for, and no other."""
    known = {
        name: getattr(mail.evidence, name)
        for need, names in FIELDS.items()
        if need in policy.needs
        for name in names
    }
    return replace(mail, evidence=Evidence(**known))


def test_every_need_is_here() -> None:
    assert set(FIELDS) == set(Need)


@thorough
@given(floors(), facts(), TIMES)
def test_what_is_not_asked_for_does_not_matter(floor: Json, mail: Facts, now: datetime) -> None:
    policy = policy_of({"floor.yaml": floor})
    assert decide(looked_up(mail, policy), policy, now) == decide(mail, policy, now)


@thorough
@given(floors(), additions(), facts(), TIMES)
def test_a_file_that_asks_for_more_evidence_weakens_nobody(
    floor: Json, addition: Json, mail: Facts, now: datetime
) -> None:
    alone, both = policy_of({"floor.yaml": floor}), policy_of({"floor.yaml": floor, "added.yaml": addition})
    assert alone.needs in both.needs
    before, after = decide(looked_up(mail, alone), alone, now), decide(looked_up(mail, both), both, now)
    assert_not_weaker(after, before)
