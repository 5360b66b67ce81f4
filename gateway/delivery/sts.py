"""MTA-STS (RFC 8461), the half that asks: the TXT record, the policy over HTTPS, and a bounded memory of policies.

Whoever owns a domain that is written to makes us ask here, so they decide neither where (public addresses only, one fixed
path) nor how often.

A policy that was good holds until its max_age is over, whatever happens to the DNS or the web server in between: who
can disturb those must not be able to switch encryption off. `Sts` never raises for what a domain's owner does.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from io import BytesIO
from typing import Any, cast

import structlog

from gateway.delivery.sts_policy import BadPolicy, StsPolicy, policy_id, read_policy
from gateway.evidence.resolver import DnsUnavailable

MAX_OCTETS = 64 * 1024
"""Octets of one answer of a policy host, its header section included; real policies have 200."""

FETCH_TIME = 20.0
"""Seconds for one policy, from connecting to the last octet (RFC 8461 3.3 suggests a minute; mail waits for it)."""

FETCHES = 10
"""Policies fetched at the same time."""

QUIET = 300.0
"""Seconds without another try after a fetch failed (RFC 8461 3.3)."""

PAUSE = 60.0
"""Seconds between two fetches for one domain, whatever its records and policies say meanwhile."""

FRESH = 86_400.0
"""Seconds after which a kept policy is fetched again, though its id is unchanged; sooner where max_age is short."""

REMEMBERED = 5000
"""Domains remembered; the one that was not asked for the longest goes first."""

HTTPS_PORT = 443

Texts = Callable[[str], Awaitable[Sequence[str]]]
Addresses = Callable[[str], Awaitable[Sequence[str]]]
"""Return the addresses of a host; raises DnsUnavailable."""

Fetch = Callable[[str], Awaitable[bytes]]
"""Return the policy file of a domain; raises FetchFailed."""

log = structlog.get_logger()


class FetchFailed(Exception):
    """The policy host gave no policy; the text says why."""


@dataclass(slots=True)
class _Known:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    policy: StsPolicy | None = None
    id: str = ""
    fetched_at: float = 0.0
    quiet_until: float = 0.0

    def valid(self, now: float) -> bool:
        return self.policy is not None and now < self.fetched_at + self.policy.max_age.total_seconds()

    def fresh(self, now: float) -> bool:
        assert self.policy is not None  # noqa: S101 (asked only where `valid`)
        return now < self.fetched_at + min(FRESH, self.policy.max_age.total_seconds() / 2)


class Sts:
    """The policies of all domains; one for the whole service. They are kept in memory: a restart asks again."""

    def __init__(self, texts: Texts, fetch: Fetch) -> None:
        self._texts = texts
        self._fetch = fetch
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._fetches = asyncio.Semaphore(FETCHES)

    async def policy(self, domain: str) -> StsPolicy | None:
        """Return the policy in force for a domain, None where there is none or its mode is `none`."""
        known = self._known.setdefault(domain, _Known())
        self._known.move_to_end(domain)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        async with known.lock:
            await self._refresh(domain, known)
        now = asyncio.get_running_loop().time()
        valid = known.policy if known.valid(now) else None
        return valid if valid is not None and valid.mode != "none" else None

    async def _refresh(self, domain: str, known: _Known) -> None:
        now = asyncio.get_running_loop().time()
        try:
            id_ = policy_id(await self._texts(f"_mta-sts.{domain}"))
        except DnsUnavailable:
            return
        current = known.valid(now) and known.id == id_ and known.fresh(now)
        if id_ is None or current or now < known.quiet_until:
            return
        try:
            async with self._fetches:
                policy = read_policy(await self._fetch(domain))
        except (FetchFailed, BadPolicy) as error:
            known.quiet_until = now + QUIET
            log.warning("mta-sts-policy-not-fetched", domain=domain, error=str(error), kept=known.valid(now))
            return
        known.policy, known.id, known.fetched_at = policy, id_, now
        known.quiet_until = asyncio.get_running_loop().time() + PAUSE


def fetcher(addresses: Addresses, context: ssl.SSLContext) -> Fetch:
    """Return what fetches a domain's policy from the public addresses of its policy host."""

    async def fetch(domain: str) -> bytes:
        try:
            found = await addresses(f"mta-sts.{domain}")
        except DnsUnavailable as error:
            raise FetchFailed(str(error)) from error
        return await fetch_policy(domain, [each for each in found if is_public(each)], context)

    return fetch


def is_public(address: str) -> bool:
    """Tell whether an address belongs to the Internet, where all policy hosts are: a stranger's DNS leads nowhere else."""
    ip = ipaddress.ip_address(address)
    plain = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None) or ip
    return bool(plain.is_global) and not plain.is_multicast


async def fetch_policy(
    domain: str, addresses: Sequence[str], context: ssl.SSLContext, port: int = HTTPS_PORT
) -> bytes:
    """Return the policy file of a domain from its policy host at one of these addresses; raises FetchFailed.

    The certificate must be valid for the host's name; redirects are not followed (RFC 8461 3.3).
    """
    host = f"mta-sts.{domain}"
    failed = FetchFailed(f"{host} has no usable address")
    try:
        async with asyncio.timeout(FETCH_TIME):
            for address in addresses:
                try:
                    return body_of(await _get(host, address, context, port))
                except (OSError, UnicodeError) as error:
                    failed = FetchFailed(f"{host}[{address}]: {error}")
    except TimeoutError:
        failed = FetchFailed(f"{host}: not finished in {FETCH_TIME:g} s")
    raise failed


async def _get(host: str, address: str, context: ssl.SSLContext, port: int) -> bytes:
    reader, writer = await asyncio.open_connection(
        address, port, ssl=context, server_hostname=host, limit=MAX_OCTETS
    )
    try:
        request = f"GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        writer.write(request.encode("ascii"))
        answer = b""
        while len(answer) <= MAX_OCTETS and (piece := await reader.read(MAX_OCTETS)):
            answer += piece
        return answer
    finally:
        writer.transport.abort()


def body_of(answer: bytes) -> bytes:
    """Return the body of a complete HTTP answer 200 with a text/plain policy; raises FetchFailed. Pure."""
    if len(answer) > MAX_OCTETS:
        raise FetchFailed(f"the answer is larger than {MAX_OCTETS} octets")
    response = HTTPResponse(cast(Any, _Octets(answer)))
    try:
        response.begin()
        if response.status != 200:  # a redirect, too
            raise FetchFailed(f"answered {response.status}")
        if response.getheader("content-type", "").partition(";")[0].strip().lower() != "text/plain":
            raise FetchFailed("the answer is no text/plain")
        return response.read()
    except (HTTPException, ValueError, OSError) as error:
        raise FetchFailed(f"no HTTP answer ({type(error).__name__})") from error
    finally:
        response.close()


class _Octets:
    """What `HTTPResponse` reads from in place of a socket."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    def makefile(self, mode: str) -> BytesIO:
        return BytesIO(self._octets)
