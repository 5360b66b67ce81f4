"""The facts of a mail: who is visible, whether that is certain, and what is attached."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.message.address import parse_path
from gateway.message.envelope import Client, Envelope
from gateway.message.facts import Facts
from gateway.message.gather import MAX_SHOWN_OCTETS, QUICK_DASHED_LINES, gather, is_quick
from gateway.message.mime import MAX_PARTS, UNCLEAR
from gateway.message.revealing import ALWAYS_DROPPED, AUTHOR_FIELDS, RECIPIENT_FIELDS, REPLY_FIELDS

SENDER = parse_path("taro@sports.example.jp")
ENVELOPE = Envelope(SENDER, (parse_path("hanako@example.com"),), Client("192.0.2.1"))


def facts(*lines: bytes, envelope: Envelope = ENVELOPE) -> Facts:
    return gather(envelope, b"\r\n".join([*lines, b"", b"body\r\n"]))


def visible(*lines: bytes) -> list[str]:
    return [str(address) for address in facts(*lines).visible]


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        ((b"To: a@example.com",), ["a@example.com"]),
        ((b"To: a@example.com", b"Cc: b@example.com, A@EXAMPLE.COM"), ["a@example.com", "b@example.com"]),
        ((b"To: a@example.com", b"TO: b@example.com"), ["a@example.com", "b@example.com"]),
        ((b"Resent-To: a@example.com", b"Resent-Cc: b@example.com"), ["a@example.com", "b@example.com"]),
        ((b"Bcc: a@example.com", b"X-Odoo-Bcc: b@example.com"), ["a@example.com", "b@example.com"]),
        ((b"Reply-To: taro@sports.example.jp, a@example.com",), ["a@example.com"]),
        (
            (b"Mail-Followup-To: a@example.com", b"Disposition-Notification-To: b@example.com"),
            ["a@example.com", "b@example.com"],
        ),
        ((b"Original-Recipient: rfc822;a@example.com",), ["a@example.com"]),
        (
            (b"From: Taro <TARO@sports.example.jp>", b"To: taro@sports.example.jp, a@example.com"),
            ["a@example.com"],
        ),
        ((b"From: office@sports.example.jp", b"Reply-To: office@sports.example.jp"), []),
        # Sender may hold anything: who stands there is not thereby known to those who get the mail.
        ((b"Sender: s@example.net, a@example.com", b"Cc: s@example.net"), ["s@example.net"]),
        # A From that does not name one author is read as recipients read it: as people.
        ((b"From: taro@sports.example.jp, a@example.com", b"To: a@example.com"), ["a@example.com"]),
        (
            (b"From: taro@sports.example.jp, a@example.com, b@example.com",),
            ["a@example.com", "b@example.com"],
        ),
        ((b"From: taro@sports.example.jp (x a@example.com", b"To: a@example.com"), ["a@example.com"]),
        ((b"From: taro@sports.example.jp", b"From: a@example.com", b"To: a@example.com"), ["a@example.com"]),
        ((b"To: undisclosed-recipients:;",), []),
        ((b"To: =?iso-2022-jp?B?GyRCOzNFRBsoQg==?= <a@example.com>",), ["a@example.com"]),
        ((b"X-Forwarded-For: 192.0.2.1", b"X-Recipients: 30", b"X-PMRQC: 1"), []),
        ((b"Subject: a@example.com", b"Message-ID: <a@example.com>"), []),
        ((b"To: a@example.com,", b" b@example.com"), ["a@example.com", "b@example.com"]),
        ((), []),
    ],
)
def test_who_is_visible_when_all_is_understood(lines: tuple[bytes, ...], shown: list[str]) -> None:
    found = facts(*lines)
    assert [str(address) for address in found.visible] == shown
    assert found.confident


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        ((b"To: a@example.com; b@example.com",), {"a@example.com", "b@example.com"}),
        ((b"To: a@example.com b@example.com",), {"a@example.com", "b@example.com"}),
        ((b"To: somebody",), set()),
        ((b"To: a@example.com", b"no colon b@example.com"), {"a@example.com", "b@example.com"}),
        ((b" first b@example.com", b"To: a@example.com"), {"a@example.com", "b@example.com"}),
        ((b"From b@example.com Sat Nov 21 2026", b"To: a@example.com"), {"a@example.com", "b@example.com"}),
        ((b"T\xc3\xb6: b@example.com",), {"b@example.com"}),
        (("To: 表 <a@example.com>, 能 <b@example.com>".encode("cp932"),), {"a@example.com", "b@example.com"}),
        ((b"To: \x1b$B;3 <a@example.com>, b@example.com",), {"a@example.com", "b@example.com"}),
        ((b"To: Yamada, Taro <a@example.com>",), {"a@example.com"}),
        ((b"To: ta", b" ro@exam", b" ple.com; b@example.com"), {"taro@example.com", "b@example.com"}),
        ((b"To: =?utf-8?B?YUBleGFtcGxlLmNvbQ==?=",), {"a@example.com"}),
        ((b"X-Recipients: 2 to a@example.com",), {"a@example.com"}),
    ],
)
def test_who_is_visible_in_what_is_not_understood(lines: tuple[bytes, ...], shown: set[str]) -> None:
    found = facts(*lines)
    assert shown <= {str(address) for address in found.visible}
    assert not found.confident


def test_the_lenient_scan_decides_when_it_finds_more() -> None:
    found = facts(b'To: "evil@example.net" <a@example.com>')
    assert found.confident
    assert {str(address) for address in found.visible} == {"evil@example.net", "a@example.com"}
    hidden = base64.b64encode(b"x@example.net").decode()
    assert len(facts(f"To: =?utf-8?B?{hidden}?= <a@example.com>".encode()).visible) == 2


@pytest.mark.parametrize(
    "name", [b"To", b"to ", b"TO\t", b"Cc", b"Resent-To", b"Apparently-To", b"X-Original-To"]
)
def test_thirty_recipients_are_thirty(name: bytes) -> None:
    people = [b'"%d, x" <p%d@example%d.com>' % (n, n, n) for n in range(30)]
    assert len(visible(name + b": " + b",\r\n ".join(people))) == 30
    assert len(visible(name + b": " + b";\r\n ".join(people))) == 30


def test_more_than_is_read_is_not_certain() -> None:
    people = b",\r\n ".join([b"p%d@example.com" % n for n in range(4000)])
    found = facts(b"To: " + people)
    assert (len(found.visible), found.confident) == (4000, True)
    fields = [b"To: " + people] * (MAX_SHOWN_OCTETS // len(people) + 1)
    assert not facts(*fields).confident


CLASS = tuple(f"p{number}@example.com" for number in range(5))
CLASS_ENVELOPE = Envelope(SENDER, tuple(map(parse_path, CLASS)), Client("192.0.2.1"))


@pytest.mark.parametrize(
    "line",
    [
        b"X-Whole-Class: " + ", ".join(CLASS).encode(),
        b"Teilnehmer: " + "; ".join(CLASS).encode(),
        b'X-Json: {"to": ["' + '","'.join(CLASS).encode() + b'"]}',
        b"X-Encoded: =?utf-8?b?" + base64.b64encode(" ".join(CLASS).encode()) + b"?=",
    ],
)
def test_a_list_of_recipients_is_seen_under_whatever_name(line: bytes) -> None:
    found = facts(
        b"From: taro@sports.example.jp", b"To: taro@sports.example.jp", line, envelope=CLASS_ENVELOPE
    )
    assert {str(address) for address in found.visible} == set(CLASS)


@pytest.mark.parametrize(
    "line",
    [
        b"X-Ids: <p9@example.com> <abc@mail.example.net>",  # nobody who gets this mail
        b"Received: from x by y for <p1@example.com>; Sat",
        b"References: <p1@example.com>",
        b"List-Post: <mailto:p1@example.com>",
        b"Subject: p1@example.com and p2@example.com",
        b"Content-ID: <p1@example.com>",
    ],
)
def test_ids_hosts_and_words_are_no_list_of_recipients(line: bytes) -> None:
    found = facts(
        b"From: taro@sports.example.jp", b"To: taro@sports.example.jp", line, envelope=CLASS_ENVELOPE
    )
    assert found.visible == ()
    assert found.confident


def test_more_of_unknown_fields_than_is_read_is_not_certain() -> None:
    lines = [b"X-%d: a@example.net " % number + b"x" * 90_000 for number in range(4)]
    assert not facts(b"From: taro@sports.example.jp", *lines).confident


def test_whom_only_a_bcc_shows_is_blind() -> None:
    found = facts(
        b"From: office@sports.example.jp",
        b"To: a@example.com",
        b"Bcc: a@example.com, b@example.com",
        b"X-Bcc: c@example.com",
    )
    assert found.blind == {"b@example.com", "c@example.com"}
    assert {str(address) for address in found.visible} >= found.blind, "they count, all the same"
    assert facts(b"To: a@example.com", b"Cc: b@example.com").blind == frozenset()


def test_the_null_sender_and_the_subject() -> None:
    found = facts(
        b"From: a@example.jp, b@example.jp",
        b"Subject: =?utf-8?B?5bGx?=",
        b"Subject: two",
        envelope=Envelope(None, ENVELOPE.recipients, ENVELOPE.client),
    )
    assert found.subject == "山 two"
    assert [str(address) for address in found.authors] == ["a@example.jp", "b@example.jp"]


def test_attachments_with_their_names_and_sizes() -> None:
    content = base64.encodebytes(b"x" * 1000).replace(b"\n", b"\r\n")
    name = "名簿、最新版.xlsx"
    raw = b"".join(
        [
            b'To: a@example.com\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="x y"\r\n\r\n',
            b"--x y\r\nContent-Type: text/plain; charset=iso-2022-jp\r\n\r\n" + "本文".encode("iso2022_jp"),
            b'\r\n--x y\r\nContent-Type: application/vnd.ms-excel; name="' + name.encode("cp932"),
            b'"\r\nContent-Disposition: attachment; filename="' + name.encode("iso2022_jp"),
            b'"\r\nContent-Transfer-Encoding: base64\r\n\r\n' + content + b"--x y--\r\n",
        ],
    )
    found = gather(ENVELOPE, raw)
    assert [(a.name, a.size_bytes, a.inline) for a in found.attachments] == [(name, 1000, False)]
    assert (found.size_bytes, found.unclear) == (len(raw), frozenset())


def test_the_lists_of_fields_fit_together() -> None:
    assert {"bcc", "resent-bcc", "return-path"} <= ALWAYS_DROPPED
    assert not RECIPIENT_FIELDS & REPLY_FIELDS
    assert not AUTHOR_FIELDS & (RECIPIENT_FIELDS | REPLY_FIELDS)
    assert all(
        name == name.lower() for name in ALWAYS_DROPPED | RECIPIENT_FIELDS | REPLY_FIELDS | AUTHOR_FIELDS
    )


lines = st.lists(
    st.sampled_from(
        [
            b"To: ",
            b"Cc : ",
            b"From: ",
            b" ",
            b"\r\n",
            b"a@b.example.jp",
            b",",
            b";",
            b"<",
            b">",
            b'"',
            b"=?utf-8?q?",
            b"\xe5",
        ]
    ),
    max_size=30,
).map(b"".join)


@given(lines | st.binary(max_size=300))
def test_no_octets_raise(raw: bytes) -> None:
    found = gather(ENVELOPE, raw)
    assert found.unclear <= UNCLEAR
    keys = [address.key for address in found.visible]
    assert len(keys) == len(set(keys))
    assert SENDER.key not in keys


@pytest.mark.corpus
def test_every_corpus_mail_has_facts(corpus: list[tuple[str, bytes]]) -> None:
    certain = 0
    for name, raw in corpus:
        found = gather(ENVELOPE, raw)
        assert found.header.to_bytes() == raw[: len(found.header.to_bytes())], name
        assert len(found.attachments) <= MAX_PARTS, name
        assert found.unclear <= UNCLEAR, name
        assert found.subject.splitlines() in ([], [found.subject]), name
        certain += found.confident
    assert certain > len(corpus) * 0.85


@pytest.mark.parametrize(
    "line",
    [
        b"Content-Type: multipart/mixed; boundary=b",
        b"CONTENT-TYPE: MultiPart / Mixed; boundary=b",
        b"Content-Type:\r\n multipart/mixed; boundary=b",
        b"Content-Type: multi\x1b(Bpart/mixed; boundary=b",
        b"Content-Type: multi\x1b$B\x1b(Bpart/mixed; boundary=b",
        b"Content-Type: \xef\xbb\xbfmultipart/mixed; boundary=b",
        b"Content-Type: message/rfc822\r\nX: y",
        b"Content-Type: message / Global\r\nX: y",
    ],
)
def test_no_mail_that_may_hold_many_parts_is_quick(line: bytes) -> None:
    nested = b"" if b"boundary" in line else b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    dashed = b"--b\r\n\r\n" * (QUICK_DASHED_LINES + 1)
    raw = line + b"\r\n\r\n" + nested + dashed
    assert not is_quick(raw)
    assert is_quick(raw[: -len(dashed)])


def test_a_mail_of_one_text_is_quick_whatever_its_lines_begin_with() -> None:
    assert is_quick(b"Content-Type: text/plain\r\n\r\n" + b"--b\r\n\r\n" * (QUICK_DASHED_LINES + 1))
