"""The DATA reader: the same message from every split of the stream, and every fault found."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.receive.data import DataReader, Fault, line_fault
from tests.receive.conftest import Open

LIMIT = 1 << 20
LINE = 60

lines = st.lists(
    st.one_of(st.binary(max_size=20), st.sampled_from([b"", b".", b"..", b".x", b"\r", b"\n", b"\0"])),
    max_size=12,
)


def read(stream: bytes, cuts: list[int], line_limit: int = LINE) -> tuple[DataReader, bytes | None]:
    reader = DataReader(LIMIT, line_limit)
    places = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    rest = None
    for start, end in itertools.pairwise(places):
        if rest is not None:
            rest += stream[start:end]
        else:
            rest = reader.feed(stream[start:end])
    return reader, rest


def by_the_book(stream: bytes) -> tuple[bytes, bytes]:
    """Return message and rest as RFC 5321 4.5.2 describes it, a line at a time."""
    out: list[bytes] = []
    while True:
        line, end, stream = stream.partition(b"\r\n")
        assert end
        if line == b".":
            return b"".join(out), stream
        out.append(line.removeprefix(b".") + b"\r\n")


@given(lines, st.binary(max_size=10), st.lists(st.integers(0, 1000), max_size=8))
def test_every_split_gives_the_same(body: list[bytes], rest: bytes, cuts: list[int]) -> None:
    stream = b"".join(line + b"\r\n" for line in body) + b".\r\n" + rest
    whole, whole_rest = read(stream, [])
    split, split_rest = read(stream, cuts)
    assert whole.ended
    assert split.ended
    assert whole_rest == split_rest
    assert (whole.fault is None) == (split.fault is None)
    if whole.fault is None:
        assert whole.content() == split.content()
        assert whole.eight_bit == split.eight_bit
        assert whole.received == split.received == len(stream) - len(whole_rest or b"")


@given(lines, st.lists(st.integers(0, 1000), max_size=8))
def test_it_agrees_with_the_book(body: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(line + b"\r\n" for line in body) + b".\r\nQUIT\r\n"
    reader, rest = read(stream, cuts)
    message, expected_rest = by_the_book(stream)
    assert rest == expected_rest
    clean = stream[: len(stream) - len(expected_rest)]
    dirty = re.search(rb"\r(?!\n)|(?<!\r)\n|\0", clean)
    assert (reader.fault is not None) == (dirty is not None)
    if reader.fault is None:
        assert reader.content() == message
        assert reader.eight_bit == (not message.isascii())


@given(st.text(alphabet="\r\n\0x\xff", max_size=12))
def test_a_fault_is_named_by_what_stands_there(text: str) -> None:
    lines = "\r\n" + text
    expected = None
    if re.search(r"(?<!\r)\n", lines):
        expected = Fault.BARE_LF
    elif re.search(r"\r(?!\n)", lines):
        expected = Fault.BARE_CR
    elif "\0" in lines:
        expected = Fault.NUL
    assert line_fault(lines, LINE) is expected


@pytest.mark.parametrize("cuts", [[], list(range(300))], ids=["whole", "octet by octet"])
@pytest.mark.parametrize(
    ("stream", "fault"),
    [
        (b"a\rb\r\n.\r\n", Fault.BARE_CR),
        (b"a\nb\r\n.\r\n", Fault.BARE_LF),
        (b"a\0b\r\n.\r\n", Fault.NUL),
        (b"a\r\r\n.\r\n", Fault.BARE_CR),
        (b"x" * 58 + b"\r\n.\r\n", None),
        (b"x" * 59 + b"\r\n.\r\n", Fault.LONG_LINE),
        (b"y\r\n" + b"x" * 59 + b"\r\nz\r\n.\r\n", Fault.LONG_LINE),
        (b"y\r\n" + b"x" * 200 + b"\r\n.\r\n", Fault.LONG_LINE),
        (b".\r\n", None),
    ],
)
def test_faults(stream: bytes, fault: Fault | None, cuts: list[int]) -> None:
    reader, rest = read(stream, cuts)
    assert rest == b""
    assert reader.fault is fault


def test_many_long_lines_within_the_limit_are_fine() -> None:
    stream = b"".join(b"x" * length + b"\r\n" for length in (0, 58, 57, 1, 58, 58, 58, 0, 58))
    reader, _ = read(stream + b".\r\n", [])
    assert reader.fault is None
    assert reader.content() == stream


@pytest.mark.parametrize("line", [b"x" * 59 + b"\r\n", b"x" * 61], ids=["lines", "one endless line"])
def test_endless_data_is_not_kept(line: bytes) -> None:
    reader = DataReader(1000, 10_000)
    for _ in range(500):
        assert reader.feed(line) is None
        assert reader.held < 11_000
    assert reader.fault is not None
    assert reader.feed(b"\r\n.\r\nNOOP\r\n") == b"NOOP\r\n"


def test_size_counts_octets_as_stored() -> None:
    exact = DataReader(10, LINE)
    exact.feed(b"....\r\nab\r\n.\r\n")
    assert exact.fault is None  # nine octets: the stuffed dot is not stored
    over = DataReader(8, LINE)
    over.feed(b"....\r\nab\r\n.\r\n")
    assert over.fault is Fault.SIZE


async def test_an_error_inside_data_ends_the_session_and_runs_no_line_of_the_mail(
    open_house: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were the session to go on, what is left of the mail would be read as commands."""

    def broken(_reader: DataReader, _chunk: bytes) -> bytes | None:
        raise MemoryError("a secret")

    house = await open_house()
    client = await house.connect()
    await client.greet()
    await client.envelope()
    monkeypatch.setattr(DataReader, "feed", broken)
    smuggled = b"MAIL FROM:<alice@sports.example.jp>\r\nRCPT TO:<eve@example.net>\r\nDATA\r\n\r\nhi\r\n.\r\n"
    await client.send(b"Subject: x\r\n" + smuggled + b"\r\n.\r\n")
    reply = await client.reply()
    assert reply.startswith("451 4.3.0 ")
    assert "secret" not in reply
    assert await client.line() == b""
    assert house.taken.mails == []
