"""The reply parser: what is a reply, what is not, and how much of it there may be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.delivery import reply
from gateway.delivery.reply import MAX_LINE, MAX_LINES, BadReply, Reply, ReplyParser


def parse(octets: bytes) -> list[Reply]:
    return list(ReplyParser().feed(octets))


@pytest.mark.parametrize(
    ("octets", "replies"),
    [
        (b"250 ok\r\n", [Reply(250, ("ok",))]),
        (b"250\r\n", [Reply(250, ("",))]),
        (b"250 \r\n", [Reply(250, ("",))]),
        (b"250-a\r\n250-\r\n250 b\r\n", [Reply(250, ("a", "", "b"))]),
        (b"250 a\r\n550 b\r\n354 c\r\n", [Reply(250, ("a",)), Reply(550, ("b",)), Reply(354, ("c",))]),
        (b"250 lone line feed\n", [Reply(250, ("lone line feed",))]),
        (b"550 \xff\x1b[31mred\r\n", [Reply(550, ("� [31mred",))]),
        (b"250-begun\r\n", []),
        (b"25", []),
    ],
)
def test_replies(octets: bytes, replies: list[Reply]) -> None:
    assert parse(octets) == replies


@pytest.mark.parametrize(
    "octets",
    [
        b"hello\r\n",
        b"\r\n",
        b"2500 ok\r\n",
        b"150 ok\r\n",
        b"650 ok\r\n",
        b"25x ok\r\n",
        b" 250 ok\r\n",
        b"250_ok\r\n",
        b"250 a\rb\r\n",
        b"250-a\r\n251 b\r\n",
        b"250-a\r\n" * (MAX_LINES + 1),
        b"250 " + b"x" * MAX_LINE + b"\r\n",
        b"x" * (MAX_LINE + 1),
        "２５０ ok\r\n".encode(),
    ],
)
def test_what_is_no_reply(octets: bytes) -> None:
    with pytest.raises(BadReply):
        parse(octets)


def test_what_came_before_a_fault_is_a_reply_all_the_same() -> None:
    replies = ReplyParser().feed(b"250 taken\r\nnonsense\r\n250 late\r\n")
    assert next(replies) == Reply(250, ("taken",))
    with pytest.raises(BadReply):
        next(replies)


@pytest.mark.parametrize(
    ("text", "enhanced"),
    [
        ("5.1.1 no such user", "5.1.1"),
        ("5.7.509", "5.7.509"),
        ("4.1.1 contradicts the code", ""),
        ("no code", ""),
        ("5.1.1.1 an address?", ""),
        ("5.1234.1 too long", ""),
    ],
)
def test_enhanced_codes(text: str, enhanced: str) -> None:
    assert Reply(550, (text,)).enhanced == enhanced


@given(
    st.lists(st.tuples(st.integers(200, 599), st.text(alphabet="ab 1.-", max_size=9)), max_size=6), st.data()
)
def test_the_same_replies_come_out_however_the_octets_are_cut(
    said: list[tuple[int, str]], data: st.DataObject
) -> None:
    octets = b"".join(f"{code} {text}\r\n".encode() for code, text in said)
    parser, start = ReplyParser(), 0
    out: list[Reply] = []
    while start < len(octets):
        end = data.draw(st.integers(start + 1, len(octets)))
        out += parser.feed(octets[start:end])
        start = end
    assert [(reply.code, reply.lines[0]) for reply in out] == [(code, text.strip()) for code, text in said]
    assert parser.idle


@given(st.binary(max_size=200))
def test_any_octets_are_replies_or_bad(octets: bytes) -> None:
    try:
        replies = parse(octets)
    except BadReply:
        return
    assert all(200 <= reply.code <= 599 for reply in replies)


def test_a_line_that_names_somebody_is_not_remembered() -> None:
    """A next hop may repeat a citizen's address in every reply; what it says is the mail's, and goes with it."""
    reply._single.cache_clear()
    named = b"250 2.1.5 <citizen@example.com> recipient ok\r\n"
    assert parse(named) == [Reply(250, ("2.1.5 <citizen@example.com> recipient ok",))]
    assert reply._single.cache_info().currsize == 0
    parse(b"250 2.0.0 ok\r\n")
    assert reply._single.cache_info().currsize == 1
