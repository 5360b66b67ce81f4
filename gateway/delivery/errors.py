"""Why a copy could not be handed over. All of it is temporary unless its class says that it is permanent.

DeliveryError            temporary: what nobody foresaw must never bounce mail
├── NoConnection         not reached, broken off, timed out, TLS failed
│   └── NoAnswer         the message was sent to its end, and no valid reply came: it may have been taken
├── BadReply             the peer speaks something that is not SMTP, or speaks out of turn
├── SessionRefused       the peer refused us, not a mail: greeting, EHLO, STARTTLS, AUTH, MAIL 4yz, 421
├── Busy                 no free connection within the time allowed
├── UncleanContent       our own octets break the rules of the wire: a fault of ours, never sent
├── Unsupported          permanent: the next hop lacks an extension that this mail cannot do without
└── NoRoute              permanent or not: what DNS says about the domain
"""

from __future__ import annotations

from gateway.delivery.reply import BadReply as BadReply
from gateway.delivery.reply import DeliveryError as DeliveryError
from gateway.delivery.reply import Reply


class NoConnection(DeliveryError):
    """The next hop could not be reached, broke off, or did not answer in time."""


class NoAnswer(NoConnection):
    """The message was sent to its end and no valid reply came: the next hop may have taken it, or not (RFC 1047)."""


class Busy(DeliveryError):
    """Every connection that may be open to this host is in use, and stayed so."""


class UncleanContent(DeliveryError):
    """A bare CR, a bare LF or a control character would have left in a place where it changes the
    protocol."""


class SessionRefused(DeliveryError):
    """The next hop does not want to talk to us now; `reply` is what it said. Says nothing about the mail."""

    def __init__(self, doing: str, reply: Reply) -> None:
        super().__init__(f"{doing}: {reply}")
        self.reply = reply


class Unsupported(DeliveryError):
    """The next hop lacks an extension; `enhanced` is 5.6.7 (SMTPUTF8, RFC 6531 3.5) or 5.6.3 (8BITMIME, RFC
    6152 3)."""

    def __init__(self, enhanced: str, text: str) -> None:
        super().__init__(text)
        self.enhanced = enhanced


class NoRoute(DeliveryError):
    """DNS names no host for the domain: for good (`permanent`) or because it cannot be asked now."""

    def __init__(self, enhanced: str, text: str, *, permanent: bool) -> None:
        super().__init__(text)
        self.enhanced = enhanced
        self.permanent = permanent
