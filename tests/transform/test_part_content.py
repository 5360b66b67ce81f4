"""The octets of a file in a mail, and encodings that readers read in different ways."""

from __future__ import annotations

import base64
import binascii

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.message.header import split
from gateway.message.mime import scan_structure
from gateway.transform import part_content
from gateway.transform.part_content import Undecodable, content_of


def read(body: bytes, encoding: str) -> bytes:
    raw = (
        b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: "
        + encoding.encode()
        + b"\r\n\r\n"
        + body
    )
    header, body_at = split(raw)
    return b"".join(content_of(raw, scan_structure(raw, header, body_at).parts[0]))


@given(st.binary(max_size=2000), st.integers(1, 100))
def test_base64_whatever_the_lines(octets: bytes, width: int) -> None:
    digits = base64.b64encode(octets)
    lines = b"\r\n".join(digits[at : at + width] for at in range(0, len(digits), width))
    assert read(lines + b"\r\n", "base64") == octets
    assert read(lines.rstrip(b"=") + b" \t\r\n\r\n", "base64") == octets


@given(st.binary(max_size=1000), st.integers(1, 9))
def test_chunks_do_not_matter(octets: bytes, size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(part_content, "CHUNK", size)
        assert read(base64.encodebytes(octets).replace(b"\n", b"\r\n"), "base64") == octets
        assert (
            read(binascii.b2a_qp(octets, istext=False).replace(b"\n", b"\r\n"), "quoted-printable") == octets
        )
        assert read(octets, "binary") == octets


@pytest.mark.parametrize(
    "body",
    [b"QUJD!", b"QUJDR", b"QQ==QUJD", b"QQ==\r\nQUJD", b"QQ===", b"QUJD=", b"=", b"Q=JD", b"QUJD\r\nCheerio!", b"QU*D"],
)  # fmt: skip
def test_base64_that_readers_differ_about(body: bytes) -> None:
    with pytest.raises(Undecodable) as refused:
        read(body, "base64")
    assert refused.value.reason == "bad-base64"


@pytest.mark.parametrize("body", [b"a=b", b"a=4", b"=\t\r\nb", b"=zz", b"= 41"])
def test_quoted_printable_that_readers_differ_about(body: bytes) -> None:
    with pytest.raises(Undecodable) as refused:
        read(body, "quoted-printable")
    assert refused.value.reason == "bad-quoted-printable"


def test_quoted_printable_text() -> None:
    assert read(b"=E6=97=A5, a=\r\nb\r\n", "quoted-printable") == "日, ab\r\n".encode()
