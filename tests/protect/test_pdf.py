"""PDF that stays PDF: opened by qpdf and poppler with the key, and by nothing without it."""

from __future__ import annotations

import io
from pathlib import Path

import pikepdf
import pytest

from gateway.protect import pdf as protected
from gateway.protect.pdf import Allowed, encrypt_pdf, opens_without_key, why_not
from tests.protect.sample import KEY, entropy, locked_pdf, pdf, run


def sealed(octets: bytes, allowed: Allowed | None = None) -> bytes:
    return b"".join(encrypt_pdf(octets, KEY, entropy=entropy(), allowed=allowed))


def test_it_opens_with_the_key_and_holds_what_it_held() -> None:
    with pikepdf.open(io.BytesIO(sealed(pdf())), password=KEY) as opened:
        assert opened.encryption.R == 6
        assert opened.encryption.bits == 256
        assert opened.Root.Note == "plain words to look for"
        assert len(opened.pages) == 1
        assert opened.user_password_matched
        assert not opened.owner_password_matched


def test_nothing_readable_is_left() -> None:
    assert b"plain words" in pdf()
    assert b"plain words" not in sealed(pdf())


@pytest.mark.interop
def test_qpdf_and_poppler_open_it_with_the_key_only(tmp_path: Path) -> None:
    where = tmp_path / "sealed.pdf"
    where.write_bytes(sealed(pdf()))
    assert run("qpdf", "--check", f"--password={KEY}", where).returncode == 0
    assert run("qpdf", "--check", "--password=wrong", where).returncode != 0
    assert "AESv3" in run("qpdf", "--show-encryption", f"--password={KEY}", where).stdout
    assert run("pdfinfo", "-upw", KEY, where).returncode == 0
    assert run("pdfinfo", where).returncode != 0


@pytest.mark.parametrize(
    "allowed", [Allowed(), Allowed(print=False), Allowed(copy=False), Allowed(change=False)]
)
def test_what_is_allowed_is_written_down(allowed: Allowed) -> None:
    with pikepdf.open(io.BytesIO(sealed(pdf(), allowed)), password=KEY) as opened:
        assert opened.allow.print_highres == allowed.print
        assert opened.allow.extract == allowed.copy
        assert opened.allow.modify_other == allowed.change
        assert opened.allow.accessibility


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (pdf(), ""),
        (pdf(signed=True), "signed"),
        (pdf(flagged=True), "signed"),
        (locked_pdf("secret", "owner"), "encrypted"),
        (locked_pdf("", "owner"), "encrypted"),
        (b"%PDF-1.7\n", "damaged"),
        (pdf()[:-40], "damaged"),
        (b"%PDF-1.7\ntrailer << /Encrypt 3 0 R >>", "encrypted"),
        (b"", "damaged"),
    ],
)
def test_why_it_cannot_be_encrypted_as_it_is(octets: bytes, reason: str) -> None:
    assert why_not(octets) == reason


def test_a_large_one_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protected, "MAX_OCTETS", 100)
    assert why_not(pdf()) == "too-large"


@pytest.mark.parametrize(
    ("octets", "opens"),
    [
        (pdf(), True),
        (locked_pdf("", "owner"), True),
        (locked_pdf("secret", "owner"), False),
        (sealed(pdf()), False),
        (b"%PDF-1.7\n", None),
    ],
)
def test_whether_anybody_can_read_it(octets: bytes, opens: bool | None) -> None:
    assert opens_without_key(octets) is opens


@pytest.mark.parametrize("key", ["", "さくら", "k" * 128])
def test_a_key_that_the_format_cuts_or_readers_write_in_two_ways_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="ASCII"):
        list(encrypt_pdf(pdf(), key, entropy=entropy()))
