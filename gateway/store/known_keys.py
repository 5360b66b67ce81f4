"""No transaction writes under a master key that was retired: who stood still meanwhile has not heard of it.

The list of keys that the store was written under is read inside the transaction, and retiring a key takes it off that list in
another one, so nothing slips between. On PostgreSQL, where both may run at once, what slips is a matter of milliseconds.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from gateway.store.errors import StoreUnavailable


def new_key(used: Collection[str], held: Sequence[str], known: Collection[str]) -> str | None:
    """Return the key that has to be made known to the store, if any; raises StoreUnavailable where one was retired.

    The current key, the first of those `held`, is a new one where another of them is known: its rotation was cut off.
    """
    unknown = set(used).difference(known)
    if not unknown:
        return None
    if unknown == set(held[:1]) and not set(known).isdisjoint(held):
        return held[0]
    names = ", ".join(sorted(unknown))
    raise StoreUnavailable(
        f"master key {names} was retired while this process did not look", concerns_all=True
    )
