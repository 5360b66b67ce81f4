"""MTA-STS: what is a policy, what the policy host may answer, and that a good policy outlives every disturbance."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest
import trustme

from gateway.delivery import sts, sts_policy
from gateway.delivery.sts import MAX_OCTETS, FetchFailed, Sts, body_of, fetch_policy, fetcher, is_public
from gateway.delivery.sts_policy import BadPolicy, StsPolicy, policy_id, read_policy
from gateway.evidence.resolver import DnsUnavailable

ENFORCE = b"version: STSv1\r\nmode: enforce\r\nmx: mx.example.net\r\nmx: *.example.org\r\nmax_age: 86400\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
AUTHORITY = trustme.CA()


def test_a_policy_is_read() -> None:
    expected = StsPolicy("enforce", ("mx.example.net", "*.example.org"), timedelta(days=1))
    assert read_policy(ENFORCE) == expected
    assert read_policy(ENFORCE.replace(b"\r\n", b"\n") + b"extra: field\nmode: none\n") == expected
    assert read_policy(b"version:STSv1\nmode:none\nmax_age:0").mode == "none"
    assert read_policy(ENFORCE.replace(b"86400", b"9999999999")).max_age == timedelta(days=366)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"<html>not found</html>",
        ENFORCE.replace(b"STSv1", b"STSv2"),
        ENFORCE.replace(b"enforce", b"maybe"),
        ENFORCE.replace(b"86400", b"-1"),
        ENFORCE.replace(b"86400", "８６４００".encode()),
        ENFORCE.replace(b"86400", b"9" * 5000),
        ENFORCE.replace(b"*.example.org", b"mx.*.example.org"),
        b"version: STSv1\nmode: enforce\nmax_age: 1",
        ENFORCE + b"mx: a.example\n" * 200,
    ],
)
def test_what_is_no_policy(octets: bytes) -> None:
    with pytest.raises(BadPolicy):
        read_policy(octets)


def test_a_run_of_blanks_is_read_in_one_go() -> None:
    """Nothing here measures time: an algorithm that costs the square of this run would not end in a day."""
    blanks = b" \t" * 4_000_000
    with pytest.raises(BadPolicy):
        read_policy(ENFORCE + b"mx:" + blanks + b"a" + blanks + b"b\n")
    assert read_policy(ENFORCE + b"mx:" + blanks + b"a.example" + blanks + b"\n").admits("a.example")


@pytest.mark.parametrize(
    ("host", "admitted"),
    [
        ("mx.example.net", True),
        ("a.example.org", True),
        ("a.b.example.org", False),
        ("example.org", False),
        ("mx.example.net.evil.example", False),
        ("xmx.example.net", False),
    ],
)
def test_which_hosts_a_policy_admits(host: str, admitted: bool) -> None:
    assert read_policy(ENFORCE).admits(host) is admitted


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["v=STSv1; id=20260101T000000;"], "20260101T000000"),
        (["v=spf1 -all", "v=STSv1;id=1"], "1"),
        (["v=STSv1; id=1", "v=STSv1; id=2"], None),
        (["v=STSv1; id=has-dash"], None),
        (["v=STSv1"], None),
        ([], None),
    ],
)
def test_the_record_that_announces_a_policy(texts: list[str], found: str | None) -> None:
    assert policy_id(texts) == found


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage",
        OK.replace(b"200 OK", b"301 Moved") + ENFORCE,
        OK.replace(b"200 OK", b"404 Not Found"),
        OK.replace(b"text/plain", b"text/html") + ENFORCE,
        b"HTTP/1.1 200 OK\r\n\r\n" + ENFORCE,
        OK.replace(b"\r\n\r\n", b"\r\nContent-Length: 5000\r\n\r\n") + ENFORCE,
        OK.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n") + b"zz\r\n",
        OK + b"x" * MAX_OCTETS,
    ],
)
def test_what_is_no_answer(answer: bytes) -> None:
    with pytest.raises(FetchFailed):
        body_of(answer)


@contextlib.asynccontextmanager
async def policy_host(
    answer: bytes, name: str = "mta-sts.example.com", *, hang: bool = False
) -> AsyncIterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(name).configure_cert(context)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            request = await reader.readuntil(b"\r\n\r\n")
            assert request.startswith(
                b"GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: mta-sts.example.com\r\n"
            )
            writer.write(answer)
            if hang:
                await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0.05)


def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context


async def test_a_policy_comes_over_https() -> None:
    async with policy_host(OK + ENFORCE) as port:
        assert await fetch_policy("example.com", ["127.0.0.1"], trusting(), port) == ENFORCE


async def test_a_wrong_certificate_gives_no_policy() -> None:
    async with policy_host(OK + ENFORCE, "mta-sts.example.net") as port:
        with pytest.raises(FetchFailed, match=r"example\.com"):
            await fetch_policy("example.com", ["127.0.0.1"], trusting(), port)
        with pytest.raises(FetchFailed):
            await fetch_policy("example.com", ["127.0.0.1"], ssl.create_default_context(), port)


async def test_a_policy_host_without_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    async with policy_host(OK + b"x" * 10 * MAX_OCTETS) as port:
        with pytest.raises(FetchFailed, match="larger"):
            await fetch_policy("example.com", ["127.0.0.1"], trusting(), port)
    monkeypatch.setattr(sts, "FETCH_TIME", 0.3)
    async with policy_host(OK, hang=True) as port:
        with pytest.raises(FetchFailed, match="not finished"):
            await fetch_policy("example.com", ["127.0.0.1"], trusting(), port)
    with pytest.raises(FetchFailed, match="no usable address"):
        await fetch_policy("example.com", [], trusting())


class Owner:
    """A domain's owner, or whoever sits between: what the DNS and the policy host say at the moment."""

    def __init__(self) -> None:
        self.texts: Sequence[str] | Exception = ["v=STSv1; id=1"]
        self.body: bytes | Exception = ENFORCE
        self.fetched = 0
        self.sts = Sts(self.answer, self.fetch)

    async def answer(self, name: str) -> Sequence[str]:
        if isinstance(self.texts, Exception):
            raise self.texts
        return self.texts

    async def fetch(self, domain: str) -> bytes:
        self.fetched += 1
        await asyncio.sleep(0)
        if isinstance(self.body, Exception):
            raise self.body
        return self.body

    async def mode(self) -> str | None:
        policy = await self.sts.policy("example.com")
        return policy.mode if policy is not None else None


async def test_a_policy_is_fetched_once_by_many_at_once() -> None:
    owner = Owner()
    assert await asyncio.gather(*(owner.mode() for _ in range(20))) == ["enforce"] * 20
    assert owner.fetched == 1


@pytest.mark.parametrize("texts", [[], DnsUnavailable("SERVFAIL"), ["v=STSv1; id=2"]])
@pytest.mark.parametrize("body", [FetchFailed("404"), b"<html>"])
async def test_a_good_policy_outlives_a_disturbed_one(
    texts: Sequence[str] | Exception, body: bytes | Exception
) -> None:
    owner = Owner()
    await owner.mode()
    owner.texts, owner.body = texts, body
    assert [await owner.mode() for _ in range(3)] == ["enforce"] * 3
    assert owner.fetched <= 2  # and the host that fails is not asked for every mail


async def test_a_new_id_brings_a_new_policy() -> None:
    owner = Owner()
    await owner.mode()
    owner.texts, owner.body = ["v=STSv1; id=2"], ENFORCE.replace(b"enforce", b"none")
    owner.sts._known["example.com"].quiet_until = 0.0  # a minute later
    assert await owner.mode() is None


async def test_a_policy_ends_with_its_age(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sts_policy, "MIN_AGE", timedelta(0))
    owner = Owner()
    owner.body = ENFORCE.replace(b"86400", b"0")
    assert await owner.mode() is None
    owner.texts = []
    assert await owner.mode() is None


async def test_a_policy_without_a_life_counts_for_the_mail_at_hand_and_is_not_fetched_for_each() -> None:
    owner = Owner()
    owner.body = ENFORCE.replace(b"86400", b"0")
    assert [await owner.mode() for _ in range(20)] == ["enforce"] * 20
    assert owner.fetched == 1


async def test_an_owner_who_changes_the_id_with_every_question_is_asked_once_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    owner = Owner()
    for number in range(20):
        owner.texts = [f"v=STSv1; id={number}"]
        await owner.mode()
    assert owner.fetched == 1
    monkeypatch.setattr(owner.sts._known["example.com"], "quiet_until", 0.0)
    await owner.mode()
    assert owner.fetched == 2


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.0.1",
        "172.16.5.5",
        "100.64.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1",
        "fd00::1",
        "::ffff:10.1.2.3",
        "2002:a01:203::1",
        "ff02::1",
    ],
)
async def test_nobodys_dns_leads_into_our_network(address: str) -> None:
    async def inside(host: str) -> Sequence[str]:
        assert host == "mta-sts.example.com"
        return [address]

    with pytest.raises(FetchFailed, match="no usable address"):
        await fetcher(inside, trusting())("example.com")


# RFC 7535: a sink for the whole Internet, and nobody's host
@pytest.mark.parametrize("address", ["192.31.196.1", "2620:4f:8000::1", "::ffff:192.31.196.1"])
def test_policy_hosts_are_on_the_internet(address: str) -> None:
    assert is_public(address)


async def test_without_a_record_nothing_is_fetched() -> None:
    owner = Owner()
    owner.texts = []
    assert await owner.mode() is None
    assert owner.fetched == 0


async def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sts, "REMEMBERED", 3)
    owner = Owner()
    for number in range(10):
        await owner.sts.policy(f"d{number}.example.com")
    assert len(owner.sts._known) == 3
