"""Agile encryption of Office documents ([MS-OFFCRYPTO] 2.3.4.10 to 2.3.4.15): AES-256, SHA-512, 100,000 rounds from the key.

Written here because the library that reads it writes it badly: with half of the secret key fixed, all in memory several times
over, and broken below 4 KiB (docs/decisions/0071-forms-of-protection.md). It is what the tests open our files with.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from base64 import b64encode
from collections.abc import Iterable, Iterator

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from gateway.protect.compound import written
from gateway.protect.file import Entropy
from gateway.values import dataclass

ROUNDS = 100_000
"""What Office writes."""

_SEGMENT = 4096
_BATCH = 16
"""Segments given out together, so that chunks are of the size that others are."""

_SALT_OCTETS = 16
_SECRET_OCTETS = 32
_HASH_OCTETS = 64
_VERIFIER_INPUT = b"\xfe\xa7\xd2\x76\x3b\x4b\x9e\x79"
_VERIFIER_VALUE = b"\xd7\xaa\x0f\x6d\x30\x61\x34\x4e"
_KEY_VALUE = b"\x14\x6e\x0b\xe7\xab\xac\xd0\xd6"
_CHECK_KEY = b"\x5f\xb2\xad\x01\x0c\xb9\xe1\xf6"
_CHECK_VALUE = b"\xa0\x67\x7f\x02\xb2\x2c\x84\x33"
_CIPHER = (
    'saltSize="16" blockSize="16" keyBits="256" hashSize="64" cipherAlgorithm="AES" '
    'cipherChaining="ChainingModeCBC" hashAlgorithm="SHA512"'
)
_SPACES = (
    'xmlns="http://schemas.microsoft.com/office/2006/encryption" '
    'xmlns:p="http://schemas.microsoft.com/office/2006/keyEncryptor/password"'
)
_ENCRYPTOR = "http://schemas.microsoft.com/office/2006/keyEncryptor/password"


@dataclass(frozen=True, slots=True)
class _Secret:
    """What one document is encrypted with, and how the key opens it."""

    key: bytes
    salt: bytes
    check_key: bytes
    password_salt: bytes
    verifier_input: bytes
    verifier_value: bytes
    encrypted_key: bytes


def encrypt(size: int, chunks: Iterable[bytes], key: str, entropy: Entropy) -> Iterator[bytes]:
    """Yield the encrypted document; `chunks` give its `size` octets, read once and not kept."""
    secret = _secret(key, entropy)
    package = _Package(size, chunks, secret)
    return written(package.size, package.octets(), len(_info(secret, bytes(_HASH_OCTETS))), package.info)


class _Package:
    """The stream EncryptedPackage (2.3.4.4): the size, then segments of 4096 octets, each with a vector of its own."""

    def __init__(self, size: int, chunks: Iterable[bytes], secret: _Secret) -> None:
        self.size = 8 + size + -size % 16
        self._plain_size = size
        self._chunks = chunks
        self._secret = secret
        self._check = hmac.new(secret.check_key, digestmod="sha512")

    def octets(self) -> Iterator[bytes]:
        yield self._checked(struct.pack("<Q", self._plain_size))
        held = bytearray()
        number = 0
        for chunk in self._chunks:
            held += chunk
            while len(held) >= _SEGMENT * _BATCH:
                yield self._sealed(bytes(held[: _SEGMENT * _BATCH]), number)
                del held[: _SEGMENT * _BATCH]
                number += _BATCH
        if held:
            yield self._sealed(bytes(held) + bytes(-len(held) % 16), number)

    def info(self) -> bytes:
        """Return EncryptionInfo, once all octets were given out."""
        return _info(self._secret, self._check.digest())

    def _sealed(self, octets: bytes, first: int) -> bytes:
        """Encrypt whole segments, the first of which has this number (2.3.4.15)."""
        out = []
        for number, at in enumerate(range(0, len(octets), _SEGMENT), first):
            vector = _vector(self._secret.salt, struct.pack("<I", number))
            out.append(_encrypted(octets[at : at + _SEGMENT], self._secret.key, vector))
        return self._checked(b"".join(out))

    def _checked(self, octets: bytes) -> bytes:
        self._check.update(octets)
        return octets


def _secret(key: str, entropy: Entropy) -> _Secret:
    """Choose a secret and seal it under the key (2.3.4.11, 2.3.4.13)."""
    salt, secret, verifier = entropy(_SALT_OCTETS), entropy(_SECRET_OCTETS), entropy(_SALT_OCTETS)
    hashed = _stretched(key, salt)

    def sealed(octets: bytes, purpose: bytes) -> bytes:
        return _encrypted(octets, hashlib.sha512(hashed + purpose).digest()[:_SECRET_OCTETS], salt)

    return _Secret(
        key=secret,
        salt=entropy(_SALT_OCTETS),
        check_key=entropy(_HASH_OCTETS),
        password_salt=salt,
        verifier_input=sealed(verifier, _VERIFIER_INPUT),
        verifier_value=sealed(hashlib.sha512(verifier).digest(), _VERIFIER_VALUE),
        encrypted_key=sealed(secret, _KEY_VALUE),
    )


def _stretched(key: str, salt: bytes) -> bytes:
    hashed = hashlib.sha512(salt + key.encode("utf-16-le")).digest()
    for number in range(ROUNDS):
        hashed = hashlib.sha512(struct.pack("<I", number) + hashed).digest()
    return hashed


def _info(secret: _Secret, check: bytes) -> bytes:
    """Return the stream EncryptionInfo (2.3.4.10) with the check of the package (2.3.4.14); its length is always the same."""
    check_key = _encrypted(secret.check_key, secret.key, _vector(secret.salt, _CHECK_KEY))
    check_value = _encrypted(check, secret.key, _vector(secret.salt, _CHECK_VALUE))
    text = (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n'
        f'<encryption {_SPACES}><keyData {_CIPHER} saltValue="{_b64(secret.salt)}"/>'
        f'<dataIntegrity encryptedHmacKey="{_b64(check_key)}" encryptedHmacValue="{_b64(check_value)}"/>'
        f'<keyEncryptors><keyEncryptor uri="{_ENCRYPTOR}">'
        f'<p:encryptedKey spinCount="{ROUNDS}" {_CIPHER} saltValue="{_b64(secret.password_salt)}" '
        f'encryptedVerifierHashInput="{_b64(secret.verifier_input)}" '
        f'encryptedVerifierHashValue="{_b64(secret.verifier_value)}" '
        f'encryptedKeyValue="{_b64(secret.encrypted_key)}"/></keyEncryptor></keyEncryptors></encryption>'
    )
    return struct.pack("<HHI", 4, 4, 0x40) + text.encode("ascii")


def _vector(salt: bytes, purpose: bytes) -> bytes:
    return hashlib.sha512(salt + purpose).digest()[:16]


def _encrypted(octets: bytes, key: bytes, vector: bytes) -> bytes:
    encryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
    return encryptor.update(octets) + encryptor.finalize()


def _b64(octets: bytes) -> str:
    return b64encode(octets).decode("ascii")
