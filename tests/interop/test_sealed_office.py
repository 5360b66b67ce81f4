"""Sealed Office documents in LibreOffice: they open with the key, and with no other."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from gateway.protect.office import encrypt_office
from tests.interop.conftest import missing, require

pytestmark = pytest.mark.interop

KEY = "sakura-yuzu"
KINDS = "application/vnd.openxmlformats-officedocument"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"

# Runs in the system's Python, which has LibreOffice's bridge: one line of JSON for each file, its text or null.
SCRIPT = """
import json, sys, time, uno
from com.sun.star.beans import PropertyValue

def value(name, what):
    made = PropertyValue()
    made.Name, made.Value = name, what
    return made

here = uno.getComponentContext()
resolver = here.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", here)
for _ in range(120):
    try:
        there = resolver.resolve("uno:pipe,name=%s;urp;StarOffice.ComponentContext" % sys.argv[1])
        break
    except Exception:
        time.sleep(0.5)
desktop = there.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", there)
hidden = value("Hidden", True)
for file, key in zip(sys.argv[2::2], sys.argv[3::2]):
    try:
        document = desktop.loadComponentFromURL("file://" + file, "_blank", 0, (hidden, value("Password", key)))
        sheets = getattr(document, "Sheets", None)
        print(json.dumps(sheets[0][0, 0].String if sheets else document.Text.String))
        document.close(True)
    except Exception:
        print("null")
try:
    desktop.terminate()
except Exception:
    pass
"""


def package(kind: str, main: str, content: str, relations: str = "") -> bytes:
    """Return a document of one part, as little as LibreOffice opens, with spaces that make it large enough."""
    types = (
        f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="{KINDS}.spreadsheetml.worksheet+xml"/>'
        f'<Override PartName="/{main}" ContentType="{KINDS}.{kind}.main+xml"/></Types>'
    )
    root = (
        f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r" Type="{RELATIONS}/officeDocument" '
        f'Target="{main}"/></Relationships>'
    )
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("[Content_Types].xml", types)
        made.writestr("_rels/.rels", root)
        made.writestr(main, content.ljust(4096))
        if relations:
            made.writestr("xl/_rels/workbook.xml.rels", relations)
            made.writestr(
                "xl/sheet.xml",
                '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row>'
                '<c t="inlineStr"><is><t>山田 花子</t></is></c></row></sheetData></worksheet>',
            )
    return out.getvalue()


def docx() -> bytes:
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    text = f'<w:document xmlns:w="{space}"><w:body><w:p><w:r><w:t>目黒区 名簿</w:t></w:r></w:p></w:body></w:document>'
    return package("wordprocessingml.document", "word/document.xml", text)


def xlsx() -> bytes:
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    sheets = '<sheets><sheet name="s" sheetId="1" r:id="r1"/></sheets>'
    book = f'<workbook xmlns="{space}" xmlns:r="{RELATIONS}">{sheets}</workbook>'
    relations = (
        f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r1" Type="{RELATIONS}/worksheet" '
        'Target="sheet.xml"/></Relationships>'
    )
    return package("spreadsheetml.sheet", "xl/workbook.xml", book, relations)


def python_with_bridge() -> str:
    for candidate in ("/usr/bin/python3", "/usr/lib/libreoffice/program/python"):
        if shutil.which(candidate) is None:
            continue
        if subprocess.run([candidate, "-c", "import uno"], check=False, capture_output=True).returncode == 0:
            return candidate
    missing("LibreOffice's bridge to Python is not installed")
    raise AssertionError


def opened(folder: Path, *files: tuple[Path, str]) -> list[str | None]:
    """Return what LibreOffice reads in each file with this key, None where it does not open."""
    office, python = require("soffice"), python_with_bridge()
    pipe = "sekisho" + secrets.token_hex(6)
    running = subprocess.Popen(
        [
            office,
            "--headless",
            "--norestore",
            f"-env:UserInstallation=file://{folder}/profile",
            f"--accept=pipe,name={pipe};urp;",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        arguments = [each for file, key in files for each in (str(file), key)]
        done = subprocess.run(
            [python, "-c", SCRIPT, pipe, *arguments], capture_output=True, text=True, timeout=120, check=True
        )
        running.wait(timeout=30)
    finally:
        running.kill()
        running.wait()
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_sealed_documents_open_with_their_key_only(tmp_path: Path) -> None:
    for name, octets in (("a.docx", docx()), ("a.xlsx", xlsx())):
        (tmp_path / name).write_bytes(b"".join(encrypt_office(octets, KEY, entropy=secrets.token_bytes)))
    word, sheet = tmp_path / "a.docx", tmp_path / "a.xlsx"
    assert opened(tmp_path, (word, KEY), (word, "wrong"), (sheet, KEY), (sheet, "wrong")) == [
        "目黒区 名簿",
        None,
        "山田 花子",
        None,
    ]
