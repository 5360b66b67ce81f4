"""Groups of a sender, recorded with the mail: those that `sender_in` would say, asked one by one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.message.address import Address
from gateway.policy.memberships import NO_GROUPS, Memberships
from gateway.policy.people import People

LOCALS = ["a", "B", "c"]
DOMAINS = ["example.jp", "sub.example.jp", "deep.sub.example.jp", "example.com", "jp"]
PATTERNS = [*DOMAINS, *[f".{domain}" for domain in DOMAINS], "a@example.jp", "b@sub.example.jp"]

addresses = st.builds(Address, st.sampled_from(LOCALS), st.sampled_from(DOMAINS), st.booleans())
groups = st.dictionaries(st.sampled_from(["x", "y", "z"]), st.lists(st.sampled_from(PATTERNS), max_size=4))


@given(groups, st.lists(st.none() | addresses, max_size=3))
def test_they_are_those_whose_patterns_fit(named: dict[str, list[str]], people: list[Address | None]) -> None:
    known = [person for person in people if person is not None]
    expected = [
        name
        for name, patterns in named.items()
        if any(People(patterns).include(person, in_doubt=True) for person in known)
    ]
    assert Memberships(named).of(people) == tuple(sorted(expected))


def test_without_groups_nobody_is_in_one() -> None:
    assert NO_GROUPS.of([Address("a", "example.jp")]) == ()
