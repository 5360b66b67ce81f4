"""A body as sealed frames: AES-256-GCM over 1 MiB pieces with counter nonces and a last-frame flag. Pure.

The construction is STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015), as in age: the key is used for one message only, the
nonce is the frame's number and whether it is the last, the queue id is associated data. So a frame that is cut off,
repeated, put elsewhere or taken from another message does not open.
"""

from __future__ import annotations

from collections.abc import Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from gateway.store.errors import BodyDamaged

FORMAT = 1
FRAME_BYTES = 1 << 20
TAG_BYTES = 16
_COUNTER_BYTES = 11


def seal(raw: bytes, key: bytes, queue_id: str) -> Iterator[bytes]:
    """Yield the frames of `raw`; an empty body is one empty last frame."""
    cipher, view, name = AESGCM(key), memoryview(raw), queue_id.encode()
    count = max(1, -(-len(raw) // FRAME_BYTES))
    for number in range(count):
        piece = view[number * FRAME_BYTES : (number + 1) * FRAME_BYTES]
        yield cipher.encrypt(_nonce(number, number == count - 1), piece, name)


def seal_whole(raw: bytes, key: bytes, queue_id: str) -> bytes:
    """Return a body of one frame, as nearly all are, sealed; the same octets as the frames of `seal` joined."""
    if len(raw) > FRAME_BYTES:
        raise ValueError(f"{len(raw)} octets do not fit into a frame")
    return AESGCM(key).encrypt(_ONLY, raw, queue_id.encode())


def sealed_length(size: int) -> int:
    """Return how long a body of `size` octets is when it is sealed."""
    return size + TAG_BYTES * max(1, -(-size // FRAME_BYTES))


def unseal(sealed: bytes, key: bytes, queue_id: str) -> bytes:
    """Return the body; raises BodyDamaged that names the frame which does not open."""
    cipher, view, name = AESGCM(key), memoryview(sealed), queue_id.encode()
    step = FRAME_BYTES + TAG_BYTES
    count = max(1, -(-len(sealed) // step))
    pieces = []
    for number in range(count):
        frame = view[number * step : (number + 1) * step]
        try:
            pieces.append(cipher.decrypt(_nonce(number, number == count - 1), frame, name))
        except (InvalidTag, ValueError) as error:
            raise BodyDamaged(f"frame {number + 1} of {count} of message {queue_id} does not open") from error
    return b"".join(pieces)


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(_COUNTER_BYTES, "big") + bytes([last])


_ONLY = _nonce(0, last=True)
