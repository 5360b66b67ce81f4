"""What a mail is as a whole: signed, encrypted, wrapped by Outlook, an invitation; and why its text is unread then. Pure."""

from __future__ import annotations

from gateway.evidence.content.octets import undone
from gateway.evidence.content.opaque import is_signed
from gateway.message.mime import Part, Structure

_HEAD = 400
"""Octets of an encoded S/MIME part that are decoded to see what it is."""

_PKCS7 = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_SIGNATURES = {
    "application/pgp-signature": "pgp-signed",
    "application/pkcs7-signature": "smime-signed",
    "application/x-pkcs7-signature": "smime-signed",
}
_TNEF = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
_PGP_MESSAGE, _PGP_SIGNED = "-----BEGIN PGP MESSAGE-----", "-----BEGIN PGP SIGNED MESSAGE-----"


def mail_is(raw: bytes, structure: Structure, text: str) -> frozenset[str]:
    """Return the words of `Content.mail_is`; `text` is that of the body, for PGP without MIME."""
    words = {_word(raw, part) for part in structure.parts}
    if _PGP_MESSAGE in text:
        words.add("pgp-encrypted")
    if _PGP_SIGNED in text:
        words.add("pgp-signed")
    return frozenset(words - {""})


def _word(raw: bytes, part: Part) -> str:
    kind = part.content_type
    if kind in _PKCS7:
        octets = undone(raw[part.body_at : min(part.end, part.body_at + _HEAD)], part.encoding)
        return "smime-signed" if is_signed(octets) else "smime-encrypted"
    if kind == "application/pgp-encrypted":
        return "pgp-encrypted"
    if kind in _TNEF or part.name.lower() == "winmail.dat":
        return "tnef"
    if kind == "text/calendar" or part.name.lower().endswith(".ics"):
        return "calendar"
    return _SIGNATURES.get(kind, "") if part.within == "multipart/signed" else ""


def is_for_machines(octets: bytes) -> bool:
    """Tell whether a part that claims to be a signature, or what goes with an encrypted text, holds nothing else."""
    head = octets[:_HEAD].lstrip()
    return head.startswith(b"-----BEGIN PGP ") or is_signed(octets) or octets.strip() in (b"", b"Version: 1")


def why_unread(is_a: frozenset[str], structure: Structure) -> str:
    """Return why the text of the mail cannot be read as a whole, empty where it can."""
    if is_a & {"smime-encrypted", "pgp-encrypted"}:
        return "encrypted"
    if any(part.content_type in _PKCS7 and not part.depth for part in structure.parts):
        return "unknown-kind"
    if structure.unclear & {"uuencoded", "partial"}:  # files that nobody here unpacks, or that are elsewhere
        return "unknown-kind"
    if "too-deep" in structure.unclear:
        return "too-deep"
    return "too-large" if "too-many-parts" in structure.unclear else ""
