"""Routes as a table over a made-up DNS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import pytest

from gateway.config.delivery_settings import Smarthost
from gateway.delivery.errors import NoRoute
from gateway.delivery.hop import Hop
from gateway.delivery.route import MAX_HOPS, Route, Router, in_order, is_foreign, smarthost_hop
from gateway.evidence.resolver import DnsUnavailable, Mx, NoSuchDomain

OURS = "gw.example.jp"


class Dns:
    """The DNS as two tables; "?" in an answer means that no server answers."""

    MX: ClassVar[dict[str, tuple[Mx, ...] | str]] = {
        "plain.example.com": (Mx(10, "mx1.example.com"), Mx(20, "mx2.example.com")),
        "null.example.com": (Mx(0, ""),),
        "odd.example.com": (Mx(0, ""), Mx(10, "mx1.example.com")),
        "none.example.com": (),
        "down.example.com": "?",
        "we-are-best.example.com": (Mx(10, OURS), Mx(20, "mx2.example.com")),
        "we-are-second.example.com": (Mx(10, "mx1.example.com"), Mx(20, OURS), Mx(20, "mx2.example.com")),
        "dangling.example.com": (Mx(10, "gone.example.com"),),
        "half.example.com": (Mx(10, "down.example.com"), Mx(20, "mx2.example.com")),
        "silent.example.com": (Mx(10, "down.example.com"),),
        "inside.example.com": (Mx(10, "loopback.example.com"),),
        "many.example.com": tuple(Mx(n, "mx1.example.com") for n in range(20)),
    }
    A: ClassVar[dict[str, tuple[str, ...] | str]] = {
        "mx1.example.com": ("192.0.2.1", "2001:db8::1"),
        "mx2.example.com": ("192.0.2.2",),
        "none.example.com": ("192.0.2.3",),
        "down.example.com": "?",
        "loopback.example.com": (
            "127.0.0.1",
            "::1",
            "0.0.0.0",
            "::ffff:127.0.0.1",
            "169.254.1.1",
            "224.0.0.1",
        ),
    }

    async def mx(self, domain: str) -> Sequence[Mx]:
        if domain not in self.MX:
            raise NoSuchDomain(domain)
        answer = self.MX[domain]
        if isinstance(answer, str):
            raise DnsUnavailable("no server answers")
        return answer

    async def addresses(self, host: str) -> Sequence[str]:
        answer = self.A.get(host, ())
        if isinstance(answer, str):
            raise DnsUnavailable("no server answers")
        return answer


async def hops(domain: str) -> list[str]:
    router = Router(OURS, Dns(), None, lambda equals: None)
    return [f"{hop.name} {hop.address}" for hop in await router.hops(await router.route(domain))]


@pytest.mark.parametrize(
    ("domain", "expected"),
    [
        (
            "plain.example.com",
            ["mx1.example.com 192.0.2.1", "mx1.example.com 2001:db8::1", "mx2.example.com 192.0.2.2"],
        ),
        ("none.example.com", ["none.example.com 192.0.2.3"]),
        ("odd.example.com", ["mx1.example.com 192.0.2.1", "mx1.example.com 2001:db8::1"]),
        ("we-are-second.example.com", ["mx1.example.com 192.0.2.1", "mx1.example.com 2001:db8::1"]),
        ("half.example.com", ["mx2.example.com 192.0.2.2"]),
        ("[192.0.2.9]", ["[192.0.2.9] 192.0.2.9"]),
        ("[IPv6:2001:db8::9]", ["[IPv6:2001:db8::9] 2001:db8::9"]),
    ],
)
async def test_where_mail_goes(domain: str, expected: list[str]) -> None:
    assert await hops(domain) == expected


@pytest.mark.parametrize(
    ("domain", "enhanced", "permanent"),
    [
        ("null.example.com", "5.1.10", True),
        ("unknown.example.com", "5.1.2", True),
        ("dangling.example.com", "5.1.2", True),
        ("we-are-best.example.com", "5.4.6", True),
        ("inside.example.com", "5.1.2", True),
        ("[127.0.0.1]", "5.1.2", True),
        ("[nonsense]", "5.1.2", True),
        ("down.example.com", "4.4.3", False),
        ("silent.example.com", "4.4.3", False),
    ],
)
async def test_where_mail_does_not_go(domain: str, enhanced: str, permanent: bool) -> None:
    with pytest.raises(NoRoute) as caught:
        await hops(domain)
    assert (caught.value.enhanced, caught.value.permanent) == (enhanced, permanent)


async def test_the_number_of_hosts_tried_is_bounded() -> None:
    assert len(await hops("many.example.com")) == MAX_HOPS


def test_equals_are_shuffled_and_preference_stays() -> None:
    records = [Mx(20, "c"), Mx(10, "a"), Mx(10, "b")]
    ordered = in_order(records, lambda equals: equals.reverse())
    assert [mx.host for mx in ordered] == ["b", "a", "c"]


async def test_a_smarthost_takes_everything() -> None:
    hop = smarthost_hop(Smarthost(host="relay.example.jp", port=587, tls="starttls", username="u"), "secret")
    assert hop == Hop("relay.example.jp", 587, "", "starttls", True, "u", "secret")
    router = Router(OURS, Dns(), hop, lambda equals: None)
    assert await router.route("null.example.com") == Route(hop)
    assert await router.hops(Route(hop)) == [hop]


async def test_domains_with_the_same_exchangers_share_a_route() -> None:
    router = Router(OURS, Dns(), None, lambda equals: None)
    assert await router.route("plain.example.com") == await router.route("plain.example.com")


@pytest.mark.parametrize("address", ["192.0.2.1", "10.1.2.3", "2001:db8::1"])
def test_addresses_that_may_be_connected_to(address: str) -> None:
    assert is_foreign(address)


HERE, THERE = Hop("archive.example.jp", 25), Hop("relay.example.jp", 587)


def named_router(default: Hop | None = None) -> Router:
    return Router(OURS, Dns(), default, lambda _: None, named={"there": THERE, "here": HERE})


@pytest.mark.parametrize(
    ("demanded", "hop"),
    [(["here"], HERE), (["there"], THERE), (["here", "there"], THERE), (["there", "here"], THERE)],
)
@pytest.mark.parametrize("default", [None, Hop("mta.example.jp")])
async def test_of_several_demanded_routes_the_first_of_the_settings_is_taken(
    demanded: list[str], hop: Hop, default: Hop | None
) -> None:
    assert await named_router(default).route("plain.example.com", demanded) == Route(hop)


@pytest.mark.parametrize("demanded", [["gone"], ["gone", "here"]])
@pytest.mark.parametrize("default", [None, Hop("mta.example.jp")])
async def test_an_unknown_route_is_put_off_and_never_the_default_way(
    demanded: list[str], default: Hop | None
) -> None:
    with pytest.raises(NoRoute, match=r"delivery\.routes\.gone") as raised:
        await named_router(default).route("plain.example.com", demanded)
    assert not raised.value.permanent
