"""One address: what SMTP may say, and what makes it ambiguous."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.message.address import Address, AddressError, normalise_domain, parse_path
from gateway.message.domains import DomainSet


@pytest.mark.parametrize(
    ("text", "local", "domain"),
    [
        ("taro@example.jp", "taro", "example.jp"),
        ("Taro@EXAMPLE.jp.", "Taro", "example.jp"),
        ("foo..bar@docomo.example.jp", "foo..bar", "docomo.example.jp"),
        (".x@ezweb.example.jp", ".x", "ezweb.example.jp"),
        ("x.@example.jp", "x.", "example.jp"),
        ('"two words"@example.jp', '"two words"', "example.jp"),
        ('"a\\"b"@example.jp', '"a\\"b"', "example.jp"),
        ("a@[192.0.2.1]", "a", "[192.0.2.1]"),
        ("a@[IPv6:2001:DB8::0:1]", "a", "[ipv6:2001:db8::1]"),
        ("たろう@例え.jp", "たろう", "xn--r8jz45g.jp"),
        ("a@ＥＸＡＭＰＬＥ．jp", "a", "example.jp"),
        ("a@例え。jp", "a", "xn--r8jz45g.jp"),
        ("a@XN--R8JZ45G.jp", "a", "xn--r8jz45g.jp"),
        ("a@localhost", "a", "localhost"),
        ("a@under_score.example.jp", "a", "under_score.example.jp"),
        ("prvs=1+tag=b.example.com@example.jp", "prvs=1+tag=b.example.com", "example.jp"),
    ],
)
def test_addresses_that_are_clear(text: str, local: str, domain: str) -> None:
    address = parse_path(text)
    assert (address.local, address.domain, address.ambiguous) == (local, domain, False)


@pytest.mark.parametrize(
    "text",
    [
        "@relay.example.com,@b.example.com:taro@city.example.lg.jp",
        "taro%ext.example.com@city.example.lg.jp",
        "ext.example.com!taro@city.example.lg.jp",
        '"a@city.example.lg.jp"@city.example.lg.jp',
        "taro@192.0.2.1",
    ],
)
def test_addresses_that_can_be_read_in_two_ways(text: str) -> None:
    assert parse_path(text).ambiguous


@pytest.mark.parametrize(
    "text",
    [
        "",
        "taro",
        "@example.jp",
        "taro@",
        "taro@.example.jp",
        "taro@example..jp",
        "taro@-example.jp",
        "taro@exa mple.jp",
        "ta ro@example.jp",
        "taro@example.jp>",
        "<taro@example.jp",
        'ta"ro@example.jp',
        '"open@example.jp',
        "a@b@example.jp",
        "taro@[10.0.0]",
        "taro@[ipv6:zz]",
        "taro@[tag:x]",
        "taro@example.jp\r\nRCPT TO:<b@example.com>",
        "taro\n@example.jp",
        "ta\x00ro@example.jp",
        "ta\u2028ro@example.jp",
        "ta\x85ro@example.jp",
        "ta\ud800ro@example.jp",
        "taro@\u2028",
        "x" * 129 + "@example.jp",
        "x@" + "a." * 130 + "jp",
        "x@" + "a" * 64 + ".jp",
        "x@" + "é" * 300,
        "x@xn--\u3042.jp",
        "a" * 1_000_000,
    ],
)
def test_texts_that_are_no_address(text: str) -> None:
    with pytest.raises(AddressError) as caught:
        parse_path(text)
    assert len(str(caught.value)) < 200
    assert str(caught.value).isprintable()


def test_the_same_person_has_the_same_key() -> None:
    assert parse_path("TARO@Example.JP.").key == parse_path("taro@example.jp").key
    assert parse_path("たろう@例え.jp").needs_smtputf8
    assert not parse_path("taro@例え.jp").needs_smtputf8


@given(st.text(max_size=40))
def test_what_is_parsed_is_parsed_again_to_the_same(text: str) -> None:
    try:
        address = parse_path(text)
    except AddressError:
        return
    assert parse_path(str(address)).key == address.key
    assert str(address).isprintable() or any(ord(c) > 0xA0 for c in str(address))


@given(st.text(st.sampled_from("aZ0.-_例Ａ。é\u00ad"), max_size=20))
def test_normalising_twice_changes_nothing(text: str) -> None:
    try:
        domain = normalise_domain(text)
    except AddressError:
        return
    assert normalise_domain(domain) == domain
    assert domain.isascii()
    assert domain == domain.lower()
    assert not domain.endswith(".")


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("a@city.example.lg.jp", True),
        ("a@CITY.example.lg.jp.", True),
        ("a@ward.city.example.lg.jp", False),
        ("a@x.sub.example.jp", True),
        ("a@y.x.sub.example.jp", True),
        ("a@sub.example.jp", False),
        ("a@xsub.example.jp", False),
        ("a@city.example.lg.jp.evil.example.com", False),
        ("a@xcity.example.lg.jp", False),
        ("a%b.example.com@city.example.lg.jp", False),
        ("@r.example.com:a@city.example.lg.jp", False),
        ("a@[192.0.2.1]", False),
        ("a@例え.jp", True),
        ("a@xn--r8jz45g.jp", True),
    ],
)
def test_which_addresses_a_set_of_domains_holds(address: str, inside: bool) -> None:
    domains = DomainSet(["city.example.lg.jp", ".Sub.Example.jp", "例え.jp"])
    assert domains.matches(parse_path(address)) is inside


def test_a_set_of_domains_is_a_value() -> None:
    assert DomainSet(["a.jp", ".b.jp"]) == DomainSet([".B.jp", "A.jp."])
    assert hash(DomainSet(["a.jp"])) == hash(DomainSet(["a.jp"]))
    assert DomainSet(["a.jp"]) != "a.jp"
    assert repr(DomainSet([".b.jp", "a.jp"])) == "DomainSet(['a.jp', '.b.jp'])"
    assert not DomainSet([]).matches(Address("a", "a.jp"))
    with pytest.raises(AddressError):
        DomainSet(["not a domain"])
