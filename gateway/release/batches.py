"""Which recipients share a transaction: those with the same octets and the same route, up to the limit.
Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from gateway.delivery.route import Route
from gateway.spool.values import Recipient
from gateway.transform.view import Variant, View
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class Batch:
    """One transaction to be: one copy, one route, at most as many recipients as a transaction takes.

    `silent`: to copies that a rule asked for, of which no server may tell the sender.
    """

    route: Route
    view: View
    recipients: tuple[Recipient, ...]
    silent: bool = False


def batches(recipients: Iterable[tuple[Recipient, Route, View, bool]], limit: int) -> list[Batch]:
    """Group recipients by equal route and view, silent ones by themselves, in order of first appearance, split at `limit`.

    Each comes with its route, its view, and whether it is a silent one.
    """
    groups: dict[tuple[Route, View, bool], list[Recipient]] = {}
    for recipient, route, view, silent in recipients:
        groups.setdefault((route, view, silent), []).append(recipient)
    return [
        Batch(route, view, tuple(members[start : start + limit]), alone)
        for (route, view, alone), members in groups.items()
        for start in range(0, len(members), limit)
    ]


def by_route(work: Iterable[Batch]) -> list[deque[Batch]]:
    """Part transactions by route, in order of first appearance: those of one route can follow each other."""
    parts: dict[Route, deque[Batch]] = {}
    for batch in work:
        parts.setdefault(batch.route, deque()).append(batch)
    return list(parts.values())


def by_variant(work: Iterable[Batch]) -> dict[Variant, list[Batch]]:
    """Return the transactions whose files are protected, by what becomes of them, in order of first appearance."""
    parts: dict[Variant, list[Batch]] = {}
    for batch in work:
        if batch.view.variant is not None:
            parts.setdefault(batch.view.variant, []).append(batch)
    return parts
