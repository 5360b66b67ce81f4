"""People written short in a JSON document: runs of places in a list that stands beside it, and only the others in full. Pure.

A mail to 40,000 names them all in its envelope; a record of it must not name them again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from gateway.message.address import Address

T = TypeVar("T", Address, str)


def short(items: Sequence[T], known: Sequence[T]) -> list[Any]:
    """Write items in order: runs of those that stand in `known` as [first, last], the others as they are."""
    if items == known:
        return [[0, len(known) - 1]] if known else []
    places: Mapping[T, int] = {item: place for place, item in enumerate(known)}
    written: list[Any] = []
    run: list[int] = []
    for item in items:
        place = places.get(item)
        if place is None:
            run = []
            written.append(item if isinstance(item, str) else _address_json(item))
        elif run and run[1] + 1 == place:
            run[1] = place
        else:
            written.append(run := [place, place])
    return written


def in_order(keys: Iterable[str], known: Sequence[str]) -> tuple[str, ...]:
    """Return the keys as they stand in `known`, so that they make few runs; the others behind them, sorted."""
    left = set(keys)
    ordered = [key for key in dict.fromkeys(known) if key in left]
    return (*ordered, *sorted(left.difference(ordered)))


def long_keys(written: Iterable[Any], known: Sequence[str]) -> tuple[str, ...]:
    """Read keys that `short` wrote."""
    found: list[str] = []
    for each in written:
        found += [each] if isinstance(each, str) else known[each[0] : each[1] + 1]
    return tuple(found)


def long_addresses(written: Iterable[Any], known: Sequence[Address]) -> tuple[Address, ...]:
    """Read addresses that `short` wrote."""
    found: list[Address] = []
    for each in written:
        found += [Address(*each)] if isinstance(each[0], str) else known[each[0] : each[1] + 1]
    return tuple(found)


def _address_json(address: Address) -> list[object]:
    if address.ambiguous:
        return [address.local, address.domain, True]
    return [address.local, address.domain]
