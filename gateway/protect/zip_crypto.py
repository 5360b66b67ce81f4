"""The cipher of old ZIP archives (APPNOTE 6.1), for receivers who have nothing but the Windows Explorer.

It is broken: whoever knows a dozen octets of a file, as with every PDF and every Office document, has all of it in minutes,
whatever the key (Biham and Kocher, 1994). So it protects against a mail that went to the wrong person, who would have
to break it, and against nothing else. In pure Python it seals less than 2 MB a second: hence MAX_LEGACY_OCTETS (archive.py).
"""

from __future__ import annotations

from gateway.protect.file import Entropy

HEAD_OCTETS = 12


def _crc_table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ 0xEDB88320 if value & 1 else value >> 1
        table.append(value)
    return tuple(table)


_CRC = _crc_table()
_STREAM = bytes([((n | 2) * ((n | 2) ^ 1) >> 8) & 0xFF for n in range(1 << 16)])
"""The octet of key stream by the lower half of the third key."""


class ZipCrypto:
    """One member being sealed: `head`, then what `update` returns for each chunk, then `tail`."""

    def __init__(self, key: bytes, entropy: Entropy, crc: int) -> None:
        self._keys = (0x12345678, 0x23456789, 0x34567890)
        self.update(key)  # what is sealed does not matter: the keys move on with what was read
        self.head = self.update(entropy(HEAD_OCTETS - 1) + bytes([crc >> 24]))

    def update(self, octets: bytes) -> bytes:
        """Encrypt the next octets, of any number."""
        first, second, third = self._keys
        crc, stream = _CRC, _STREAM
        out = bytearray(len(octets))
        for at, octet in enumerate(octets):
            out[at] = octet ^ stream[third & 0xFFFF]
            first = crc[(first ^ octet) & 0xFF] ^ first >> 8
            second = ((second + (first & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
            third = crc[(third ^ second >> 24) & 0xFF] ^ third >> 8
        self._keys = (first, second, third)
        return bytes(out)

    def tail(self) -> bytes:
        """Return nothing: this format has no authentication."""
        return b""
