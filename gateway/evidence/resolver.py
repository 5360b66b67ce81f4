"""The one resolver, and the only home of dnspython: MX and address look-ups, bounded in time and in number of
answers.

Only NXDOMAIN is a "no". A time-out, SERVFAIL, or a resolver that is not set up is `DnsUnavailable`: ask again
later.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import dns.asyncresolver
import dns.exception
import dns.nameserver
import dns.resolver

MAX_MX = 20
"""MX records used of one answer: the owner of a domain decides how many there are."""

MAX_ADDRESSES = 8
"""Addresses used of one host, for the same reason."""

LIFETIME = 15.0
"""Seconds for one question, over all name servers and retries."""

CACHE_ENTRIES = 5000
"""Answers kept for as long as their owners allow (TTL)."""

DNS_PORT = 53


class NoSuchDomain(Exception):
    """The DNS says that the name does not exist (NXDOMAIN)."""


class DnsUnavailable(Exception):
    """The DNS gave no usable answer now; nothing is known about the name."""


@dataclass(frozen=True, slots=True)
class Mx:
    """One mail exchanger; host "" is the null MX (RFC 7505)."""

    preference: int
    host: str


class Resolver(Protocol):
    """What the delivery asks. Names are A-labels; both verbs raise DnsUnavailable."""

    async def mx(self, domain: str) -> Sequence[Mx]:
        """Return the MX records by preference, () where the domain has none; raises NoSuchDomain."""

    async def addresses(self, host: str) -> Sequence[str]:
        """Return the host's IP addresses, () where it has none or does not exist."""


class DnsResolver:
    """Asks the name servers given (`192.0.2.53`, `192.0.2.53:5353`), or those of the system."""

    def __init__(self, nameservers: Sequence[str] = (), lifetime: float = LIFETIME) -> None:
        self._nameservers = nameservers
        self._lifetime = lifetime
        self._resolver: dns.asyncresolver.Resolver | None = None

    async def mx(self, domain: str) -> Sequence[Mx]:
        records = await self._ask(domain, "MX")
        found = [Mx(int(r.preference), str(r.exchange).rstrip(".").lower()) for r in records]
        return sorted(found, key=lambda mx: (mx.preference, mx.host))[:MAX_MX]

    async def addresses(self, host: str) -> Sequence[str]:
        answers = await asyncio.gather(self._addresses(host, "AAAA"), self._addresses(host, "A"))
        found = [
            address for answer in answers if not isinstance(answer, DnsUnavailable) for address in answer
        ]
        for answer in answers:
            if not found and isinstance(answer, DnsUnavailable):
                raise answer
        return found[:MAX_ADDRESSES]

    async def _addresses(self, host: str, kind: str) -> list[str] | DnsUnavailable:
        try:
            return [str(r.address) for r in await self._ask(host, kind)]
        except NoSuchDomain:
            return []
        except DnsUnavailable as error:
            return error

    async def _ask(self, name: str, kind: str) -> Sequence[Any]:
        try:
            answer = await self._ready().resolve(name, kind, search=False, lifetime=self._lifetime)
        except dns.resolver.NXDOMAIN as error:
            raise NoSuchDomain(name) from error
        except dns.resolver.NoAnswer:
            return ()
        except (dns.exception.DNSException, OSError, UnicodeError) as error:
            raise DnsUnavailable(f"{name} {kind}: {error}") from error
        return list(answer)

    def _ready(self) -> dns.asyncresolver.Resolver:
        """Set up on first use: a machine without resolv.conf may still have a smarthost."""
        if self._resolver is None:
            resolver = dns.asyncresolver.Resolver(configure=not self._nameservers)
            if self._nameservers:
                resolver.nameservers = [_nameserver(text) for text in self._nameservers]
            resolver.cache = dns.resolver.LRUCache(CACHE_ENTRIES)
            self._resolver = resolver
        return self._resolver


def _nameserver(text: str) -> dns.nameserver.Nameserver:
    """Read `address` or `address:port` (`[2001:db8::53]:53`); raises ValueError."""
    host, port = text.strip("[]"), DNS_PORT
    if not _is_address(host):
        host, _, number = text.rpartition(":")
        host, port = host.strip("[]"), int(number)
    return dns.nameserver.Do53Nameserver(str(ipaddress.ip_address(host)), port)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
