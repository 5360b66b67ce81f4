"""One-time passwords (RFC 6238): secrets, codes, recovery codes, and the picture that an app reads. Pure but for chance.

30 seconds, six digits, SHA-1: what every authenticator app knows. A code is good in its own step and the one on either side,
and each step is good once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import unicodedata
from datetime import datetime, timedelta
from io import BytesIO

import pyotp
import segno

STEP_S = 30
WINDOW = 1  # steps on either side: clocks of telephones are seconds off, fingers take some
DIGITS = 6
RECOVERY_CODES = 10
_RECOVERY_BYTES = 10  # 80 bits, which nobody guesses from a hash
_GROUP = 4
MAX_ENTERED = 100  # characters of what somebody types for a code


def new_secret() -> str:
    """Make a secret of 160 bits, as RFC 4226 4 recommends, in base32."""
    return pyotp.random_base32(32)


def step_of(secret: str, typed: str, now: datetime, after: int) -> int | None:
    """Return the step whose code this is, if it is a later one than `after`; all are compared in constant time."""
    digits = _digits(typed).encode()
    totp = pyotp.TOTP(secret, digits=DIGITS, interval=STEP_S)
    found = None
    for offset in range(-WINDOW, WINDOW + 1):
        at = now + timedelta(seconds=offset * STEP_S)
        step = int(at.timestamp()) // STEP_S
        if hmac.compare_digest(totp.at(at).encode(), digits) and step > after:
            found = step
    return found


def uri(secret: str, login: str, issuer: str) -> str:
    """Return what an app takes in: otpauth://totp/..."""
    return pyotp.TOTP(secret, digits=DIGITS, interval=STEP_S).provisioning_uri(name=login, issuer_name=issuer)


def picture(text: str) -> str:
    """Return a QR code as SVG to stand in a page: dark on light with its quiet zone, whatever the page's colours."""
    out = BytesIO()
    code = segno.make_qr(text, error="m")
    code.save(out, kind="svg", xmldecl=False, svgns=True, nl=False, border=4, light="#ffffff", omitsize=True)
    return out.getvalue().decode()


def in_groups(secret: str) -> str:
    """Write a secret as it is typed: four characters at a time."""
    return " ".join(secret[at : at + _GROUP] for at in range(0, len(secret), _GROUP))


def new_recovery_codes() -> list[str]:
    """Make recovery codes: `abcd-efgh-ijkl-mnop` each."""
    return [_recovery_code() for _ in range(RECOVERY_CODES)]


def recovery_hash(typed: str) -> str:
    """Return what the store knows a recovery code by."""
    plain = unicodedata.normalize("NFKC", typed[:MAX_ENTERED]).lower()
    letters = "".join(each for each in plain if each.isascii() and each.isalnum())
    return hashlib.sha256(letters.encode()).hexdigest()


def _recovery_code() -> str:
    letters = base64.b32encode(os.urandom(_RECOVERY_BYTES)).decode().lower()
    return "-".join(letters[at : at + _GROUP] for at in range(0, len(letters), _GROUP))


def _digits(typed: str) -> str:
    """Return the digits of what was typed: a Japanese keyboard writes wide ones."""
    plain = unicodedata.normalize("NFKC", typed[:MAX_ENTERED])
    return "".join(each for each in plain if each.isascii() and each.isdigit())
