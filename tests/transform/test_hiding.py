"""The rules of docs/decisions/0004-what-hides.md, one table of fields each: what stays, what goes, what is written new."""

from __future__ import annotations

import pytest

from gateway.policy.demands import Form
from tests.transform.leaks import fields, leaks
from tests.transform.sample import SENDER, decision, envelope, header_of, mail

ANA, BEN, CARL = "ana@one.example.com", "ben@two.example.net", "carl@three.example.org"
SENT = envelope(ANA, BEN, CARL)
TO = f"To: {ANA}, {BEN}"
HIDDEN = [ANA, BEN, CARL]


def kept(line: str, form: Form = Form.BCC, **options: object) -> list[bytes]:
    """Return what became of one field in a copy: the fields of its name that the copy has, without our own Received."""
    decided = decision(form, count=3, **options)  # type: ignore[arg-type]
    header = header_of(mail(f"From: 事務局 <{SENDER}>", TO, line), SENT, decided)
    assert leaks(header, HIDDEN if form is Form.BCC else HIDDEN[1:]) == []
    name = line.partition(":")[0].strip().lower()
    return [raw for each, raw in fields(header) if each == name and b"(Sekisho)" not in raw]


STAYS = [
    "X-Mailer: Outlook 16 (日本語)",
    "Reply-To: 事務局 <OFFICE@Sports.example.jp>",
    "Reply-To: chief@sub.city.example.lg.jp",
    "X-Contact: office@sports.example.jp, chief@city.example.lg.jp",
    "References: <abc.123@mail.elsewhere.example> <x@y.example>",
    "DKIM-Signature: v=1; a=rsa-sha256; d=sports.example.jp;\r\n\ti=@sports.example.jp; h=from:to; b=AAAA==",
    "ARC-Seal: i=1; a=rsa-sha256; d=elsewhere.example; b=BBBB",
    "Received: from pc (pc [192.0.2.1]) by mail.sports.example.jp\r\n\tfor <chief@city.example.lg.jp>; Wed",
    "List-Unsubscribe: <mailto:leave@list.elsewhere.example>",
    "Subject: 会議 =?utf-8?b?44Gu?= a@b",
    "Sender: 代理 <proxy@elsewhere.example>",
    'Content-Type: multipart/mixed;\r\n\tboundary="=_x"',
    "Content-Disposition: attachment; filename*=UTF-8''%E4%BC%9A.pdf",
]


@pytest.mark.parametrize("line", STAYS)
def test_stays_octet_for_octet(line: str) -> None:
    assert f"{line}\r\n".encode() in kept(line)


GOES = [
    f"Cc: {CARL}",
    "Resent-To: someone@new.example.com",
    "Delivered-To: someone@new.example.com",
    f"Reply-To: office@sports.example.jp, {ANA}",
    "Reply-To: someone@new.example.com",
    "Reply-To: (someone@new.example.com) office@sports.example.jp",
    "Mail-Followup-To: list@new.example.com",
    "Disposition-Notification-To: other@new.example.com",
    "X-Anything: someone@new.example.com",
    "X-Anything: =?utf-8?b?c29tZW9uZUBuZXcuZXhhbXBsZS5jb20=?=",
    "X-Anything: mailto:someone%40new.example.com",
    "X-Anything: someone&#64;new.example.com",
    "X-Anything: someone＠new．example．com",
    "X-Verp: bounce-ana=one.example.com",
    f"Received: from a by b for <{ANA}>; Wed, 1 Apr 2026 00:00:00 +0900",
    f"References: <1@x.example> <{BEN}>",
    f"List-Post: <mailto:{ANA}>",
    f"DKIM-Signature: v=1; i={BEN}; b=AAAA",
    f"Authentication-Results: gate; smtp.rcpttodomain={BEN}",
    f"Sender: {CARL}",
    f"{ANA}: this is no field",
    "ana=one.example.com: nor this",
    "Content-Description: =?utf-8?q?list_for_ana=40one.example.com?=",
    f"no field, only {ANA}",
]


@pytest.mark.parametrize("line", GOES)
def test_goes(line: str) -> None:
    assert kept(line) == []


REWRITTEN = [
    (f"Subject: Re: {ANA} の件", "Subject: =?utf-8?b?UmU6ICoqKiDjga7ku7Y=?="),
    (f"Subject: to {ANA.upper()} and {BEN}", "Subject: to *** and ***"),
    (f"Subject: x ANA＠one.example．com y {BEN}", "Subject: x *** y ***"),
    ("Subject: =?utf-8?q?hello_ana=40one.example.com?= bye", "Subject: hello *** bye"),
    ("Subject: see ana%40one.example.com", "Subject: see ***"),
    ("Subject: see ana @ one . example . com", "Subject: see ***"),
    (f'Sender: "{ANA}" <office@sports.example.jp>', "Sender: office@sports.example.jp"),
    (f'Content-Type: text/plain; name="{ANA}.x"; charset=a', f'Content-Type: text/plain; name="{"_" * 19}.x"; charset=a'),
    (f"Content-Description: list for {ANA}", "Content-Description: list for ___________________"),
    ("Content-Type: text/plain; name*=utf-8''ana%40one.example.com; charset=utf-8", "Content-Type: text/plain; charset=utf-8"),
    (
        'Content-Type: multipart/mixed; name="=?utf-8?q?ana=40one.example.com?="; boundary="b;1"',
        'Content-Type: multipart/mixed; boundary="b;1"',
    ),
    ('Content-Disposition: attachment; filename*0="ana@one"; filename*1=".example.com"', "Content-Disposition: attachment"),
    (
        'Content-Disposition: attachment; filename*1="example.com"; size=3; filename*0="ana@one."',
        "Content-Disposition: attachment; size=3",
    ),
    ("Subject: see ana@o\u200bne.exa\u00admple.com\u200f", "Subject: =?utf-8?b?c2VlICoqKuKAjw==?="),
    ("Sender: office@sports.example.jp, ana((x))@one.example.com", "Sender: office@sports.example.jp"),
    ('Sender: office@sports.example.jp, "a\\na"@one.example.com', "Sender: office@sports.example.jp"),
    (f"MIME-Version: 1.0 ({ANA})", None),
]  # fmt: skip


@pytest.mark.parametrize(("line", "expected"), REWRITTEN)
def test_written_new(line: str, expected: str | None) -> None:
    assert kept(line) == ([] if expected is None else [f"{expected}\r\n".encode()])


DISGUISED = [
    "ana%40one.example.com",
    "https://t.example.jp/?u=https%3A%2F%2Fx.example.jp%2F%3Fe%3Dana%2540one.example.com",
    "ana%252540one.example.com",
    "To:=20ana=40one.example.com|Subject:=20x",  # RFC 6376 3.5, z=
    "ana&amp;#64;one.example.com",
    "ana&#37;40one.example.com",
    "ana%26%2364%3Bone.example.com",
    "ana%one.example.com@relay.sports.example.jp",
    "ana_one.example.com#EXT#@sports.example.jp",  # a guest in another organisation's directory
    "ana#one.example.com",
    "bounce+ana+one.example.com@sports.example.jp",
    "SRS0=hash=tt=one.example.com=ana@sports.example.jp",
    "ana(a (nested) comment)@one.example.com",
    '"an\\a"@one.example.com',
    '{"to":"ana\\u0040one.example.com"}',
]
KEPT_ELSE = [
    "References",
    "Received",
    "List-Unsubscribe",
    "Authentication-Results",
    "DKIM-Signature",
    "X-Any",
    "Subject",
]


@pytest.mark.parametrize("name", KEPT_ELSE)
@pytest.mark.parametrize("disguise", DISGUISED)
def test_an_address_is_found_in_what_programs_wrap_it_in(name: str, disguise: str) -> None:
    line = f"{name}: <1> {disguise} x"
    assert f"{line}\r\n".encode() not in kept(line)


def test_the_boundary_is_never_touched() -> None:
    line = f'Content-Type: multipart/mixed; boundary="{ANA}"; name="{ANA}"'
    header = header_of(mail(TO, line), SENT, decision())
    assert f'boundary="{ANA}"'.encode() in header
    assert header.count(ANA.encode()) == 1


@pytest.mark.parametrize(
    ("line", "sender", "expected"),
    [
        (f'From: "{ANA}" <{SENDER}>', SENDER, f"From: {SENDER}"),
        (f"From: =?utf-8?q?ana=40one.example.com?= <{SENDER}>", SENDER, f"From: {SENDER}"),
        (f"From: {ANA}, <{SENDER}>", SENDER, f"From: {SENDER}"),
        (f"From: {ANA}, {BEN}", SENDER, f"From: {SENDER}"),
        (f"From: {ANA}; broken <<", None, "From: undisclosed-sender:;"),
        (f"From: 山田 <{ANA}>", SENDER, f"From: 山田 <{ANA}>"),  # who writes it is nobody to hide
    ],
)
def test_from(line: str, sender: str | None, expected: str) -> None:
    header = header_of(mail(line, "To: " + BEN), envelope(BEN, CARL, sender=sender), decision(count=2))
    if "山田" not in line:
        header = header_of(mail(line, TO), envelope(ANA, BEN, CARL, sender=sender), decision(count=3))
    assert [raw for name, raw in fields(header) if name == "from"] == [f"{expected}\r\n".encode()]


def test_an_address_inside_that_shows_one_outside_is_not_named() -> None:
    """Such as lists and rewriting relays make them."""
    verp, plain = "ana=one.example.com@city.example.lg.jp", "chief@city.example.lg.jp"
    header = header_of(mail(f"From: {SENDER}", f"{TO}, {verp}, {plain}"), SENT, decision(count=3))
    assert plain.encode() in header
    assert b"ana=" not in header


def test_a_subject_full_of_at_signs_takes_time_by_its_length_only() -> None:
    """Where every `@` was tried with every known length of a domain, this mail took a minute."""
    people = [f"u@{'a' * first}.{'b' * second}.example.com" for first in range(1, 60) for second in (1, 40)]
    raw = mail(f"From: {SENDER}", TO, *(f"Subject: {'@=' * 45_000}" for _ in range(5)))
    assert b"Subject: @=" in header_of(raw, envelope(*people), decision(count=len(people)))


def test_internationalised_domains_are_one_domain() -> None:
    sent = envelope("ana@xn--r8jz45g.example.com", BEN)
    header = header_of(mail("Subject: ana@例え.example.com へ", "To: x"), sent, decision(count=2))
    assert b"Subject: =?utf-8?b?KioqIOOBuA==?=\r\n" in header


def test_an_address_inside_the_authors_own_is_not_found_there() -> None:
    line = "From: 城 <joana@one.example.com>"
    header = header_of(mail(line, TO, "Subject: from joana@one.example.com"), SENT, decision(count=3))
    assert f"{line}\r\n".encode() in header
    assert b"Subject: from joana@one.example.com\r\n" in header


def test_an_address_inside_an_unknown_longer_one_is_masked() -> None:
    header = header_of(mail(f"From: {SENDER}", TO, f"Subject: {ANA}m, xx{BEN}"), SENT, decision(count=3))
    assert b"Subject: ***m, xx***\r\n" in header


def test_hide_internal_hides_colleagues_everywhere() -> None:
    raw = mail(
        f"From: {SENDER}",
        f"To: {ANA}, chief@city.example.lg.jp",
        "X-Route: chief@city.example.lg.jp",
        "Reply-To: chief@city.example.lg.jp",
        "Subject: a",
    )
    shown = header_of(raw, SENT, decision(count=3))
    assert shown.count(b"chief@city.example.lg.jp") == 3
    hidden = header_of(raw, SENT, decision(count=3, hide_internal=True))
    assert b"chief@" not in hidden
