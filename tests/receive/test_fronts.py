"""Load balancers and servers in front: the PROXY header from every octet string, XCLIENT, and whose limits count."""

from __future__ import annotations

import asyncio
import socket
import struct
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gateway.config.settings import Smtp
from gateway.receive.command import SyntaxFault
from gateway.receive.proxy_header import (
    V1_OCTETS,
    V2_FIXED,
    V2_OCTETS,
    ProxyFault,
    header_length,
    named_client,
)
from gateway.receive.xclient import ATTRIBUTES, parse_xclient
from tests.receive.conftest import Open

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
CLIENT = b"PROXY TCP4 192.0.2.7 198.51.100.1 40000 25\r\n"


def v2(client: IPv4Address | IPv6Address, port: int, tlvs: bytes = b"", command: int = 0x21) -> bytes:
    family = 0x11 if client.version == 4 else 0x21
    rest = client.packed * 2 + struct.pack("!HH", port, 25) + tlvs
    return SIGNATURE + struct.pack("!BBH", command, family, len(rest)) + rest


def read(octets: bytes) -> tuple[int, str | None]:
    """Return length and client; the coroutine never waits, so no loop is needed."""
    length = header_length(octets)
    assert length is not None
    try:
        named_client(octets[:length]).send(None)
    except StopIteration as done:
        return length, done.value
    raise AssertionError("it waits for octets that are all there")


@given(st.ip_addresses(), st.integers(0, 65535), st.binary(max_size=64), st.binary(max_size=40))
def test_version_2_names_its_client(
    client: IPv4Address | IPv6Address, port: int, tlvs: bytes, behind: bytes
) -> None:
    header = v2(client, port, tlvs)
    assert read(header + behind) == (len(header), str(client))
    for cut in range(len(header)):
        assert header_length(header[:cut]) is None


@given(st.ip_addresses(), st.binary(max_size=40))
def test_version_1_names_its_client(client: IPv4Address | IPv6Address, behind: bytes) -> None:
    header = f"PROXY TCP{client.version} {client} {client} 1 25\r\n".encode()
    assert read(header + behind) == (len(header), str(client))
    for cut in range(len(header)):
        assert header_length(header[:cut]) is None


@given(
    st.one_of(
        st.binary(max_size=300),
        st.binary(max_size=300).map(lambda rest: SIGNATURE + rest),
        st.binary(max_size=150).map(lambda rest: b"PROXY " + rest),
        st.binary(max_size=300).map(lambda rest: SIGNATURE + b"\x21" + rest),
    )
)
def test_any_octets_are_a_header_or_a_fault_or_too_few(octets: bytes) -> None:
    try:
        length = header_length(octets)
        if length is None:
            assert len(octets) < V2_FIXED + V2_OCTETS
            return
        assert 0 < length <= max(V1_OCTETS, V2_FIXED + V2_OCTETS)
        _, client = read(octets)
    except ProxyFault:
        return
    assert client is None or ip_address(client)


@pytest.mark.parametrize(
    "header",
    [
        SIGNATURE + b"\x20\0\0\0",  # the balancer's own health check
        v2(IPv4Address("192.0.2.7"), 1, command=0x20),
        SIGNATURE + b"\x21\0\0\0",  # unspecified
        SIGNATURE + b"\x21\x31\0\xd8" + bytes(216),  # a UNIX socket
        b"PROXY UNKNOWN\r\n",
        b"PROXY UNKNOWN 2001:db8::1 2001:db8::2 1 2\r\n",
    ],
)
def test_a_header_that_names_nobody(header: bytes) -> None:
    assert read(header) == (len(header), None)


@pytest.mark.parametrize(
    "header",
    [
        SIGNATURE + b"\x21\x11\0\x04" + bytes(4),  # too short for its addresses
        SIGNATURE + b"\x21\x12\0\x0c" + bytes(12),  # UDP
        SIGNATURE + b"\x31\x11\0\x0c" + bytes(12),  # version 3
        SIGNATURE + b"\x22\x11\0\x0c" + bytes(12),  # no such command
        SIGNATURE + b"\x21\x11\xff\xff",
        b"PROXY TCP4 192.0.2.7 192.0.2.8 1\r\n",
        b"PROXY TCP4 192.0.2.7 192.0.2.8 1 2 3\r\n",
        b"PROXY TCP4 192.0.2.7 192.0.2.8 01 2\r\n",
        b"PROXY TCP4 192.0.2.7 192.0.2.8 1 2\n",
        b"PROXY TCP6 192.0.2.7 192.0.2.8 1 2\r\n",
        b"PROXY TCP4  192.0.2.7 192.0.2.8 1 2\r\n",
        b"PROXY \r\n",
        b"PROXY" + b" " * 200,
        b"EHLO x\r\n",
    ],
)
def test_what_is_no_header(header: bytes) -> None:
    with pytest.raises(ProxyFault):
        read(header)


@given(st.text(max_size=80))
def test_xclient_is_read_whole_or_refused(text: str) -> None:
    try:
        claims = parse_xclient(text)
    except SyntaxFault:
        return
    assert claims
    assert set(claims) <= set(ATTRIBUTES)


def test_xclient_values() -> None:
    text = "addr=IPV6:2001:DB8::1 name=[unavailable] HELO=a+2Bb login=a+20b DestPort=25 proto=esmtp"
    assert parse_xclient(text) == {
        "ADDR": "2001:db8::1",
        "NAME": None,
        "HELO": "a?b",
        "LOGIN": "a b",
        "DESTPORT": "25",
        "PROTO": "ESMTP",
    }


@pytest.mark.parametrize("name", ["proxy_networks", "xclient_networks", "bare_lf_networks"])
@pytest.mark.parametrize("network", ["0.0.0.0/0", "::/0"])
def test_everybody_cannot_be_a_front(name: str, network: str) -> None:
    with pytest.raises(ValidationError, match="is everybody"):
        Smtp.model_validate({name: [network]})
    assert Smtp.model_validate({name: ["192.0.2.0/24"]})


async def test_a_header_octet_by_octet(open_house: Open) -> None:
    house = await open_house(proxy=True)
    client = await house.connect()
    for octet in CLIENT:
        await client.send(bytes([octet]))
        await asyncio.sleep(0)
    await client.greet()
    assert (await client.ask(b"MAIL FROM:<a@example.jp>")).startswith("530 5.7.0")


async def test_a_header_that_never_ends_has_its_time(
    open_house: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.receive.fronted.PROXY_SECONDS", 0.1)
    house = await open_house(proxy=True)
    client = await house.connect()
    await client.send(CLIENT[:20])
    assert (await client.reply()).startswith("421 4.4.2")
    assert await client.line() == b""


async def test_from_anybody_else_a_header_is_never_read(open_house: Open) -> None:
    house = await open_house(greeting_pause=0.2, trusted=False)
    client = await house.connect()
    await client.send(CLIENT)
    assert (await client.reply()).startswith("554 5.5.0 wait for the greeting")
    late = await house.connect()
    assert (await late.reply()).startswith("220 ")
    assert (await late.ask(CLIENT[:-2])).startswith("500 5.5.1")


async def test_limits_of_an_address_are_the_client_s_and_not_the_balancer_s(open_house: Open) -> None:
    house = await open_house(proxy=True, connections_per_address=2)
    for ip in (b"192.0.2.1", b"192.0.2.2", b"192.0.2.3"):
        for _ in range(2):
            client = await house.connect()
            await client.send(CLIENT.replace(b"192.0.2.7", ip))
            await client.greet()
    one_more = await house.connect()
    await one_more.send(CLIENT.replace(b"192.0.2.7", b"192.0.2.1"))
    assert (await one_more.reply()).startswith("421 4.7.0 too many connections")
    await house.clients[0].ask(b"QUIT")
    await house.clients[0].close()
    await asyncio.sleep(0.05)
    again = await house.connect()
    await again.send(CLIENT.replace(b"192.0.2.7", b"192.0.2.1"))
    await again.greet()


async def test_xclient_moves_the_connection_to_its_client_s_limit(open_house: Open) -> None:
    house = await open_house(xclient=True, connections_per_address=1)
    first, second, third = [await house.connect() for _ in range(3)]
    for client in (first, second, third):
        await client.greet()
    assert (await first.ask(b"XCLIENT ADDR=192.0.2.1")).startswith("220 ")
    assert (await second.ask(b"XCLIENT ADDR=192.0.2.2")).startswith("220 ")
    assert (await third.ask(b"XCLIENT ADDR=192.0.2.1")).startswith("421 4.7.0")
    for client in (first, second, third):
        await client.close()
    await asyncio.sleep(0.05)
    connections = house.listener.reception.connections
    assert connections.enter("192.0.2.1")
    assert not connections.enter("192.0.2.1")


async def test_a_balancer_that_only_looks_whether_we_listen(open_house: Open) -> None:
    house = await open_house(proxy=True)
    with socket.create_connection(("127.0.0.1", house.port)):
        pass
    await asyncio.sleep(0.05)
    assert not house.listener.reception.sessions


async def test_whom_a_front_names_after_it_has_gone_takes_no_place(open_house: Open) -> None:
    """Commands that came are done to the end, also where nobody is there any more: who is named then never leaves."""
    house = await open_house(xclient=True, connections=1)
    house.taken.gate.clear()
    front = await house.connect()
    await front.greet()
    await front.envelope()
    await front.send(b"Subject: x\r\n\r\nx\r\n.\r\nXCLIENT ADDR=192.0.2.7\r\n")
    await asyncio.wait_for(house.taken.begun.wait(), 10)
    (session,) = house.listener.reception.sessions
    raw = front.writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # it breaks off: RST
    front.writer.transport.abort()
    for _ in range(1000):
        if house.listener.reception.sessions:
            await asyncio.sleep(0.01)
    assert not house.listener.reception.sessions
    house.taken.gate.set()
    await asyncio.wait_for(session.handler, 10)
    assert (await (await house.connect()).reply()).startswith("220 ")
