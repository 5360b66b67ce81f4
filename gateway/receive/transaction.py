"""The mail that is being addressed: what MAIL and RCPT said, until DATA or RSET. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.message.address import Address, AddressError, parse_path
from gateway.receive.command import Mail, SyntaxFault


@dataclass(slots=True)
class Transaction:
    """`sender` is None for the null reverse-path; recipients are kept by key, so that nobody is in it twice."""

    mail: Mail
    sender: Address | None
    recipients: dict[str, Address] = field(default_factory=dict)

    @classmethod
    def begin(cls, mail: Mail) -> Transaction:
        """Start from what MAIL said; raises `SyntaxFault` on a sender that is no mailbox."""
        return cls(mail, mailbox(mail.path, mail.smtputf8, "5.1.7") if mail.path else None)

    def add(self, path: str, limit: int) -> bool:
        """Add a recipient; False when there are `limit` others. Raises `SyntaxFault`."""
        recipient = mailbox(path, self.mail.smtputf8, "5.1.3")
        if recipient.key not in self.recipients and len(self.recipients) >= limit:
            return False
        self.recipients.setdefault(recipient.key, recipient)
        return True


def mailbox(path: str, smtputf8: bool, enhanced: str) -> Address:
    """Read a path; raises `SyntaxFault` 553 with `enhanced`, or 5.6.7 for one that needs SMTPUTF8 (RFC 6531 3.5)."""
    if not path.isascii() and not smtputf8:
        raise SyntaxFault(553, "5.6.7", "the address is not ASCII: say SMTPUTF8 at MAIL")
    try:
        return parse_path(path)
    except AddressError:
        raise SyntaxFault(553, enhanced, "the address is malformed") from None
