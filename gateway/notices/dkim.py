"""DKIM signatures (RFC 6376, Ed25519 by RFC 8463) on mail that Sekisho writes itself. Pure: time and keys are given.

relaxed/relaxed, because relays rewrap and strip spaces. Fields of which a second one could mislead a reader are signed once
more than they occur (8.15), so that adding one breaks the signature. The arithmetic is OpenSSL's: the usual library's own
takes 26 ms for a signature, this half of one (docs/decisions/0088-our-own-letters.md).
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from datetime import datetime
from hashlib import sha256

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from gateway.values import dataclass

MIN_RSA = 2048  # bits: RFC 8301 3.2 says so, and large receivers take no less
LINE = 72  # characters of the signature on one line of the field
_ONCE_MORE = (b"from", b"to", b"cc", b"subject", b"date", b"message-id", b"reply-to", b"content-type")
_AS_THEY_ARE = (
    b"mime-version",
    b"auto-submitted",
    b"content-language",
    b"in-reply-to",
    b"references",
    b"x-sekisho-notice",
)
_SPACES = re.compile(rb"[ \t]+")
_AT_THE_END = re.compile(rb"[ \t]+(?=\r\n)")

_TO_RELAX = (b"\t", b"  ", b" \r\n")

Key = RSAPrivateKey | Ed25519PrivateKey


class KeyUnfit(ValueError):
    """What was given is no key to sign with; the text says why."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs: the domain and the selector under which the DNS has the public key."""

    domain: str
    selector: str
    key: Key

    def field(self, mail: bytes, at: datetime) -> bytes:
        """Return the DKIM-Signature field for a mail in wire form, with its CRLF: to stand before all others."""
        head, _, body = mail.partition(b"\r\n\r\n")
        fields = [*_fields(head + b"\r\n")]
        names = _signed_names([name for name, _ in fields])
        unsigned = self._unsigned(names, b64encode(sha256(_relaxed_body(body)).digest()), at)
        material = _chosen(fields, names) + _relaxed_field(unsigned).removesuffix(b"\r\n")
        return unsigned.removesuffix(b"\r\n") + _folded(b64encode(_signature(self.key, material))) + b"\r\n"

    def _unsigned(self, names: Sequence[bytes], body_hash: bytes, at: datetime) -> bytes:
        algorithm = b"rsa-sha256" if isinstance(self.key, RSAPrivateKey) else b"ed25519-sha256"
        return (
            b"DKIM-Signature: v=1; a=%b; c=relaxed/relaxed; d=%b; s=%b;\r\n t=%d; bh=%b;\r\n h=%b;\r\n b=\r\n"
            % (
                algorithm,
                self.domain.encode("ascii"),
                self.selector.encode("ascii"),
                int(at.timestamp()),
                body_hash,
                b":\r\n  ".join(b":".join(names[start : start + 5]) for start in range(0, len(names), 5)),
            )
        )

    @property
    def name(self) -> str:
        """Return the name in the DNS under which the public key stands."""
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def record(self) -> str:
        """Return the text that has to stand there."""
        kind = "rsa" if isinstance(self.key, RSAPrivateKey) else "ed25519"
        return f"v=DKIM1; k={kind}; p={public_text(self.key)}"

    def stands_in(self, text: str) -> bool:
        """Tell whether a TXT record holds this key."""
        tags = dict(_tag(part) for part in text.split(";") if "=" in part)
        return "".join(tags.get("p", "").split()) == public_text(self.key)


def load_key(pem: bytes) -> Key:
    """Return the private key of a PEM file; raises KeyUnfit."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise KeyUnfit("not a private key in PEM without a password") from None
    if isinstance(key, Ed25519PrivateKey):
        return key
    if not isinstance(key, RSAPrivateKey):
        raise KeyUnfit("neither an RSA nor an Ed25519 key")
    if key.key_size < MIN_RSA:
        raise KeyUnfit(f"an RSA key of {key.key_size} bits; at least {MIN_RSA} are needed")
    return key


def public_text(key: Key) -> str:
    """Return the public key as it stands in the DNS (RFC 6376 3.6.1, RFC 8463 4)."""
    if isinstance(key, Ed25519PrivateKey):
        octets = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    else:
        octets = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b64encode(octets).decode()


def _tag(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    return name.strip(), value.strip()


def _signature(key: Key, material: bytes) -> bytes:
    if isinstance(key, Ed25519PrivateKey):
        return key.sign(sha256(material).digest())  # RFC 8463 3: the hash is what is signed
    return key.sign(material, PKCS1v15(), SHA256())


def _fields(head: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield each field with its lower-case name."""
    for field in re.split(rb"\r\n(?![ \t])", head.removesuffix(b"\r\n")):
        yield field.partition(b":")[0].strip().lower(), field + b"\r\n"


def _signed_names(present: Sequence[bytes]) -> list[bytes]:
    once_more = [name for name in _ONCE_MORE for _ in range(present.count(name) + 1)]
    return once_more + [name for name in _AS_THEY_ARE for _ in range(present.count(name))]


def _chosen(fields: Sequence[tuple[bytes, bytes]], names: Sequence[bytes]) -> bytes:
    """Return the fields that are signed, the last of a name first (5.4.2); one that is not there is nothing."""
    left = {name: [field for each, field in fields if each == name] for name in {*names}}
    return b"".join(_relaxed_field(left[name].pop()) for name in names if left[name])


def _relaxed_field(field: bytes) -> bytes:
    name, _, value = field.partition(b":")
    value = _SPACES.sub(b" ", value.replace(b"\r\n", b"")).strip()
    return name.strip().lower() + b":" + value + b"\r\n"


def _relaxed_body(body: bytes) -> bytes:
    if any(each in body for each in _TO_RELAX):  # nothing of base64, in which most of our letters are
        body = _AT_THE_END.sub(b"", _SPACES.sub(b" ", body))
    relaxed = body.rstrip(b"\r\n")
    return relaxed + b"\r\n" if relaxed else b""


def _folded(signature: bytes) -> bytes:
    lines = [signature[start : start + LINE] for start in range(0, len(signature), LINE)]
    return b"\r\n ".join(lines)
