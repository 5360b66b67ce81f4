"""What a local file may not ask for although it only adds: each would get round something that the floor asks for."""

from __future__ import annotations

import pytest

from gateway.policy.load import load_policy
from gateway.yaml_source import Problems

FLOOR = """version: 1
organisation: {name: x, internal: [city.example.lg.jp]}
groups: {hall: {senders: hall.example.jp, approvers: [boss@example.net]}}
rules:
  - {id: tagged, reason: why, then: {tag: {X-Class: secret}, route: {name: archive}}}
  - {id: copied, reason: why, then: {bcc_to: [audit@city.example.lg.jp, audit@example.org]}}
"""


def problems(then: str, when: str = "") -> list[str]:
    """Return what is wrong with a local rule."""
    rule = f"  - {{id: more, reason: why, {when}then: {{{then}}}}}\n"
    return of(f"version: 1\nrules:\n{rule}")


def of(local: str) -> list[str]:
    try:
        load_policy({"floor/a.yaml": FLOOR, "local/b.yaml": local})
    except Problems as found:
        return [f"{p.line}: {p.where}: {p.message} ({p.hint})" for p in found.problems]
    return []


NAMES = "a local file names people inside, or those of a group of the floor"


@pytest.mark.parametrize(
    "then", ["bcc_to: {}", "notify: {}", "approve: {}", "approve: [b@hall.example.jp, {}]"]
)
def test_mail_is_shown_to_people_inside_and_of_the_floor_only(then: str) -> None:
    for known in ("c@city.example.lg.jp", "clerk@hall.example.jp", "boss@example.net"):
        assert not [line for line in problems(then.format(known)) if NAMES in line]
    [line] = [line for line in problems(then.format("me@example.com")) if NAMES in line]
    assert line.endswith(f"me@example.com is outside, and would be told of mail ({NAMES})")


def test_later_approvers_groups_and_proxies_are_looked_at_as_well() -> None:
    escalate = "approve: {by: c@city.example.lg.jp, escalate: {to: me@example.com, after: 1h}}"
    assert [line.split(":")[1] for line in problems(escalate)] == [" rules[0].then.approve.escalate.to"]
    group = "groups: {own: {senders: s.example.jp, approvers: [c@city.example.lg.jp, me@example.com], proxies: [%s]}}"
    proxy = "{for: c@city.example.lg.jp, by: you@example.com, from: 2026-01-01, until: 2026-02-01}"
    rule = "rules:\n  - {id: more, reason: why, then: {hold: 1m}}\n"
    assert [line.split(" is ")[0] for line in of(f"version: 1\n{group % proxy}\n{rule}")] == [
        "2: groups.own.approvers[1]: me@example.com",
        "2: groups.own.proxies[0].by: you@example.com",
    ]


def test_a_tag_of_the_floor_has_the_floors_values_only() -> None:
    assert problems("tag: {X-Class: secret}") == []
    assert problems("tag: {X-Other: public}") == []
    assert problems("tag: {x-class: public}") == [
        "3: rules[0].then.tag.x-class: the tag x-class belongs to the floor (at floor/a.yaml:5; choose another name)"
    ]


def test_the_way_is_the_floors_where_it_says_one() -> None:
    assert problems("route: fast") == [
        "3: rules[0].then.route: the floor says by which way mail leaves (at floor/a.yaml:5; ask whoever writes the floor)"
    ]


@pytest.mark.parametrize(
    ("when", "drop", "missing"),
    [
        ("when: {recipient: [example.com, audit@city.example.lg.jp]}, ", "true", ["audit@city.example.lg.jp"]),
        ("when: {recipient: [example.com, .example.com]}, ", "true", []),
        ("", "{for: external}", ["audit@example.org"]),
        ("", "{for: all}", []),
    ],
)  # fmt: skip
def test_nobody_to_whom_the_floor_copies_is_dropped(when: str, drop: str, missing: list[str]) -> None:
    expected = [
        f"3: rules[0].then.drop_recipient: {each} would miss the copy that the floor asks for "
        "(at floor/a.yaml:6; name others in recipient:)"
        for each in missing
    ]
    assert problems(f"drop_recipient: {drop}", when) == expected


def test_a_folder_without_tiers_may_copy_to_anybody() -> None:
    assert load_policy({"a.yaml": FLOOR}).rules
