"""The resolver against a name server of the test's own on the loopback: what is an answer, a "no", and no answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from gateway.evidence.resolver import MAX_ADDRESSES, MAX_MX, DnsResolver, DnsUnavailable, Mx, NoSuchDomain

ZONE: dict[tuple[str, str], list[str]] = {
    ("two.example.com.", "MX"): ["20 MX2.example.com.", "10 mx1.example.com."],
    ("null.example.com.", "MX"): ["0 ."],
    ("many.example.com.", "MX"): [f"{number} mx{number}.example.com." for number in range(60)],
    ("mx1.example.com.", "A"): ["192.0.2.1"],
    ("mx1.example.com.", "AAAA"): ["2001:db8::1"],
    ("many.example.com.", "A"): [f"192.0.2.{number}" for number in range(1, 60)],
    ("half.example.com.", "A"): ["192.0.2.9"],
    ("signed.example.net.", "MX"): ["10 mx.signed.example.net."],
    ("mx.signed.example.net.", "A"): ["192.0.2.7"],
    ("_25._tcp.mx.signed.example.net.", "TLSA"): ["3 1 1 " + "ab" * 32],
    ("half.signed.example.net.", "AAAA"): ["2001:db8::7"],
    ("_25._tcp.half.signed.example.net.", "TLSA"): ["3 1 1 " + "cd" * 32],
    ("bare.signed.example.net.", "A"): ["192.0.2.7"],
    ("broken.signed.example.net.", "A"): ["192.0.2.7"],
    ("_25._tcp.mx1.example.com.", "TLSA"): ["3 1 1 " + "ab" * 32],
    ("_mta-sts.example.com.", "TXT"): ['"v=STSv1; " "id=7;"', '"other"'],
}
EXISTING = {name for name, _ in ZONE} | {"empty.example.com."}
FAILING = {
    ("half.signed.example.net.", "A"),
    ("_25._tcp.broken.signed.example.net.", "TLSA"),
    ("_mta-sts.broken.example.com.", "TXT"),
    ("dark.signed.example.net.", "A"),
    ("dark.signed.example.net.", "AAAA"),
    ("broken.example.com.", "MX"),
    ("broken.example.com.", "A"),
    ("half.example.com.", "AAAA"),
}
SILENT = {("silent.example.com.", "MX")}


class NameServer(asyncio.DatagramProtocol):
    questions = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str | int, int]) -> None:
        self.questions += 1
        query = dns.message.from_wire(data)
        question = query.question[0]
        key = (question.name.to_text().lower(), dns.rdatatype.to_text(question.rdtype))
        if key in SILENT:
            return
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        wanted = bool(query.flags & dns.flags.AD) and bool(query.ednsflags & dns.flags.DO)
        if "signed." in key[0] and wanted:
            answer.flags |= dns.flags.AD
        if key in ZONE:
            answer.answer.append(dns.rrset.from_text(question.name, 300, "IN", key[1], *ZONE[key]))
        elif key in FAILING:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif key[0] not in EXISTING:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        self.transport.sendto(answer.to_wire(max_size=65535), addr)


@contextlib.asynccontextmanager
async def asking(*, dnssec: bool = False) -> AsyncIterator[tuple[DnsResolver, NameServer]]:
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(NameServer, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    try:
        yield DnsResolver([f"127.0.0.1:{port}"], lifetime=1.0, dnssec=dnssec), server
    finally:
        transport.close()
        await asyncio.sleep(0)


async def test_exchangers_come_by_preference_in_lower_case() -> None:
    async with asking() as (resolver, _):
        assert await resolver.mx("two.example.com") == [Mx(10, "mx1.example.com"), Mx(20, "mx2.example.com")]


async def test_the_null_mx_has_an_empty_host() -> None:
    async with asking() as (resolver, _):
        assert await resolver.mx("null.example.com") == [Mx(0, "")]


async def test_no_records_are_no_error() -> None:
    async with asking() as (resolver, _):
        assert await resolver.mx("empty.example.com") == []
        assert await resolver.addresses("empty.example.com") == []
        assert await resolver.addresses("unknown.example.com") == []


async def test_only_nxdomain_says_no() -> None:
    async with asking() as (resolver, _):
        with pytest.raises(NoSuchDomain):
            await resolver.mx("unknown.example.com")
        for domain in ("broken.example.com", "silent.example.com", "a..b", "x" * 64 + ".example.com"):
            with pytest.raises(DnsUnavailable):
                await resolver.mx(domain)
        with pytest.raises(DnsUnavailable):
            await resolver.addresses("broken.example.com")


async def test_both_kinds_of_address_and_one_is_enough() -> None:
    async with asking() as (resolver, _):
        assert await resolver.addresses("mx1.example.com") == ["2001:db8::1", "192.0.2.1"]
        assert await resolver.addresses("half.example.com") == ["192.0.2.9"]


async def test_the_number_of_answers_is_bounded() -> None:
    async with asking() as (resolver, _):
        assert len(await resolver.mx("many.example.com")) == MAX_MX
        assert len(await resolver.addresses("many.example.com")) == MAX_ADDRESSES


async def test_answers_are_kept_for_their_time() -> None:
    async with asking() as (resolver, server):
        for _ in range(3):
            await resolver.mx("two.example.com")
        assert server.questions == 1


async def test_a_machine_without_name_servers_knows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    import dns.asyncresolver
    import dns.resolver

    def unconfigured(self: object, filename: str = "") -> None:
        raise dns.resolver.NoResolverConfiguration

    monkeypatch.setattr(dns.asyncresolver.Resolver, "read_resolv_conf", unconfigured)
    with pytest.raises(DnsUnavailable):
        await DnsResolver().mx("two.example.com")


@pytest.mark.parametrize(
    ("host", "digests"),
    [
        ("mx.signed.example.net", [b"\xab" * 32]),
        ("half.signed.example.net", [b"\xcd" * 32]),  # one kind of address is enough to see the signature
        ("bare.signed.example.net", []),  # signed, without TLSA
        ("mx1.example.com", []),  # TLSA of a zone that is not signed
        ("unknown.example.com", []),
        ("empty.example.com", []),
    ],
)
async def test_tlsa_records_count_where_they_are_authenticated(host: str, digests: list[bytes]) -> None:
    async with asking(dnssec=True) as (resolver, _):
        assert [record.data for record in await resolver.tlsa(host, 25)] == digests


@pytest.mark.parametrize("host", ["broken.signed.example.net", "dark.signed.example.net"])
async def test_tlsa_that_cannot_be_asked_is_not_none(host: str) -> None:
    async with asking(dnssec=True) as (resolver, _):
        with pytest.raises(DnsUnavailable):
            await resolver.tlsa(host, 25)


async def test_the_authenticated_bit_counts_only_where_the_settings_trust_it() -> None:
    async with asking(dnssec=True) as (resolver, _):
        assert await resolver.mx("signed.example.net") == [Mx(10, "mx.signed.example.net", secure=True)]
    async with asking() as (resolver, _):
        assert await resolver.mx("signed.example.net") == [Mx(10, "mx.signed.example.net")]
        assert await resolver.tlsa("mx.signed.example.net", 25) == ()


async def test_texts_are_joined() -> None:
    async with asking() as (resolver, _):
        assert sorted(await resolver.texts("_mta-sts.example.com")) == ["other", "v=STSv1; id=7;"]
        assert await resolver.texts("_mta-sts.unknown.example.com") == ()
        with pytest.raises(DnsUnavailable):
            await resolver.texts("_mta-sts.broken.example.com")
