"""The mail's own text: charsets and encodings, HTML, replies, invitations, and what the mail is as a whole."""

from __future__ import annotations

from base64 import b64encode

import pytest

from gateway.evidence.content.markup import page
from gateway.evidence.content.quoting import own_text
from tests.evidence.content.making import letter, mail, part, told

SENTENCE = "お世話になっております。資料を添付いたします。"


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("utf-8", "utf-8"),
        ("iso-2022-jp", "iso2022_jp"),
        ("shift_jis", "cp932"),
        ("euc-jp", "euc_jp"),
        ("us-ascii", "cp932"),  # a label that lies
        ("utf-8", "cp932"),
        ("x-unknown", "utf-8"),
    ],
)
def test_a_text_is_read_whatever_its_charset_says(label: str, codec: str) -> None:
    body, _ = told(letter(SENTENCE.encode(codec), f"text/plain; charset={label}"))
    assert body.texts == (SENTENCE,)
    assert body.speaks_of_attachment
    assert body.unread == ""


def test_base64_and_quoted_printable_are_undone() -> None:
    octets = SENTENCE.encode()
    encoded = (
        b"Content-Transfer-Encoding: base64\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        + b64encode(octets)
    )
    quoted = b"".join(b"=%02X" % octet for octet in octets)
    printed = (
        b"Content-Transfer-Encoding: quoted-printable\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
        + quoted
    )
    assert SENTENCE in "".join(told(encoded)[0].texts)
    assert SENTENCE in "".join(told(printed)[0].texts)


def test_the_subject_is_text_too() -> None:
    raw = "Subject: マイナンバー 123456789018\r\n\r\nhello".encode()
    body, _ = told(raw)
    assert body.found.my_number == 1
    assert body.subject == "マイナンバー 123456789018"


def test_html_counts_hidden_text_and_leaves_out_scripts() -> None:
    source = (
        "<html><head><style>p{x:9}</style><script>var a='電話 03-9999-9999';</script></head><body>"
        "<p>電話 <b>03-</b>1234-5678&nbsp;です</p><div style='display:none'>passwd: Ab3#xyz9</div>"
        "<!-- 03-8888-8888 --><a href='mailto:hanako@example.com?subject=x'>花子</a></body></html>"
    )
    body, _ = told(letter(source.encode(), "text/html; charset=utf-8"))
    text = "".join(body.texts)
    assert "03-1234-5678" in text
    assert "Ab3#xyz9" in text
    assert "9999" not in text
    assert "8888" not in text
    assert body.found.phone == 1
    assert body.found.mail_address == 1


def test_tables_in_html_are_rows_of_cells() -> None:
    rows = "".join(
        f"<tr><td><p>山田 花{each}</p></td><td>0{each}-1234-567{each}</td></tr>" for each in range(3, 9)
    )
    source = f"<table><tr><th>氏名</th><th>電話番号</th></tr>{rows}</table>"
    assert page(source).tables == [
        [["氏名", "電話番号"], *[[f"山田 花{each}", f"0{each}-1234-567{each}"] for each in range(3, 9)]]
    ]
    assert told(letter(source.encode(), "text/html; charset=utf-8"))[0].found.person == 6


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a<b", "a<b"),
        ("1 < 2 > 0", "1 < 2 > 0"),
        ("<p title='a>b'>x</p>", "\nx\n"),
        ('<a href="x>y', "y"),  # whatever its quotes, a tag ends
        ("<script>alert(1)", "alert(1)"),
        ("<!-- never ended", "<!-- never ended"),
        ("x<!doctype html>y", "xy"),
        ("<pre>a\n  b</pre>", "\na\n  b\n"),
        ("a<blockquote>b</blockquote>c", "a\n> b\nc"),
        ("&#x96;&lt;&amp;&hearts;", "–<&♥"),
    ],
)
def test_markup_that_is_broken_is_text(source: str, text: str) -> None:
    assert page(source).text == text


QUOTATIONS = [
    "-----Original Message-----\nFrom: x\n資料を添付します",
    "差出人: 佐藤\n送信日時: 2026年11月20日\n宛先: 鈴木\n資料を添付します",
    "From: Sato <sato@example.jp>\nSent: Friday\nTo: Suzuki\nplease find attached",
    "On Fri, Nov 20, 2026 at 10:00 AM Sato <sato@example.jp> wrote:\n> please find attached",
    "2026年11月20日(金) 10:00 佐藤 <sato@example.jp>:\n> 資料を添付します",
    "佐藤さんは書きました:\n> 資料を添付します",
    "> 資料を添付します\n> よろしく",
    "________________________________\n差出人: 佐藤\n送信日時: x\n資料を添付します",
]


@pytest.mark.parametrize("quotation", QUOTATIONS)
def test_a_quotation_is_not_the_senders_own_text(quotation: str) -> None:
    text = f"佐藤様\nありがとうございました。\n\n{quotation}"
    assert own_text(text).rstrip() == "佐藤様\nありがとうございました。"
    assert not told(letter(text.encode()))[0].speaks_of_attachment
    assert told(letter(f"資料を添付します。\n{text}".encode()))[0].speaks_of_attachment


def test_an_answer_below_a_quotation_is_the_senders_own_text() -> None:
    text = "佐藤さんは書きました:\n> 資料はありますか\n\n資料を添付します。"
    assert "資料を添付します。" in own_text(text)


def test_a_greeting_for_somebody_else_is_told() -> None:
    text = "佐藤様\n\nお世話になっております。".encode()
    assert told(letter(text), local_parts=("suzuki",))[0].greets_other is True
    assert told(letter(text), local_parts=("sato",))[0].greets_other is False
    assert told(letter("こんにちは".encode()))[0].greets_other is None


INVITATION = (
    "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nSUMMARY:定例会\r\nORGANIZER:mailto:a@example.jp\r\n"
    'ATTENDEE;CN="鈴木, 一郎";ROLE=REQ-PARTICIPANT:mailto:suzuki@exa\r\n mple.com\r\n'
    "ATTENDEE;RSVP=TRUE:MAILTO:hanako@example.net\r\nATTENDEE;EMAIL=x@example.org:urn:uuid:1\r\n"
    "DESCRIPTION:一行目\\n二行目\\, 続き\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


def test_an_invitation_names_those_invited() -> None:
    body, _ = told(letter(INVITATION.encode(), "text/calendar; method=REQUEST; charset=utf-8"))
    assert [str(each) for each in body.invited] == [
        "suzuki@example.com",
        "hanako@example.net",
        "x@example.org",
    ]
    assert body.mail_is == {"calendar"}
    assert "一行目\n二行目, 続き" in "".join(body.texts)


def test_an_attached_invitation_names_them_too() -> None:
    _, (file,) = told(mail(part("invite.ics", INVITATION.encode(), "text/calendar")))
    assert len(file.invited) == 3
    assert file.evidence.kind == "ics"


DATA = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07"


@pytest.mark.parametrize(
    ("raw", "words", "unread"),
    [
        (
            letter(b"-----BEGIN PGP MESSAGE-----\r\n\r\nhQEM\r\n-----END PGP MESSAGE-----"),
            {"pgp-encrypted"},
            "encrypted",
        ),
        (letter(b"-----BEGIN PGP SIGNED MESSAGE-----\r\n\r\nhi\r\n"), {"pgp-signed"}, ""),
        (letter(b"0\x80" + DATA + b"\x03", "application/pkcs7-mime"), {"smime-encrypted"}, "encrypted"),
        (letter(b"0\x80" + DATA + b"\x02", "application/pkcs7-mime"), {"smime-signed"}, "unknown-kind"),
        (mail(part("winmail.dat", b"\x78\x9f\x3e\x22" + bytes(20), "application/ms-tnef")), {"tnef"}, ""),
        (
            letter(
                b"--b\r\nContent-Type: text/plain\r\n\r\nhi\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\nx",
                'multipart/signed; protocol="application/pgp-signature"; boundary=b',
            ),
            {"pgp-signed"},
            "",
        ),
        (
            letter(
                b"--b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--b\r\n"
                b"Content-Type: application/octet-stream\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n--b--",
                'multipart/encrypted; protocol="application/pgp-encrypted"; boundary=b',
            ),
            {"pgp-encrypted"},
            "encrypted",
        ),
    ],
)
def test_what_a_mail_is_as_a_whole(raw: bytes, words: set[str], unread: str) -> None:
    body, _ = told(raw)
    assert body.mail_is == words
    assert body.unread == unread


def test_the_text_of_an_attached_mail_is_not_the_mails_own() -> None:
    inner = b"From: b@example.com\r\nSubject: inner\r\n\r\n" + SENTENCE.encode()
    raw = mail(b"Content-Type: message/rfc822\r\n\r\n" + inner, text="see below")
    body, (file,) = told(raw)
    assert body.texts == ("see below",)
    assert not body.speaks_of_attachment
    assert file.evidence.kind == "eml"
    assert SENTENCE in "".join(file.texts)
    assert file.evidence.encrypted is False


def test_an_attached_mails_attachments_are_read_once() -> None:
    inner = mail(part("list.txt", b"inside, once"))
    _, (outer, within) = told(mail(b"Content-Type: message/rfc822\r\n\r\n" + inner))
    assert "once" not in "".join(outer.texts)
    assert "".join(within.texts) == "inside, once"


def test_more_text_than_is_kept_is_cut_but_judged() -> None:
    from gateway.evidence.content.bounds import Bounds

    text = "あ" * 20_000 + " 個人番号 123456789018"
    body, _ = told(letter(text.encode()), Bounds(characters=10_000))
    assert body.cut
    assert len("".join(body.texts)) + len(body.subject) == 10_000
    assert body.found.my_number == 1
