"""Mails written with their files protected: sealed ones open with the key, left-out ones are gone, nothing else changes."""

from __future__ import annotations

import io
import os
import zipfile
from base64 import b64encode
from collections import Counter

import msoffcrypto  # type: ignore[import-untyped]
import pikepdf
import pytest

from gateway.policy.protection import How
from gateway.protect import archive
from gateway.sealing.looking import seen_in
from gateway.sealing.order import Order
from gateway.sealing.told import NOT_WRITTEN
from gateway.sealing.writing import Unwritable, written
from tests.evidence.content.making import letter, mail, part
from tests.sealing.making import (
    AT,
    DOCX,
    FILES,
    KEY,
    PDF,
    TEXT,
    mail_with,
    order_for,
    parts_of,
    places_of,
    structure_of,
    text_of,
)

_OURS = (b"--", b"Content-", b"MIME-Version")
"""Lines that a part written new has as well."""

Mails = list[tuple[str, bytes]]


def done(raw: bytes, how: How, **options: object) -> bytes:
    order = order_for(places_of(seen_in(raw)), how, **options)  # type: ignore[arg-type]
    return b"".join(written(raw, order, os.urandom))


def opened(archive: bytes, key: str = KEY) -> dict[str, bytes]:
    """Open an archive in the old cipher, as the standard library can."""
    with zipfile.ZipFile(io.BytesIO(archive)) as found:
        return {name: found.read(name, key.encode()) for name in found.namelist()}


def test_the_old_cipher_opens_with_the_key_and_with_no_other() -> None:
    parts = parts_of(done(mail_with(), How.ZIP_LEGACY))
    assert list(parts) == ["attachments.zip"]
    assert opened(parts["attachments.zip"]) == FILES
    with pytest.raises(RuntimeError, match="Bad password"):
        opened(parts["attachments.zip"], "another")


def test_native_files_keep_their_names_and_all_others_go_into_one_archive() -> None:
    parts = parts_of(done(mail_with(), How.NATIVE))
    assert set(parts) == {"report.pdf", "list.docx", "table.xlsx", "attachments.zip"}
    with pikepdf.open(io.BytesIO(parts["report.pdf"]), password=KEY) as opened_pdf:
        assert len(opened_pdf.pages) == 1
    with pytest.raises(pikepdf.PasswordError):
        pikepdf.open(io.BytesIO(parts["report.pdf"]))
    document = msoffcrypto.OfficeFile(io.BytesIO(parts["list.docx"]))
    document.load_key(password=KEY)
    plain = io.BytesIO()
    document.decrypt(plain)
    assert plain.getvalue() == DOCX
    assert zipfile.ZipFile(io.BytesIO(parts["attachments.zip"])).namelist() == ["notes.txt"]


def test_one_archive_for_each_cipher_and_what_cannot_keep_its_form_goes_into_the_strong_one() -> None:
    raw = mail_with()
    report, words, _table, notes = places_of(seen_in(raw))
    order = Order(((report, How.NATIVE), (words, How.ZIP_LEGACY), (notes, How.NATIVE)), KEY, "", AT)
    parts = parts_of(b"".join(written(raw, order, os.urandom)))
    assert set(parts) == {"report.pdf", "table.xlsx", "attachments.zip", "attachments-2.zip"}
    assert parts["table.xlsx"] == FILES["table.xlsx"]
    assert zipfile.ZipFile(io.BytesIO(parts["attachments.zip"])).namelist() == ["notes.txt"]
    assert opened(parts["attachments-2.zip"]) == {"list.docx": DOCX}


@pytest.mark.parametrize("how", [How.ZIP_AES256, How.ZIP_LEGACY])
def test_names_are_hidden_where_that_is_asked_for(how: How) -> None:
    out = done(mail_with(), how, hide_names=True)
    assert b"list.docx" not in b"".join(parts_of(out).values())
    assert zipfile.ZipFile(io.BytesIO(parts_of(out)["attachments.zip"])).namelist() == ["attachments.zip"]
    if how is How.ZIP_LEGACY:
        assert opened(opened(parts_of(out)["attachments.zip"])["attachments.zip"]) == FILES
    assert b"notes.txt" not in out


@pytest.mark.parametrize("how", [How.LINK, How.BLOCK])
def test_what_is_left_out_is_gone_and_the_note_stands_under_the_text(how: How) -> None:
    out = done(mail_with(), how, key="", note="ファイルはこちら\nhttps://gw.example.jp/d/x")
    assert parts_of(out) == {}
    assert text_of(out).split() == ["hello", "ファイルはこちら", "https://gw.example.jp/d/x"]


def test_a_mail_that_is_nothing_but_a_file_gets_the_note_in_a_part_of_its_own() -> None:
    raw = letter(PDF[:200], 'application/pdf; name="a.pdf"', "Content-Disposition: attachment\r\n").replace(
        b"8bit", b"binary"
    )
    out = done(raw, How.ZIP_AES256, note="a note")
    assert [part.content_type for part in structure_of(out).parts] == [
        "multipart/mixed",
        "text/plain",
        "application/zip",
    ]
    assert text_of(out).strip() == "a note"


def test_a_file_that_needs_a_key_already_stays() -> None:
    sealed = parts_of(done(mail_with({"a.txt": TEXT}), How.ZIP_AES256))["attachments.zip"]
    raw = mail_with({"sealed.zip": sealed})
    assert seen_in(raw).files[0].state == "encrypted"
    assert done(raw, How.NATIVE, note="a note") == raw


@pytest.mark.parametrize(
    ("raw", "how", "key", "why"),
    [
        (mail_with(), How.ZIP_AES256, "", "no-key"),
        (mail(part("a.txt", TEXT)[:-60] + b"!!*!!\r\n"), How.ZIP_AES256, KEY, "undecodable"),
        (mail(part("a.txt", TEXT).replace(b"base64", b"x-odd")), How.LINK, "", "unclear"),
        (mail(part("a.bin", os.urandom(70 << 10))), How.ZIP_LEGACY, KEY, "too-large"),
    ],
)
def test_what_cannot_be_written_is_said(
    raw: bytes, how: How, key: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        archive, "MAX_LEGACY_OCTETS", 64 << 10
    )  # the old cipher takes half a second for each MiB
    with pytest.raises(Unwritable) as unwritable:
        done(raw, how, key=key)
    assert unwritable.value.why == why
    assert why in NOT_WRITTEN


@pytest.mark.parametrize("place", [0, 1, 99])
def test_only_files_are_touched(place: int) -> None:
    """Whatever an order says: neither the text of a mail nor the mail itself is a file."""
    with pytest.raises(Unwritable, match="no-such-file"):
        b"".join(written(mail_with(), order_for([place], How.BLOCK), os.urandom))


@pytest.mark.corpus
@pytest.mark.parametrize("how", [How.ZIP_AES256, How.NATIVE, How.LINK])
def test_each_file_of_every_mail_is_replaced_or_the_mail_is_held(corpus: Mails, how: How) -> None:
    """What looking lets pass can be written, and then no file is there as it was."""
    told: Counter[str] = Counter()
    for name, raw in corpus:
        seen = seen_in(raw)
        if seen.obstacle or not seen.files or any(each.state == "partly" for each in seen.files):
            told["held" if seen.files else "nothing"] += 1
            continue
        out = done(raw, how, note="注記 note 4711")
        kept = [each for each in seen.files if each.state == "encrypted" and how is not How.LINK]
        if len(kept) < len(seen.files):
            _nothing_in_clear(
                name, raw, out, {each.place for each in seen.files} - {each.place for each in kept}
            )
            told["written"] += 1
    assert told["written"] >= 180, told


def _nothing_in_clear(name: str, raw: bytes, out: bytes, places: set[int]) -> None:
    structure = structure_of(raw)
    kept, at = [], 0
    for place in sorted(places):
        kept.append(raw[at : structure.parts[place].body_at])
        at = structure.parts[place].end
    rest = b"\0".join([*kept, raw[at:]])
    for place in places:
        part = structure.parts[place]
        for line in raw[part.body_at : part.end].split(b"\r\n"):
            telling = len(line) > 12 and len(set(line)) > 5 and not line.startswith(_OURS)
            if telling and line not in rest:
                assert line not in out, (name, line)


def test_neither_octets_nor_base64_of_a_file_are_in_what_is_written() -> None:
    for how in How:
        out = done(mail_with(), how)
        for octets in FILES.values():
            assert octets[140:190] not in out
            for shift in range(3):
                assert b64encode(octets[114 + shift : 153 + shift]) not in out.replace(b"\r\n", b"")
