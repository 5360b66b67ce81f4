"""Signatures of Standard Webhooks 1.0 (standardwebhooks.com): both directions of our own webhook have them.

HMAC-SHA256 over `id.timestamp.body`, in the headers webhook-id, webhook-timestamp and webhook-signature. Pure: the time is
handed in.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timedelta

TOLERANCE = timedelta(minutes=5)  # between the clocks of both sides, and for what is replayed
MIN_SECRET = 24  # octets, as the standard says
MAX_SIGNATURES = 8  # in one header: two while a secret is changed
_PREFIX = "whsec_"
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


class BadSecret(ValueError):
    """The secret is too short, or not base64 behind `whsec_`."""


def secret_octets(written: str) -> bytes:
    """Return the octets of a secret: base64 behind `whsec_`, anything else as it stands; raises BadSecret."""
    try:
        encoded = written.removeprefix(_PREFIX)
        octets = base64.b64decode(encoded, validate=True) if encoded != written else written.encode()
    except binascii.Error:
        raise BadSecret("not base64 behind whsec_") from None
    if len(octets) < MIN_SECRET:
        raise BadSecret(f"shorter than {MIN_SECRET} octets")
    return octets


def signed(id_: str, body: bytes, secret: bytes, now: datetime) -> dict[str, str]:
    """Return the headers that prove a request."""
    timestamp = str(int(now.timestamp()))
    return {
        "webhook-id": id_,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{_mac(id_, timestamp, body, secret)}",
    }


def is_signed(headers: Mapping[str, str], body: bytes, secret: bytes, now: datetime) -> bool:
    """Tell whether whoever knows the secret sent this, about now."""
    id_, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not _ID.fullmatch(id_) or not re.fullmatch(r"[0-9]{1,12}", timestamp):
        return False
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE.total_seconds():
        return False
    right = _mac(id_, timestamp, body, secret).encode()
    said = headers.get("webhook-signature", "").split(" ")[:MAX_SIGNATURES]
    found = [
        hmac.compare_digest(right, each.removeprefix("v1,").encode()) for each in said if each[:3] == "v1,"
    ]
    return any(found)


def _mac(id_: str, timestamp: str, body: bytes, secret: bytes) -> str:
    content = b"%b.%b.%b" % (id_.encode(), timestamp.encode(), body)
    return base64.b64encode(hmac.new(secret, content, hashlib.sha256).digest()).decode()
