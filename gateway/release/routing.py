"""The routes of one claim: each domain, with the next hops that rules ask for, is looked up once, several at the same time.

What a look-up raises is a verdict on its own recipients: it stands in the place of their route, and the others' mail leaves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from gateway.delivery.route import Route, Router
from gateway.policy.decision import Decision
from gateway.spool.values import Recipient

LOOKUPS = 20
"""Domains of one claim that are looked up at the same time."""

Way = tuple[str, tuple[str, ...]]
"""What decides on a recipient's route: the domain, and the next hops that rules ask for."""


def ways_of(decision: Decision, rows: Sequence[Recipient]) -> list[Way]:
    """Return the way of each of these recipients, in their order. Pure."""
    demanded = [tuple(sorted(outcome.demands.routes)) for outcome in decision.outcomes]
    return [(row.address.domain, demanded[decision.assigned[row.index]]) for row in rows]


async def look_up(router: Router, ways: Iterable[Way]) -> dict[Way, Route | BaseException]:
    """Return the route of each way, or why it has none; raises nothing but its own cancellation."""
    names = sorted(ways)
    if len(names) == 1:  # nearly always: no tasks for it
        return {names[0]: await _route(router, names[0])}
    bound = asyncio.Semaphore(LOOKUPS)

    async def one(way: Way) -> Route | BaseException:
        async with bound:
            return await _route(router, way)

    return dict(zip(names, await asyncio.gather(*map(one, names)), strict=True))


async def _route(router: Router, way: Way) -> Route | BaseException:
    try:
        return await router.route(*way)
    except Exception as error:
        return error
