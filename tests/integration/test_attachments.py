"""Mail with files through the real process: outside they arrive sealed and open with the key, inside as they were sent.

Whatever leaves to somebody outside is searched for what the files hold, in each form it could leave in.
"""

from __future__ import annotations

import asyncio
import io
import quopri
import re
import smtplib
import subprocess
import zipfile
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import msoffcrypto  # type: ignore[import-untyped]
import pikepdf
import pytest

from gateway.spool.sql import open_spool
from gateway.store.keys import MasterKey
from tests.interop.conftest import require
from tests.process import Gateway, NextHop, Taken, gateway, next_hop, wait_for
from tests.sealing.making import DOCX, FILES, TEXT, XLSX, mail_with, parts_of, text_of

OFFICE = "office@sports.example.jp"
INSIDE, OUTSIDE, OTHER = "clerk@city.example.lg.jp", "ana@example.com", "ben@example.net"

POLICY = """\
version: 1
organisation:
  name: test
  internal: [city.example.lg.jp, sports.example.jp]
rules:
  - id: protect-files
    reason: files leave encrypted
    when: {external: {at_least: 1}}
    then: {attachments: PROTECTION}
"""
FORMS = {
    "native": "{protect: native, password_by: [sender]}",
    "zip-aes256": "{protect: zip-aes256, password_by: [sender], hide_names: true}",
    "zip-legacy": "{protect: zip-legacy, password_by: [sender]}",
    "own": "{protect: zip-aes256, password_by: [sender], per: recipient}",
    "link": "{protect: link}",
    "block": "{protect: block}",
}


@pytest.fixture(scope="module")
def hop() -> Iterator[NextHop]:
    with next_hop() as running:
        yield running


@pytest.fixture(scope="module")
def gw(hop: NextHop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("attachments"), hop.port) as running:
        yield running


def ask(gw: Gateway, form: str) -> None:
    """Put a policy in force that protects files so."""
    (gw.folder / "policies" / "default.yaml").write_text(
        POLICY.replace("PROTECTION", FORMS[form]), encoding="utf-8"
    )
    gw.stop()
    gw.start()


def send(gw: Gateway, hop: NextHop, raw: bytes, *to: str) -> dict[str, Taken]:
    """Send a mail; return what each recipient got, once all have it."""
    before = len(hop.taken)
    with smtplib.SMTP("127.0.0.1", gw.smtp_port, timeout=60) as client:
        client.sendmail(OFFICE, list(to), raw)

    def got() -> dict[str, Taken] | None:
        # Letters of ours to the sender, of this mail and of those before, come to the same next hop.
        found = {each: mail for mail in hop.taken[before:] for each in mail.recipients if each in to}
        return found if set(found) == set(to) else None

    found: dict[str, Taken] = wait_for(got, "everybody to get the mail")
    return found


def keys(gw: Gateway, mail: Taken, *recipients: int) -> dict[int, str]:
    """Return the keys of a mail by recipient, out of the store of a gateway that is stopped for it."""
    found = re.search(rb"id ([0-9A-Z]{16})", mail.header)
    assert found
    gw.stop()
    var = gw.folder / "var"

    async def read() -> dict[int, str]:
        spool = open_spool(var, MasterKey.load(var / "master.key"), serve=True)
        try:
            return {
                n: key.text for n, key in (await spool.keys.to_seal(found[1].decode(), recipients)).items()
            }
        finally:
            await spool.close()

    try:
        return asyncio.run(read())
    finally:
        gw.start()


def not_in_clear(mail: Taken) -> None:
    """Fail where something of a file can be read in a mail: raw, in base64, in quoted-printable, or inside a part of it."""
    raw = mail.raw
    squeezed = raw.replace(b"\r\n", b"")
    parts = parts_of(raw)
    for name, octets in FILES.items():
        for at in range(0, len(octets) - 60, max(1, len(octets) // 40)):
            piece = octets[at : at + 45]
            if len(set(piece)) < 12:
                continue
            assert piece not in raw, name
            assert quopri.encodestring(piece) not in raw, name
            assert not any(piece in part for part in parts.values()), name
            for shift in range(3):
                assert b64encode(piece[shift : shift + 42]) not in squeezed, name


@pytest.mark.parametrize("form", FORMS)
def test_outside_gets_no_file_in_clear_and_inside_gets_the_mail(gw: Gateway, hop: NextHop, form: str) -> None:
    ask(gw, form)
    raw = mail_with()
    got = send(gw, hop, raw, INSIDE, OUTSIDE, OTHER)
    assert parts_of(got[INSIDE].raw) == FILES
    assert got[INSIDE].body == raw.partition(b"\r\n\r\n")[2]
    for outside in (OUTSIDE, OTHER):
        not_in_clear(got[outside])
        assert "hello" in text_of(got[outside].raw)
        assert "添付ファイルについて" in text_of(got[outside].raw)
    found = keys(gw, got[OUTSIDE], 1, 2) if form not in ("link", "block") else {}
    for key in found.values():
        for each in got.values():
            assert key.encode() not in each.raw
        assert key not in gw.log_text
        assert key not in gw.get("/metrics")[1]
    shared = got[OUTSIDE].raw.partition(b"\r\n\r\n")[2] == got[OTHER].raw.partition(b"\r\n\r\n")[2]
    assert shared == (form not in ("own", "link"))
    assert len(set(found.values())) == {"own": 2, "link": 0, "block": 0}.get(form, 1)


def test_what_arrives_opens_with_the_tools_people_have(gw: Gateway, hop: NextHop, tmp_path: Path) -> None:
    ask(gw, "native")
    got = send(gw, hop, mail_with(), INSIDE, OUTSIDE)[OUTSIDE]
    key = keys(gw, got, 1)[1]
    parts = parts_of(got.raw)
    for name, octets in parts.items():
        (tmp_path / name).write_bytes(octets)

    def run(*words: str) -> subprocess.CompletedProcess[bytes]:
        tool = require(words[0])
        return subprocess.run([tool, *words[1:]], cwd=tmp_path, capture_output=True, check=False, timeout=60)

    assert run("qpdf", "--check", f"--password={key}", "report.pdf").returncode == 0
    assert run("qpdf", "--check", "--password=another", "report.pdf").returncode != 0
    assert run("7z", "x", "-y", f"-p{key}", "attachments.zip").returncode == 0
    assert (tmp_path / "notes.txt").read_bytes() == TEXT
    assert run("7z", "t", "-panother", "attachments.zip").returncode != 0
    for name, plain in (("list.docx", DOCX), ("table.xlsx", XLSX)):
        document = msoffcrypto.OfficeFile(io.BytesIO(parts[name]))
        document.load_key(password=key)
        out = io.BytesIO()
        document.decrypt(out)
        assert out.getvalue() == plain
    with pikepdf.open(tmp_path / "report.pdf", password=key) as opened:
        assert len(opened.pages) == 1


def test_the_old_cipher_opens_with_unzip(gw: Gateway, hop: NextHop, tmp_path: Path) -> None:
    ask(gw, "zip-legacy")
    got = send(gw, hop, mail_with(), OUTSIDE)[OUTSIDE]
    key = keys(gw, got, 0)[0]
    (tmp_path / "a.zip").write_bytes(parts_of(got.raw)["attachments.zip"])
    done = subprocess.run(
        [require("unzip"), "-P", key, "a.zip"], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 0
    assert {name: (tmp_path / name).read_bytes() for name in FILES} == FILES


def test_hidden_names_are_nowhere(gw: Gateway, hop: NextHop) -> None:
    ask(gw, "zip-aes256")
    got = send(gw, hop, mail_with(), OUTSIDE)[OUTSIDE]
    archive = parts_of(got.raw)["attachments.zip"]
    assert zipfile.ZipFile(io.BytesIO(archive)).namelist() == ["attachments.zip"]
    for name in FILES:
        assert name.encode() not in got.raw
        assert name not in text_of(got.raw)


def test_each_link_is_its_recipients_own(gw: Gateway, hop: NextHop) -> None:
    ask(gw, "link")
    got = send(gw, hop, mail_with(), OUTSIDE, OTHER)
    links = {who: set(re.findall(r"http://\S+/d/\S+", text_of(mail.raw))) for who, mail in got.items()}
    assert [len(each) for each in links.values()] == [1, 1]
    assert links[OUTSIDE] != links[OTHER]


@pytest.mark.parametrize("form", ["native", "link"])
def test_what_cannot_be_told_for_certain_is_held(gw: Gateway, hop: NextHop, form: str) -> None:
    ask(gw, form)
    before = len(hop.taken)
    raw = mail_with().replace(b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: base64x", 1)
    with smtplib.SMTP("127.0.0.1", gw.smtp_port, timeout=60) as client:
        client.ehlo()
        client.mail(OFFICE)
        client.rcpt(OUTSIDE)
        code, text = client.data(raw)
    assert (code, text.endswith(b"held until the attachments can be protected")) == (250, True)
    mails = gw.cli_json("held", "list")
    assert mails
    assert [OUTSIDE] not in [list(each.recipients) for each in hop.taken[before:]]
