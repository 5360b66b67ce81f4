"""Content from a device that ends lines with LF alone: mended whatever the portions are, and nothing else is forgiven."""

from __future__ import annotations

import asyncio
import itertools
import re
import smtplib
from email.message import EmailMessage

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.receive.data import DataReader, Fault
from gateway.receive.mending import MendingReader
from tests.receive.conftest import Open

LIMIT, LINE = 1 << 16, 60
pieces = st.lists(
    st.sampled_from([b"\r\n", b"\n", b"\n", b"\r", b".", b"..", b"a", b"\x00", b"\xe3", b"b" * 20]),
    max_size=24,
)


def read(reader: DataReader, stream: bytes, cuts: list[int]) -> bytes | None:
    rest: bytes | None = None
    for start, end in itertools.pairwise(
        sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    ):
        if rest is None:
            rest = reader.feed(stream[start:end])
        else:
            rest += stream[start:end]
    return rest


def by_the_book(stream: bytes) -> tuple[bytes | None, bytes | None]:
    """Return the mended message, None where it has to be refused, and what follows the first CRLF "." CRLF as it was sent."""
    sent = b"\r\n" + stream
    at = sent.find(b"\r\n.\r\n")
    if at < 0:
        return None, None
    lines = re.findall(rb"([^\n]*?)(\r?\n)", sent[2 : at + 2])
    ends = [b"\r\n", *(end for _, end in lines)]
    alone = any(
        text == b"." and b"\n" in (before, end) for (text, end), before in zip(lines, ends, strict=False)
    )
    wrong = alone or any(b"\r" in text or b"\0" in text or len(text) + 2 > LINE for text, _ in lines)
    message = b"".join(text.removeprefix(b".") + b"\r\n" for text, _ in lines)
    return None if wrong else message, sent[at + 5 :]


@example([b"a", b"\n", b".", b"\n", b"b"], [], b"")
@example([b"a", b"\n", b".", b"\r\n", b"b"], [3, 4], b"x")
@example([b"a", b"\r\n", b".", b"\n", b"b"], [4, 5], b"")
@example([b".", b"\n"], [], b"")
@example([b"\n", b"..", b"a", b"\n"], [1, 2, 3], b"")
@given(pieces, st.lists(st.integers(0, 400), max_size=8), st.binary(max_size=6))
def test_every_split_is_mended_alike(body: list[bytes], cuts: list[int], behind: bytes) -> None:
    stream = b"".join(body) + b"\r\n.\r\n" + behind
    message, rest = by_the_book(stream)
    reader = MendingReader(LIMIT, LINE)
    assert read(reader, stream, cuts) == rest
    assert reader.ended
    assert reader.received == len(stream) - len(rest or b"")
    if message is None:
        assert reader.fault is not None
        assert reader.held <= 16
    else:
        assert reader.fault is None
        assert reader.content() == message
        assert reader.eight_bit == (not message.isascii())


@given(pieces, st.lists(st.integers(0, 400), max_size=8))
def test_mail_as_it_should_be_is_read_as_ever(body: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(body).replace(b"\r", b"").replace(b"\n", b"\r\n") + b"\r\n.\r\n"
    usual, mending = DataReader(LIMIT, LINE), MendingReader(LIMIT, LINE)
    assert read(usual, stream, cuts) == read(mending, stream, cuts)
    assert (usual.fault is None) == (mending.fault is None)
    if usual.fault is None:
        assert usual.content() == mending.content()


def test_what_is_kept_is_bounded() -> None:
    reader = MendingReader(1_000, LINE)
    for _ in range(200):
        assert reader.feed(b"x" * 20 + b"\n") is None
    assert reader.fault is Fault.SIZE
    assert reader.held <= 16
    reader = MendingReader(LIMIT, LINE)
    assert reader.feed(b"x" * (LINE + 1)) is None
    assert reader.fault is Fault.LONG_LINE
    assert reader.held <= 16


@pytest.mark.parametrize("listed", [True, False])
async def test_the_mail_of_a_script(open_house: Open, listed: bool) -> None:
    """`sendmail` of Python's smtplib passes octets on as they are; `as_bytes` ends lines with LF."""
    house = await open_house(bare_lf=listed)
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@example.jp", "b@example.com", "count"
    mail.set_content("one\n.two\n\n.\n")

    def send() -> None:
        with smtplib.SMTP("127.0.0.1", house.port) as client:
            client.sendmail("a@example.jp", "b@example.com", mail.as_bytes())

    if not listed:
        with pytest.raises(smtplib.SMTPDataError, match="an LF without CR"):
            await asyncio.to_thread(send)
        return
    await asyncio.to_thread(send)
    [(_, raw)] = house.taken.mails
    assert (
        raw == mail.as_bytes().replace(b"\n", b"\r\n") + b"\r\n"
    )  # smtplib sees no end of line, and adds one
