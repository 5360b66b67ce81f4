"""Where a recipient's mail goes: to the smarthost, or to the hosts that the domain's MX records name (RFC
5321 5.1).

A route is a value, so that recipients with equal routes can share a transaction; equals among the hosts are
shuffled only when it is used. Never routes to ourselves: not by MX records that name this host, and not to
addresses that mean "this machine".
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import groupby

from gateway.config.delivery_settings import Smarthost
from gateway.delivery.assurance import AS_OFFERED, Asked, Assurance
from gateway.delivery.errors import NoRoute
from gateway.delivery.hop import Hop
from gateway.evidence.resolver import DnsUnavailable, Mx, NoSuchDomain, Resolver
from gateway.values import dataclass

MAX_HOPS = 5
"""Addresses tried for one copy before it is put off (Postfix: smtp_mx_address_limit)."""

SMTP_PORT = 25

Shuffle = Callable[[list[Mx]], None]


@dataclass(frozen=True, slots=True)
class Route:
    """Either one configured hop, or mail exchangers by preference."""

    hop: Hop | None = None
    exchangers: tuple[Mx, ...] = ()
    asked: Asked = AS_OFFERED

    def __hash__(self) -> int:
        """Tell routes apart by where they lead: recipients are grouped by their route, each of them looked up."""
        return hash(self.exchangers if self.hop is None else self.hop.name)


def smarthost_hop(smarthost: Smarthost, password: str = "") -> Hop:
    """Return the hop of the settings' smarthost; its password is read elsewhere, once."""
    return Hop(
        name=smarthost.host.strip("[]"),
        port=smarthost.port,
        tls=smarthost.tls,
        verify=smarthost.verify,
        username=smarthost.username or "",
        password=password,
    )


def usable_exchangers(records: Sequence[Mx], domain: str, hostname: str) -> tuple[Mx, ...]:
    """Return the exchangers mail may go to; raises NoRoute for a null MX (RFC 7505) and where we are the best
    one.

    Exchangers not better than ourselves are dropped (RFC 5321 5.1): whatever they hand on comes back to us.
    """
    if not records:
        return (Mx(0, domain, secure=True),)  # the same name as its address records, which have to prove it
    if all(not mx.host for mx in records):
        raise NoRoute("5.1.10", f"{domain} takes no mail (null MX)", permanent=True)
    ours = min((mx.preference for mx in records if mx.host == hostname.lower()), default=None)
    usable = tuple(mx for mx in records if mx.host and (ours is None or mx.preference < ours))
    if not usable:
        raise NoRoute("5.4.6", f"mail for {domain} loops back to this server", permanent=True)
    return usable


def in_order(exchangers: Sequence[Mx], shuffle: Shuffle) -> list[Mx]:
    """Return the exchangers by preference, equals in the order `shuffle` gives them (RFC 5321 5.1 asks for a
    random one)."""
    hosts: list[Mx] = []
    for _, group in groupby(sorted(exchangers, key=lambda mx: mx.preference), key=lambda mx: mx.preference):
        equals = list(group)
        shuffle(equals)
        hosts.extend(equals)
    return hosts


def literal_address(domain: str) -> str:
    """Return the IP address of an address literal (RFC 5321 4.1.3); raises NoRoute where it is none."""
    text = domain[1:-1]
    if text.lower().startswith("ipv6:"):
        text = text[5:]
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise NoRoute("5.1.2", f"{domain} is no address of a mail server", permanent=True) from None


def is_foreign(address: str) -> bool:
    """Tell whether an address from the DNS may be connected to: never this machine, never a group of
    machines."""
    ip = ipaddress.ip_address(address)
    mapped = getattr(ip, "ipv4_mapped", None) or ip
    return not (mapped.is_loopback or mapped.is_unspecified or mapped.is_multicast or mapped.is_link_local)


@lru_cache(maxsize=1024)
def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class Router:
    """Finds routes. `hop` is the smarthost; without it the DNS decides. `named` are other smarthosts, in the settings' order.

    `assurance` says how to secure them.
    """

    def __init__(
        self,
        hostname: str,
        resolver: Resolver,
        hop: Hop | None,
        shuffle: Shuffle,
        assurance: Assurance | None = None,
        named: Mapping[str, Hop] | None = None,
    ) -> None:
        self._assurance = assurance or Assurance()
        self._hostname = hostname
        self._resolver = resolver
        self._hop = hop
        self._shuffle = shuffle
        self._named = dict(named or {})

    async def route(self, domain: str, demanded: Collection[str] = ()) -> Route:
        """Return the route for a domain; raises NoRoute.

        `demanded` are names of next hops that rules ask for: the first of them in the settings' order is taken. A name that
        the settings do not have is never the default way: it is a NoRoute for now.
        """
        if demanded:
            return Route(self._of_name(demanded))
        if self._hop is not None:
            return Route(self._hop)
        if domain.startswith("["):
            return Route(exchangers=(Mx(0, domain),))
        try:
            records = await self._resolver.mx(domain)
        except NoSuchDomain:
            raise NoRoute("5.1.2", f"the domain {domain} does not exist", permanent=True) from None
        except DnsUnavailable as error:
            raise NoRoute(
                "4.4.3", f"the DNS gives no answer about {domain}: {error}", permanent=False
            ) from error
        exchangers = usable_exchangers(records, domain, self._hostname)
        return Route(exchangers=exchangers, asked=await self._assurance.of_domain(domain))

    def _of_name(self, demanded: Collection[str]) -> Hop:
        unknown = sorted(set(demanded) - self._named.keys())
        if unknown:
            text = f"the settings have no delivery.routes.{unknown[0]}, which the mail policy asks for"
            raise NoRoute("4.3.5", text, permanent=False)
        return next(hop for name, hop in self._named.items() if name in demanded)

    async def hops(self, route: Route) -> list[Hop]:
        """Return where to connect, best first, at most MAX_HOPS; raises NoRoute where no host has a usable
        address."""
        if (hop := route.hop) is not None:
            try:
                return [await self._assurance.of_hop(hop, AS_OFFERED, secure=not _is_address(hop.name))]
            except DnsUnavailable as error:
                text = f"the DNS gives no answer about {hop.name}: {error}"
                raise NoRoute("4.4.3", text, permanent=False) from error
        found: list[Hop] = []
        failed: DnsUnavailable | NoRoute | None = None
        for mx in in_order(route.exchangers, self._shuffle):
            try:
                found += await self._host_hops(mx, route.asked)
            except DnsUnavailable as error:
                failed = error
            except NoRoute as error:
                failed = failed or error
            if len(found) >= MAX_HOPS:
                break
        if not found:
            raise self._no_hops(route, failed)
        return found[:MAX_HOPS]

    async def _host_hops(self, mx: Mx, asked: Asked) -> list[Hop]:
        if mx.host.startswith("["):
            return [
                Hop(mx.host, SMTP_PORT, address)
                for address in [literal_address(mx.host)]
                if is_foreign(address)
            ]
        addresses = [each for each in await self._resolver.addresses(mx.host) if is_foreign(each)]
        if not addresses:
            return []
        hop = await self._assurance.of_hop(Hop(mx.host, SMTP_PORT), asked, secure=mx.secure)
        return [replace(hop, address=address) for address in addresses]

    def _no_hops(self, route: Route, failed: DnsUnavailable | NoRoute | None) -> NoRoute:
        hosts = ", ".join(mx.host for mx in route.exchangers)
        if isinstance(failed, NoRoute):
            return failed
        if failed is not None:
            return NoRoute("4.4.3", f"the DNS gives no answer about {hosts}: {failed}", permanent=False)
        return NoRoute("5.1.2", f"no mail server with a usable address: {hosts}", permanent=True)
