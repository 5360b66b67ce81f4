"""Signatures on our own letters, checked by another implementation with a resolver of the test's own."""

from __future__ import annotations

import sys
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace

import dkim as checker  # type: ignore[import-untyped]
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.message.address import parse_path
from gateway.notices.dkim import Key, KeyUnfit, Signer, _relaxed_body, load_key
from gateway.notices.letter import Attached, Letter, to_octets
from gateway.notices.signing import KeyPlace, Signing
from tests.memory_spool import NOON
from tests.notices.conftest import AUTHOR

DOMAIN = "sports.example.jp"
AT = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
RSA_KEY = rsa.generate_private_key(65537, 2048)
ED_KEY = ed25519.Ed25519PrivateKey.generate()
OTHER_KEYS: tuple[Key, Key] = (rsa.generate_private_key(65537, 2048), ed25519.Ed25519PrivateKey.generate())
Dns = Callable[..., bytes | None]


def pem(key: Key | ec.EllipticCurvePrivateKey, password: bytes | None = None) -> bytes:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def letter(text: str = "本文です。  \n\n末尾", attached: bool = False) -> bytes:
    file = Attached("results-Q1.csv", "text/csv; charset=utf-8", b"a,b\r\n") if attached else None
    said = Letter(
        "hold", "Q1", 7, "ja", "【保留】テニス教室のお知らせ" * 4, text, f"<p>{text}</p>", attached=file
    )
    return to_octets(said, AUTHOR, parse_path("clerk@sports.example.jp"), NOON)


def dns(*signers: Signer) -> Dns:
    records = {signer.name + ".": signer.record for signer in signers}
    return lambda name, timeout=5: records.get(name.decode(), "").encode() or None


class _VerifyKey:
    """What the checker asks of a package that this project does without."""

    def __init__(self, text: bytes, encoder: Callable[[bytes], bytes]) -> None:
        self._key = ed25519.Ed25519PublicKey.from_public_bytes(encoder(text))

    def verify(self, message: bytes, signature: bytes) -> bytes:
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            raise _Bad from None
        return message


class _Bad(Exception):
    pass


@pytest.fixture
def knows_ed25519(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = ModuleType("nacl")
    stand_in.signing = SimpleNamespace(VerifyKey=_VerifyKey)  # type: ignore[attr-defined]
    stand_in.encoding = SimpleNamespace(Base64Encoder=b64decode)  # type: ignore[attr-defined]
    stand_in.exceptions = SimpleNamespace(ValueError=ValueError, BadSignatureError=_Bad)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "nacl", stand_in)
    monkeypatch.setattr(checker, "nacl", stand_in, raising=False)


@pytest.mark.usefixtures("knows_ed25519")
@pytest.mark.parametrize("key", [RSA_KEY, ED_KEY], ids=["rsa", "ed25519"])
@pytest.mark.parametrize("attached", [False, True])
def test_another_implementation_takes_the_signature(key: Key, attached: bool) -> None:
    signer = Signer(DOMAIN, "gw1", key)
    mail = letter(attached=attached)
    signed = signer.field(mail, AT) + mail
    assert checker.verify(signed, dnsfunc=dns(signer))
    assert max(map(len, signed.split(b"\r\n"))) <= 998
    assert not checker.verify(signed.replace(b"Subject: ", b"Subject: =?utf-8?q?x?= "), dnsfunc=dns(signer))
    other = Signer(DOMAIN, "gw1", OTHER_KEYS[key is ED_KEY])
    assert not checker.verify(signed, dnsfunc=dns(other))


@pytest.mark.parametrize("name", [b"From", b"To", b"Cc", b"Subject", b"Date", b"Reply-To", b"Content-Type"])
def test_nobody_can_add_a_field_that_readers_look_at(name: bytes) -> None:
    signer = Signer(DOMAIN, "gw1", RSA_KEY)
    mail = letter()
    field = signer.field(mail, AT)
    assert checker.verify(field + mail, dnsfunc=dns(signer))
    assert not checker.verify(field + name + b": other@example.com\r\n" + mail, dnsfunc=dns(signer))
    assert checker.verify(b"Received: from x by y\r\n" + field + mail, dnsfunc=dns(signer))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from([b" ", b"\t", b"a", b"\r\n", b"bc"]), max_size=30))
def test_bodies_are_relaxed_as_the_checker_does(parts: list[bytes]) -> None:
    body = b"".join(parts)
    assert _relaxed_body(body) == checker.canonicalization.Relaxed.canonicalize_body(body)


def test_what_relays_do_to_a_mail_leaves_the_signature_whole() -> None:
    signer = Signer(DOMAIN, "gw1", RSA_KEY)
    mail = letter()
    signed = signer.field(mail, AT) + mail
    head, _, body = signed.partition(b"\r\n\r\n")
    rewrapped = (
        head.replace(b"Subject: ", b"subject:   ")
        + b"\r\n\r\n"
        + body.replace(b"\r\n", b" \r\n")
        + b"\r\n\r\n"
    )
    assert checker.verify(rewrapped, dnsfunc=dns(signer))


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"", "not a private key"),
        (pem(RSA_KEY, b"secret"), "not a private key in PEM without a password"),
        (pem(rsa.generate_private_key(65537, 1024)), "an RSA key of 1024 bits"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "neither an RSA nor an Ed25519 key"),
    ],
)
def test_a_key_that_will_not_do(octets: bytes, why: str) -> None:
    with pytest.raises(KeyUnfit, match=why):
        load_key(octets)


def test_the_record_of_the_dns_is_compared_as_it_is_written_there() -> None:
    signer = Signer(DOMAIN, "gw1", RSA_KEY)
    assert signer.stands_in(signer.record)
    assert signer.stands_in(signer.record.replace("p=", "p= ").replace(";", " ; ") + ";")
    assert not signer.stands_in("v=DKIM1; p=")
    assert not Signer(DOMAIN, "gw1", ED_KEY).stands_in(signer.record)


def test_keys_are_read_again_and_a_broken_file_leaves_the_key_in_force(tmp_path: Path) -> None:
    path = tmp_path / "dkim.pem"
    path.write_bytes(pem(RSA_KEY))
    signing = Signing([KeyPlace(DOMAIN, "gw1", path)], lambda: AT)
    assert signing.signed(letter()) == letter()
    signing.read()
    first = signing.signed(letter())
    assert first.startswith(b"DKIM-Signature: v=1; a=rsa-sha256;")
    signing.refresh()
    assert signing.signed(letter()) == first
    path.write_bytes(b"oops")
    signing.refresh()
    assert (signing.signed(letter()), "dkim.pem" in signing.trouble) == (first, True)
    _written(tmp_path / "new", pem(ED_KEY)).replace(path)
    signing.refresh()
    assert signing.signed(letter()).startswith(b"DKIM-Signature: v=1; a=ed25519-sha256;")
    assert signing.trouble == ""
    path.unlink()
    with pytest.raises(KeyUnfit, match=r"dkim\.pem cannot be read: No such file"):
        signing.read()


def test_each_key_signs(tmp_path: Path) -> None:
    places = []
    for selector, key in (("r", RSA_KEY), ("e", ED_KEY)):
        places.append(KeyPlace(DOMAIN, selector, _written(tmp_path / selector, pem(key))))
    signing = Signing(places, lambda: AT)
    signing.read()
    signed = signing.signed(letter())
    assert signed.count(b"DKIM-Signature: ") == 2
    assert checker.verify(signed, dnsfunc=dns(Signer(DOMAIN, "r", RSA_KEY)))


def _written(path: Path, octets: bytes) -> Path:
    path.write_bytes(octets)
    return path
