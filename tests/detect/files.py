"""Small files of every kind, written for the tests: as much of each as tells what it is."""

from __future__ import annotations

import io
import struct
import zipfile

NO_SECTOR = 0xFFFFFFFF


def archive(*names: str, mimetype: str = "") -> bytes:
    """Return a ZIP with these members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        if mimetype:
            made.writestr("mimetype", mimetype)
        for name in names:
            made.writestr(name, "<xml/>")
    return out.getvalue()


def office(folder: str, *more: str) -> bytes:
    """Return an Office document of these parts."""
    return archive("[Content_Types].xml", f"{folder}/document.xml", *more)


def ole(*streams: str, inside: str = "") -> bytes:
    """Return an OLE file with these streams at the top, and one storage that holds `inside`."""
    names = ["Root Entry", *streams, "ObjectPool", inside or "x"]
    entries = b"".join(_entry(name, number, len(streams)) for number, name in enumerate(names))
    sectors = -(-len(entries) // 512)
    fat = [*range(2, sectors + 1), 0xFFFFFFFE]  # sector 0 is the FAT, the directory follows
    table = struct.pack(f"<{1 + sectors}I", 0xFFFFFFFD, *fat).ljust(512, b"\xff")
    head = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
        + bytes(16)
        + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
        + bytes(10)
    )
    head += struct.pack("<II", 1, 1).ljust(32, b"\0") + struct.pack("<I", 0).ljust(436, b"\xff")
    return head + table + entries.ljust(512 * sectors, b"\0")


def _entry(name: str, number: int, streams: int) -> bytes:
    """Root's child is 1; each top entry has the next one to its right; the storage alone has a child."""
    storage = number == streams + 1
    right = number + 1 if 0 < number <= streams else NO_SECTOR
    child = 1 if number == 0 else number + 1 if storage else NO_SECTOR
    kind = 5 if number == 0 else 1 if storage else 2
    text = name.encode("utf-16-le")
    return (
        text.ljust(64, b"\0")
        + struct.pack("<HBBIII", len(text) + 2, kind, 1, NO_SECTOR, right, child)
        + bytes(48)
    )


def program(*, library: bool = False) -> bytes:
    """Return the head of a Windows program."""
    flags = 0x2102 if library else 0x0102
    return (
        b"MZ"
        + bytes(58)
        + struct.pack("<I", 128)
        + bytes(64)
        + b"PE\0\0"
        + bytes(18)
        + struct.pack("<H", flags)
    )


LETTER = b"From: a@example.jp\r\nTo: b@example.com\r\nSubject: =?utf-8?b?44GK?=\r\n\r\nhello\r\n"
CMS = b"0\x82\x01\x00\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02" + bytes(20)

FILES: tuple[tuple[str, bytes, str], ...] = (
    ("a.pdf", b"%PDF-1.7\n%\xe2\xe3", "pdf"),
    ("behind-a-mark.pdf", b"\xef\xbb\xbf\n%PDF-1.4", "pdf"),
    ("a.zip", archive("名簿.csv"), "zip"),
    ("empty.zip", archive(), "zip"),
    ("a.docx", office("word"), "docx"),
    ("a.docm", office("word", "word/vbaProject.bin"), "docm"),
    ("a.xlsx", office("xl"), "xlsx"),
    ("a.xlsm", office("xl", "xl/vbaProject.bin"), "xlsm"),
    ("old-macros.xlsm", office("xl", "xl/macrosheets/sheet1.xml"), "xlsm"),
    ("a.xlsb", office("xl", "xl/workbook.bin"), "xlsb"),
    ("a.pptx", office("ppt"), "pptx"),
    ("a.pptm", office("ppt", "ppt/vbaProject.bin"), "pptm"),
    ("a.odt", archive("content.xml", mimetype="application/vnd.oasis.opendocument.text"), "odt"),
    ("a.ods", archive("content.xml", mimetype="application/vnd.oasis.opendocument.spreadsheet"), "ods"),
    ("a.jar", archive("META-INF/MANIFEST.MF", "A.class"), "jar"),
    ("a.doc", ole("WordDocument"), "doc"),
    ("a.xls", ole("Workbook"), "xls"),
    ("a.ppt", ole("Current User", "PowerPoint Document"), "ppt"),
    ("a.msg", ole("__properties_version1.0"), "msg"),
    ("a.jtd", ole("DocumentText", "DocumentViewStyles"), "jtd"),
    ("locked.xlsx", ole("EncryptionInfo", "EncryptedPackage"), "xlsx"),
    ("a.exe", program(), "exe"),
    ("a.dll", program(library=True), "dll"),
    ("a", b"\x7fELF\x02\x01\x01", "elf"),
    ("a.lnk", b"L\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0F", "lnk"),
    ("a.url", b"[InternetShortcut]\r\nURL=https://example.jp/\r\n", "url"),
    ("a.sh", b"#!/bin/sh\necho\n", "script"),
    ("a.vbs", 'MsgBox "見本"'.encode("cp932"), "script"),
    ("a.ps1", b"\xff\xfe" + "Write-Host 1".encode("utf-16-le"), "script"),
    ("a.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "png"),
    ("a.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF", "jpeg"),
    ("a.gif", b"GIF89a\x01\0", "gif"),
    ("a.bmp", b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0", "bmp"),
    ("a.tif", b"II*\0\x08\0\0\0", "tiff"),
    ("a.webp", b"RIFF\x24\0\0\0WEBPVP8 ", "webp"),
    ("a.heic", b"\0\0\0\x18ftypheic\0\0\0\0", "heic"),
    ("a.mp4", b"\0\0\0\x18ftypisom\0\0\0\0", "mp4"),
    ("a.svg", b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "svg"),
    ("a.7z", b"7z\xbc\xaf\x27\x1c\0\x04", "7z"),
    ("a.rar", b"Rar!\x1a\x07\x01\0", "rar"),
    ("a.gz", b"\x1f\x8b\x08\0", "gz"),
    ("a.lzh", b"\x21\x00-lh5-\0\0", "lzh"),
    ("a.cab", b"MSCF\0\0\0\0", "cab"),
    ("a.tar", bytes(257) + b"ustar\x0000", "tar"),
    ("a.iso", bytes(0x8001) + b"CD001\x01", "iso"),
    ("a.rtf", b"{\\rtf1\\ansi", "rtf"),
    ("a.html", b"\r\n<!DOCTYPE html><html><body>", "html"),
    ("a.htm", b"<!-- saved -->\n<html>", "html"),
    ("a.hta", b"<html><hta:application/>", "hta"),
    ("a.xml", b'<?xml version="1.0"?><list/>', "xml"),
    ("a.eml", LETTER, "eml"),
    ("a.ics", b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", "ics"),
    ("a.vcf", b"\xef\xbb\xbfBEGIN:VCARD\r\n", "vcf"),
    ("a.txt", "お知らせ".encode("cp932"), "text"),
    ("jis.txt", "お知らせ".encode("iso2022_jp"), "text"),
    ("wide.txt", b"\xff\xfe" + "お知らせ".encode("utf-16-le"), "text"),
    ("a.csv", "氏名,住所\r\n".encode("cp932"), "csv"),
    ("a.json", b'{"a": 1}', "json"),
    ("winmail.dat", b"\x78\x9f\x3e\x22\x01\0", "tnef"),
    ("smime.p7m", CMS, "p7m"),
    ("a.asc", b"-----BEGIN PGP MESSAGE-----\n", "pgp"),
    ("a.accdb", b"\0\x01\0\0Standard ACE DB\0", "accdb"),
)
"""A name, the octets, and what they are."""

DISGUISED: tuple[tuple[str, bytes, str], ...] = (
    ("report.pdf", program(), "exe"),
    ("写真.jpg", archive("a.exe"), "zip"),
    ("sheet.xlsx", office("xl", "xl/vbaProject.bin"), "xlsm"),
    ("list.csv", b"%PDF-1.7\n", "pdf"),
    ("a.doc", b"{\\rtf1", "rtf"),
    ("a.txt", b"<html><body>", "html"),
    ("a.zip", office("word"), "docx"),
    ("memo.docx", "お知らせ".encode(), "text"),
    ("plan.xls", ole("Workbook", inside="WordDocument"), "xls"),
    ("plan.doc", ole("WordDocument", inside="Workbook"), "doc"),
    ("letter", LETTER, "eml"),
    ("image.png", b"\xff\xd8\xff\xe0", "jpeg"),
    ("mail.csv", b"From: a@example.jp\nTo: b@example.jp\n", "csv"),
    ("a.exe", b"this is no program", "text"),
    ("a.docx", archive("[Content_Types].xml", "readme.txt"), "zip"),
    ("a.docx", archive("word/document.xml"), "zip"),
    ("x.zip", b"PK is what this text begins with", "text"),
    ("x.exe", b"MZ is short", "text"),
    ("x.pdf", b"\x00\x01\x02\x03\x04", ""),
    ("empty.txt", b"", ""),
    ("a.odt", b"PK\x03\x04" + bytes(26) + b"mimetypeapplication/vnd.oasis.opendocument.text", "zip"),
    ("locked", ole("EncryptedPackage"), "office"),
    ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
)
"""The same for names that do not tell the truth, and for octets that only begin like something."""
