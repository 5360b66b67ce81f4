"""Replies on the wire."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.receive.reply import LINE, Reply, printable


def test_every_line_carries_both_codes() -> None:
    assert Reply(550, "5.7.1", "one\ntwo").wire() == b"550-5.7.1 one\r\n550 5.7.1 two\r\n"
    assert Reply(354, "", "go").wire() == b"354 go\r\n"


def test_utf8_only_where_it_may_go() -> None:
    reply = Reply(550, "5.7.1", "関所 refuses")
    assert reply.wire() == b"550 5.7.1 ?? refuses\r\n"
    assert reply.wire(utf8=True) == "550 5.7.1 関所 refuses\r\n".encode()


@given(st.text(max_size=1000), st.booleans())
def test_no_text_can_make_a_line_of_its_own(text: str, utf8: bool) -> None:
    wire = Reply(550, "5.7.1", text).wire(utf8=utf8)
    lines = wire.split(b"\r\n")
    assert lines.pop() == b""
    assert all(line.startswith((b"550-5.7.1 ", b"550 5.7.1 ")) for line in lines)
    assert [line[3:4] for line in lines] == [b"-"] * (len(lines) - 1) + [b" "]
    assert all(len(line) <= LINE + 20 for line in lines)
    assert not any(octet < 0x20 for line in lines for octet in line)
    wire.decode("utf-8" if utf8 else "ascii")


@given(st.one_of(st.text(), st.binary()))
def test_printable_is_short_and_plain(text: str | bytes) -> None:
    shown = printable(text)
    assert shown.isascii()
    assert shown == "" or shown.isprintable()
    assert len(shown) <= 80 * 10 + 3
