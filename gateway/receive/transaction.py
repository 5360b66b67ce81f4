"""The mail that is being addressed: what MAIL and RCPT said, until DATA or RSET. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.message.address import Address, AddressError, parse_path
from gateway.message.status_request import NOTHING_ASKED, RecipientRequest
from gateway.receive.command import Mail, Rcpt, SyntaxFault
from gateway.receive.rates import Usage
from gateway.receive.reply import Reply, printable


@dataclass(slots=True)
class Transaction:
    """`sender` is None for the null reverse-path; recipients are kept by key, so that nobody is in it twice.

    `asked` holds what the sender wants to be told, of the recipients of whom it said something.
    """

    mail: Mail
    sender: Address | None
    usage: Usage
    recipients: dict[str, Address] = field(default_factory=dict)
    asked: dict[str, RecipientRequest] = field(default_factory=dict)

    @classmethod
    def begin(cls, mail: Mail, usage: Usage) -> Transaction:
        """Start from what MAIL said; raises `SyntaxFault` on a sender that is no mailbox."""
        return cls(mail, mailbox(mail.path, mail.smtputf8, "5.1.7") if mail.path else None, usage)

    def add(self, rcpt: Rcpt, limit: int, now: float) -> Reply | None:
        """Add a recipient, or return the refusal: `limit` others are there, or a rate is used up. Raises `SyntaxFault`."""
        recipient = mailbox(rcpt.path, self.mail.smtputf8, "5.1.3")
        key = recipient.key
        known = key in self.recipients
        if not known:
            if len(self.recipients) >= limit:
                return Reply(452, "4.5.3", f"no more than {limit} recipients in one mail", "recipients")
            over = self.usage.recipient(now)
            if over is not None:
                return over.reply()
            self.recipients[key] = recipient
        if known or rcpt.request is not NOTHING_ASKED:
            self._ask(key, rcpt.request, known)
        return None

    def requests(self) -> tuple[RecipientRequest, ...]:
        """Return what is asked about each recipient, in order; nothing where nothing is asked at all."""
        if not self.asked:
            return ()
        return tuple(self.asked.get(key, NOTHING_ASKED) for key in self.recipients)

    def _ask(self, key: str, request: RecipientRequest, known: bool) -> None:
        if known:
            request = self.asked.get(key, NOTHING_ASKED).joined(request)
        if request != NOTHING_ASKED:
            self.asked[key] = request


def mailbox(path: str, smtputf8: bool, enhanced: str) -> Address:
    """Read a path; raises `SyntaxFault` 553 with `enhanced`, or 5.6.7 for one that needs SMTPUTF8 (RFC 6531 3.5)."""
    if not path.isascii() and not smtputf8:
        raise SyntaxFault(
            553, "5.6.7", f"the address is not ASCII: say SMTPUTF8 at MAIL: <{printable(path)}>"
        )
    try:
        return parse_path(path)
    except AddressError:
        raise SyntaxFault(553, enhanced, f"the address is malformed: <{printable(path)}>") from None
