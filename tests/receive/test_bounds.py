"""What one client, and all together, may take."""

from __future__ import annotations

import asyncio

import pytest

from gateway.receive.limits import SITE_FACTOR, Budget, Connections, client_group, is_in
from tests.receive.conftest import Client, Open


async def push_until_closed(client: Client, chunk: bytes, most: int) -> str:
    """Send until the server closes or `most` octets went; return the last reply that came back."""
    reply = asyncio.ensure_future(client.reply())
    sent = 0
    while not reply.done() and sent < most and not client.writer.is_closing():
        await client.send(chunk)
        sent += len(chunk)
        await asyncio.sleep(0)
    return await reply


async def test_connections_of_one_address(open_house: Open) -> None:
    house = await open_house(connections_per_address=3)
    clients = [await house.connect() for _ in range(3)]
    for client in clients:
        await client.greet()
    one_more = await house.connect()
    assert (await one_more.reply()).startswith("421 4.7.0 too many connections")
    assert await one_more.line() == b""
    await clients[0].ask(b"QUIT")
    await clients[0].close()
    await asyncio.sleep(0.05)
    await (await house.connect()).greet()


async def test_connections_in_all(open_house: Open) -> None:
    house = await open_house(connections=2)
    for _ in range(2):
        await (await house.connect()).greet()
    assert (await (await house.connect()).reply()).startswith("421 4.7.0")


async def test_many_connections_come_and_go(open_house: Open) -> None:
    house = await open_house()

    async def once() -> None:
        client = await house.connect()
        await client.greet()
        await client.ask(b"QUIT")
        await client.close()

    for _ in range(5):
        await asyncio.gather(*(once() for _ in range(40)))
    await asyncio.sleep(0.05)
    assert not house.listener.reception.sessions
    assert await push_until_closed(await house.connect(), b"", 0) != ""


async def test_endless_data_is_cut(open_house: Open) -> None:
    house = await open_house(message=100_000)
    client = await house.connect()
    await client.greet()
    await client.envelope()
    reply = await push_until_closed(client, (b"x" * 998 + b"\r\n") * 50, 50 << 20)
    assert reply == "" or reply.startswith("552 5.3.4")  # a reset may overtake the reply
    await client.close()
    await asyncio.sleep(0.05)
    assert house.listener.reception.budget.used == 0
    assert not house.taken.mails


async def test_endless_line_is_cut(open_house: Open) -> None:
    house = await open_house()
    client = await house.connect()
    await client.greet()
    reply = await push_until_closed(client, b"x" * 10_000, 50 << 20)
    assert reply == "" or reply.startswith("500 5.5.2")


async def test_octets_in_flight_are_one_budget(open_house: Open) -> None:
    house = await open_house(bytes_in_flight=200_000)
    big = b"x" * 998 + b"\r\n"
    first, second = await house.connect(), await house.connect()
    for client in (first, second):
        await client.greet()
        await client.envelope()
    await first.send(big * 150)
    await asyncio.sleep(0.1)
    await second.send(big * 150)
    assert (await second.ask(b".")).startswith("452 4.3.1")
    assert (await second.ask(b"MAIL FROM:<a@example.jp> SIZE=100000")).startswith("452 4.3.1")
    assert (await first.ask(b".")).startswith("250 ")
    await asyncio.sleep(0)
    assert house.listener.reception.budget.used == 0
    await second.envelope()
    await second.send(big * 150)
    assert (await second.ask(b".")).startswith("250 ")


async def test_memory_is_given_back_when_a_client_goes(open_house: Open) -> None:
    house = await open_house()
    client = await house.connect()
    await client.greet()
    await client.envelope()
    await client.send(b"x" * 998 + b"\r\n")
    await asyncio.sleep(0.05)
    assert house.listener.reception.budget.used > 0
    await client.close()
    await asyncio.sleep(0.05)
    assert house.listener.reception.budget.used == 0


async def test_talk_before_the_banner(open_house: Open) -> None:
    house = await open_house(trusted=False, greeting_pause=0.2)
    client = await house.connect()
    await client.send(b"EHLO eager.example.com\r\n")
    assert (await client.reply()).startswith("554 5.5.0")
    assert await client.line() == b""


def test_budget() -> None:
    budget = Budget(10)
    assert budget.take(10)
    assert not budget.take(1)
    assert budget.take(-4)
    assert budget.has(4)
    assert not budget.has(5)
    assert budget.used == 6


def test_connections_forget_who_left() -> None:
    connections = Connections(total=5, per_address=1)
    assert connections.enter("192.0.2.1")
    assert not connections.enter("192.0.2.1")
    connections.leave("192.0.2.1")
    assert connections.enter("192.0.2.1")


@pytest.mark.parametrize(
    ("ip", "group"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:0:1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("odd", "odd"),
    ],
)
def test_client_group(ip: str, group: str) -> None:
    assert client_group(ip) == group


def test_trusted_networks() -> None:
    from ipaddress import ip_network

    networks = (ip_network("192.0.2.0/24"), ip_network("2001:db8::/32"))
    assert is_in("192.0.2.7", networks)
    assert is_in("::ffff:192.0.2.7", networks)
    assert is_in("2001:db8::7", networks)
    assert not is_in("198.51.100.1", networks)
    assert not is_in("", networks)
    assert not is_in("192.0.2.7", ())


def test_an_ipv6_site_cannot_take_all_connections_by_way_of_its_networks() -> None:
    connections = Connections(total=1000, per_address=5)
    addresses = [f"2001:db8:7:{number:x}::1" for number in range(200)]
    entered = [ip for ip in addresses if connections.enter(ip)]
    assert len(entered) == 5 * SITE_FACTOR
    assert connections.enter("2001:db8:8::1")
    assert connections.enter("2001:db8:7:ffff::1", front=True)
    for ip in [*entered, "2001:db8:8::1", "2001:db8:7:ffff::1"]:
        connections.leave(ip)
    assert not connections._open
    assert connections.enter("2001:db8:7::1")
