"""What a copy says is found whatever charset and encoding it is in, and is never longer than a page can bear."""

from __future__ import annotations

import base64
import quopri

import pytest

from gateway.console.mail import letter

TEXT = "テニス教室のお知らせ①㈱"


def single(charset: str, octets: bytes, kind: str = "plain", encoding: str = "8bit") -> bytes:
    head = f"Content-Type: text/{kind}; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode() + octets


@pytest.mark.parametrize(
    ("charset", "codec"),
    [("iso-2022-jp", "cp932"), ("shift_jis", "cp932"), ("euc-jp", "euc_jp"), ("utf-8", "utf-8")],
)
@pytest.mark.parametrize("encoding", ["8bit", "base64", "quoted-printable"])
def test_japanese_in_every_coat(charset: str, codec: str, encoding: str) -> None:
    text = TEXT if codec in ("utf-8", "cp932") else TEXT[:-2]
    octets = text.encode(codec)
    encoded = {
        "8bit": octets,
        "base64": base64.encodebytes(octets),
        "quoted-printable": quopri.encodestring(octets),
    }
    assert letter.read(single(charset, encoded[encoding], encoding=encoding)).plain.strip() == text


def test_real_iso_2022_jp() -> None:
    octets = "テニス教室".encode("iso2022_jp")
    assert letter.read(single("ISO-2022-JP", octets, encoding="7bit")).plain == "テニス教室"


def test_attachments_and_mails_inside_are_not_the_text() -> None:
    raw = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nours\r\n--b\r\nContent-Type: text/plain\r\n"
        b"Content-Disposition: attachment; filename=a.txt\r\n\r\nfile\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
        b"Subject: x\r\n\r\ntheirs\r\n--b\r\nContent-Type: text/plain\r\n\r\nbelow\r\n--b--\r\n"
    )
    assert letter.read(raw).plain.split() == ["ours", "below"]


def test_the_plain_form_counts_where_there_are_both() -> None:
    raw = (
        b"Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nplain\r\n--b\r\nContent-Type: text/html\r\n\r\n"
        b"<p>html</p>\r\n--b--\r\n"
    )
    read = letter.read(raw)
    assert (read.plain, read.html, read.from_html) == ("plain", "<p>html</p>", False)


@pytest.mark.parametrize("encoding", ["7bit", "base64"])
def test_a_text_without_end_is_cut_and_says_so(encoding: str) -> None:
    octets = b"x" * (13 * letter.MAX_TEXT)
    read = letter.read(
        single("us-ascii", base64.b64encode(octets) if encoding == "base64" else octets, encoding=encoding)
    )
    assert read.cut
    assert len(read.plain) == letter.MAX_TEXT


def test_white_space_that_stands_for_nothing_is_not_read_for_ever() -> None:
    read = letter.read(single("us-ascii", b" " * (13 * letter.MAX_TEXT) + b"eA==", encoding="base64"))
    assert read.cut
    assert read.plain == ""


def test_no_octets_are_too_odd(corpus: list[tuple[str, bytes]]) -> None:
    for name, raw in corpus:
        read = letter.read(raw)
        assert len(read.plain) <= letter.MAX_TEXT, name
        assert len(read.html) <= letter.MAX_HTML, name
