"""A copy whose envelope leaves with the end of the one before: what RFC 2920 3.1 allows, and no mail lost, doubled or mixed up
whatever the hop makes of it."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import replace

import pytest

from gateway.delivery.connection import Connection
from gateway.delivery.mail import Outgoing
from gateway.delivery.route import Route
from tests.delivery.conftest import HEADER, QUICK, connected, mail
from tests.delivery.lane import Copies, own, send_all
from tests.delivery.next_hop import CLOSE, EXTENSIONS, HANG, NextHop

IMPATIENT = replace(QUICK, command=0.2, data=0.2, final=0.2)
ALONE = tuple(extension for extension in EXTENSIONS if extension != "PIPELINING")


def arrived(hop: NextHop) -> list[int]:
    """Return whose copies the hop took, in order; each has the content of its own recipient."""
    numbers = []
    for taken in hop.taken:
        [path] = taken.rcpt_to
        number = int(path[2:].partition("@")[0])
        assert taken.content.endswith(b"\r\n\r\nfor r%d\r\n" % number)
        numbers.append(number)
    return numbers


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Return what is written to sessions, write by write."""
    written: list[bytes] = []
    really = Connection.write

    def write(self: Connection, data: bytes) -> None:
        written.append(data)
        really(self, data)

    monkeypatch.setattr(Connection, "write", write)
    return written


def begun_in(writes: list[bytes]) -> int:
    """Return how many envelopes left in one write with the end of a message."""
    return sum(b"\r\n.\r\nMAIL FROM:" in data for data in writes)


async def test_an_envelope_leaves_with_the_end_of_the_mail_before(writes: list[bytes]) -> None:
    async with connected(NextHop()) as line:
        assert await send_all(line.courier, line.target, 5) == ["delivered"] * 5
        assert arrived(line.hop) == [0, 1, 2, 3, 4]
        assert line.hop.connections == 1
        assert begun_in(writes) == 4
        assert all(data.count(b"DATA\r\n") <= 1 and b"DATA\r\nFrom:" not in data for data in writes)
        assert not [data for data in writes if b"DATA\r\n" in data and not data.endswith(b"DATA\r\n")]


async def test_nothing_is_said_ahead_to_who_does_not_offer_it(writes: list[bytes]) -> None:
    async with connected(NextHop(extensions=ALONE)) as line:
        assert await send_all(line.courier, line.target, 3) == ["delivered"] * 3
        assert arrived(line.hop) == [0, 1, 2]
        assert begun_in(writes) == 0


async def test_no_mail_is_begun_that_the_session_will_not_take(writes: list[bytes]) -> None:
    async with connected(NextHop(), max_messages=3) as line:
        assert await send_all(line.courier, line.target, 7) == ["delivered"] * 7
        assert arrived(line.hop) == list(range(7))
        assert line.hop.connections == 3
        assert begun_in(writes) == 4


@pytest.mark.parametrize(
    ("reply", "state", "connections"),
    [
        ("451 4.3.0 later", "deferred", 1),
        ("554 5.7.1 no", "bounced", 1),
        ("421 4.3.2 closing", "deferred", 2),
        ("354 what", "deferred", 2),
        ("250 ok\r\n250 ok", "delivered", 2),  # an answer too many must not be taken for another mail's
        ("250 ok\r\n250 ok\r\n250 ok\r\n250 ok", "delivered", 2),
        ("250 ok\r\ngarbage", "delivered", 2),
        ("garbage", "deferred", 2),
        (CLOSE, "deferred", 2),
        (HANG, "deferred", 2),
    ],
)
async def test_whatever_is_said_at_the_end_concerns_no_other_mail(
    reply: str, state: str, connections: int
) -> None:
    def script(line: str, number: int) -> str | None:
        return reply if line == "END" and number == 1 else None

    async with connected(NextHop(script), timeouts=IMPATIENT) as line:
        assert await send_all(line.courier, line.target, 4) == ["delivered", state, "delivered", "delivered"]
        took = [0, 1, 2, 3] if state == "delivered" else [0, 2, 3]
        assert arrived(line.hop) == took
        assert line.hop.connections == connections


@pytest.mark.parametrize("verb", ["MAIL", "DATA"])
@pytest.mark.parametrize(
    "reply",
    ["451 4.3.0 later", "554 5.5.0 synchronization error", "421 4.3.2 closing", "garbage", CLOSE, HANG],
)
async def test_what_is_refused_because_it_came_ahead_is_said_again(
    verb: str, reply: str, writes: list[bytes]
) -> None:
    def script(line: str, number: int) -> str | None:
        return reply if line.startswith(verb) and number == 1 else None

    async with connected(NextHop(script), timeouts=IMPATIENT) as line:
        assert await send_all(line.courier, line.target, 4) == ["delivered"] * 4
        assert arrived(line.hop) == [0, 1, 2, 3]
        assert line.hop.connections == 2
        assert begun_in(writes) == 1  # and no more at this hop for now


async def test_what_a_fresh_session_refuses_too_is_refused() -> None:
    def script(line: str, number: int) -> str | None:
        return "554 5.7.1 no" if line.startswith("MAIL") and number in (1, 2) else None

    async with connected(NextHop(script)) as line:
        assert await send_all(line.courier, line.target, 3) == ["delivered", "bounced", "delivered"]
        assert arrived(line.hop) == [0, 2]


@pytest.mark.parametrize(
    ("reply", "state"), [("550 5.1.1 unknown", "bounced"), ("452 4.5.3 full", "deferred")]
)
async def test_a_recipient_refused_ahead_is_refused(reply: str, state: str) -> None:
    def script(line: str, number: int) -> str | None:
        return reply if line.startswith("RCPT TO:<r1@") else None

    async with connected(NextHop(script)) as line:
        assert await send_all(line.courier, line.target, 4) == ["delivered", state, "delivered", "delivered"]
        assert arrived(line.hop) == [0, 2, 3]
        assert line.hop.connections == 1


async def test_a_mail_that_is_begun_and_not_sent_arrives_as_nothing() -> None:
    async with connected(NextHop()) as line:
        assert await send_all(line.courier, line.target, 4, withhold=2) == [
            "delivered",
            "delivered",
            "deferred",
            "delivered",
        ]
        assert arrived(line.hop) == [0, 1, 3]
        assert line.hop.connections == 2


async def test_one_that_cannot_be_begun_here_comes_by_itself() -> None:
    unclean = Outgoing(own(0).sender, (replace(own(1).recipients[0], local="a\rb"),), HEADER, own(0).body)
    needy = mail("é@example.com")
    hop = NextHop(extensions=tuple(each for each in EXTENSIONS if each != "SMTPUTF8"))
    async with connected(hop) as line:
        copies = Copies(deque([own(0), unclean, own(2), needy, own(4)]))
        states = []
        async with line.courier.seat(copies.following) as seat:
            for outgoing in copies:
                start_by = asyncio.get_running_loop().time() + 5

                def make(outgoing: Outgoing = outgoing) -> Outgoing:
                    return outgoing

                delivery = await line.courier.deliver(Route(line.target), make, 1, start_by, seat)
                states.append(delivery.verdicts[0].state.value)
        assert states == ["delivered", "deferred", "delivered", "bounced", "delivered"]
        assert arrived(line.hop) == [0, 2, 4]


async def test_a_begun_mail_keeps_the_place_although_others_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.delivery.seat.TURN_S", 0.0)
    async with connected(NextHop(delay=0.01), per_host=1) as line:
        many = asyncio.create_task(send_all(line.courier, line.target, 8))
        while not line.hop.taken:  # noqa: ASYNC110 - a list tells nobody
            await asyncio.sleep(0.002)
        other = asyncio.create_task(line.states(own(99)))
        assert await other == ["delivered"]
        assert await many == ["delivered"] * 8
        assert sorted(arrived(line.hop)) == [*range(8), 99]
        assert line.hop.taken[-1].rcpt_to != ["<r99@example.com>"]
        assert line.hop.connections == 1  # nobody hung up on a mail that was begun
