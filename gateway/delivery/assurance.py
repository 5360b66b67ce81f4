"""How strictly the connection to a next hop is secured: the settings' rule, else DANE, else MTA-STS, else as offered.

An admin's rule replaces what the DNS says. DANE beats MTA-STS (RFC 8461 2). A look-up that fails never lowers the
demand: it raises DnsUnavailable, and the host is left for later (RFC 7672 2.1.1).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Protocol

from gateway.config.delivery_settings import TlsRule
from gateway.delivery.errors import NoRoute
from gateway.delivery.hop import Hop
from gateway.delivery.proof import Demand, usable
from gateway.delivery.sts_policy import StsPolicy
from gateway.evidence.resolver import Tlsa
from gateway.values import dataclass

StsLookup = Callable[[str], Awaitable[StsPolicy | None]]


class TlsaLookup(Protocol):
    """Asks for TLSA records that are DNSSEC-authenticated; () where there are none; raises DnsUnavailable."""

    async def tlsa(self, host: str, port: int) -> Sequence[Tlsa]: ...


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of all hosts of a recipient's domain."""

    rule: TlsRule | None = None
    policy: StsPolicy | None = None


AS_OFFERED = Asked()


def matching(rules: Sequence[TlsRule], *names: str) -> TlsRule | None:
    """Return the first rule for one of the names: `example.jp` is that name, `.example.jp` all below it."""
    for rule in rules:
        wanted = rule.match.lower()
        if any(name == wanted or (wanted.startswith(".") and name.endswith(wanted)) for name in names):
            return rule
    return None


def ruled(hop: Hop, rule: TlsRule) -> Hop:
    """Return the hop with a rule of the settings applied; one with TLS from the first octet keeps that."""
    required = hop.tls if hop.tls == "implicit" else "starttls"
    if rule.tls in ("off", "opportunistic"):
        return replace(hop, tls=rule.tls, verify=False)
    demand = Demand("settings", fingerprints=rule.fingerprints, ca_file=str(rule.ca_file or ""))
    return replace(hop, tls=required, verify=rule.tls == "verify", demand=demand)


def by_dane(hop: Hop, records: Sequence[Tlsa]) -> Hop:
    """Return the hop with TLSA records in force; when none of them is usable, encryption is a must and that is all."""
    required = hop.tls if hop.tls == "implicit" else "starttls"
    return replace(hop, tls=required, verify=False, demand=Demand("dane", tlsa=tuple(records)))


def by_sts(hop: Hop, policy: StsPolicy) -> Hop:
    """Return the hop with a policy in mode `enforce` in force; raises NoRoute where the policy does not admit it."""
    if not policy.admits(hop.name):
        raise NoRoute("4.7.5", f"{hop.name} is not in the domain's MTA-STS policy", permanent=False)
    return replace(hop, tls="starttls", verify=True, demand=Demand("mta-sts"))


class Assurance:
    """Decides for each host; one for the whole service. Without `dane` or `sts` these are not asked for."""

    def __init__(
        self, rules: Sequence[TlsRule] = (), dane: TlsaLookup | None = None, sts: StsLookup | None = None
    ) -> None:
        self._rules = rules
        self._dane = dane
        self._sts = sts

    async def of_domain(self, domain: str) -> Asked:
        """Return what is asked of all hosts that take mail for a domain."""
        rule = matching(self._rules, domain)
        policy = await self._sts(domain) if self._sts is not None and rule is None else None
        return Asked(rule, policy if policy is not None and policy.mode == "enforce" else None)

    async def of_hop(self, hop: Hop, asked: Asked, *, secure: bool) -> Hop:
        """Return the hop with what is asked of it; `secure` tells whether its name came authenticated.

        Raises DnsUnavailable, and NoRoute where it must not be used.
        """
        rule = asked.rule or matching(self._rules, hop.name)
        if rule is not None and rule.tls != "dane":
            return ruled(hop, rule)
        if rule is None and hop.tls != "opportunistic":
            return hop  # a smarthost whose settings say how: that is the admin's word, too
        records = await self._dane.tlsa(hop.name, hop.port) if self._dane is not None and secure else ()
        if rule is not None and not any(map(usable, records)):
            raise NoRoute("4.7.5", f"{hop.name} has no usable TLSA record (DANE)", permanent=False)
        if records:
            return by_dane(hop, records)
        return by_sts(hop, asked.policy) if asked.policy is not None else hop
