"""Ed25519 signatures (RFC 8032) under statements, and keys as text that people can compare, print and keep. Pure.

What is signed is the line `sekisho PURPOSE 1`, a line feed, and the statement's text: a signature for one purpose is none for
another. A public key is written `ed25519:` and its 32 octets in base64url without padding.
"""

from __future__ import annotations

import base64
import binascii

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

CHECKPOINT = "checkpoint"
SUCCESSION = "key succession"
CERTIFICATE = "certificate of deletion"

KEY_OCTETS = 32
_NAME = "ed25519:"


class NoPublicKey(ValueError):
    """A text is no public key of ours."""


class Signer:
    """The private half of a signing key; `number` counts the gateway's keys from 1."""

    def __init__(self, number: int, private: bytes) -> None:
        self.number = number
        self._key = Ed25519PrivateKey.from_private_bytes(private)
        self.public = self._key.public_key().public_bytes_raw()

    @classmethod
    def fresh(cls, number: int) -> Signer:
        """Return a new random key."""
        return cls(number, Ed25519PrivateKey.generate().private_bytes_raw())

    @property
    def private(self) -> bytes:
        return self._key.private_bytes_raw()

    def sign(self, purpose: str, statement: str) -> bytes:
        """Return the signature of 64 octets."""
        return self._key.sign(signed_octets(purpose, statement))


def holds(public: bytes, purpose: str, statement: str, signature: bytes) -> bool:
    """Tell whether who has the private half of `public` signed this statement for this purpose."""
    try:
        key = Ed25519PublicKey.from_public_bytes(public)
        key.verify(signature, signed_octets(purpose, statement))
    except (InvalidSignature, ValueError):
        return False
    return True


def signed_octets(purpose: str, statement: str) -> bytes:
    """Return what a signature covers."""
    return f"sekisho {purpose} 1\n{statement}".encode()


def write_public(public: bytes) -> str:
    """Write a public key as text."""
    return _NAME + base64.urlsafe_b64encode(public).decode().rstrip("=")


def read_public(text: str) -> bytes:
    """Read a public key; raises NoPublicKey."""
    _, _, rest = text.strip().partition(":")
    try:
        octets = base64.b64decode(rest + "=" * (-len(rest) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        octets = b""
    if len(octets) != KEY_OCTETS or write_public(octets) != text.strip():  # one spelling only
        raise NoPublicKey(
            f"not a public key: it begins with {_NAME} and holds {KEY_OCTETS} octets in base64url"
        )
    return octets
