"""Who is at the other end: what its address allows, before and after a front has said whose connection it brings."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from gateway.config.settings import Smtp
from gateway.receive.limits import Connections
from gateway.receive.peer import Peer

SMTP = Smtp(
    trusted_networks=(ip_network("10.0.0.0/8"),),
    proxy_networks=(ip_network("10.1.0.0/16"),),
    xclient_networks=(ip_network("10.2.0.0/16"),),
)


def peer(address: str, connections: Connections | None = None) -> Peer:
    return Peer(address, SMTP, connections or Connections(100, 100))


@pytest.mark.parametrize(
    ("address", "trusted", "fronts"),
    [
        ("10.9.0.1", True, False),
        ("10.1.0.1", False, True),  # a balancer's own address says nothing about its clients
        ("10.2.0.1", True, True),  # a server that speaks XCLIENT sends mail of its own too
        ("192.0.2.1", False, False),
        ("", False, False),  # a socket that was reset before it could be asked
    ],
)
def test_what_an_address_allows(address: str, trusted: bool, fronts: bool) -> None:
    found = peer(address)
    assert (found.trusted, found.fronts, found.admitted) == (trusted, fronts, True)


@pytest.mark.parametrize(
    ("client", "trusted"), [("10.9.0.1", True), ("192.0.2.1", False), ("unknown", False)]
)
def test_trust_is_about_the_client_that_a_front_names(client: str, trusted: bool) -> None:
    found = peer("10.1.0.1")
    found.stand_for(client)
    assert (found.ip, found.address, found.trusted) == (client, "10.1.0.1", trusted)
    assert not found.fronts, "it is the client's connection now, with the client's limits"


def test_a_front_may_bring_many_but_each_client_has_its_limit() -> None:
    connections = Connections(100, 1)
    brought = [peer("10.1.0.1", connections) for _ in range(3)]
    assert all(each.admitted for each in brought)
    brought[0].stand_for("192.0.2.1")
    brought[1].stand_for("192.0.2.1")
    assert [each.admitted for each in brought] == [True, False, True]


def test_who_was_counted_is_given_back_once() -> None:
    connections = Connections(1, 1)
    first = peer("192.0.2.1", connections)
    refused = peer("192.0.2.2", connections)
    assert (first.admitted, refused.admitted) == (True, False)
    refused.leave()
    assert not peer("192.0.2.3", connections).admitted, "the one refused held no place"
    first.leave()
    first.leave()
    assert peer("192.0.2.4", connections).admitted
    assert not peer("192.0.2.5", connections).admitted
