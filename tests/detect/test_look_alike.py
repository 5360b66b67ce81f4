"""Domains that are nearly a known one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.detect.confusable import decoded, skeleton
from gateway.detect.free_mail import PROVIDERS, provider
from gateway.detect.look_alike import MAX_KNOWN, KnownDomains, distance, registrable, resembles
from tests.detect.domain_names import KNOWN, MISSED, MISTAKEN, RESEMBLE, RESEMBLE_NOBODY

INDEX = KnownDomains(KNOWN)
LABELS = st.text("abcmnrvl01-", min_size=1, max_size=12)


@pytest.mark.parametrize(("domain", "known"), RESEMBLE)
def test_a_domain_resembles_a_known_one(domain: str, known: str) -> None:
    assert resembles(domain, INDEX) == known


@pytest.mark.parametrize("domain", RESEMBLE_NOBODY)
def test_a_domain_resembles_nobody(domain: str) -> None:
    assert resembles(domain, INDEX) is None


def test_what_is_known_to_be_got_wrong() -> None:
    assert [domain for domain, known in MISSED if resembles(domain, INDEX) == known] == []
    assert [domain for domain in MISTAKEN if resembles(domain, INDEX) is None] == []


def test_any_collection_of_domains_is_indexed() -> None:
    assert resembles("midori-kosam.com", ["midori-kosan.com"]) == "midori-kosan.com"
    assert resembles("midori-kosam.com", []) is None


@given(st.lists(LABELS, max_size=8), LABELS)
def test_a_known_domain_resembles_nobody(known: list[str], name: str) -> None:
    domains = [f"{label}.example" for label in [*known, name]]
    index = KnownDomains(domains)
    assert all(resembles(domain, index) is None for domain in domains)


@given(st.text("abcdefghkopqstuxyz", min_size=8, max_size=20), st.data())
def test_one_mistyped_character_of_a_long_name_is_told(name: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(name) - 1))
    typed = name[:at] + data.draw(st.sampled_from(["", "w", name[at] + name[at]])) + name[at + 1 :]
    index = KnownDomains([f"{name}.example"])
    assert resembles(f"{typed}.example", index) in {f"{name}.example", *PROVIDERS}


@given(st.text(max_size=80))
def test_any_text_may_stand_for_a_domain(text: str) -> None:
    resembles(text, INDEX)
    skeleton(text)
    skeleton("xn--" + text)


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_distance_is_symmetric_and_none_only_for_the_same(one: str, other: str) -> None:
    assert distance(one, other) == distance(other, one)
    assert (distance(one, other) == 0) is (one == other)
    assert distance(one, other) <= max(len(one), len(other))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("abc", "acb", 1), ("abc", "abcd", 1), ("abc", "axc", 1), ("", "abc", 3), ("icloud", "icould", 2)],
)
def test_distance(one: str, other: str, expected: int) -> None:
    assert distance(one, other) == expected


def test_labels_that_look_alike_share_a_skeleton() -> None:
    assert skeleton("раураl") == skeleton("paypal")
    assert skeleton("ニ口") == skeleton("二ロ")
    assert skeleton("rnodem") == skeleton("modern")
    assert skeleton("wave") == skeleton("vvave")
    assert skeleton("tokyo") != skeleton("kyoto")
    assert decoded("xn--eckwd4c7cu47r2wf") == "ドメイン名例"


def test_the_registrable_domain_is_the_one_below_the_public_suffix() -> None:
    assert registrable("a.b.example.co.jp") == ("example.co.jp", "example", "co.jp")
    assert registrable("city.example.lg.jp")[0] == "example.lg.jp"


def test_no_more_than_a_bound_is_indexed() -> None:
    index = KnownDomains([f"a{number}.example" for number in range(MAX_KNOWN + 10)])
    assert len(index) == MAX_KNOWN
    assert "a1.example" in index
    assert set(PROVIDERS) & set(index)


@pytest.mark.parametrize(
    ("domain", "kind"),
    [
        ("gmail.com", "free"),
        ("yahoo.co.jp", "free"),
        ("docomo.ne.jp", "carrier"),
        ("i.softbank.jp", "carrier"),
        ("au.com", "carrier"),
        ("nifty.com", "isp"),
        ("k3.dion.ne.jp", "isp"),
        ("softbank.co.jp", None),
        ("example.jp", None),
        ("notgmail.com", None),
        ("ne.jp", None),
        ("", None),
        ("[192.0.2.1]", None),
    ],
)
def test_a_provider_is_told_from_others(domain: str, kind: str | None) -> None:
    assert provider(domain) == kind


def test_every_provider_is_written_as_domains_are_compared() -> None:
    assert all(domain == domain.lower() and " " not in domain and "." in domain for domain in PROVIDERS)
