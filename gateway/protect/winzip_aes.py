"""The AES of ZIP archives: AE-2 of WinZip, 256 bits (https://www.winzip.com/en/support/aes-encryption/).

Counter mode, but with a counter whose first octet counts fastest, which no library in use here has: the counter blocks are
made as one large number, encrypted in one call and laid over the octets as one large number. HMAC-SHA-1 over the result.
The key is derived with 1,000 rounds of PBKDF2, as the format fixes: the strength lies in the key (keys.py).
"""

from __future__ import annotations

import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from gateway.protect.file import Entropy

SALT_OCTETS = 16
CHECK_OCTETS = 2
TAG_OCTETS = 10
OVERHEAD = SALT_OCTETS + CHECK_OCTETS + TAG_OCTETS
"""Octets that a member grows by."""

_ROUNDS = 1000
_KEY_OCTETS = 32
_BLOCK = 16
_WINDOW_BITS = 12
_WINDOW = _BLOCK << _WINDOW_BITS
"""Octets of key stream made at a time, 64 KiB; a window begins at a multiple of 4096 blocks."""

_COUNTERS = int.from_bytes(b"".join(n.to_bytes(_BLOCK, "little") for n in range(1 << _WINDOW_BITS)), "little")


class WinZipAes:
    """One member being sealed: `head`, then what `update` returns for each chunk, then `tail`."""

    def __init__(self, key: bytes, entropy: Entropy) -> None:
        salt = entropy(SALT_OCTETS)
        derived = hashlib.pbkdf2_hmac("sha1", key, salt, _ROUNDS, 2 * _KEY_OCTETS + CHECK_OCTETS)
        self.head = salt + derived[2 * _KEY_OCTETS :]
        self._encrypt = Cipher(algorithms.AES(derived[:_KEY_OCTETS]), modes.ECB()).encryptor()  # noqa: S305 - of counters
        self._tag = hmac.new(derived[_KEY_OCTETS : 2 * _KEY_OCTETS], digestmod="sha1")
        self._window = 0
        self._stream = self._following()[_BLOCK:]  # the first counter is 1

    def update(self, octets: bytes) -> bytes:
        """Encrypt the next octets, of any number."""
        stream = self._stream
        while len(stream) < len(octets):
            stream += self._following()
        self._stream = stream[len(octets) :]
        sealed = _laid_over(octets, stream[: len(octets)])
        self._tag.update(sealed)
        return sealed

    def tail(self) -> bytes:
        """Return the authentication code, once everything was encrypted."""
        return self._tag.digest()[:TAG_OCTETS]

    def _following(self) -> bytes:
        """Return the key stream of the next window: its counters differ from those of the first in the upper bits only."""
        above = (self._window << _WINDOW_BITS).to_bytes(_BLOCK, "little") * (1 << _WINDOW_BITS)
        self._window += 1
        counters = _COUNTERS ^ int.from_bytes(above, "little")
        return self._encrypt.update(counters.to_bytes(_WINDOW, "little"))


def _laid_over(octets: bytes, stream: bytes) -> bytes:
    number = int.from_bytes(octets, "little") ^ int.from_bytes(stream, "little")
    return number.to_bytes(len(octets), "little")
