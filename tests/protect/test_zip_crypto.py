"""The old cipher against the plain words of its specification, with nothing of ours in it."""

from __future__ import annotations

import zlib

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.protect.zip_crypto import HEAD_OCTETS, ZipCrypto
from tests.protect.sample import entropy


def opened(key: bytes, sealed: bytes) -> bytes:
    """Decrypt as APPNOTE 6.1.6 and 6.1.7 say, from nothing but zlib's CRC."""
    keys = [305419896, 591751049, 878082192]

    def step(octet: int) -> None:
        keys[0] = _crc(keys[0], octet)
        keys[1] = ((keys[1] + (keys[0] & 0xFF)) * 134775813 + 1) % (1 << 32)
        keys[2] = _crc(keys[2], keys[1] >> 24)

    for octet in key:
        step(octet)
    out = bytearray()
    for octet in sealed:
        temp = (keys[2] | 2) & 0xFFFF
        out.append(octet ^ (temp * (temp ^ 1) >> 8 & 0xFF))
        step(out[-1])
    return bytes(out)


def _crc(state: int, octet: int) -> int:
    """Return one step of CRC-32 without the inversions that zlib puts around it."""
    return zlib.crc32(bytes([octet]), state ^ 0xFFFFFFFF) ^ 0xFFFFFFFF


@settings(max_examples=50, deadline=None)
@given(st.binary(min_size=1, max_size=40), st.lists(st.binary(max_size=200), max_size=6))
def test_what_is_sealed_opens_by_the_book(key: bytes, chunks: list[bytes]) -> None:
    cipher = ZipCrypto(key, entropy(), 0xAB123456)
    sealed = cipher.head + b"".join([cipher.update(each) for each in chunks]) + cipher.tail()
    plain = opened(key, sealed)
    assert plain[:11] == entropy()(11)
    assert plain[HEAD_OCTETS - 1] == 0xAB
    assert plain[HEAD_OCTETS:] == b"".join(chunks)
