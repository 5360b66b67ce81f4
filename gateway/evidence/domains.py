"""What the DNS says about the domains a mail goes to: takes mail, takes none, does not exist, or did not answer.

Asked before the decision, never during it, and bounded in everything: domains of one mail, questions at once, time. What is
not told in time is "unknown"; that is kept for a moment too, so that a dead name server does not hold up every mail. Never
raises.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable

from gateway.evidence.resolver import DnsUnavailable, NoSuchDomain, Resolver

MAX_DOMAINS = 50
"""Domains of one mail that are asked about; the sender decides how many there are, and the rest are unknown."""

AT_ONCE = 20
"""Questions under way, of all mails together: a name server drops what a single host asks beyond some dozens."""

KEPT_S = 300.0
"""Seconds an answer is used without asking again; the resolver keeps records for as long as their owners allow."""

UNKNOWN_KEPT_S = 30.0
"""Seconds for which nobody asks again about a domain that gave no answer."""

MAX_KEPT = 5_000
"""Domains whose state is kept."""

UNKNOWN = "unknown"


class DomainStates:
    """Tells the state of mail domains, a word of `message.evidence.DOMAIN_STATES` each."""

    def __init__(self, resolver: Resolver, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._resolver = resolver
        self._monotonic = monotonic
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._kept: OrderedDict[str, tuple[float, str]] = OrderedDict()

    async def states(self, domains: Iterable[str], patience: float) -> dict[str, str]:
        """Return the state of each domain (A-labels), after at most `patience` seconds."""
        asked = list(dict.fromkeys(domains))
        found = {domain: self._known(domain) for domain in asked}
        missing = [domain for domain in asked[:MAX_DOMAINS] if found[domain] is None]
        if missing:
            found |= await self._ask(missing, patience)
        return {domain: state or UNKNOWN for domain, state in found.items()}

    async def _ask(self, domains: list[str], patience: float) -> dict[str, str | None]:
        tasks = {domain: asyncio.create_task(self._state(domain)) for domain in domains}
        try:
            await asyncio.wait(tasks.values(), timeout=patience)
        finally:
            for task in tasks.values():
                task.cancel()
        found = {domain: _result(task) for domain, task in tasks.items()}
        for domain, state in found.items():
            self._keep(domain, state)
        return dict(found)

    async def _state(self, domain: str) -> str:
        if domain.startswith("["):  # an address literal names its host itself
            return "accepts"
        async with self._turns:
            try:
                exchangers = await self._resolver.mx(domain)
                if exchangers:
                    return "accepts" if any(mx.host for mx in exchangers) else "null-mx"
                return "accepts" if await self._resolver.addresses(domain) else "no-mail"
            except NoSuchDomain:
                return "missing"
            except DnsUnavailable:
                return UNKNOWN

    def _known(self, domain: str) -> str | None:
        until, state = self._kept.get(domain, (0.0, UNKNOWN))
        return state if self._monotonic() < until else None

    def _keep(self, domain: str, state: str) -> None:
        span = UNKNOWN_KEPT_S if state == UNKNOWN else KEPT_S
        self._kept[domain] = self._monotonic() + span, state
        self._kept.move_to_end(domain)
        while len(self._kept) > MAX_KEPT:
            self._kept.popitem(last=False)


def _result(task: asyncio.Task[str]) -> str:
    if not task.done() or task.cancelled() or task.exception() is not None:
        return UNKNOWN
    return task.result()
