"""Header values to text and back, in the forms that clients really write."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.message import charset
from gateway.message.text import MAX_PLAIN_OCTETS, decode_header, encode_header


def word(label: str, octets: bytes) -> bytes:
    return b"=?" + label.encode() + b"?B?" + base64.b64encode(octets) + b"?="


JIS = "iso2022_jp"
# The circled one and half-width katakana, as Windows puts them into ISO-2022-JP (CP50221).
CIRCLED_ONE = b"\x1b$B-!\x1b(B"
HALF_WIDTH = b"\x1b(I\x31\x32\x1b(B"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"", ""),
        (b"plain", "plain"),
        (b" folded\r\n value ", "folded value"),
        (b"=?utf-8?B?5bGx55Sw?=", "山田"),
        (b"=?UTF-8?b?5bGx55Sw?=", "山田"),
        (b"=?utf-8?q?a_b=20=E5=B1=B1?=", "a b 山"),
        (b"=?utf-8?Q?a b c?=", "a b c"),
        (b"=?utf-8*ja?B?5bGx?=", "山"),
        (b"x =?utf-8?q?a?= y =?utf-8?q?b?= z", "x a y b z"),
        (b"=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        (b"=?utf-8?q?a?=\r\n\t=?iso-8859-1?q?=E9?=", "aé"),
        (b"=?utf-8?B?5bE=?= =?utf-8?B?seeUsA==?=", "山田"),
        (b"=?utf-8?q?=E5=B1?= =?utf-8?b?sQ==?=", "山"),
        (b"=?utf-8?B?5bGx55Sw", "山田"),
        (b"=?utf-8?q?half", "half"),
        (b"=?utf-8?q?a =?utf-8?q?b?=", "a b"),
        (b"=?utf-8?B?5bGx55S?=", "山\ufffd"),
        (b"=?utf-8?B?5bGx 55Sw?=", "山田"),
        (b"=?utf-8?q?what??=", "what?"),
        (b"=?unknown-8bit?B?5bGx?=", "山"),
        (b"=?x-none?q?=E5=B1=B1?=", "山"),
        (b"=?us-ascii?q?=E5=B1=B1?=", "山"),
        (b"=?utf-8?B?" + base64.b64encode("山田".encode("cp932")) + b"?=", "山田"),
        (word("iso-2022-jp", "山田".encode(JIS)), "山田"),
        (word("ISO-2022-JP", CIRCLED_ONE), "①"),
        (word("iso-2022-jp", HALF_WIDTH), "ｱｲ"),
        (word("iso-2022-jp", "山田".encode("cp932")), "山田"),
        (word("shift_jis", "①㈱髙﨑".encode("cp932")), "①㈱髙﨑"),
        (word("ms932", "①".encode("cp932")), "①"),
        (word("euc-jp", "山田".encode("euc_jp")), "山田"),
        (word("gb2312", "你好".encode("gb18030")), "你好"),
        (word("ks_c_5601-1987", "안녕".encode("cp949")), "안녕"),
        ("山田".encode(), "山田"),
        ("山田".encode(JIS), "山田"),
        ("山田様".encode("cp932"), "山田様"),
        ("山田太郎様".encode("euc_jp"), "山田太郎様"),
        (b"\x1b$B;3ED", "山田"),
        (b"\x1b$B;3E", "山\ufffd"),
        (b"=?utf-8?q?a=0D=0ABcc:_b?=", "a  Bcc: b"),
        (b"=?utf-8?q?=1B[31m?=", " [31m"),
        (b"=?utf-8?q?=E2=80=A8?=", " "),
        (b"a\x0bb\x00c\x85", "a b c\u2026"),
        (b"=??q?x?=", "x"),
        (b"=?utf-8?x?y?=", "=?utf-8?x?y?="),
    ],
)
def test_values_decode(value: bytes, text: str) -> None:
    assert decode_header(value) == text


def test_words_cut_inside_a_jis_character_are_whole_again() -> None:
    octets = "山田太郎".encode(JIS)
    assert (
        decode_header(word("iso-2022-jp", octets[:6]) + b"\r\n " + word("iso-2022-jp", octets[6:]))
        == "山田太郎"
    )


@given(
    st.binary(max_size=120)
    | st.lists(st.sampled_from([b"=?", b"utf-8", b"?q?", b"?B?", b"?=", b"=", b" ", b"\x1b$B", b"a"])).map(
        b"".join
    )
)
def test_decoding_never_raises_and_gives_one_line(value: bytes) -> None:
    text = decode_header(value)
    assert len(text.splitlines()) <= 1
    assert not any(ord(character) < 32 or ord(character) == 127 for character in text)
    text.encode()


@given(st.text(max_size=200).map(lambda text: decode_header(text.encode("utf-8", "replace"))))
def test_what_is_encoded_decodes_to_the_same(text: str) -> None:
    value = encode_header(text)
    assert value.isascii()
    assert decode_header(value) == text.strip(" ") or decode_header(value) == text


@given(st.text())
def test_encoded_values_keep_to_the_line(text: str) -> None:
    value = encode_header(text)
    assert all(line.startswith(b" ") for line in value.split(b"\r\n")[1:])
    assert all(len(line) <= 76 for line in value.split(b"\r\n")) or b"\r\n" not in value
    assert not set(value.replace(b"\r\n ", b"")) & {0, 10, 13, 27}


def test_plain_ascii_stays_plain_until_it_is_too_long() -> None:
    assert encode_header("Plain: text") == b"Plain: text"
    assert encode_header("a\r\nBcc: b") == b"a  Bcc: b"
    assert encode_header("=?utf-8?q?x?=").startswith(b"=?utf-8?b?")
    assert decode_header(encode_header("x" * (MAX_PLAIN_OCTETS + 1))) == "x" * (MAX_PLAIN_OCTETS + 1)


@pytest.mark.parametrize(
    "label", ["rot13", "hex", "idna", "punycode", "unicode_escape", "zlib", "mbcs", "../x", "", "undefined"]
)
def test_codecs_that_are_no_charset_are_not_used(label: str) -> None:
    assert not charset.known(label)
    assert charset.decode(b"abc", label) == "abc"


def test_every_codec_of_the_table_exists() -> None:
    for label in charset.labels():
        assert isinstance("".encode(charset.codec(label)), bytes)


@given(st.binary(max_size=60), st.sampled_from(sorted(charset.labels())))
def test_no_charset_raises(octets: bytes, label: str) -> None:
    charset.decode(octets, label)


@pytest.mark.parametrize(
    "unit", [b"=?utf-8?q?", b"=?utf-8?q?a?= ", b"=?", b"?=", b"\x1b$B", b"\x1b$B!", b"=?a?b?"]
)
def test_hostile_values_end(unit: bytes) -> None:
    value = unit * (500_000 // len(unit))
    assert len(decode_header(value)) <= len(value)


def test_utf8_beside_a_jis_name_is_read_as_what_it_is_and_never_certain() -> None:
    text, certain = charset.guess("zoë@example.com, ".encode() + "山田".encode(JIS) + b" <t@example.com>")
    assert text == "zoë@example.com, 山田 <t@example.com>"
    assert not certain
    assert charset.guess("山田".encode(JIS) + b" <t@example.com>") == ("山田 <t@example.com>", True)
