"""What is seen of a mail's files, and what stands in the way of touching them."""

from __future__ import annotations

import io
import os
import quopri
import zipfile
from base64 import b64encode, encodebytes

import pytest

from gateway.policy.handling import Seen
from gateway.policy.protection import How
from gateway.sealing.looking import seen_in
from gateway.sealing.told import OBSTACLES
from gateway.sealing.writing import written
from tests.evidence.content.making import letter, mail, part
from tests.sealing.making import FILES, PDF, mail_with, order_for, places_of

Mails = list[tuple[str, bytes]]
SIGNATURE = b"-----BEGIN PGP SIGNATURE-----\r\n\r\niQEzBAEBCAAdFiEE\r\n-----END PGP SIGNATURE-----\r\n"


def signed(signature: bytes, kind: str = "application/pgp-signature", *files: bytes) -> bytes:
    inner = b"".join([b"--i\r\n" + each + b"\r\n" for each in (b"\r\nhello", *files)]) + b"--i--"
    body = (
        b'--s\r\nContent-Type: multipart/mixed; boundary="i"\r\n\r\n' + inner + b"\r\n--s\r\n"
        b"Content-Type: " + kind.encode() + b'; name="signature.asc"\r\n'
        b'Content-Disposition: attachment; filename="signature.asc"\r\n\r\n' + signature + b"\r\n--s--\r\n"
    )
    return letter(body, 'multipart/signed; protocol="application/pgp-signature"; boundary="s"')


def test_files_are_told_with_kind_size_and_state() -> None:
    seen = seen_in(mail_with())
    assert seen.obstacle == ""
    assert [(each.name, each.kind, each.size_bytes, each.state) for each in seen.files] == [
        (name, kind, len(octets), "plain")
        for (name, octets), kind in zip(FILES.items(), ("pdf", "docx", "xlsx", "text"), strict=True)
    ]


def test_a_letter_has_nothing_in_its_way() -> None:
    seen = seen_in(letter(b"hello"))
    assert (seen.files, seen.obstacle) == ((), "")


def test_half_an_archive_is_told() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("open.txt", b"open")
        archive.writestr("shut.txt", b"shut")
    octets = bytearray(out.getvalue())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        octets[octets.index(mark) + flags] |= 1
    assert seen_in(mail(part("a.zip", bytes(octets)))).files[0].state == "partly"


@pytest.mark.parametrize(
    ("raw", "obstacle"),
    [
        (
            mail(
                part("a.pdf", PDF).replace(b"Content-Type: ", b"Content-Type: text/plain\r\nContent-Type: ")
            ),
            "unclear",
        ),
        (mail(part("a.pdf", PDF).replace(b"base64", b"x-strange")), "unclear"),
        (mail(part("a.pdf", PDF)[:-60] + b"!!*!!\r\n"), "undecodable"),
        (signed(SIGNATURE, "application/pgp-signature", part("a.pdf", PDF)), "signed"),
        (
            letter(b"--b\r\n\r\nhello\r\n--b\r\n" + part("a.txt", b"x"), 'multipart/mixed; boundary="b"'),
            "unclear",
        ),
    ],
)
def test_what_stands_in_the_way(raw: bytes, obstacle: str) -> None:
    assert seen_in(raw).obstacle == obstacle


def test_a_signature_is_no_file_but_what_is_only_called_so_is_unclear() -> None:
    assert seen_in(signed(SIGNATURE)) == Seen()
    assert seen_in(signed(PDF)).obstacle == "unclear"
    loose = mail(part("signature.asc", SIGNATURE, "application/pgp-signature"))
    assert len(seen_in(loose).files) == 1


def test_what_is_only_called_a_report_is_unclear() -> None:
    def report(status: bytes, name: bytes = b"") -> bytes:
        body = (
            b"--r\r\n\r\nhello\r\n--r\r\nContent-Type: message/delivery-status"
            + (b"; name=" + name if name else b"")
            + b"\r\n\r\n"
            + status
            + b"\r\n--r--\r\n"
        )
        return letter(body, 'multipart/report; report-type=delivery-status; boundary="r"')

    assert seen_in(report(b"Reporting-MTA: dns; mx.example.jp\r\n")) == Seen()
    assert seen_in(report(b"A: b\r\n c\r\n\r\nD : e", b"details.txt")) == Seen()
    assert seen_in(report(b"The mailbox is full.\r\n")) == Seen()
    assert seen_in(report(PDF)).obstacle == "unclear"
    assert seen_in(report(b"Suzuki,5200\r\nTanaka,4700\r\n", b"pay.csv")).obstacle == "unclear"


def related(html: bytes, name: bytes = b"a.png") -> bytes:
    picture = (
        part(name.decode(), b"\x89PNG\r\n\x1a\n" + bytes(60), "image/png")
        .replace(b"attachment", b"inline")
        .replace(b"\r\n\r\n", b"\r\nContent-ID: <scan%201@x>\r\n\r\n", 1)
    )
    first = b"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + html
    return letter(first + b"\r\n--b\r\n" + picture + b"--b--\r\n", 'multipart/related; boundary="b"')


@pytest.mark.parametrize(
    "html",
    [
        b"<img src=cid:scan%201@x>",
        b'<IMG SRC="CID:Scan 1@X">'.replace(b" 1", b"%201"),
        b"url(cid:scan&#37;201@x)",
    ],
)
def test_a_picture_that_the_text_asks_for_is_no_file(html: bytes) -> None:
    assert seen_in(related(html)) == Seen()


@pytest.mark.parametrize(
    "html", [b"<p>see the scan</p>", b"<img src=cid:scan%2012@x>", b"<img src=scan.png>"]
)
def test_a_picture_that_no_text_shows_is_a_file_and_is_sealed(html: bytes) -> None:
    raw = related(html)
    seen = seen_in(raw)
    assert [(each.name, each.kind) for each in seen.files] == [("a.png", "png")]
    out = b"".join(written(raw, order_for(places_of(seen), How.ZIP_AES256), os.urandom))
    assert b"a.png" not in out
    assert b64encode(b"\x89PNG\r\n\x1a\n" + bytes(60))[:30] not in out


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Type: text/csv",
        b"Content-Type: text/rtf",
        b"Content-Type: text/plain\r\nContent-Disposition: download",
        b"Content-Type: text/html\r\nContent-Disposition: x-file",
    ],
)
def test_what_programs_list_as_a_file_is_one_without_a_name(head: bytes) -> None:
    body = b"--b\r\n\r\nhello\r\n--b\r\n" + head + b"\r\n\r\na;b\r\n--b--\r\n"
    assert len(seen_in(letter(body, 'multipart/mixed; boundary="b"')).files) == 1


def test_texts_that_stand_in_for_each_other_and_invitations_are_no_files() -> None:
    kinds = (b"text/plain", b"text/x-amp-html", b"text/html", b"text/calendar; method=REQUEST")
    body = b"".join(b"--b\r\nContent-Type: " + kind + b"\r\n\r\nhello\r\n" for kind in kinds)
    assert seen_in(letter(body + b"--b--\r\n", 'multipart/alternative; boundary="b"')) == Seen()


@pytest.mark.parametrize("encoding", [b"7bit", b"base64", b"quoted-printable"])
@pytest.mark.parametrize(
    "line",
    [
        b"begin 644 a.doc",
        b"=ybegin line=128 size=9 name=a.doc",
        b"(This file must be converted with BinHex 4.0)",
    ],
)
def test_a_file_in_a_text_is_unclear_whatever_the_text_is_encoded_in(line: bytes, encoding: bytes) -> None:
    text = b"hello\r\n" + line + b"\r\n#86)C\r\n"
    octets = {
        b"base64": encodebytes(text).replace(b"\n", b"\r\n"),
        b"quoted-printable": quopri.encodestring(text),
    }.get(encoding, text)
    assert (
        seen_in(
            letter(octets).replace(
                b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: " + encoding + b"\r\n\r\n", 1
            )
        ).obstacle
        == "unclear"
    )


@pytest.mark.parametrize("head", [b"; name=a.doc", b"\r\nContent-Disposition: attachment; filename=a.doc"])
def test_a_container_that_is_called_a_file_is_unclear(head: bytes) -> None:
    inner = b"--i\r\n\r\nhello\r\n--i--"
    body = (
        b'--b\r\nContent-Type: multipart/mixed; boundary="i"' + head + b"\r\n\r\n" + inner + b"\r\n--b--\r\n"
    )
    assert seen_in(letter(body, 'multipart/mixed; boundary="b"')).obstacle == "unclear"


def test_what_is_only_called_a_picture_of_the_text_is_unclear() -> None:
    def shown(octets: bytes) -> bytes:
        picture = (
            part("a.png", octets, "image/png")
            .replace(b"attachment", b"inline")
            .replace(b"\r\n\r\n", b"\r\nContent-ID: <a>\r\n\r\n", 1)
        )
        html = b"Content-Type: text/html\r\n\r\n<img src=cid:a>"
        return letter(
            b"--b\r\n" + html + b"\r\n--b\r\n" + picture + b"--b--\r\n", 'multipart/related; boundary="b"'
        )

    assert seen_in(shown(b"\x89PNG\r\n\x1a\n" + bytes(60))) == Seen()
    assert seen_in(shown(PDF)).obstacle == "unclear"


@pytest.mark.parametrize(
    ("kind", "files"),
    [
        ("text/csv", 1),
        ("text/rtf", 1),
        ("text/x-vcard", 1),
        ("text/plain", 0),
        ("text/html", 0),
        ("text/calendar", 0),
    ],
)
def test_a_text_without_a_name_is_a_file_where_programs_show_one(kind: str, files: int) -> None:
    seen = seen_in(mail(f"Content-Type: {kind}\r\n\r\nname,telephone\r\nAna,03-0000-0000".encode()))
    assert (len(seen.files), seen.obstacle) == (files, "")


def test_the_forms_of_one_text_are_no_files() -> None:
    forms = b"".join(
        b"--b\r\nContent-Type: text/" + kind + b"\r\n\r\nx\r\n" for kind in (b"plain", b"rtf", b"html")
    )
    assert seen_in(letter(forms + b"--b--\r\n", 'multipart/alternative; boundary="b"')) == Seen()


@pytest.mark.corpus
def test_every_mail_is_looked_at(corpus: Mails) -> None:
    told = [seen_in(raw) for _, raw in corpus]
    assert {each.obstacle for each in told} <= OBSTACLES | {""}
    assert "unread" not in {each.obstacle for each in told}
    assert sum(bool(each.files) and not each.obstacle for each in told) >= 200
