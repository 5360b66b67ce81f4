"""The envelope: who hands a mail over, and to whom it is to go (RFC 5321 2.3.1). Not the header section."""

from __future__ import annotations

from gateway.message.address import Address
from gateway.message.status_request import NOTHING_ASKED, NOTHING_SAID, MailRequest, RecipientRequest
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class Client:
    """The peer that submitted: its network address, its HELO name, the account it signed in with, if any."""

    ip: str
    helo: str = ""
    account: str | None = None
    tls: bool = False

    @property
    def authenticated(self) -> bool:
        return self.account is not None


@dataclass(frozen=True, slots=True)
class Envelope:
    """One SMTP transaction. `sender` is None for the null reverse-path `<>`; `recipients` are distinct, in order.

    `requests` are aligned with `recipients`, or empty where nobody asked for anything about any of them.
    """

    sender: Address | None
    recipients: tuple[Address, ...]
    client: Client
    smtputf8: bool = False
    body_8bit: bool = False
    asked: MailRequest = NOTHING_SAID
    requests: tuple[RecipientRequest, ...] = ()

    def request(self, index: int) -> RecipientRequest:
        """Return what the sender asked about this recipient."""
        return self.requests[index] if self.requests else NOTHING_ASKED
