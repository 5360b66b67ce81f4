"""Dot-stuffing as a law: what a receiver makes of the wire is what was given, for any clean message and any
chunk size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.delivery import dots
from gateway.delivery.dots import stuffed, wire
from gateway.delivery.errors import UncleanContent
from tests.delivery.next_hop import Taken

LINES = st.lists(st.text(alphabet=".ab\x01é", max_size=6).map(str.encode), max_size=12)


def received(octets: bytes) -> bytes:
    """Read the wire as a server does: up to the first line that is a single dot, which must be the end."""
    content, end, rest = (b"\r\n" + octets).partition(b"\r\n.\r\n")
    assert end
    assert rest == b""
    return Taken("", [], (content + b"\r\n")[2:]).content


@given(LINES, LINES, st.booleans(), st.integers(min_value=2, max_value=40))
def test_the_receiver_gets_what_was_sent(
    head: list[bytes], body: list[bytes], ends_clean: bool, chunk: int
) -> None:
    header = b"".join(line + b"\r\n" for line in head) + b"\r\n"
    octets = b"\r\n".join(body) + (b"\r\n" if ends_clean else b"")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dots, "CHUNK", chunk)
        sent = b"".join(wire(header, memoryview(octets)))
    whole = header + octets
    assert received(sent) == (whole if whole.endswith(b"\r\n") else whole + b"\r\n")


@given(st.binary(max_size=30), st.integers(min_value=2, max_value=9))
def test_whatever_is_not_clean_never_gets_an_end_of_data(octets: bytes, chunk: int) -> None:
    clean = octets.replace(b"\r\n", b"")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dots, "CHUNK", chunk)
        if any(octet in clean for octet in (b"\r", b"\n", b"\0")):
            with pytest.raises(UncleanContent):
                list(wire(b"\r\n", memoryview(octets)))
        else:
            received(b"".join(wire(b"\r\n", memoryview(octets))))


@pytest.mark.parametrize(
    "tail", [b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r.\r\n", b"\r\n\r.", b"\r\n.\r", b"\n.\r"]
)
def test_the_sequences_of_smtp_smuggling_are_refused(tail: bytes) -> None:
    with pytest.raises(UncleanContent):
        list(wire(b"A: b\r\n\r\n", memoryview(b"text" + tail + b"MAIL FROM:<x@example.com>\r\n")))


def test_a_large_body_is_never_held_whole() -> None:
    body = memoryview(b"." * (3 * dots.CHUNK))
    assert max(len(chunk) for chunk in wire(b"\r\n", body)) <= dots.CHUNK + 10


@given(LINES, LINES, st.booleans())
def test_a_shared_body_leaves_as_one_of_its_own(
    head: list[bytes], body: list[bytes], ends_clean: bool
) -> None:
    header = b"".join(line + b"\r\n" for line in head) + b"\r\n"
    octets = memoryview(b"\r\n".join(body) + (b"\r\n" if ends_clean else b""))
    assert b"".join(wire(header, octets, stuffed(octets))) == b"".join(wire(header, octets))


@given(st.binary(max_size=30))
def test_a_shared_body_is_as_clean_as_any(octets: bytes) -> None:
    if any(octet in octets.replace(b"\r\n", b"") for octet in (b"\r", b"\n", b"\0")):
        with pytest.raises(UncleanContent):
            stuffed(memoryview(octets))
    else:
        received(stuffed(memoryview(octets)) or b"")


@pytest.mark.parametrize("header", [b"A: b\nC: d\r\n\r\n", b"A: b\rC\r\n\r\n", b"A: \0\r\n\r\n"])
def test_the_header_before_a_shared_body_is_checked_in_each_copy(header: bytes) -> None:
    body = memoryview(b"body\r\n")
    with pytest.raises(UncleanContent):
        list(wire(header, body, stuffed(body)))


def test_a_large_body_is_not_shared() -> None:
    assert stuffed(memoryview(bytes(dots.CHUNK + 1))) is None
