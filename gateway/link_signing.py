"""How tokens are written, signed and read back: itsdangerous under our own clock, one spelling for each token.

Every kind of link has a salt of its own (links.py), so that none is taken for another.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import orjson
from itsdangerous import BadData, Signer, TimestampSigner, URLSafeSerializer, URLSafeTimedSerializer
from itsdangerous.encoding import base64_decode, base64_encode, int_to_bytes

from gateway.clock import Clock

# Characters; a queue id and the longest address (RFC 5321 4.5.3.1: 320 octets) take about 700.
MAX_TOKEN = 1024
_JSON = json.JSONEncoder(separators=(",", ":"))


class LinkInvalid(Exception):
    """The token was not made by this gateway, or it was altered."""


class LinkExpired(LinkInvalid):
    """The token was good once; its time is over."""


def check_written(token: str) -> None:
    """Raise LinkInvalid for what is too long, or says a signature in other characters than we do.

    Reading base64 passes over what is none, and over the last bits of its last character: one link would have endless
    spellings, and every bound that is counted by link endless counters.
    """
    if len(token) > MAX_TOKEN:
        raise LinkInvalid("longer than any link of ours")
    signature = token.rpartition(".")[2]
    try:
        written = base64_encode(base64_decode(signature)).decode()
    except BadData:
        written = ""
    if written != signature:
        raise LinkInvalid("not written by this gateway")


def timed(secrets: Sequence[bytes], salt: bytes, clock: Clock) -> URLSafeTimedSerializer:
    """Return what signs values with their time, and reads what any of the secrets signed."""

    class ClockedSigner(TimestampSigner):
        def get_timestamp(self) -> int:
            return int(clock().timestamp())

    return URLSafeTimedSerializer(
        [*reversed(secrets)],  # itsdangerous signs with the last
        salt=salt,
        serializer=_CompactJson,
        signer=ClockedSigner,
        signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
    )


def ageless(secrets: Sequence[bytes], salt: bytes) -> URLSafeSerializer:
    """Return what signs values that have no age: the same value is the same token each time."""
    return URLSafeSerializer(
        [*reversed(secrets)],
        salt=salt,
        serializer=_CompactJson,
        signer=Signer,
        signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"},
    )


def ageless_value(serializer: URLSafeSerializer, token: str) -> Any:
    """Return what an ageless token says; raises LinkInvalid."""
    check_written(token)
    try:
        return serializer.loads(token)
    except BadData:
        raise LinkInvalid("not signed by this gateway") from None


class _CompactJson:
    """JSON without spaces: a link has to survive mail clients that break long lines."""

    @staticmethod
    def dumps(value: Any) -> str:
        return _JSON.encode(value)

    @staticmethod
    def loads(text: str | bytes) -> Any:
        return json.loads(text)


def written(value: object) -> bytes:
    """Return a value as the first part of a token."""
    try:
        return base64_encode(orjson.dumps(value))
    except TypeError:  # a lone surrogate in an odd address
        return base64_encode(_CompactJson.dumps(value))


@lru_cache(1)  # a letter's links are made within a second or two
def made_at(second: int) -> bytes:
    """Return a moment as the second part of a token."""
    return base64_encode(int_to_bytes(second))


def digest(token: str) -> str:
    """Return what stands in a seal for the token that it belongs to."""
    return hashlib.sha256(token.encode()).hexdigest()[:32]


def text_of(token: str | bytes) -> str:
    """Return a token as text, whatever itsdangerous makes."""
    return token.decode() if isinstance(token, bytes) else token
