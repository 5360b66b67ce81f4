"""How often one client and one link may ask, so that nobody makes the gateway write letters and events all day.

Counted in this process and in fixed slices of time; what really keeps a code from being guessed is counted with the share,
on disk (spool/shares_codes.py).
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

SLICE = timedelta(minutes=10)
OF_LINK = 30  # forms that are posted behind one link in a slice
OF_CLIENT = 120  # from one address: an office, or a whole carrier, may have one
FETCHES_OF_LINK = 500  # files, and pieces of them
FETCHES_OF_CLIENT = 2_000
IPV6_LINE = 64  # bits of an IPv6 address that its provider gave; the rest is the client's to choose
COUNTED = (
    50_000  # links and addresses that are counted one by one; beyond that nobody new posts in this slice
)


class Pace:
    """Counts since the slice began."""

    def __init__(self, of_link: int = OF_LINK, of_client: int = OF_CLIENT) -> None:
        self._of_link = of_link
        self._of_client = of_client
        self._slice = 0
        self._counts: Counter[tuple[str, str]] = Counter()

    def allows(self, link: str, client: str, now: datetime) -> bool:
        """Count one more request; tell whether it may be looked at."""
        number = int(now.timestamp() // SLICE.total_seconds())
        if number != self._slice:
            self._slice, self._counts = number, Counter()
        # The client first: who asks too often adds no links to what is counted, or one stranger with forged ones fills it.
        return self._counted(("client", network_of(client)), self._of_client) and self._counted(
            ("link", link), self._of_link
        )

    def _counted(self, key: tuple[str, str], most: int) -> bool:
        if len(self._counts) >= COUNTED and key not in self._counts:
            return False
        self._counts[key] += 1
        return self._counts[key] <= most


def network_of(client: str) -> str:
    """Return what counts as one client: an IPv4 address, the network of an IPv6 one, of which each line has 2^64."""
    try:
        address = ip_address(client)
    except ValueError:
        return client
    if address.version == 4:
        return str(address)
    mapped = address.ipv4_mapped
    return str(mapped) if mapped is not None else str(ip_network((int(address), IPV6_LINE), strict=False))
