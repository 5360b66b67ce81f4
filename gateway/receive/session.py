"""The verbs of a submission session, in the order in which a client uses them (RFC 5321, RFC 6409).

Nobody relays without an account or an address in a trusted network: this is said at MAIL, before anything
else is looked at.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import structlog

from gateway.receive.account import Account
from gateway.receive.command import Mail, SyntaxFault, helo_name, parse_mail, parse_rcpt
from gateway.receive.ownership import sender_reply
from gateway.receive.receiving import ACCOUNT_GONE, Receiving
from gateway.receive.reply import Reply
from gateway.receive.transaction import Transaction
from gateway.receive.transfer import size_reply
from gateway.receive.wire import Hangup

MAX_HELO = 255  # characters, the length of a domain (RFC 5321 4.5.3.1.2)

# Octets, since they are the same for every mail and nothing is counted of them.
_OK = Reply(250, "2.0.0", "OK").wire()
_SENDER_OK = Reply(250, "2.1.0", "sender OK").wire()
_RECIPIENT_OK = Reply(250, "2.1.5", "recipient OK").wire()
_AUTH_NEEDED = Reply(530, "5.7.0", "authentication required", "auth")

log = structlog.get_logger()


class Session(Receiving):
    """A whole session. What leaves it is an envelope and octets; what comes back is a reply."""

    VERBS: ClassVar[frozenset[str]] = frozenset(
        [
            "HELO",
            "EHLO",
            "STARTTLS",
            "AUTH",
            "MAIL",
            "RCPT",
            "DATA",
            "BDAT",
            "XCLIENT",
            "RSET",
            "NOOP",
            "QUIT",
            "VRFY",
            "EXPN",
            "HELP",
        ]
    )
    # --- greeting ---

    def smtp_HELO(self, hostname: str) -> None:  # noqa: N802 - aiosmtpd's naming
        self._greeted(hostname, extended=False)
        self.say(Reply(250, "", self.reception.settings.hostname))

    def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802
        self._greeted(hostname, extended=True)
        self.say(Reply(250, "", "\n".join([self.reception.settings.hostname, *self._offers()])))

    def _greeted(self, hostname: str, *, extended: bool) -> None:
        if not hostname or len(hostname) > MAX_HELO:
            raise SyntaxFault(501, "5.5.4", "say who you are: EHLO host.example")
        self.reset()
        self.helo = helo_name(hostname)
        self.greeted = True
        self.extended = extended

    def _offers(self) -> list[str]:
        offers = [
            "PIPELINING",
            f"SIZE {self.limits.message}",
            "8BITMIME",
            "SMTPUTF8",
            "CHUNKING",
            "DSN",
            "ENHANCEDSTATUSCODES",
        ]
        if self.offers_starttls:
            offers.append("STARTTLS")
        if self.peer.may_xclient:
            offers.append(self.xclient_offer)
        if self.offers_auth:
            offers.append("AUTH PLAIN LOGIN")
        return offers

    # --- the envelope ---

    def smtp_MAIL(self, arg: str) -> None:  # noqa: N802
        account = self._authorise()
        if isinstance(account, Reply):
            self.say(account)
            return
        if self.transaction is not None:
            raise SyntaxFault(503, "5.5.1", "a mail is already begun; RSET starts anew")
        mail = parse_mail(arg, extended=self.extended)
        now = self.loop.time()
        begun = Transaction.begin(
            mail, self.reception.rates.usage(self.login, self.peer.ip, self.peer.trusted, now)
        )
        refusal = self._too_large(mail) or (
            sender_reply(account, begun.sender) if account is not None else None
        )
        if refusal is None and (over := begun.usage.mail(now)):
            refusal = over.reply()
        if refusal is not None:
            self.say(refusal)
            return
        self.transaction = begun
        self.in_transaction = True
        self.queue(_SENDER_OK)

    def _authorise(self) -> Account | Reply | None:
        """Return the account, None for a trusted relay without one, or the refusal."""
        if not self.greeted:
            return Reply(503, "5.5.1", "say EHLO first", "syntax")
        if self.login is None:
            return None if self.peer.trusted else _AUTH_NEEDED
        account = self.reception.accounts.active(self.login)
        if account is None:
            self.login = None
            return ACCOUNT_GONE
        return account

    def _too_large(self, mail: Mail) -> Reply | None:
        if mail.size > self.limits.message:
            return size_reply(self.limits)
        if not self.reception.budget.has(mail.size):
            return Reply(452, "4.3.1", "too much mail is on its way in; try again later", "store")
        return None

    def smtp_RCPT(self, arg: str) -> None:  # noqa: N802
        transaction = self.begun()
        rcpt = parse_rcpt(arg, extended=self.extended)
        if rcpt.path.casefold() == "postmaster":  # RFC 5321 4.1.1.3: the one mailbox without a domain
            rcpt = replace(rcpt, path=f"{rcpt.path}@{self.reception.settings.hostname}")
        refusal = transaction.add(rcpt, self.limits.recipients, self.loop.time())
        if refusal is not None:
            self.say(refusal)
        else:
            self.queue(_RECIPIENT_OK)

    # --- the rest ---

    def smtp_RSET(self, arg: str) -> None:  # noqa: N802
        if arg:
            raise SyntaxFault(501, "5.5.4", "RSET takes no argument")
        self.reset()
        self.queue(_OK)

    def smtp_NOOP(self, arg: str) -> None:  # noqa: N802
        self.queue(_OK)

    def smtp_QUIT(self, arg: str) -> None:  # noqa: N802
        if arg:
            raise SyntaxFault(501, "5.5.4", "QUIT takes no argument")
        raise Hangup(Reply(221, "2.0.0", "goodbye"))

    def smtp_VRFY(self, arg: str) -> None:  # noqa: N802
        """Give everybody the same answer, so that nobody learns who exists (RFC 5321 7.3)."""
        if not arg:
            raise SyntaxFault(501, "5.5.4", "VRFY takes an address")
        self.say(Reply(252, "2.5.0", "not verified here; send the mail and see"))

    async def smtp_EXPN(self, arg: str) -> None:  # noqa: N802
        raise SyntaxFault(502, "5.5.1", "EXPN is not offered here")

    def smtp_HELP(self, arg: str) -> None:  # noqa: N802
        self.say(Reply(214, "2.0.0", "RFC 5321 and RFC 6409 are spoken here"))
