"""Address lists: the strict reading is certain or says that it is not; the scan misses nobody."""

from __future__ import annotations

from email.utils import getaddresses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.message.address import AddressError, normalise_domain
from gateway.message.address_list import parse_mailboxes, scan
from gateway.message.address_plain import plain_addresses
from gateway.message.address_scan import MAX_SCAN, lenient
from gateway.message.header import split


def read(value: bytes) -> tuple[list[tuple[str, str]], bool]:
    boxes = parse_mailboxes(value)
    return [(item.name, str(item.address)) for item in boxes.items], boxes.confident


def found(value: bytes) -> list[str]:
    return [str(address) for address in scan(value)]


JIS_NAME = "山田、太郎".encode("iso2022_jp")
# In ISO-2022-JP these characters hold the octets , ; " and @.
JIS_TRAPS = "猟漆寝先".encode("iso2022_jp")


@pytest.mark.parametrize(
    ("value", "items"),
    [
        (b"", []),
        (b"a@example.jp", [("", "a@example.jp")]),
        (b"<a@example.jp>", [("", "a@example.jp")]),
        (b"a@example.jp,b@example.jp", [("", "a@example.jp"), ("", "b@example.jp")]),
        (b" , a@example.jp,, ", [("", "a@example.jp")]),
        (b'"Yamada, Taro" <a@example.jp>', [("Yamada, Taro", "a@example.jp")]),
        (b'"a \\"b\\" c" <a@example.jp>', [('a "b" c', "a@example.jp")]),
        (b"John Q. Public <a@example.jp>", [("John Q. Public", "a@example.jp")]),
        (b"a@example.jp (Yamada (Taro))", [("Yamada (Taro)", "a@example.jp")]),
        (b"(x)a(y)@(z)example.jp", [("z", "a@example.jp")]),
        (b"a @ example . jp", [("", "a@example.jp")]),
        (b"Taro\r\n <a@example.jp>,\r\n\tb@example.jp\r\n", [("Taro", "a@example.jp"), ("", "b@example.jp")]),
        (b"=?utf-8?B?5bGx55Sw?= <a@example.jp>", [("山田", "a@example.jp")]),
        (b"=?utf-8?B?5bE=?= =?utf-8?B?seeUsA==?= <a@example.jp>", [("山田", "a@example.jp")]),
        (b'"=?utf-8?B?5bGx55Sw?=" <a@example.jp>', [("山田", "a@example.jp")]),
        ("山田 太郎 <a@example.jp>".encode(), [("山田 太郎", "a@example.jp")]),
        (JIS_NAME + b" <a@example.jp>", [("山田、太郎", "a@example.jp")]),
        (JIS_TRAPS + b" <a@example.jp>, b@example.jp", [("猟漆寝先", "a@example.jp"), ("", "b@example.jp")]),
        (b"undisclosed-recipients:;", []),
        (b"undisclosed-recipients: ; (none)", []),
        (b"Team: a@example.jp, B <b@example.jp>;", [("", "a@example.jp"), ("B", "b@example.jp")]),
        (b"Team: a@example.jp;, c@example.jp", [("", "a@example.jp"), ("", "c@example.jp")]),
        (b'"quoted.local part"@example.jp', [("", '"quoted.local part"@example.jp')]),
        (b"ok@example.jp, .x@ezweb.example.jp, foo..bar@docomo.example.jp", [
            ("", "ok@example.jp"), ("", ".x@ezweb.example.jp"), ("", "foo..bar@docomo.example.jp"),
        ]),
        (b"a@[192.0.2.1]", [("", "a@[192.0.2.1]")]),
        (b"<@relay.example.com,@b.example.com:a@example.jp>", [("", "a@example.jp")]),
        (b'"evil@example.com" <ok@example.jp>', [("evil@example.com", "ok@example.jp")]),
        ("たろう@例え.jp".encode(), [("", "たろう@xn--r8jz45g.jp")]),
    ],
)  # fmt: skip
def test_values_that_are_understood(value: bytes, items: list[tuple[str, str]]) -> None:
    assert read(value) == (items, True)


@pytest.mark.parametrize(
    ("value", "items"),
    [
        (b"a@example.jp; b@example.jp", ["a@example.jp", "b@example.jp"]),
        (b"a@example.jp;b@example.jp;", ["a@example.jp", "b@example.jp"]),
        (b"a@example.jp b@example.jp", []),
        (b"Yamada, Taro <a@example.jp>", ["a@example.jp"]),
        (b"Team: a@example.jp", ["a@example.jp"]),
        (b"A: B: a@example.jp;;", ["a@example.jp"]),
        (b": a@example.jp;", ["a@example.jp"]),
        (b"Taro", []),
        (b"<>", []),
        (b"a@example.jp <b@example.jp>", []),
        (b"<a@example.jp> <b@example.jp>", []),
        (b"<a@example.jp> trailing", []),
        (b"a@example.jp (open", []),
        (b'"open <a@example.jp>', []),
        (b"a@example.jp, [x", ["a@example.jp"]),
        (b"a@example.jp, b@exa\\mple.jp", ["a@example.jp"]),
        (b"a@example.jp\r\nBcc: b@example.jp", []),
        (b"a@example.jp\n, b@example.jp", []),
        (b"a@example.jp, b\x00@example.jp", ["a@example.jp"]),
        (b"a@example.jp (\x01), b@example.jp", []),
        ("山田表 <a@example.jp>".encode("cp932"), ["a@example.jp"]),
        ("山田 <a@example.jp>".encode("euc_jp"), ["a@example.jp"]),
        (b"=?utf-8?q?Yamada, Taro?= <a@example.jp>", ["a@example.jp"]),
        (b"\x1b$B;3ED <a@example.jp>", []),
    ],
)
def test_values_that_are_not_understood_say_so(value: bytes, items: list[str]) -> None:
    boxes = parse_mailboxes(value)
    assert not boxes.confident
    assert set(items) <= {str(item.address) for item in boxes.items}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"", set()),
        (b"@ home", set()),
        (b"a@example.jp; b@example.jp", {"a@example.jp", "b@example.jp"}),
        (b"a@example.jp b@example.jp c@example.jp", {"a@example.jp", "b@example.jp", "c@example.jp"}),
        (b"a@example.jp/b@example.jp", {"a@example.jp", "example.jp/b@example.jp"}),
        (b'"evil@example.com" <ok@example.jp>', {"evil@example.com", "ok@example.jp"}),
        (b"'a@example.jp' <a@example.jp>", {"a@example.jp"}),
        (b"<mailto:a@example.jp>", {"a@example.jp"}),
        (b"&lt;a@example.jp&gt;", {"a@example.jp"}),
        (b"a@example.jp (open, b@example.jp", {"a@example.jp", "b@example.jp"}),
        (b"x (b@example.jp) <a@example.jp>", {"a@example.jp", "b@example.jp"}),
        (b"a(x)@(y)example(z).jp", {"a@example.jp"}),
        (b"a @\r\n example\r\n .jp", {"a@example.jp"}),
        (b"taro@exam\r\n ple.jp; b@example.jp", {"taro@example.jp", "b@example.jp"}),
        (b"=?utf-8?q?a=40example=2Ejp?=", {"a@example.jp"}),
        (b"=?utf-8?B?YUBleGFt?= =?utf-8?B?cGxlLmpw?=", {"a@example.jp"}),
        (b"=?utf-8?q?a=40example=2Ejp", {"a@example.jp"}),
        (b"=?utf-8?B?YUBleGFtcGxlLmpw?= <b@example.jp>", {"a@example.jp", "b@example.jp"}),
        ("山田＜a＠example．jp＞".encode(), {"a@example.jp"}),
        ("a@例え.jp、b@example.jp".encode(), {"a@xn--r8jz45g.jp", "b@example.jp"}),
        ("a\u3000@\u3000example.jp".encode(), {"a@example.jp"}),
        ("a\u200b@ex\u00adample.jp".encode(), {"a@example.jp"}),
        (b"\x1b$B;3ED <a@example.jp>", {"a@example.jp"}),
        (JIS_TRAPS + b"<a@example.jp>; b@example.jp", {"a@example.jp", "b@example.jp"}),
        ("表能ソ<a@example.jp>;b@example.jp".encode("cp932"), {"a@example.jp", "b@example.jp"}),
        (b"\xff\xfea@example.jp\xff", {"a@example.jp"}),
        (b"a@example.jp\r\nBcc: b@example.jp\rc@example.jp\nd@example.jp",
         {"a@example.jp", "b@example.jp", "c@example.jp", "d@example.jp"}),
        (b"a@example.jp.", {"a@example.jp"}),
        (b"a@[192.0.2.1]; x", {"a@[192.0.2.1]"}),
        (b'"a b"@example.jp; x', {'"a b"@example.jp'}),
    ],
)  # fmt: skip
def test_the_scan_finds_everybody(value: bytes, expected: set[str]) -> None:
    assert expected <= set(found(value))


@pytest.mark.parametrize(
    "value",
    [
        b"Taro Yamada <a@example.jp>",
        b'"Yamada, Taro" <a@example.jp>',
        b"'a@example.jp' <a@example.jp>",
        b'"a@example.jp" <A@EXAMPLE.JP>',
        b"Taro (Tennis Club) <a@example.jp>",
        b"Taro @ home. <a@example.jp>",
        b"=?utf-8?B?5bGx55Sw?= <a@example.jp>",
        JIS_TRAPS + b" <a@example.jp>",
        b"Team: a@example.jp;",
    ],
)
def test_the_scan_does_not_make_two_of_one(value: bytes) -> None:
    assert len(scan(value)) == 1


entries = st.sampled_from(
    [
        b"a@example.jp", b"B@Example.com.", b"Taro Y <c@example.net>", b'"Q, x" <d@example.org>', b"E. F. <e@x.example.jp>",
        b"=?utf-8?B?5bGx55Sw?= <g@example.jp>", b"h@localhost", b"i'j@example.jp", b"(k)l@example.jp", b"m @example.jp",
        b"n@-x.example.jp", b"<o@example.jp>", b"T: p@example.jp;", "山<q@example.jp>".encode(), b'"r s"@example.jp',
    ],
)  # fmt: skip
lists = st.lists(entries, max_size=6).flatmap(
    lambda parts: st.sampled_from([b",", b", ", b",\r\n ", b" ,\t", b";"]).map(
        lambda comma: comma.join(parts)
    ),
)
PIECES = rb"""a@b.jp|@|.|,|;|:|<|>|"|(|)|\\|=?utf-8?q?|?=|=?iso-2022-jp?B?GyRC|[|]|x"""
noise = st.lists(
    st.sampled_from(
        [
            *PIECES.split(b"|"),
            b" ",
            b"\r\n ",
            b"\x1b$B",
            b"\x1b(B",
            b"\x81",
            "山".encode(),
            b"\r",
            b"\n",
            b"\x00",
        ]
    ),
    max_size=30,
).map(b"".join)


@given(lists | noise | st.binary(max_size=80))
def test_the_scan_finds_at_least_what_the_strict_reading_finds(value: bytes) -> None:
    strict = {item.address.key for item in parse_mailboxes(value).items}
    assert strict <= {address.key for address in scan(value)} or not parse_mailboxes(value).confident


@given(lists)
def test_the_short_cut_says_what_the_full_reading_says(value: bytes) -> None:
    unfolded = value.replace(b"\r\n", b"")
    plain = plain_addresses(unfolded)
    if plain is not None:
        boxes = parse_mailboxes(unfolded)
        assert boxes.confident
        assert [item.address for item in boxes.items] == list(plain)
        if b"=?" not in unfolded:
            assert {address.key for address in lenient(unfolded)} <= {address.key for address in plain}


@given(st.lists(st.sampled_from("abcXYZ019.-_+"), min_size=1, max_size=8).map("".join), st.text(max_size=12))
def test_an_address_is_found_whatever_stands_around_it(local: str, around: str) -> None:
    value = f"{around} <{local}@example.jp> {around}".encode("utf-8", "replace")
    assert f"{local}@example.jp".casefold() in {address.key for address in scan(value)}


HOSTILE = [
    b"a@",
    b"@",
    b"a",
    b"(",
    b'"a@',
    b"=?utf-8?q?",
    b"a@b.jp,",
    b"\\",
    b" @",
    b". ",
    b'"\\',
    b"<",
    b":",
    b"\x1b$B",
    b"=?",
]


@pytest.mark.parametrize(
    "unit", [*HOSTILE, b"=?x?b?", b"\xe5", b"\x81@", b"\r\n ", b"(\\", b"a ", b'""', b"x<a@b.jp>"]
)
def test_hostile_values_end(unit: bytes) -> None:
    value = unit * (200_000 // len(unit))
    assert not parse_mailboxes(value).confident
    assert len(scan(value)) <= len(value)


def test_beyond_the_bound_nothing_is_certain() -> None:
    assert not parse_mailboxes(b"a@example.jp, " * (MAX_SCAN // 14 + 2)).confident


@pytest.mark.corpus
def test_the_scan_finds_what_the_standard_library_finds(corpus: list[tuple[str, bytes]]) -> None:
    compared = 0
    for name, raw in corpus:
        for field in split(raw)[0].fields:
            if field.name not in ("to", "cc") or len(field.raw) > 5000:
                continue
            keys = {address.key for address in scan(field.body)}
            for address in _plausible(field.value):
                assert address in keys, (name, field.value)
                compared += 1
    assert compared > 500


def _plausible(value: bytes) -> list[str]:
    """Return what getaddresses reads as addresses whose local part and domain hold nothing odd."""
    keys = []
    for _, address in getaddresses([value.decode("ascii", "replace")]):
        local, _, domain = address.rpartition("@")
        if (
            not local
            or "." not in domain
            or set(address) & set(" \"'<>,;:()[]\\\ufffd@\t\r\n") - {"@"}
            or "@" in local
        ):
            continue
        try:
            keys.append(f"{local.casefold()}@{normalise_domain(domain)}")
        except AddressError:
            continue
    return keys
