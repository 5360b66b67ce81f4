"""The parts of a mail by offset: names as people see them, what is unclear said in closed words, bounds kept."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.message.header import split
from gateway.message.mime import MAX_DEPTH, MAX_PARTS, UNCLEAR, Part, Structure, scan_structure


def scanned(raw: bytes) -> Structure:
    header, body_at = split(raw)
    return scan_structure(raw, header, body_at)


def mixed(*parts: bytes, kind: bytes = b"mixed", boundary: bytes = b"=_b", end: bytes = b"--\r\n") -> bytes:
    head = b"Content-Type: multipart/" + kind + b'; boundary="' + boundary + b'"\r\n\r\npreamble\r\n'
    return (
        head
        + b"".join([b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts])
        + b"--"
        + boundary
        + end
    )


TEXT = b"Content-Type: text/plain\r\n\r\nhello"


def attached(disposition: bytes, kind: bytes = b"application/octet-stream") -> bytes:
    return b"Content-Type: " + kind + b"\r\nContent-Disposition: " + disposition + b"\r\n\r\nx"


def names(raw: bytes) -> list[str]:
    return [part.name for part in scanned(raw).parts if part.is_attachment]


def test_offsets_cut_out_header_and_body() -> None:
    raw = mixed(TEXT, attached(b"attachment; filename=a.txt"))
    structure = scanned(raw)
    top, text, file = structure.parts
    assert structure.unclear == frozenset()
    assert (top.content_type, top.depth, raw[top.body_at :][:8]) == ("multipart/mixed", 0, b"preamble")
    assert raw[text.header_at : text.body_at] == b"Content-Type: text/plain\r\n\r\n"
    assert raw[text.body_at : text.end] == b"hello"
    assert raw[file.body_at : file.end] == b"x"
    assert (file.name, file.depth, file.within) == ("a.txt", 1, "multipart/mixed")
    assert top.end == len(raw)


JIS = "議事録、予算.xlsx".encode("iso2022_jp")
SJIS = "予算表示能.xlsx".encode("cp932")


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        (b"attachment; filename=a.txt", "a.txt"),
        (b'attachment; filename="a b;c.txt"', "a b;c.txt"),
        (b"attachment; filename=my file.txt", "my file.txt"),
        (b"ATTACHMENT ; FileName = a.txt", "a.txt"),
        (b"attachment filename=a.txt", "a.txt"),
        (b'attachment;\r\n filename="a.txt"', "a.txt"),
        (b'attachment; filename="open.txt', "open.txt"),
        (b"attachment; filename*=utf-8''%E4%BA%88%E7%AE%97.xlsx", "予算.xlsx"),
        (b"attachment; filename*=iso-2022-jp'ja'%1B%24B%4D%3D%3B%3B%1B%28B.xlsx", "予算.xlsx"),
        (b"attachment; filename*=Shift_JIS''%97%5C%8EZ.xlsx", "予算.xlsx"),
        (b"attachment; filename*0*=utf-8''%E4%BA%88; filename*1*=%E7%AE%97; filename*2=.xlsx", "予算.xlsx"),
        (b"attachment; filename*1*=%E7%AE%97.xlsx; filename*0*=utf-8''%E4%BA%88", "予算.xlsx"),
        (b"attachment; filename*0=long; filename*1=name.txt", "longname.txt"),
        (b"attachment; filename*0*=utf-8''%E4%BA; filename*1*=%88.txt", "予.txt"),
        (b"attachment; filename=old.xlsx; filename*=utf-8''new.xlsx", "new.xlsx"),
        (b'attachment; filename="=?utf-8?B?5LqI566X?=.xlsx"', "予算.xlsx"),
        (b"attachment; filename==?utf-8?B?5LqI566XLnhsc3g=?=", "予算.xlsx"),
        (b'attachment; filename="=?iso-2022-jp?B?GyRCTT07OxsoQi54?=\r\n =?iso-2022-jp?B?bHN4?="', "予算.xlsx"),
        (b'attachment; filename="' + JIS + b'"', "議事録、予算.xlsx"),
        (b'attachment; filename="' + SJIS + b'"', "予算表示能.xlsx"),
        ('attachment; filename="予算.xlsx"'.encode(), "予算.xlsx"),
        (b'attachment; filename="../../etc/passwd"', ".._.._etc_passwd"),
        (b'attachment; filename="C:\\\\dir\\\\a.txt"', "C__dir_a.txt"),
        ("attachment; filename=\"a\u202etxt.exe\"".encode(), "a_txt.exe"),
        (b"attachment; filename*=utf-8''a%0d%0aBcc%3A%20x.txt", "a  Bcc_ x.txt"),
        (b"attachment; filename*=utf-8''" + b"x" * 400 + b".exe", "x" * 251 + ".exe"),
        (b"attachment", ""),
        (b"attachment; filename*=broken", "broken"),
        (b"attachment; filename*0*=none'x; filename*1=y", "none'xy"),
        (b"attachment; =; ;;; filename=a.txt", "a.txt"),
        (b"filename=a.txt", "a.txt"),
    ],
)  # fmt: skip
def test_names_are_what_people_see(disposition: bytes, name: str) -> None:
    assert names(mixed(TEXT, attached(disposition))) == [name]


def test_the_type_may_carry_the_name() -> None:
    assert names(mixed(TEXT, b"Content-Type: image/png; name=a.png\r\n\r\nx")) == ["a.png"]


def structure_of(part: bytes, kind: bytes = b"mixed") -> Part:
    return scanned(mixed(TEXT, part, kind=kind)).parts[2]


@pytest.mark.parametrize(
    ("part", "kind", "attachment", "inline"),
    [
        (TEXT, b"mixed", False, False),
        (b"\r\nno header", b"mixed", False, False),
        (b"Content-Type: text/html\r\n\r\n<p>", b"alternative", False, False),
        (b"Content-Type: text/calendar\r\n\r\nx", b"alternative", False, False),
        (b"Content-Type: text/plain; name=a.txt\r\n\r\nx", b"mixed", True, False),
        (b"Content-Disposition: attachment\r\n\r\nx", b"mixed", True, False),
        (b"Content-Type: image/png\r\n\r\nx", b"mixed", True, False),
        (b"Content-Type: image/png\r\nContent-ID: <a>\r\n\r\nx", b"mixed", True, False),
        (b"Content-Type: image/png\r\nContent-ID: <a>\r\n\r\nx", b"related", True, True),
        (
            b"Content-Type: image/png; name=l.png\r\nContent-ID: <a>\r\nContent-Disposition: inline\r\n\r\nx",
            b"related",
            True,
            True,
        ),
        (b"Content-Type: image/png; name=l.xlsx\r\nContent-ID: <a>\r\n\r\nx", b"related", True, False),
        (
            b"Content-Type: image/png\r\nContent-ID: <a>\r\nContent-Disposition: attachment\r\n\r\nx",
            b"related",
            True,
            False,
        ),
        (b"Content-Type: application/pdf\r\nContent-ID: <a>\r\n\r\nx", b"related", True, False),
        (b"Content-Type: application/pgp-signature; name=s.asc\r\n\r\nx", b"signed", False, False),
        (b"Content-Type: application/pgp-signature; name=s.asc\r\n\r\nx", b"mixed", True, False),
        (b"Content-Type: message/delivery-status\r\n\r\nx", b"report", False, False),
        (b"Content-Type: application/ms-tnef; name=winmail.dat\r\n\r\nx", b"mixed", True, False),
        (b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nx", b"mixed", True, False),
    ],
)
def test_what_a_person_calls_an_attachment(part: bytes, kind: bytes, attachment: bool, inline: bool) -> None:
    found = structure_of(part, kind)
    assert (found.is_attachment, found.inline) == (attachment, inline)


def test_a_mail_that_is_nothing_but_a_file_is_an_attachment() -> None:
    raw = b"Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD\r\n"
    part = scanned(raw).parts[0]
    assert (part.is_attachment, part.name, part.size_bytes) == (True, "a.pdf", 3)


def test_the_parts_of_a_nested_message_are_found() -> None:
    inner = b"Subject: inner\r\n" + mixed(
        TEXT, attached(b"attachment; filename=deep.xlsx"), boundary=b"inner"
    )
    raw = mixed(
        TEXT,
        b"Content-Type: message/rfc822; name=fwd.eml\r\n\r\n" + inner,
        attached(b"attachment; filename=z.txt"),
    )
    assert names(raw) == ["fwd.eml", "deep.xlsx", "z.txt"]
    assert scanned(raw).unclear == frozenset()


def test_the_parts_of_a_digest_are_messages() -> None:
    raw = mixed(b"\r\nSubject: one\r\n\r\nbody", kind=b"digest")
    assert [part.content_type for part in scanned(raw).parts] == [
        "multipart/digest",
        "message/rfc822",
        "text/plain",
    ]


@given(st.binary(max_size=300), st.integers(4, 76))
def test_the_size_of_base64_is_counted_without_decoding(octets: bytes, width: int) -> None:
    digits = base64.b64encode(octets)
    lines = b"\r\n".join([digits[at : at + width] for at in range(0, len(digits), width)])
    part = structure_of(b"Content-Type: x/y\r\nContent-Transfer-Encoding: BASE64\r\n\r\n" + lines)
    assert part.size_bytes == len(octets)


def test_the_size_of_quoted_printable_is_counted_without_decoding() -> None:
    part = structure_of(b"Content-Transfer-Encoding: quoted-printable\r\n\r\na=E5=B1=B1=\r\nb\r\nc")
    assert part.size_bytes == len("a山b\r\nc".encode())


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (
            b"Content-Type: text/plain\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n",
            "duplicate-content-type",
        ),
        (
            b"Content-Type: multipart/mixed; boundary=a; boundary=b\r\n\r\n--a\r\n\r\nx\r\n--a--",
            "duplicate-boundary",
        ),
        (
            b"Content-Type: multipart/mixed; boundary*0=a; boundary*1=b\r\n\r\n--ab\r\n\r\nx\r\n--ab--",
            "duplicate-boundary",
        ),
        (mixed(TEXT, mixed(TEXT)), "duplicate-boundary"),
        (b"Content-Type: multipart/mixed\r\n\r\nx", "missing-boundary"),
        (b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--b\r\n\r\nx", "missing-boundary"),
        (b"Content-Type: multipart/mixed; boundary=" + b"a" * 300 + b"\r\n\r\n", "missing-boundary"),
        (mixed(TEXT, end=b"\r\n"), "missing-end"),
        (mixed(mixed(TEXT, boundary=b"inner", end=b"")), "missing-end"),
        (b"Content-Transfer-Encoding: base64 (x)\r\n\r\n", "odd-encoding"),
        (b"Content-Transfer-Encoding: base64x\r\n\r\n", "odd-encoding"),
        (b"Content-Transfer-Encoding: base64\r\n" + mixed(TEXT), "odd-encoding"),
        (
            mixed(b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nx"),
            "odd-encoding",
        ),
        (
            b"Content-Transfer-Encoding: 7bit\r\nContent-Transfer-Encoding: base64\r\n\r\n",
            "duplicate-encoding",
        ),
        (b"Content-Disposition: inline\r\nContent-Disposition: attachment\r\n\r\n", "duplicate-disposition"),
        (b"Content-Type: ; name=x\r\n\r\n", "bad-content-type"),
        (mixed(b"no field\r\n\r\nx"), "bad-header"),
        (mixed(b"Content-Type: text/plain"), "bad-header"),
        (b"Content-Type: message/partial; id=x\r\n\r\n", "partial"),
        (mixed(attached(b"attachment; filename=a.txt", b"text/plain; name=a.exe")), "two-names"),
        (b"Content-Type: text/plain" + b"; a=b" * 300 + b"\r\n\r\n", "too-many-parameters"),
        (b"\r\nbegin 644 a.exe\r\n#0V%T\r\n`\r\nend\r\n", "uuencoded"),
        (b"\r\n=ybegin line=128 size=3 name=a.exe\r\nxyz\r\n=yend size=3\r\n", "uuencoded"),
        (b"\r\nhi\r\n(This file must be converted with BinHex 4.0)\r\n:abc:\r\n", "uuencoded"),
        (b"no header\r\n=ybegin part=1 line=128 size=3 name=a.exe\r\nxyz\r\n", "uuencoded"),
    ],
)
def test_what_can_be_read_in_two_ways_is_named(raw: bytes, word: str) -> None:
    assert word in scanned(raw).unclear


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"Subject: x\r\n\r\nplain",
        b"Content-Type: text\r\n\r\nRFC 1049",
        b"From me@example.jp Sat\r\nTo: x\r\n\r\nx",
        mixed(TEXT, mixed(TEXT, boundary=b"=_b2")),
        mixed(TEXT, boundary=b"=_b", end=b"--"),
        mixed(TEXT, end=b"-- \t\r\nepilogue\r\n--=_b\r\n\r\nno part"),
        mixed(b"Content-Type: text/plain\r\n\r\n-- \r\nsignature\r\n--=_bx\r\n"),
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\nat once\r\n--a--",
        b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a  \r\n\r\npadded\r\n--a--",
    ],
)
def test_clear_mails_are_clear(raw: bytes) -> None:
    assert scanned(raw).unclear == frozenset()


def test_an_outer_delimiter_closes_the_inner_parts() -> None:
    raw = mixed(mixed(TEXT, boundary=b"inner", end=b"x"), attached(b"attachment; filename=after.txt"))
    structure = scanned(raw)
    assert [part.depth for part in structure.parts] == [0, 1, 2, 1]
    assert "missing-end" in structure.unclear


def test_a_hundred_thousand_parts_stop_at_the_bound() -> None:
    structure = scanned(b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + b"--a\r\n\r\n\r\n" * 100_000)
    assert len(structure.parts) == MAX_PARTS
    assert "too-many-parts" in structure.unclear


@pytest.mark.parametrize(
    "kind", [b"multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", b"message/rfc822\r\n\r\n"]
)
def test_deep_nesting_stops_at_the_bound(kind: bytes) -> None:
    levels = [kind % ((level,) * kind.count(b"%d")) for level in range(400)]
    structure = scanned(b"".join([b"Content-Type: " + level for level in levels]))
    assert len(structure.parts) == MAX_DEPTH + 1
    assert "too-deep" in structure.unclear


@pytest.mark.parametrize(
    "unit", [b"\r\n--", b"\r\n--a", b"\r\n--a--", b"--", b"\r\n--a\r\nx", b"\r\n--ab\r\n\r\n", b"a: b\r\n"]
)
def test_hostile_bodies_end(unit: bytes) -> None:
    raw = b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + unit * (1_000_000 // len(unit))
    assert len(scanned(raw).parts) <= MAX_PARTS


WORDS = [b"--a", b"--", b"--b", b"\r\n", b"\n", b" ", b"\r\n\r\n", b"x: y\r\n", b"\x00", b"\xff", b"text"]
FIELDS = [b"Content-Type: multipart/mixed; boundary=b\r\n", b"Content-Type: message/rfc822\r\n\r\n"]
CODED = b"Content-Transfer-Encoding: base64\r\n"
pieces = st.lists(st.sampled_from([*WORDS, *FIELDS, CODED]), max_size=30).map(b"".join)


@given(pieces | st.binary(max_size=200))
def test_no_octets_raise_and_offsets_stay_in_order(body: bytes) -> None:
    raw = b"Content-Type: multipart/mixed; boundary=a\r\n\r\n" + body
    structure = scanned(raw)
    assert structure.unclear <= UNCLEAR
    for part in structure.parts:
        assert 0 <= part.header_at <= part.body_at <= part.end <= len(raw)
        assert part.size_bytes >= 0
    assert [part.header_at for part in structure.parts] == sorted(part.header_at for part in structure.parts)


@given(st.binary(max_size=80))
def test_no_field_value_raises(value: bytes) -> None:
    value = value.replace(b"\r", b"").replace(b"\n", b"")
    part = scanned(b"Content-Type: " + value + b"\r\nContent-Disposition: " + value + b"\r\n\r\nx").parts[0]
    assert len(part.name.splitlines()) <= 1
    assert not set(part.name) & set("/\\\r\n\x00")
