"""The cipher of AE-2 against the plain words of its specification, block by block."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.protect.winzip_aes import OVERHEAD, WinZipAes
from tests.protect.sample import entropy

KEY = b"yuzu-take"


def by_the_book(sealed: bytes) -> bytes:
    """Decrypt as the specification says: counter from 1, little end first; raises where a check fails."""
    salt, check, body, tag = sealed[:16], sealed[16:18], sealed[18:-10], sealed[-10:]
    derived = hashlib.pbkdf2_hmac("sha1", KEY, salt, 1000, 66)
    assert check == derived[64:]
    assert tag == hmac.digest(derived[32:64], body, "sha1")[:10]
    aes = Cipher(algorithms.AES(derived[:32]), modes.ECB()).encryptor()
    out = bytearray()
    for at in range(0, len(body), 16):
        stream = aes.update((at // 16 + 1).to_bytes(16, "little"))
        out += bytes(a ^ b for a, b in zip(body[at : at + 16], stream, strict=False))
    return bytes(out)


def sealed(*chunks: bytes) -> bytes:
    cipher = WinZipAes(KEY, entropy())
    return cipher.head + b"".join([cipher.update(each) for each in chunks]) + cipher.tail()


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 65_519, 65_520, 65_521, 65_536, 200_000])
def test_sizes_around_the_windows_of_the_key_stream(size: int) -> None:
    octets = entropy(7)(size)
    assert by_the_book(sealed(octets)) == octets
    assert len(sealed(octets)) == size + OVERHEAD


@settings(max_examples=40, deadline=None)
@given(st.lists(st.binary(max_size=400), max_size=20))
def test_chunks_do_not_matter(chunks: list[bytes]) -> None:
    assert sealed(*chunks) == sealed(b"".join(chunks))


def test_the_salt_is_what_was_handed_in() -> None:
    assert sealed(b"")[:16] == entropy()(16)
