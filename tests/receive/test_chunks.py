"""BDAT: the same message by DATA and by chunks, however both are cut; what a chunk announces is held to bounds."""

from __future__ import annotations

import asyncio
import itertools

from hypothesis import given
from hypothesis import strategies as st

from gateway.receive.data import ChunkReader, DataReader, Fault
from tests.receive.conftest import Open

LIMIT, LINE = 1 << 20, 60

lines = st.lists(
    st.one_of(
        st.binary(max_size=20), st.sampled_from([b"", b".", b"..", b".x", b"\r", b"\n", b"\0", b"x" * 60])
    ),
    max_size=12,
)


def by_data(message: bytes) -> DataReader:
    reader = DataReader(LIMIT, LINE)
    stuffed = b"".join(
        (b"." if line.startswith(b".") else b"") + line + b"\r\n" for line in message.split(b"\r\n")[:-1]
    )
    reader.feed(stuffed + b".\r\n")
    return reader


def by_chunks(message: bytes, cuts: list[int]) -> ChunkReader:
    reader = ChunkReader(LIMIT, LINE)
    places = sorted({0, len(message), *(cut % (len(message) + 1) for cut in cuts)})
    for start, end in itertools.pairwise(places):
        reader.feed(message[start:end])
    reader.finish()
    return reader


@given(lines, st.lists(st.integers(0, 1000), max_size=8))
def test_any_chunks_give_what_data_gives(body: list[bytes], cuts: list[int]) -> None:
    message = b"".join(line + b"\r\n" for line in body)
    data, chunks = by_data(message), by_chunks(message, cuts)
    assert (data.fault is None) == (chunks.fault is None)
    if chunks.fault is None:
        assert chunks.content() == data.content() == message
        assert chunks.eight_bit == data.eight_bit == (not message.isascii())


@given(
    st.binary(max_size=50).filter(lambda last: b"\r" not in last and b"\n" not in last and b"\0" not in last)
)
def test_a_last_line_without_its_end_gets_one(last: bytes) -> None:
    reader = by_chunks(b"one\r\n" + last, [3, 4])
    assert reader.content() == b"one\r\n" + last + (b"\r\n" if last else b"")


def test_no_chunk_at_all_is_an_empty_message() -> None:
    assert by_chunks(b"", []).content() == b""


def test_a_message_in_chunks_is_bounded() -> None:
    reader = ChunkReader(1000, LINE)
    for _ in range(500):
        reader.feed(b"x" * 48 + b"\r\n")
        assert reader.held < 1100
    assert reader.fault is Fault.SIZE


async def test_memory_of_chunks_is_given_back(open_house: Open) -> None:
    house = await open_house()
    budget = house.listener.reception.budget
    for ending in (b"RSET\r\n", b"EHLO again.example.com\r\n", b"QUIT\r\n", b""):
        client = await house.connect()
        await client.greet()
        await client.ask(b"MAIL FROM:<a@example.jp>")
        await client.ask(b"RCPT TO:<b@example.com>")
        assert (await client.ask(b"BDAT 4\r\nab")).startswith("250 2.0.0 4 octets")
        assert budget.used == 4
        await client.send(ending)
        if ending:
            await client.reply()
        else:
            await client.close()
            await asyncio.sleep(0.05)
        assert budget.used == 0


async def test_chunks_of_one_mail_have_a_time_limit(open_house: Open) -> None:
    house = await open_house(data="1s")
    client = await house.connect()
    await client.greet()
    await client.ask(b"MAIL FROM:<a@example.jp>")
    await client.ask(b"RCPT TO:<b@example.com>")
    for _ in range(60):
        if (await client.ask(b"BDAT 3\r\nx")).startswith("421 4.4.2"):
            break
        await asyncio.sleep(0.05)
    else:
        raise AssertionError("the mail goes on")
    assert not house.taken.mails


async def test_a_long_chunk_arrives_as_it_was_sent(open_house: Open) -> None:
    house = await open_house()
    client = await house.connect()
    await client.greet()
    await client.ask(b"MAIL FROM:<a@example.jp>")
    await client.ask(b"RCPT TO:<b@example.com>")
    mail = b"Subject: x\r\n\r\n" + b"".join(b".%d\r\n" % number for number in range(100_000))
    await client.send(b"BDAT %d\r\n" % 300_001 + mail[:300_001])
    await client.send(b"BDAT %d LAST\r\n" % (len(mail) - 300_001) + mail[300_001:])
    assert (await client.reply()).startswith("250 2.0.0 300001 octets")
    assert (await client.reply()).startswith("250 2.0.0 Q1")
    assert house.taken.mails[0][1] == mail
