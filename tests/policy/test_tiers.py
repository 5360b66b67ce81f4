"""Two tiers: a local file adds rules to the floor, and nothing that the floor's rules refer to is in its hands."""

from __future__ import annotations

import pytest

from gateway.policy.load import digest, load_policy
from gateway.policy.tiers import Tier, tier_of
from gateway.yaml_source import Problems

FLOOR = """version: 1
organisation: {name: x, internal: [city.example.lg.jp]}
circles: {tennis: [a@example.com]}
groups: {hall: {senders: example.com}}
rules:
  - {id: floor, reason: why, then: {hold: 10m}}
  - {id: halls, reason: why, when: {sender_in: hall}, unless: {circle: tennis}, then: {hold: 20m}}
"""
LOCAL = "version: 1\nrules:\n  - {id: more, reason: why, when: {sender_in: hall}, then: {hold: 1h}}\n"


def problems(floor: str = FLOOR, local: str = LOCAL) -> list[str]:
    with pytest.raises(Problems) as caught:
        load_policy({"floor/a.yaml": floor, "local/b.yaml": local})
    return str(caught.value).splitlines()


def test_both_tiers_are_one_policy_and_every_rule_knows_its_place() -> None:
    policy = load_policy({"floor/a.yaml": FLOOR, "local/b.yaml": LOCAL})
    assert policy.has_floor
    assert [(rule.id, rule.tier, rule.place) for rule in policy.rules] == [
        ("floor", Tier.FLOOR, "floor/a.yaml:6"),
        ("halls", Tier.FLOOR, "floor/a.yaml:7"),
        ("more", Tier.LOCAL, "local/b.yaml:3"),
    ]


def test_a_folder_without_tiers_has_none() -> None:
    policy = load_policy({"a.yaml": FLOOR})
    assert not policy.has_floor
    assert [(rule.tier, rule.place) for rule in policy.rules] == [(None, "a.yaml:6"), (None, "a.yaml:7")]


@pytest.mark.parametrize(
    ("name", "tier"),
    [
        ("floor/a.yaml", Tier.FLOOR),
        ("local/a.yaml", Tier.LOCAL),
        ("floor.yaml", None),
        ("floor", None),
        ("/etc/floor/a.yaml", None),
        ("other/a.yaml", None),
    ],
)
def test_the_tier_is_the_folder_right_below(name: str, tier: Tier | None) -> None:
    assert tier_of(name) is tier


def test_a_local_organisation_is_an_error_that_says_why() -> None:
    local = LOCAL.replace("rules:", "organisation: {name: y, internal: [.]}\nrules:", 1).replace(
        "[.]", "[x.jp]"
    )
    assert problems(local=local) == [
        "local/b.yaml:2:1: organisation: the organisation belongs to the floor "
        "(ask whoever writes the floor: a longer list of internal domains would loosen its rules)"
    ]


def test_an_organisation_that_only_a_local_file_has_does_not_count() -> None:
    floor = "\n".join(line for line in FLOOR.splitlines() if not line.startswith("organisation")) + "\n"
    local = LOCAL.replace("rules:", "organisation: {name: y, internal: [x.jp]}\nrules:", 1)
    assert [line.split(" (")[0] for line in problems(floor, local)] == [
        "floor/a.yaml:1:1: no file of the floor says who the organisation is",
        "local/b.yaml:2:1: organisation: the organisation belongs to the floor",
    ]


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (
            "circles: {tennis: [a@example.com, b@example.com]}",
            "local/b.yaml:2:11: circles.tennis: the circle 'tennis' belongs to the floor: a local file cannot define it "
            "again (at floor/a.yaml:3; choose another name)",
        ),
        (
            "groups: {hall: {senders: nobody@example.com}}",
            "local/b.yaml:2:10: groups.hall: the group 'hall' belongs to the floor: a local file cannot define it again "
            "(at floor/a.yaml:4; choose another name)",
        ),
    ],
)
def test_names_of_the_floor_are_not_defined_again(more: str, problem: str) -> None:
    assert problems(local=LOCAL.replace("rules:", f"{more}\nrules:")) == [problem]


def test_a_rule_id_of_the_floor_is_taken() -> None:
    [line] = problems(local=LOCAL.replace("id: more", "id: floor"))
    assert "rules[0].id: the rule id 'floor' belongs to the floor" in line


def test_the_floor_refers_to_names_of_the_floor_only() -> None:
    floor = FLOOR.replace("circles: {tennis: [a@example.com]}\n", "")
    local = LOCAL.replace("rules:", "circles: {tennis: [a@example.com, b@example.com]}\nrules:")
    assert problems(floor, local) == [
        "floor/a.yaml:6:72: rules[1].unless.circle: the floor defines no circle 'tennis' (a local file does, at "
        "local/b.yaml:2; whoever writes that could change what the floor asks for)"
    ]


def test_who_approves_what_the_floor_asks_for_is_not_in_local_hands() -> None:
    approve = "  - {id: second, reason: why, then: {approve: {by: bosses}}}\n"
    local = LOCAL.replace(
        "rules:",
        "groups: {bosses: {senders: x.jp, approvers: [me@city.example.lg.jp, you@city.example.lg.jp]}}\nrules:",
    )
    assert load_policy({"floor/a.yaml": FLOOR, "local/b.yaml": local + approve}).has_floor
    [line] = problems(FLOOR + approve, local)
    assert line.startswith("floor/a.yaml:8:")
    assert "no group is called 'bosses', and it is no address" in line


def test_a_floor_without_rules_is_an_error() -> None:
    floor = "version: 1\norganisation: {name: x, internal: [a.jp]}\ngroups: {hall: {senders: b.jp}}\n"
    [line] = problems(floor)
    assert line.startswith("floor/a.yaml:1:1: the floor has no rule: it would protect nobody")


def test_the_digest_names_the_tier() -> None:
    one, other = (
        {"floor/a.yaml": FLOOR, "local/b.yaml": LOCAL},
        {"floor/a.yaml": FLOOR, "floor/b.yaml": LOCAL},
    )
    assert digest(one) != digest(other)
    assert digest({"a.yaml": FLOOR}) != digest({"floor/a.yaml": FLOOR})
