"""Our own client against hostile content in the spool and hostile next hops: what leaves is clean, what comes back bounded."""

from __future__ import annotations

import re

import pytest

from gateway.delivery.mail import Outgoing
from gateway.delivery.reply import MAX_LINES, MAX_TEXT
from gateway.message.address import Address
from tests.delivery.conftest import Connect, mail
from tests.delivery.next_hop import NextHop

LOOSE = re.compile(rb"\r(?!\n)|(?<!\r)\n|\0")
TEN = (
    *(b"\n.\n", b"\n.\r\n", b"\n.\r", b"\r.\r", b"\r.\n", b"\r.\r\n", b"\r\n.\n", b"\r\n.\r"),
    *(b"\r\r\n.\r\n", b"\r\n.\r\r\n", b"\r\n\0.\r\n", b"\r\n.\0\r\n", b"\0", b"\r", b"\n"),
)
SMUGGLED = b"MAIL FROM:<x@example.net>\r\nRCPT TO:<smuggled@example.com>\r\nDATA\r\n\r\n.\r\n"


@pytest.mark.parametrize("sequence", TEN, ids=ascii)
@pytest.mark.parametrize("place", ["header", "body", "end"])
async def test_no_loose_octet_of_a_stored_mail_ever_leaves(
    sequence: bytes, place: str, connect: Connect
) -> None:
    hop = NextHop()
    header = b"From: s@example.jp\r\nSubject: x" + (sequence if place == "header" else b"") + b"\r\n\r\n"
    tail = SMUGGLED if place == "body" else b""
    body = b"text" + (b"" if place == "header" else sequence) + tail
    async with connect(hop) as line:
        states = await line.states(mail("a@example.com", header=header, body=body))
    if LOOSE.search(header + body):
        assert states == ["deferred"], "our own fault, and no reason to bounce"
        assert hop.taken == []
    assert not any("smuggled" in said for said in hop.lines)
    assert all(LOOSE.search(taken.data) is None for taken in hop.taken)


@pytest.mark.parametrize("odd", ["a\r\nRCPT TO:<x@example.com>", "a\0", "a\n", "a> SIZE=1\r\nDATA"])
async def test_an_address_from_the_spool_cannot_become_a_command(odd: str, connect: Connect) -> None:
    hop = NextHop()
    outgoing = Outgoing(
        sender=Address("s", "example.jp"),
        recipients=(Address(odd, "example.com"),),
        header=b"From: s@example.jp\r\n\r\n",
        body=memoryview(b"x\r\n"),
        smtputf8=False,
    )
    async with connect(hop) as line:
        assert await line.states(outgoing) != ["delivered"]
    assert hop.taken == []
    assert [said for said in hop.lines if said.split(" ")[0] not in ("EHLO", "MAIL", "RSET", "QUIT")] == []


HOSTILE = {
    "a flood of lines": "\r\n".join(["250-x"] * (MAX_LINES + 50) + ["250 ok"]),
    "a line without end": "250 " + "x" * 100_000,
    "lines for ever": "250-x\r\n" * 20_000,
    "another code inside": "250-a\r\n550 b",
    "no code": "hello",
    "a smuggled reply": "250 ok\r\n250 ok\r\n354 go\r\n250 taken",
    "bare CR": "250 ok\r250 taken",
    "control characters": "250 \x1b[2J\x07\x00\x08ok\x9b",
}


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "END"])
@pytest.mark.parametrize("reply", HOSTILE)
async def test_a_hostile_reply_is_bounded_and_never_counts_for_more(
    reply: str, stage: str, connect: Connect
) -> None:
    def script(line: str, number: int) -> str | None:
        return HOSTILE[reply] if line.split(" ")[0] == stage and number == 0 else None

    hop = NextHop(script=script)
    async with connect(hop) as line:
        (verdict,) = (await line.send(mail("a@example.com"))).verdicts
    assert verdict.state.value in ("delivered", "deferred"), "no mail bounces for a reply that is none"
    assert verdict.state.value == "deferred" or hop.taken, "delivered is what a hop has taken"
    text = f"{verdict.reply}"
    assert len(text) <= MAX_TEXT
    assert text.isprintable()


@pytest.mark.parametrize("offers", [(), ("PIPELINING",), ("8BITMIME",)], ids=str)
async def test_an_address_that_needs_smtputf8_bounces_where_it_is_not_offered(
    offers: tuple[str, ...], connect: Connect
) -> None:
    hop = NextHop(extensions=offers)
    async with connect(hop) as line:
        (verdict,) = (await line.send(mail("竹@example.com", smtputf8=True))).verdicts
    assert (verdict.state.value, verdict.enhanced) == ("bounced", "5.6.7")
    assert hop.taken == []
