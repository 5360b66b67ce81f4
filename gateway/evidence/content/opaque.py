"""What says what it is and keeps its content: PGP and S/MIME messages.

An S/MIME message is told by its content type (RFC 5652 3): signed data can be read by everybody, but not here; the others
cannot be read without a key.
"""

from __future__ import annotations

from gateway.evidence.content.files import File
from gateway.evidence.content.gathering import Gathering, Unread

SIGNED = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
"""The object identifier of SignedData in DER; EnvelopedData, AuthEnvelopedData and others hide what they hold."""

_PGP_READABLE = (b"-----BEGIN PGP SIGNED", b"-----BEGIN PGP SIGNATURE", b"-----BEGIN PGP PUBLIC")
_WITHIN = 64


def read(file: File, into: Gathering) -> None:
    """Tell what the file is; raises Unread where its content stays unknown."""
    octets = file.octets
    if octets.startswith(_PGP_READABLE):
        into.tell(encrypted=False, macros=False)
        into.say(octets.decode("utf-8", "replace"))
    elif is_signed(octets):
        raise Unread("unknown-kind")
    else:
        raise Unread("encrypted")


def is_signed(octets: bytes) -> bool:
    """Tell whether a PKCS #7 message is signed only."""
    return octets.find(SIGNED, 0, _WITHIN) >= 0
