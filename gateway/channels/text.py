"""The text message with a key: which mail it belongs to, the key, and nothing that can be clicked. Pure.

Two segments for nearly everybody, MAX_SEGMENTS for nobody more: a carrier cuts what is longer, and a cut key is none. The key
is never shortened.
"""

from __future__ import annotations

from gateway.languages import Words, shown
from gateway.spool.values import Stored

MAX_SEGMENTS = 4  # with the longest key that is made; carriers take ten
_SENDER = 40  # characters of the sender's address
# GSM 03.38, the basic table; any other character makes the whole message UCS-2.
_GSM = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_TWICE = set("^{}\\[~]|€")  # take two places


def text_of(about: Stored, key: str, words: Words) -> str:
    """Return the message for the recipient of a mail, in the mail's language."""
    said = words.gettext(
        "Key for the files in the mail of %(moment)s from %(sender)s: %(key)s (If you do not know that mail, delete this.)"
    )
    return said % {"moment": words.moment(about.received_at), "sender": sender_of(about), "key": key}


def sender_of(about: Stored) -> str:
    """Return the sender's address as it may stand in a text; a long one loses the middle, never its domain's end."""
    sender = shown(str(about.envelope.sender or ""), 400)
    half = _SENDER // 2
    return sender if len(sender) <= _SENDER else f"{sender[: half - 1]}…{sender[-half:]}"


def segments(text: str) -> int:
    """Return how many messages carry a text (3GPP TS 23.040): 160 or 153 places each, of UCS-2 70 or 67."""
    if all(each in _GSM or each in _GSM_TWICE for each in text):
        places, alone, each_one = sum(1 + (each in _GSM_TWICE) for each in text), 160, 153
    else:
        places, alone, each_one = len(text.encode("utf-16-be")) // 2, 70, 67
    return 1 if places <= alone else -(-places // each_one)
