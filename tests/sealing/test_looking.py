"""What is seen of a mail's files, and what stands in the way of touching them."""

from __future__ import annotations

import io
import zipfile

import pytest

from gateway.policy.handling import Seen
from gateway.sealing.looking import seen_in
from gateway.sealing.told import OBSTACLES
from tests.evidence.content.making import letter, mail, part
from tests.sealing.making import FILES, PDF, mail_with

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
    def report(status: bytes) -> bytes:
        body = (
            b"--r\r\n\r\nhello\r\n--r\r\nContent-Type: message/delivery-status\r\n\r\n"
            + status
            + b"\r\n--r--\r\n"
        )
        return letter(body, 'multipart/report; report-type=delivery-status; boundary="r"')

    assert seen_in(report(b"Reporting-MTA: dns; mx.example.jp\r\n")) == Seen()
    assert seen_in(report(PDF)).obstacle == "unclear"


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
