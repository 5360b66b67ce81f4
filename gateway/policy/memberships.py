"""Of which groups of the policy somebody is, by address: what is recorded with a mail, and says who may see it. Pure.

The same question as `sender_in` in a rule, asked for all groups at once: a gateway for three hundred contractors must not go
through three hundred groups for every mail.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway.message.address import Address


class Memberships:
    """The groups of a policy. `groups` gives their patterns in normal form (people.py), by name."""

    def __init__(self, groups: Mapping[str, Iterable[str]]) -> None:
        self.names = tuple(sorted(groups))
        self._by_pattern: dict[str, tuple[str, ...]] = {}
        for name in self.names:
            for pattern in dict.fromkeys(groups[name]):
                self._by_pattern[pattern] = (*self._by_pattern.get(pattern, ()), name)

    def of(self, addresses: Iterable[Address | None]) -> tuple[str, ...]:
        """Return the names, in order, of every group that one of these is in; one that may be is."""
        if not self._by_pattern:
            return ()
        found: set[str] = set()
        for address in addresses:
            if address is not None:
                found.update(*[self._by_pattern.get(pattern, ()) for pattern in _patterns(address)])
        return tuple(sorted(found))


def _patterns(address: Address) -> Iterable[str]:
    yield address.key
    yield address.domain
    rest = address.domain
    while "." in rest:
        rest = rest.partition(".")[2]
        yield f".{rest}"


NO_GROUPS = Memberships({})
