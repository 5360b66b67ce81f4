"""What the sender asked to be told about a mail's fate: RET and ENVID of the mail, NOTIFY and ORCPT of a recipient. Pure.

The values of RFC 3461, decoded. Promise: whatever is in one of them fits into one line, and `write_*` gives back what
`read_*` took (as to meaning; the spelling is ours). What a peer may see of an ORCPT is decided here, in `passed_on`
(docs/decisions/0032-status-notifications.md).
"""

from __future__ import annotations

import re
from enum import Flag, StrEnum

from gateway.message import xtext
from gateway.message.address import Address, AddressError, parse_path
from gateway.values import dataclass

MAX_ENVID = 100
"""Characters of an ENVID as it is sent (RFC 3461 4.4)."""

MAX_ORCPT = 500
"""Characters of an ORCPT as it is sent (RFC 3461 4.2)."""

_DECODERS = {"utf-8": xtext.decode_utf8, "rfc822": xtext.decode_octets}
_TYPE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?")


class Notify(Flag):
    """When the sender wants to hear of a recipient; no flag at all is NOTIFY=NEVER."""

    NEVER = 0
    SUCCESS = 1
    FAILURE = 2
    DELAY = 4


USUAL = Notify.FAILURE | Notify.DELAY
"""Where NOTIFY was not given: RFC 3461 4.1 wants failures, and leaves delays to us."""


class Return(StrEnum):
    """How much of the mail a notification is to return (RFC 3461 4.3)."""

    FULL = "FULL"
    HEADERS = "HDRS"


@dataclass(frozen=True, slots=True)
class MailRequest:
    """RET and ENVID; None and empty where they were not given."""

    returned: Return | None = None
    envid: str = ""


@dataclass(frozen=True, slots=True)
class RecipientRequest:
    """NOTIFY and ORCPT; None and empty where they were not given. `original_type` is `rfc822`, `utf-8`, or any other."""

    notify: Notify | None = None
    original_type: str = ""
    original: str = ""

    def wants(self, occasion: Notify) -> bool:
        """Tell whether the sender is to hear of this."""
        return bool((USUAL if self.notify is None else self.notify) & occasion)

    def joined(self, other: RecipientRequest) -> RecipientRequest:
        """Return the request of a recipient that was named twice: every notification asked for, the first ORCPT."""
        if self.notify is None and other.notify is None:
            notify = None
        else:
            notify = (USUAL if self.notify is None else self.notify) | (
                USUAL if other.notify is None else other.notify
            )
        first = self if self.original_type else other
        return RecipientRequest(notify, first.original_type, first.original)


NOTHING_ASKED = RecipientRequest()
NOTHING_SAID = MailRequest()


def read_return(value: str) -> Return:
    """Read the value of RET; raises ValueError with words for the client, as all `read_*` do."""
    try:
        return Return(value.upper())
    except ValueError:
        raise ValueError("RET is FULL or HDRS") from None


def read_envid(value: str) -> str:
    """Read the value of ENVID and return it decoded, its case kept."""
    if len(value) > MAX_ENVID:
        raise ValueError(f"ENVID is longer than {MAX_ENVID} characters")
    try:
        envid = xtext.decode(value)
    except ValueError:
        raise ValueError("ENVID is not xtext") from None
    if not envid.strip():
        raise ValueError("ENVID is empty")
    return envid


def read_notify(value: str) -> Notify:
    """Read the value of NOTIFY: NEVER alone, or each of the others once."""
    words = value.upper().split(",")
    if words == ["NEVER"]:
        return Notify.NEVER
    notify = Notify.NEVER
    for word in words:
        if word not in ("SUCCESS", "FAILURE", "DELAY") or Notify[word] in notify:
            raise ValueError("NOTIFY is NEVER, or a list of SUCCESS, FAILURE, DELAY")
        notify |= Notify[word]
    return notify


def read_original(value: str) -> tuple[str, str]:
    """Read the value of ORCPT; return the type of address, in lower case, and the address, decoded.

    Postfix writes an address that is not ASCII as octets of type `rfc822`, wherever DSN is offered: that is `utf-8`.
    """
    if len(value) > MAX_ORCPT:
        raise ValueError(f"ORCPT is longer than {MAX_ORCPT} characters")
    kind, semicolon, encoded = value.partition(";")
    kind = kind.lower()
    if not semicolon or _TYPE.fullmatch(kind) is None:
        raise ValueError("ORCPT is a type of address, a semicolon and the address")
    try:
        text = _DECODERS.get(kind, xtext.decode)(encoded)
    except ValueError:
        raise ValueError("the address of ORCPT is not xtext") from None
    if not text.strip():
        raise ValueError("the address of ORCPT is empty")
    return kind if text.isascii() or kind != "rfc822" else "utf-8", text


def write_notify(notify: Notify) -> str:
    """Return the value of NOTIFY."""
    return ",".join(str(one.name) for one in Notify if one and one in notify) or "NEVER"


def write_original(request: RecipientRequest) -> str:
    """Return the value of ORCPT, in ASCII."""
    encode = xtext.encode_utf8 if request.original_type == "utf-8" else xtext.encode
    return f"{request.original_type};{encode(request.original)}"


def passed_on(request: RecipientRequest, recipient: Address) -> bool:
    """Tell whether the next hop may see the ORCPT: only where it names the recipient and nobody else.

    The last server may write it into the header section that the recipient reads (RFC 3461 5.2.4, Original-Recipient).
    """
    if request.original_type not in ("rfc822", "utf-8"):
        return False
    try:
        original = parse_path(request.original)
    except AddressError:
        return False
    plain = not original.ambiguous or request.original.casefold() == str(recipient).casefold()
    return plain and original.key == recipient.key
