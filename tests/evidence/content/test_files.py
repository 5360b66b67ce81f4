"""Attachments of every kind that is read: their text, their tables, whether they are encrypted or hold macros."""

from __future__ import annotations

import io
import zipfile

import pytest

from gateway.message.evidence import FileEvidence
from tests.evidence.content import making
from tests.evidence.content.making import docx, mail, paragraph, part, pdf, pptx, told_of, xlsx, zipped

TEXT = "個人番号は 123456789018 です"


@pytest.mark.parametrize(
    "codec", ["utf-8", "utf-8-sig", "cp932", "euc_jp", "iso2022_jp", "utf-16", "utf-16-le", "utf-16-be"]
)
def test_texts_of_every_charset(codec: str) -> None:
    evidence, text = told_of("a.txt", TEXT.encode(codec))
    assert text == TEXT
    assert evidence == FileEvidence(
        "text" if codec not in ("utf-16-le", "utf-16-be") else "", False, False, found=evidence.found
    )
    assert evidence.found.my_number == 1


@pytest.mark.parametrize("codec", ["utf-8", "cp932", "utf-16"])
@pytest.mark.parametrize("sign", [",", "\t"])
def test_ten_thousand_people_in_a_csv_are_counted(codec: str, sign: str) -> None:
    rows = ["氏名,住所,電話番号,生年月日"]
    rows += [
        f'山田 {_kanji(n)},"東京都目黒区中央町{n}-2-3",03-{n:04}-5678,1980/1/{n % 28 + 1}'
        for n in range(10_000)
    ]
    table = "\r\n".join(rows).replace(",", sign)
    evidence, _ = told_of("meibo.csv", table.encode(codec))
    assert evidence.found.person == 10_000
    assert evidence.found.phone == 10_000
    assert evidence.unread == ""


def _kanji(number: int) -> str:
    return "".join("一二三四五六七八九十"[int(digit)] for digit in str(number))


def test_a_csv_with_a_quote_that_never_ends_is_read_by_lines() -> None:
    rows = "\n".join(f"山田 太{n},03-1234-{n:04}" for n in range(1000, 1020))
    evidence, text = told_of("a.csv", f'氏名,電話\n"{rows}'.encode() + b"\nx" * 90_000)
    assert "03-1234-1019" in text
    assert evidence.unread == ""


def test_word_is_read_with_headers_comments_and_deleted_text() -> None:
    body = paragraph("本文です") + "<w:p><w:del><w:r><w:delText>消した文</w:delText></w:r></w:del></w:p>"
    octets = docx(
        body,
        word__header1_xml=docx_part("見出し"),
        word__footnotes_xml=docx_part("脚注"),
        word__comments_xml=docx_part("コメント"),
    )
    evidence, text = told_of("a.docx", octets)
    for each in ("本文です", "消した文", "見出し", "脚注", "コメント"):
        assert each in text
    assert (evidence.kind, evidence.encrypted, evidence.macros, evidence.unread) == ("docx", False, False, "")


def docx_part(text: str) -> bytes:
    return f'<w:x xmlns:w="w">{paragraph(text)}</w:x>'.encode()


def test_a_run_that_is_cut_in_pieces_is_one_text() -> None:
    runs = "".join(f"<w:r><w:t>{piece}</w:t></w:r>" for piece in ("1234", "5678", "9018"))
    evidence, _ = told_of("a.docx", docx(f"<w:p><w:r><w:t>個人番号 </w:t></w:r>{runs}</w:p>"))
    assert evidence.found.my_number == 1


def test_a_table_in_word_is_a_table() -> None:
    def row(*cells: str) -> str:
        return "<w:tr>" + "".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in cells) + "</w:tr>"

    rows = row("氏名", "住所") + "".join(row(f"山田 花{n}", f"東京都目黒区中央町1-2-{n}") for n in range(5))
    evidence, _ = told_of("a.docx", docx(f"<w:tbl>{rows}</w:tbl>"))
    assert evidence.found.person == 5


def test_excel_is_read_with_strings_numbers_dates_and_columns() -> None:
    formats = '<numFmts><numFmt numFmtId="176" formatCode="yyyy/m/d"/></numFmts>'
    styles = f'{formats}<cellXfs><xf numFmtId="0"/><xf numFmtId="176"/></cellXfs>'
    head = '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" t="s"><v>1</v></c></row>'
    rows = "".join(
        f'<row r="{n}"><c r="A{n}" t="inlineStr"><is><t>山田 花{n}</t></is></c><c r="C{n}" s="1"><v>{29_000 + n}</v></c>'
        f'<c r="D{n}"><v>1.23456789018E11</v></c></row>'
        for n in range(2, 8)
    )
    evidence, text = told_of("a.xlsx", xlsx(head + rows, ("氏名", "生年月日"), styles))
    assert "名簿" in text
    assert "123456789018" in text
    assert "山田 花2\v\v1979/05/27" in text
    assert evidence.found.person == 6
    assert (evidence.kind, evidence.unread) == ("xlsx", "")


def test_powerpoint_is_read_with_its_notes() -> None:
    evidence, text = told_of("a.pptx", pptx("表の文", "発表者のメモ"))
    assert "表の文" in text
    assert "発表者のメモ" in text
    assert evidence.kind == "pptx"


def test_macros_are_told_whatever_the_suffix_says() -> None:
    evidence, _ = told_of("a.docx", docx(paragraph("x"), word__vbaProject_bin=b"VBA"))
    assert evidence.macros is True
    evidence, _ = told_of("a.zip", zipped({"b.xlsx": xlsx("", xl__vbaProject_bin=b"VBA")}))
    assert evidence.macros is True


def test_a_workbook_inside_a_presentation_is_read() -> None:
    inner = xlsx('<row r="1"><c r="A1" t="inlineStr"><is><t>隠れた表</t></is></c></row>')
    outer = docx(paragraph("x"))
    with zipfile.ZipFile(buffer := io.BytesIO(outer), "a") as archive:
        archive.writestr("word/embeddings/sheet.xlsx", inner)
    _, text = told_of("a.docx", buffer.getvalue())
    assert "隠れた表" in text


def test_open_document_sheets_are_read() -> None:
    cell = "<table:table-cell><text:p>{}</text:p></table:table-cell>"
    row = f"<table:table-row>{cell}{cell}</table:table-row>"
    rows = row.format("氏名", "住所") + "".join(
        row.format(f"山田 花{n}", f"東京都目黒区中央町1-2-{n}") for n in range(4)
    )
    content = f"<o xmlns:table='t' xmlns:text='x'><table:table>{rows}</table:table></o>".encode()
    octets = zipped(
        {
            "mimetype": b"application/vnd.oasis.opendocument.spreadsheet",
            "content.xml": content,
            "META-INF/manifest.xml": b"<m/>",
        }
    )
    evidence, _ = told_of("a.ods", octets)
    assert evidence.found.person == 4
    encrypted = zipped({"content.xml": b"?", "META-INF/manifest.xml": b"<m:encryption-data/>"})
    assert told_of("a.ods", encrypted)[0].unread == "encrypted"


def test_pdf_pages_are_read() -> None:
    evidence, text = told_of("a.pdf", pdf("My Number 123456789018", "second page"))
    assert "second page" in text
    assert evidence.found.my_number == 1
    assert (evidence.kind, evidence.encrypted, evidence.unread) == ("pdf", False, "")


def encrypted_pdf(user: str) -> bytes:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf("secret words"))))
    writer.encrypt(user, "owner", algorithm="AES-256")
    writer.write(out := io.BytesIO())
    return out.getvalue()


def test_an_encrypted_pdf_is_told_and_one_without_a_users_password_read() -> None:
    evidence, text = told_of("a.pdf", encrypted_pdf("user"))
    assert (evidence.encrypted, evidence.unread, text) == (True, "encrypted", "")
    evidence, text = told_of("a.pdf", encrypted_pdf(""))
    assert (evidence.encrypted, evidence.unread, text.strip()) == (False, "", "secret words")


@pytest.mark.parametrize(
    ("name", "octets", "kind", "encrypted", "unread"),
    [
        (
            "a.rar",
            b"Rar!\x1a\x07\x01\x00" + b"\x01\x02\x03\x04\x21\x04" + bytes(40),
            "rar",
            True,
            "encrypted",
        ),
        (
            "a.rar",
            b"Rar!\x1a\x07\x01\x00" + b"\x01\x02\x03\x04\x21\x01" + bytes(40),
            "rar",
            None,
            "unknown-kind",
        ),
        ("a.7z", b"7z\xbc\xaf\x27\x1c" + bytes(60), "7z", None, "unknown-kind"),
        ("a.7z", b"7z\xbc\xaf\x27\x1c" + bytes(60) + b"\x06\xf1\x07\x01", "7z", True, "encrypted"),
        ("a.asc", b"-----BEGIN PGP MESSAGE-----\n\nhQEM", "pgp", True, "encrypted"),
        ("a.exe", b"MZ" + bytes(100), "exe", None, "unknown-kind"),
        ("a.bin", bytes(range(256)), "", None, "unknown-kind"),
        ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(60), "png", False, ""),
        ("empty.txt", b"", "", False, ""),
        ("a.rtf", rb"{\rtf1\ansi\ansicpg932{\fonttbl x}\'8d\'91\u26085 ?\par b}", "rtf", False, ""),
    ],
)
def test_what_nobody_reads_is_told(
    name: str, octets: bytes, kind: str, encrypted: bool | None, unread: str
) -> None:
    evidence, text = told_of(name, octets)
    assert (evidence.kind, evidence.encrypted, evidence.unread) == (kind, encrypted, unread)
    assert text.strip() == ("国日\nb" if kind == "rtf" else "")
    assert evidence.macros is (None if encrypted is not False else False)


def test_an_eml_file_is_read_with_its_attachments() -> None:
    inner = mail(part("meibo.txt", TEXT.encode()), text="転送します").replace(b"\r\n", b"\n")
    evidence, text = told_of("saved.eml", inner)
    assert evidence.kind == "eml"
    assert evidence.members == ("meibo.txt",)
    assert "転送します" in text
    assert evidence.found.my_number == 1


def test_one_damaged_file_does_not_hide_the_next() -> None:
    raw = mail(
        part("a.docx", docx(paragraph("x"))[:-30]),
        part("b.pdf", b"%PDF-1.7 nonsense"),
        part("c.txt", TEXT.encode()),
    )
    _, files = making.told(raw)
    assert [file.evidence.unread for file in files] == ["damaged", "damaged", ""]
    assert files[2].evidence.found.my_number == 1


def test_the_source_of_a_pivot_table_is_read() -> None:
    names = "".join(f'<s v="山田 花{n}"/>' for n in range(4))
    definition = (
        f'<d><cacheFields><cacheField name="氏名"><sharedItems>{names}</sharedItems></cacheField>'
        '<cacheField name="住所"><sharedItems/></cacheField></cacheFields></d>'
    )
    records = "".join(f'<r><x v="{n}"/><s v="東京都目黒区中央町1-2-{n}"/></r>' for n in range(4))
    octets = xlsx(
        "", xl__pivotCache__pivotCacheDefinition1_xml=b"", xl__pivotCache__pivotCacheRecords1_xml=b""
    )
    assert told_of("a.xlsx", octets)[0].unread == "damaged"
    octets = xlsx(
        "",
        xl__pivotCache__pivotCacheDefinition1_xml=definition.encode(),
        xl__pivotCache__pivotCacheRecords1_xml=f"<p>{records}</p>".encode(),
    )
    evidence, text = told_of("a.xlsx", octets)
    assert "氏名\v住所" in text
    assert evidence.found.person == 4
    assert evidence.unread == ""


def test_a_binary_workbook_is_not_read_in_silence() -> None:
    octets = zipped(
        {"[Content_Types].xml": b"<T/>", "xl/workbook.bin": b"x", "xl/worksheets/sheet1.bin": b"x"}
    )
    evidence, _ = told_of("a.xlsb", octets)
    assert (evidence.kind, evidence.unread) == ("xlsb", "unknown-kind")


@pytest.mark.parametrize(
    ("encoding", "codec", "unread"),
    [("90ms-RKSJ-H", "cp932", ""), ("UniJIS-UCS2-H", "utf-16-be", ""), ("EUC-H", "euc_jp", "unknown-kind")],
)
def test_characters_of_a_pdf_that_nobody_can_tell_are_not_taken_for_others(
    encoding: str, codec: str, unread: str
) -> None:
    stream = b"BT /F1 12 Tf 72 720 Td <" + TEXT.encode(codec).hex().encode() + b"> Tj ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        f"<< /Type /Font /Subtype /Type0 /BaseFont /A /Encoding /{encoding} /DescendantFonts [6 0 R] >>".encode(),
        b"<< /Type /Font /Subtype /CIDFontType0 /BaseFont /A >>",
    ]
    evidence, text = told_of("a.pdf", making.assembled_pdf(objects))
    assert evidence.unread == unread
    assert (text.strip() == TEXT) is (unread == "")
