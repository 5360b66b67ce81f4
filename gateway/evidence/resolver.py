"""The one resolver, and the only home of dnspython: MX, address, TLSA and TXT look-ups, bounded in time and in
number of answers.

Only NXDOMAIN is a "no". A time-out, SERVFAIL, or a resolver that is not set up is `DnsUnavailable`: ask again
later.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Sequence
from typing import Any, Protocol

import dns.asyncresolver
import dns.exception
import dns.flags
import dns.nameserver
import dns.resolver

from gateway.values import dataclass

MAX_MX = 20
"""MX records used of one answer: the owner of a domain decides how many there are."""

MAX_ADDRESSES = 8
"""Addresses used of one host, for the same reason."""

MAX_TLSA = 20
"""TLSA records used of one host, for the same reason."""

MAX_TEXTS = 20
"""TXT records used of one name, for the same reason."""

EDNS_SIZE = 1232
"""Octets of a UDP answer asked for with DNSSEC: what passes every path unfragmented."""

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
    """One mail exchanger; host "" is the null MX (RFC 7505). `secure`: the answer was DNSSEC-authenticated."""

    preference: int
    host: str
    secure: bool = False


@dataclass(frozen=True, slots=True)
class Tlsa:
    """One TLSA record (RFC 6698 2.1); `data` is a digest, a certificate or a key."""

    usage: int
    selector: int
    matching: int
    data: bytes


class Resolver(Protocol):
    """What the delivery asks. Names are A-labels; both verbs raise DnsUnavailable."""

    async def mx(self, domain: str) -> Sequence[Mx]:
        """Return the MX records by preference, () where the domain has none; raises NoSuchDomain."""

    async def addresses(self, host: str) -> Sequence[str]:
        """Return the host's IP addresses, () where it has none or does not exist."""


class DnsResolver:
    """Asks the name servers given (`192.0.2.53`, `192.0.2.53:5353`), or those of the system.

    `dnssec` says that these validate and that the way to them is safe: then, and only then, their AD bit counts.
    """

    def __init__(
        self, nameservers: Sequence[str] = (), lifetime: float = LIFETIME, *, dnssec: bool = False
    ) -> None:
        self._nameservers = nameservers
        self._dnssec = dnssec
        self._lifetime = lifetime
        self._resolver: dns.asyncresolver.Resolver | None = None

    async def mx(self, domain: str) -> Sequence[Mx]:
        records, secure = await self._ask(domain, "MX")
        found = [Mx(int(r.preference), str(r.exchange).rstrip(".").lower(), secure) for r in records]
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

    async def tlsa(self, host: str, port: int) -> Sequence[Tlsa]:
        """Return the authenticated TLSA records of a host's TCP port, () where there are none.

        Raises DnsUnavailable. A host whose addresses are not authenticated is not asked about: its zone is not
        signed, and name servers that stumble over TLSA would stop its mail (RFC 7672 2.2.2).
        """
        if not await self._is_signed(host):
            return ()
        try:
            records, secure = await self._ask(f"_{port}._tcp.{host}", "TLSA")
        except NoSuchDomain:
            return ()
        found = [Tlsa(int(r.usage), int(r.selector), int(r.mtype), bytes(r.cert)) for r in records]
        return found[:MAX_TLSA] if secure else ()

    async def texts(self, name: str) -> Sequence[str]:
        """Return the TXT records of a name, () where it has none or does not exist; raises DnsUnavailable."""
        try:
            records, _ = await self._ask(name, "TXT")
        except NoSuchDomain:
            return ()
        return [b"".join(r.strings).decode("ascii", "replace") for r in records[:MAX_TEXTS]]

    async def _is_signed(self, host: str) -> bool:
        """Tell whether the host's addresses are authenticated; raises DnsUnavailable when neither kind is known."""
        unanswered: DnsUnavailable | None = None
        for kind in ("A", "AAAA"):
            try:
                records, secure = await self._ask(host, kind)
            except NoSuchDomain:
                return False
            except DnsUnavailable as error:
                unanswered = error
            else:
                if records:
                    return secure
        if unanswered is not None:
            raise unanswered
        return False

    async def _addresses(self, host: str, kind: str) -> list[str] | DnsUnavailable:
        try:
            return [str(r.address) for r in (await self._ask(host, kind))[0]]
        except NoSuchDomain:
            return []
        except DnsUnavailable as error:
            return error

    async def _ask(self, name: str, kind: str) -> tuple[Sequence[Any], bool]:
        """Return the records of a name, and whether they are authenticated."""
        try:
            answer = await self._ready().resolve(name, kind, search=False, lifetime=self._lifetime)
        except dns.resolver.NXDOMAIN as error:
            raise NoSuchDomain(name) from error
        except dns.resolver.NoAnswer:
            return (), False
        except (dns.exception.DNSException, OSError, UnicodeError) as error:
            raise DnsUnavailable(f"{name} {kind}: {error}") from error
        return list(answer), self._dnssec and bool(answer.response.flags & dns.flags.AD)

    def _ready(self) -> dns.asyncresolver.Resolver:
        """Set up on first use: a machine without resolv.conf may still have a smarthost."""
        if self._resolver is None:
            resolver = dns.asyncresolver.Resolver(configure=not self._nameservers)
            if self._nameservers:
                resolver.nameservers = [_nameserver(text) for text in self._nameservers]
            resolver.cache = dns.resolver.LRUCache(CACHE_ENTRIES)
            if self._dnssec:
                resolver.set_flags(dns.flags.RD | dns.flags.AD)
                resolver.use_edns(0, dns.flags.DO, EDNS_SIZE)
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
