"""One copy on its way to one next hop, and what of SMTP's extensions it needs there. Pure.

A mail that needs what the next hop lacks is refused in clear words, for the recipients concerned; it is never
converted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import field, replace

from gateway.delivery.dots import Stuffed
from gateway.delivery.errors import UncleanContent, Unsupported
from gateway.delivery.hop import Capabilities
from gateway.message import xtext
from gateway.message.address import Address
from gateway.message.status_request import (
    NOTHING_ASKED,
    NOTHING_SAID,
    MailRequest,
    RecipientRequest,
    passed_on,
    write_notify,
    write_original,
)
from gateway.values import dataclass

SCAN = 256 * 1024
"""Octets looked at in one piece when searching for 8-bit data."""

_NO_SMTPUTF8_FOR_ADDRESSES = "the next mail server does not take internationalised addresses (no SMTPUTF8)"
_UNSAFE = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Octets to deliver: `header` ends with the empty line; `body` is shared by all copies of one message.

    `smtputf8` is what the submitting client declared. Undeclared raw 8-bit header fields are old practice, in
    any charset, and count as 8-bit data. `requests` are aligned with `recipients`, or empty: nothing was asked.
    `ready` is `body` for the wire, where the copies share that.
    """

    sender: Address | None
    recipients: tuple[Address, ...]
    header: bytes
    body: memoryview
    smtputf8: bool = False
    body_8bit: bool | None = None
    asked: MailRequest = NOTHING_SAID
    requests: tuple[RecipientRequest, ...] = ()
    ready: Stuffed | None = None

    @property
    def size(self) -> int:
        return len(self.header) + self.body.nbytes

    def request(self, number: int) -> RecipientRequest:
        """Return what the sender asked about this recipient."""
        return self.requests[number] if self.requests else NOTHING_ASKED

    def only(self, numbers: Sequence[int]) -> Outgoing:
        """Return the same copy for some of its recipients, each with what was asked about it."""
        return replace(
            self,
            recipients=tuple(self.recipients[number] for number in numbers),
            requests=tuple(self.requests[number] for number in numbers) if self.requests else (),
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """The commands of a transaction, and the recipients (by number) that cannot be served at this hop."""

    mail_from: str
    rcpt_to: dict[int, str]
    refused: dict[int, Unsupported] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Begun:
    """A mail whose envelope a hop was told ahead, and how."""

    mail: Outgoing
    steps: Plan


def has_8bit(data: memoryview) -> bool:
    """Tell whether any octet is above 127."""
    if data.nbytes <= SCAN:
        return not bytes(data).isascii()
    return any(not bytes(data[at : at + SCAN]).isascii() for at in range(0, data.nbytes, SCAN))


def plan(mail: Outgoing, offered: Capabilities) -> Plan:
    """Return what to say for this mail to a hop with these capabilities; raises UncleanContent."""
    extensions = offered.extensions
    eight_bit, utf8 = _needs_8bit(mail), _needs_utf8(mail)
    everybody = _lacking(extensions, eight_bit=eight_bit, utf8=utf8)
    asked = bool(mail.requests) and "DSN" in extensions
    refused: dict[int, Unsupported] = {}
    commands: dict[int, str] = {}
    for number, address in enumerate(mail.recipients):
        foreign = address.needs_smtputf8
        if everybody is not None:
            refused[number] = everybody
        elif foreign and "SMTPUTF8" not in extensions:
            refused[number] = Unsupported("5.6.7", _NO_SMTPUTF8_FOR_ADDRESSES)
        else:
            parameters = _rcpt_parameters(mail.request(number), address) if asked else ""
            commands[number] = f"RCPT TO:<{_path(address)}>{parameters}"
            utf8 = utf8 or foreign
    return Plan(_mail_from(mail, extensions, eight_bit=eight_bit, utf8=utf8), commands, refused)


def _mail_from(mail: Outgoing, offered: Mapping[str, str], *, eight_bit: bool, utf8: bool) -> str:
    command = f"MAIL FROM:<{_path(mail.sender) if mail.sender else ''}>"
    if "SIZE" in offered:
        command += f" SIZE={mail.size}"
    if "8BITMIME" in offered and (eight_bit or utf8):
        command += " BODY=8BITMIME"
    if "DSN" in offered:
        command += _mail_parameters(mail.asked)
    return command + " SMTPUTF8" if utf8 else command


def _mail_parameters(asked: MailRequest) -> str:
    """Return RET and ENVID as they were received, and neither where it was not given (RFC 3461 5.2.1)."""
    returned = f" RET={asked.returned}" if asked.returned else ""
    return returned + (f" ENVID={xtext.encode(asked.envid)}" if asked.envid else "")


def _rcpt_parameters(asked: RecipientRequest, address: Address) -> str:
    """Return NOTIFY as it was received, and ORCPT where it names nobody but this recipient."""
    notify = "" if asked.notify is None else f" NOTIFY={write_notify(asked.notify)}"
    return notify + (f" ORCPT={write_original(asked)}" if passed_on(asked, address) else "")


def _needs_8bit(mail: Outgoing) -> bool:
    body = has_8bit(mail.body) if mail.body_8bit is None else mail.body_8bit
    return body or not mail.header.isascii()


def _needs_utf8(mail: Outgoing) -> bool:
    sender = mail.sender is not None and mail.sender.needs_smtputf8
    return sender or (mail.smtputf8 and not mail.header.isascii())


def _lacking(offered: Mapping[str, str], *, eight_bit: bool, utf8: bool) -> Unsupported | None:
    if utf8 and "SMTPUTF8" not in offered:
        return Unsupported("5.6.7", "the next mail server does not take internationalised mail (no SMTPUTF8)")
    if eight_bit and "8BITMIME" not in offered:
        return Unsupported("5.6.3", "the next mail server does not take 8-bit mail (no 8BITMIME)")
    return None


def _path(address: Address) -> str:
    """Return the address for a command; a control character in it would start another command."""
    text = str(address)
    if _UNSAFE.search(text):
        raise UncleanContent(f"a control character in an address: {text!r}")
    return text
