"""States of mail domains: one word for each, whatever the DNS does, in bounded time and number."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from gateway.evidence.domains import AT_ONCE, KEPT_S, MAX_DOMAINS, MAX_KEPT, UNKNOWN_KEPT_S, DomainStates
from gateway.evidence.resolver import DnsUnavailable, Mx, NoSuchDomain

PATIENCE = 5.0


@dataclass
class Zone:
    """A DNS of a few domains; `hang` never answers, and names that it does not hold do not exist."""

    mxs: dict[str, list[Mx]] = field(default_factory=dict)
    hosts: dict[str, list[str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    under_way: int = 0
    most: int = 0

    async def mx(self, domain: str) -> Sequence[Mx]:
        self.asked.append(domain)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await asyncio.sleep(0)
            if domain.startswith("hang"):
                await asyncio.Event().wait()
        finally:
            self.under_way -= 1
        if domain.startswith("servfail"):
            raise DnsUnavailable(domain)
        if domain.startswith("bug"):
            raise RuntimeError(domain)
        if domain not in self.mxs and domain not in self.hosts:
            raise NoSuchDomain(domain)
        return self.mxs.get(domain, [])

    async def addresses(self, host: str) -> Sequence[str]:
        if host.startswith("half"):
            raise DnsUnavailable(host)
        return self.hosts[host]


@dataclass
class Time:
    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


ZONE = {
    "mxs": {"mx.example": [Mx(10, "a.mx.example")], "null.example": [Mx(0, "")]},
    "hosts": {"host.example": ["192.0.2.1"], "txt.example": [], "half.example": []},
}


@pytest.mark.parametrize(
    ("domain", "state"),
    [
        ("mx.example", "accepts"),
        ("host.example", "accepts"),
        ("txt.example", "no-mail"),
        ("null.example", "null-mx"),
        ("gone.example", "missing"),
        ("servfail.example", "unknown"),
        ("half.example", "unknown"),
        ("bug.example", "unknown"),
        ("[192.0.2.1]", "accepts"),
    ],
)
async def test_states(domain: str, state: str) -> None:
    assert await DomainStates(Zone(**ZONE)).states([domain], PATIENCE) == {domain: state}  # type: ignore[arg-type]


async def test_what_hangs_is_unknown_and_what_answered_is_told() -> None:
    zone = Zone(**ZONE)  # type: ignore[arg-type]
    told = await DomainStates(zone).states(["hang.example", "mx.example"], 0.05)
    assert told == {"hang.example": "unknown", "mx.example": "accepts"}
    await asyncio.sleep(0)
    assert zone.under_way == 0


async def test_answers_are_kept_and_so_is_silence_for_a_moment() -> None:
    zone, now = Zone(**ZONE), Time()  # type: ignore[arg-type]
    states = DomainStates(zone, now)
    both = ["mx.example", "servfail.example"]
    for seconds, asked in ((0.0, 2), (UNKNOWN_KEPT_S - 1, 2), (UNKNOWN_KEPT_S + 1, 3), (KEPT_S + 1, 5)):
        now.seconds = seconds
        assert await states.states(both, PATIENCE) == {"mx.example": "accepts", "servfail.example": "unknown"}
        assert len(zone.asked) == asked


async def test_the_sender_cannot_make_us_ask_without_end() -> None:
    zone = Zone()
    domains = [f"d{number}.example" for number in range(10_000)]
    told = await DomainStates(zone).states(domains, PATIENCE)
    assert len(told) == 10_000
    assert [told[name] for name in domains[:MAX_DOMAINS]] == ["missing"] * MAX_DOMAINS
    assert set(list(told.values())[MAX_DOMAINS:]) == {"unknown"}
    assert len(zone.asked) == MAX_DOMAINS
    assert zone.most <= AT_ONCE


async def test_what_is_kept_is_bounded() -> None:
    states = DomainStates(Zone())
    for start in range(0, MAX_KEPT + 500, MAX_DOMAINS):
        await states.states([f"d{start + number}.example" for number in range(MAX_DOMAINS)], PATIENCE)
    assert len(states._kept) == MAX_KEPT
