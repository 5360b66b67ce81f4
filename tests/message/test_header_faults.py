"""What a header section is refused for, and what is let through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.message.header_faults import MAX_FIELD_OCTETS, MAX_FIELDS, header_faults


@pytest.mark.parametrize(
    ("header", "word"),
    [
        (b"Subject: hi\rBcc: evil@example.com\r\n\r\n", "bare CR in line 1"),
        (b"To: a\r\nSubject: hi\nBcc: x\r\n\r\n", "bare LF in line 2"),
        (b"To: a\x00b\r\n", "NUL"),
        (b"To: a\x0bX-Injected: 1\r\n", "control character"),
        (b"To: a\x0cb\r\n", "control character"),
        (b"To: a\x1cb\r\n", "control character"),
        (b"To: a\x1fb\r\n", "control character"),
        (b"To: a\x1b[2J\r\n", "escape octet"),
        (b"To: a\x1b", "escape octet"),
        (b"To: a\r", "bare CR"),
        (b"A: b\r\n" * (MAX_FIELDS + 1), "more than 1000 fields"),
        (b"A: " + b"b" * MAX_FIELD_OCTETS + b"\r\n", "longer than 100000 octets"),
        (b"A: b\r\n" + b"B: c\r\n" + b" d\r\n" * 30_000, "longer than 100000 octets"),
    ],
)
def test_faults_are_named(header: bytes, word: str) -> None:
    fault = header_faults(header)
    assert fault is not None
    assert word in fault
    assert fault.isascii()


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"\r\n",
        b"To: a\tb\r\n\r\n",
        b"To: \x1b$B;3ED\x1b(B <a@example.jp>\r\n",
        b"To: \x1b$@;3\x1b(J \x1b(I1\x1b(B \x1b$(D01\x1b(B\r\n",
        "To: 山田 <a@example.jp>\r\n".encode("cp932"),
        b"A: b\r\n" * MAX_FIELDS,
        b"A: b\r\n" + b" folded\r\n" * 5000,
        b"no colon\r\n first\r\n",
    ],
)
def test_ordinary_and_merely_odd_sections_pass(header: bytes) -> None:
    assert header_faults(header) is None


@given(st.binary(max_size=60) | st.text("\r\n\x0b\x1b$(BaT: ", max_size=40).map(str.encode))
def test_a_section_that_passes_has_no_line_end_but_crlf(header: bytes) -> None:
    if header_faults(header) is None:
        rest = header.replace(b"\r\n", b"")
        assert not set(rest) & (set(range(32)) - {9, 27})
