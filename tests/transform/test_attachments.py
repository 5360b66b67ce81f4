"""Attachments replaced and left out: the mails people send, and those that must be held."""

from __future__ import annotations

import base64

import pytest

from gateway.message.header import split
from gateway.message.mime import Structure, scan_structure
from gateway.transform.attachment_places import attached
from gateway.transform.attachments import REFUSALS, CannotRebuild, Replacement, rebuild

SECRET = base64.b64encode(b"plain words to look for " * 8)
PDF = (
    b"Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n"
    b"Content-Disposition: attachment; filename=a.pdf\r\n\r\n" + SECRET
)
PICTURE = b"Content-Type: image/png; name=logo.png\r\nContent-ID: <logo>\r\nContent-Transfer-Encoding: base64\r\n\r\niVBO"
TEXT = b"Content-Type: text/plain\r\n\r\nHello"
HTML = b"Content-Type: text/html\r\n\r\n<img src=cid:logo>"
NOTE = "鍵は電話でお知らせします。"


def head(kind: bytes) -> bytes:
    return b"From: a@example.jp\r\nMIME-Version: 1.0\r\nContent-Type: " + kind + b"\r\nSubject: x\r\n\r\n"


def multipart(kind: str, *parts: bytes, boundary: str = "b") -> bytes:
    line = b"\r\n--" + boundary.encode()
    return (
        b"Content-Type: multipart/" + kind.encode() + b"; boundary=" + boundary.encode() + b"\r\n\r\n"
        b"preamble" + b"".join(line + b"\r\n" + each for each in parts) + line + b"--\r\nepilogue"
    )


def mail(body: bytes) -> bytes:
    return b"From: a@example.jp\r\nMIME-Version: 1.0\r\nSubject: x\r\n" + body


def structure_of(raw: bytes) -> Structure:
    header, body_at = split(raw)
    return scan_structure(raw, header, body_at)


def sealed(octets: bytes = b"sealed") -> Replacement:
    return Replacement("application/zip", "添付ファイル.zip", lambda: (octets,))


def made(raw: bytes, edits: dict[int, Replacement | None], note: str = "") -> bytes:
    return b"".join(rebuild(raw, structure_of(raw), edits, note).chunks())


def seen(raw: bytes) -> list[tuple[int, str, str]]:
    structure = structure_of(raw)
    assert structure.unclear == frozenset()
    return [(each.depth, each.content_type, each.name) for each in structure.parts]


ORDINARY = mail(multipart("mixed", TEXT, PDF, PDF))
OUTLOOK = mail(multipart("mixed", multipart("related", HTML, PICTURE, boundary="r"), PDF))
ZIP = (1, "application/zip", "添付ファイル.zip")


def test_all_in_one() -> None:
    out = made(ORDINARY, {2: sealed(), 3: None})
    assert seen(out) == [(0, "multipart/mixed", ""), (1, "text/plain", ""), ZIP]
    assert base64.b64encode(b"sealed") in out
    assert SECRET not in out
    before, _, _ = ORDINARY.partition(PDF)
    assert out.startswith(before)
    assert out.endswith(b"\r\n--b--\r\nepilogue")


def test_each_in_its_place() -> None:
    out = made(ORDINARY, {2: sealed(b"one"), 3: sealed(b"two")})
    assert seen(out)[2:] == [ZIP, ZIP]
    assert out.index(base64.b64encode(b"one")) < out.index(base64.b64encode(b"two"))


def test_a_note_stands_before_the_first() -> None:
    out = made(ORDINARY, {2: sealed(), 3: None}, NOTE)
    assert seen(out)[1:] == [(1, "text/plain", ""), (1, "text/plain", ""), ZIP]
    assert base64.b64encode(NOTE.encode()) in out


def test_a_note_stands_in_the_place_of_what_is_left_out() -> None:
    out = made(ORDINARY, {2: None, 3: None}, NOTE)
    assert seen(out)[1:] == [(1, "text/plain", ""), (1, "text/plain", "")]
    assert SECRET not in out


def test_pictures_in_the_text_stay() -> None:
    assert attached(structure_of(OUTLOOK)) == (4,)
    out = made(OUTLOOK, {4: sealed()})
    assert seen(out)[:4] == seen(OUTLOOK)[:4]
    assert PICTURE in out
    assert SECRET not in out


def test_a_container_that_would_be_empty_goes_too() -> None:
    raw = mail(multipart("mixed", TEXT, multipart("mixed", PDF, PDF, boundary="in")))
    assert seen(made(raw, {3: None, 4: None})) == [(0, "multipart/mixed", ""), (1, "text/plain", "")]


def test_of_a_mail_of_files_alone_the_note_stays_and_no_empty_container() -> None:
    raw = mail(
        multipart("mixed", multipart("mixed", PDF, boundary="x"), multipart("mixed", PDF, boundary="y"))
    )
    out = made(raw, {2: None, 4: None}, NOTE)
    assert seen(out) == [(0, "multipart/mixed", ""), (1, "multipart/mixed", ""), (2, "text/plain", "")]


def test_a_forwarded_mail_is_one_file_with_all_that_is_in_it() -> None:
    raw = mail(
        multipart(
            "mixed",
            TEXT,
            b"Content-Type: message/rfc822\r\n\r\n" + mail(multipart("mixed", PDF, boundary="f")),
        )
    )
    assert attached(structure_of(raw)) == (2,)
    out = made(raw, {2: sealed()})
    assert seen(out)[1:] == [(1, "text/plain", ""), ZIP]
    assert SECRET not in out


def test_a_mail_that_is_nothing_but_a_file() -> None:
    raw = mail(PDF)
    out = made(raw, {0: sealed()})
    assert seen(out) == [(0, "application/zip", "添付ファイル.zip")]
    assert out.startswith(b"From: a@example.jp\r\nMIME-Version: 1.0\r\nSubject: x\r\nContent-Type:")
    noted = made(raw, {0: sealed()}, NOTE)
    assert seen(noted) == [(0, "multipart/mixed", ""), (1, "text/plain", ""), ZIP]
    assert seen(made(raw, {0: None}, NOTE)) == [(0, "text/plain", "")]


def test_a_mail_that_does_not_say_that_it_is_mime_says_so_then() -> None:
    raw = mail(PDF).replace(b"MIME-Version: 1.0\r\n", b"")
    assert b"\r\nMIME-Version: 1.0\r\n" in made(raw, {0: sealed()})


def test_a_mail_without_a_place_for_a_note_is_wrapped() -> None:
    raw = mail(multipart("related", HTML, PICTURE, PDF))
    out = made(raw, {3: sealed()}, NOTE)
    assert [each[:2] for each in seen(out)] == [
        (0, "multipart/mixed"),
        (1, "multipart/related"),
        (2, "text/html"),
        (2, "image/png"),
        (2, "application/zip"),
        (1, "text/plain"),
    ]
    assert PICTURE in out


@pytest.mark.parametrize("end", [b"", b"\r\n"])
def test_a_part_without_a_body_gets_one(end: bytes) -> None:
    empty = PDF.replace(SECRET, b"")[: -2 if not end else None]
    raw = mail(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + empty + end + b"--b--\r\n")
    structure = structure_of(raw)
    if structure.unclear:
        with pytest.raises(CannotRebuild):
            made(raw, {1: sealed()})
    else:
        assert seen(made(raw, {1: sealed()}))[1:] == [ZIP]


SIGNATURE = b"Content-Type: application/pkcs7-signature; name=smime.p7s\r\n\r\nx"


@pytest.mark.parametrize(
    ("raw", "number", "reason"),
    [
        (mail(multipart("signed", multipart("mixed", TEXT, PDF, boundary="in"), SIGNATURE)), 3, "signed"),
        (mail(multipart("signed", PDF, SIGNATURE)), 0, "signed"),
        (mail(multipart("encrypted", b"Content-Type: application/pgp-encrypted\r\n\r\nx", PDF)), 2, "encrypted"),
        (mail(b"Content-Type: application/pkcs7-mime; name=smime.p7m\r\n\r\nx"), 0, "encrypted"),
        (mail(b"Content-Type: application/octet-stream; name=smime.p7m\r\n\r\nx"), 0, "encrypted"),
        (mail(multipart("mixed", TEXT, multipart("appledouble", PDF, PDF, boundary="in"))), 3, "two-halves"),
        (mail(multipart("mixed", b"Content-Type: message/rfc822\r\n\r\n" + mail(PDF))), 2, "forwarded"),
        (ORDINARY.replace(b"--b--", b"--c--"), 2, "unclear"),
        (ORDINARY.replace(b"--b\r\nContent-Type: app", b"--b\r\nContent-Type: text/plain\r\nContent-Type: app"), 2, "unclear"),
        (ORDINARY.replace(b": base64", b": base64x"), 2, "unclear"),
        (b"Content-Type: application/pdf; name=a.pdf\r\n", 0, "no-body"),
    ],
)  # fmt: skip
def test_what_must_be_held(raw: bytes, number: int, reason: str) -> None:
    with pytest.raises(CannotRebuild) as refused:
        made(raw, {number: sealed()}, NOTE)
    assert refused.value.reason == reason
    assert reason in REFUSALS


def test_a_mail_of_which_nothing_would_be_left_is_held() -> None:
    with pytest.raises(CannotRebuild) as refused:
        made(mail(multipart("mixed", PDF, PDF)), {1: None, 2: None})
    assert refused.value.reason == "nothing-left"


def test_an_edit_inside_another_is_an_error_of_ours() -> None:
    raw = mail(multipart("mixed", TEXT, multipart("mixed", PDF, boundary="in")))
    with pytest.raises(ValueError, match="inside of another"):
        made(raw, {2: sealed(), 3: sealed()})


def test_signatures_over_the_mail_that_do_not_hold_any_more_are_named() -> None:
    raw = b"DKIM-Signature: v=1\r\n" + ORDINARY
    assert rebuild(raw, structure_of(raw), {2: sealed()}).breaks == {"dkim-signature"}
    assert rebuild(ORDINARY, structure_of(ORDINARY), {2: sealed()}).breaks == frozenset()


def test_the_same_mail_is_written_twice_alike() -> None:
    planned = rebuild(mail(PDF), structure_of(mail(PDF)), {0: sealed()}, NOTE)
    assert b"".join(planned.chunks()) == b"".join(planned.chunks())


def test_what_a_replacement_raises_comes_through() -> None:
    def broken() -> tuple[bytes, ...]:
        raise RuntimeError("no more room")

    planned = rebuild(ORDINARY, structure_of(ORDINARY), {2: Replacement("a/b", "c", broken)})
    with pytest.raises(RuntimeError, match="no more room"):
        list(planned.chunks())
