"""The envelope: who hands a mail over, and to whom it is to go (RFC 5321 2.3.1). Not the header section."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.message.address import Address


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
    """One SMTP transaction. `sender` is None for the null reverse-path `<>`; `recipients` are distinct, in order."""

    sender: Address | None
    recipients: tuple[Address, ...]
    client: Client
    smtputf8: bool = False
    body_8bit: bool = False
