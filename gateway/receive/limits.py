"""Counters on what peers may take: connections, memory, time. No I/O; times are passed in.

One instance of each is shared by all sessions of a process, on one event loop, so nothing here locks.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from functools import lru_cache
from math import inf

GROUPS = 4096  # addresses of which the group is remembered
SITE_FACTOR = 4  # an IPv6 /48 may be one client with 65,536 networks: it gets what this many networks get
RATE_GRACE = 30.0  # seconds before the minimum rate of DATA counts: a slow start is not an attack

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@lru_cache(maxsize=GROUPS)  # one client sends many mails
def client_group(ip: str) -> str:
    """Return what limits are counted by: the IPv4 address, or the /64 an IPv6 client can move in freely."""
    address = plain_address(ip)
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((int(address), 64), strict=False))
    return str(address) if address is not None else ip


@lru_cache(maxsize=GROUPS)
def site_of(ip: str) -> str | None:
    """Return the /48 that one IPv6 customer may have, 65,536 groups of it; None for IPv4, whose neighbours are strangers."""
    address = plain_address(ip)
    if not isinstance(address, ipaddress.IPv6Address):
        return None
    return str(ipaddress.ip_network((int(address), 48), strict=False))


def plain_address(ip: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read an address as the socket tells it: an IPv4 client on an IPv6 socket is an IPv4 client; None if unreadable."""
    try:
        address = ipaddress.ip_address(ip.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def is_in(ip: str, networks: tuple[Network, ...]) -> bool:
    """Tell whether one of the networks holds the address."""
    address = plain_address(ip)
    return address is not None and any(address in network for network in networks)


class Connections:
    """How many connections are open: in all, for each client address, and for each IPv6 /48, which may be one customer's."""

    def __init__(self, total: int, per_address: int) -> None:
        self._total = total
        self._per_address = per_address
        self._open: Counter[str] = Counter()
        self._count = 0

    def enter(self, ip: str, *, front: bool = False) -> bool:
        """Count a connection; False (and not counted) when it is one too many. A `front` may bring many clients."""
        counted = self._counted(ip)
        crowded = any(self._open[group] >= allowed for group, allowed in counted)
        if self._count >= self._total or (crowded and not front):
            return False
        self._count += 1
        for group, _ in counted:
            self._open[group] += 1
        return True

    def leave(self, ip: str) -> None:
        """Take back what `enter` counted."""
        self._count -= 1
        for group, _ in self._counted(ip):
            self._open[group] -= 1
            if not self._open[group]:
                del self._open[group]

    def _counted(self, ip: str) -> list[tuple[str, int]]:
        """Return what a connection is counted for, and how many each may have."""
        counted = [(client_group(ip), self._per_address)]
        site = site_of(ip)
        return [*counted, (site, SITE_FACTOR * self._per_address)] if site is not None else counted


class Budget:
    """Octets of mail in memory over all connections."""

    def __init__(self, octets: int) -> None:
        self._limit = octets
        self._used = 0

    def take(self, octets: int) -> bool:
        """Reserve octets (a negative number gives back); False, and nothing reserved, when they are not there."""
        if octets > 0 and self._used + octets > self._limit:
            return False
        self._used += octets
        return True

    def has(self, octets: int) -> bool:
        return self._used + octets <= self._limit

    @property
    def used(self) -> int:
        return self._used


def data_deadline(started: float, received: int, now: float, idle: float, whole: float, rate: int) -> float:
    """Return when a DATA in progress is cut: silence, the absolute limit, or falling below `rate` octets per second.

    Octets that arrived buy time at the minimum rate, so a mail that trickles is cut although it never falls
    silent.
    """
    too_slow = started + min(RATE_GRACE, idle) + received / rate if rate else inf
    return min(now + idle, started + whole, too_slow)
