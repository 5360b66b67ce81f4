"""A My Number is found however it is written down, packed or mislabelled, as far as the one who gets it would see it.

Each case is a way in which a rule that refuses My Numbers was passed once.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Iterable

import pytest

from gateway.detect.digits import Numbers, is_my_number, my_numbers
from gateway.detect.plain import folded
from tests.evidence.content.making import (
    docx,
    letter,
    mail,
    paragraph,
    part,
    pptx,
    told,
    told_of,
    xlsx,
    zipped,
)

NUMBER = "123456789018"
SAID = f"個人番号 {NUMBER}"
OCTETS = SAID.encode()
GROUPS = (NUMBER[:4], NUMBER[4:8], NUMBER[8:])


def in_cells(cells: Iterable[str]) -> str:
    return "".join([f"<td>{cell}</td>" for cell in cells])


@pytest.mark.parametrize("sign", ["  ", " - ", ".", "/", "・", "\v", "\u200b", "\u00ad", "\u2060"])
def test_signs_between_its_groups_do_not_hide_it(sign: str) -> None:
    assert my_numbers(folded(f"個人番号: {sign.join(GROUPS)}")) == Numbers(1, 0)


@pytest.mark.parametrize("sign", [" ", "\v", "-", "  "])
def test_a_digit_in_each_box_is_one(sign: str) -> None:
    assert my_numbers(f"個人番号\v{sign.join(NUMBER)}").certain == 1


@pytest.mark.parametrize("word", ["個人番号_", "マイナンバー#", "mynumber=", "個人番号No.", "個人番号?"])
def test_a_word_just_before_it_is_no_part_of_another_number(word: str) -> None:
    assert my_numbers(f"{word}{NUMBER}").certain == 1


@pytest.mark.parametrize(
    "text",
    [
        f"2026/11/21 {'.'.join(GROUPS)}",  # no word for it
        "マイナンバーカードの交付 2026/11/21 1000",
        f"個人番号 {' '.join(NUMBER)} {' '.join(NUMBER)}",  # a longer row of digits
        "個人番号 " + "\v".join(str(n) for n in range(1000, 1040)),
    ],
)
def test_other_rows_of_digits_are_none(text: str) -> None:
    assert my_numbers(text).certain == 0


def test_a_column_of_numbers_in_cells_needs_no_word_beside_each() -> None:
    valid = [str(n) for n in range(100000000000, 100000000100) if is_my_number(str(n))][:6]
    rows = [f"人\v{each[:4]}\v{each[4:8]}\v{each[8:]}" for each in valid]
    assert my_numbers("マイナンバー\n" + "x" * 100 + "\n" + "\n".join(rows)).certain == 6
    assert my_numbers("\n".join(rows)).certain == 0  # with no word for it at all they may be amounts


@pytest.mark.parametrize(
    "source",
    [
        f"<table><tr><td>個人番号</td>{in_cells(GROUPS)}</tr></table>",
        f"<table><tr><td>個人番号</td>{in_cells(NUMBER)}</tr></table>",
        f"<!-->{SAID}<!-- -->",
        f"<!--->{SAID}<!-- -->",
        f"<!--[if mso]>{SAID}<![endif]-->",
        f"<![if !mso]>{SAID}<![endif]>",
        f"個人番号 {'&#8203;'.join(GROUPS)}",
        f"個人番号 {'&shy;'.join(GROUPS)}",
        "個人番号 " + "".join(f"&#{ord(digit)};" for digit in NUMBER),
    ],
)
def test_html_shows_it_where_a_reader_sees_it(source: str) -> None:
    assert told(letter(source.encode(), "text/html; charset=utf-8"))[0].found.my_number == 1


INNER = b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + OCTETS + b"\r\n--b--\r\n"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/mixed", OCTETS),
        ("multipart/mixed; boundary=q", OCTETS),
        (
            "multipart/mixed; boundary=b",
            b"--b\r\nContent-Type: multipart/alternative\r\n\r\n" + OCTETS + b"\r\n--b--",
        ),
    ],
)
def test_a_multipart_without_parts_is_text_and_in_doubt(content_type: str, body: bytes) -> None:
    body_told, _ = told(letter(body, content_type))
    assert (body_told.found.my_number, body_told.unread) == (1, "damaged")
    evidence, _ = told_of("a.eml", letter(body, content_type))
    assert evidence.found.my_number == 1


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
def test_a_multipart_that_claims_an_encoding_is_read_as_it_stands(encoding: str) -> None:
    raw = letter(INNER, "multipart/mixed; boundary=b").replace(
        b"Encoding: 8bit", f"Encoding: {encoding}".encode(), 1
    )
    body_told, _ = told(raw)
    assert (body_told.found.my_number, body_told.unread) == (1, "damaged")


def test_a_signature_that_is_none_is_read() -> None:
    parts = (
        b"--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
        b"--b\r\nContent-Type: application/pgp-signature; name=list.txt\r\n\r\n" + OCTETS + b"\r\n--b--\r\n"
    )
    assert told(letter(parts, "multipart/signed; boundary=b"))[0].found.my_number == 1


@pytest.mark.parametrize("word", [b"begin 644 list.csv\r\n", b"begin-base64 644 list.csv\r\n"])
def test_a_file_in_the_way_of_before_mime_is_unread(word: bytes) -> None:
    assert told(letter(b"hello\r\n" + word + b"M\r\n`\r\nend\r\n"))[0].unread == "unknown-kind"


def tarred(kind: bytes) -> bytes:
    header = tarfile.TarInfo("a.txt")
    header.size, header.type = len(OCTETS), kind
    return header.tobuf(tarfile.USTAR_FORMAT) + OCTETS.ljust(512, b"\0") + bytes(1024)


def counted(archive: bytes, count: int) -> bytes:
    """Return a ZIP whose end record counts fewer members than there are."""
    at = archive.rindex(b"PK\x05\x06")
    return archive[: at + 8] + count.to_bytes(2, "little") * 2 + archive[at + 12 :]


@pytest.mark.parametrize(
    ("name", "octets"),
    [
        ("a.gz", gzip.compress(b"x") + gzip.compress(OCTETS)),
        ("a.bz2", bz2.compress(b"x") + bz2.compress(OCTETS)),
        ("a.xz", lzma.compress(b"x") + lzma.compress(OCTETS)),
        ("a.tar", tarred(b"0")),
        ("a.tar", tarred(b"7")),
        ("a.tar", tarred(b"Z")),
        ("a.zip", counted(zipped({"b.txt": b"x", "a.txt": OCTETS}), 1)),
        ("a.zip", zipped({"[Content_Types].xml": b"<Types/>", "a.txt": OCTETS})),
        ("a.zip", zipped({"META-INF/manifest.xml": b"<m/>", "a.txt": OCTETS})),
        ("a.docx", docx("", **{"word/main.xml": f'<d xmlns:w="w">{paragraph(SAID)}</d>'.encode()})),
        ("a.docx", docx("", **{"docProps/core.xml": f"<p><title>{SAID}</title></p>".encode()})),
        ("a.csv", f"個人番号,{','.join(NUMBER)}\nx,y\n".encode()),
    ],
    ids=lambda value: value if isinstance(value, str) else "octets",  # archives bear the time
)
def test_a_file_holds_it_however_it_is_packed(name: str, octets: bytes) -> None:
    assert told_of(name, octets)[0].found.my_number == 1


def test_a_form_in_a_sheet_has_a_digit_in_each_cell() -> None:
    cells = "".join([f"<c><v>{digit}</v></c>" for digit in NUMBER])
    sheet = f'<row><c t="inlineStr"><is><t>マイナンバー</t></is></c>{cells}</row>'
    assert told_of("a.xlsx", xlsx(sheet))[0].found.my_number == 1


def test_a_mark_on_the_master_of_slides_is_text() -> None:
    octets = pptx("")
    with_master = zipped_with(octets, "ppt/slideMasters/slideMaster1.xml", "<m><t>社外秘</t></m>")
    assert "社外秘" in told_of("a.pptx", with_master)[1]


def zipped_with(archive: bytes, name: str, text: str) -> bytes:
    out = io.BytesIO(archive)
    with zipfile.ZipFile(out, "a") as more:
        more.writestr(name, text)
    return out.getvalue()


def test_a_signed_mail_is_read_as_before() -> None:
    signature = part(
        "smime.p7s",
        b"0\x82\x01\x00\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02" + bytes(50),
        "application/pkcs7-signature",
    )
    raw = mail(signature).replace(b"multipart/mixed", b"multipart/signed", 1)
    body_told, files = told(raw)
    assert body_told.mail_is == {"smime-signed"}
    assert not body_told.unread
    assert not files
