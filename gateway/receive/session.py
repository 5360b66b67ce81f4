"""The verbs of a submission session, in the order in which a client uses them (RFC 5321, RFC 6409).

Nobody relays without an account or an address in a trusted network: this is said at MAIL, before anything
else is looked at.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import ClassVar

import structlog

from gateway.message.envelope import Client, Envelope
from gateway.message.header import split
from gateway.receive.accounts import Account
from gateway.receive.command import Mail, SyntaxFault, parse_mail, parse_rcpt
from gateway.receive.content import content_reply, header_octets
from gateway.receive.ownership import header_reply, sender_reply
from gateway.receive.reply import Reply
from gateway.receive.sign_in import SignIn
from gateway.receive.transaction import Transaction
from gateway.receive.transfer import Transfer, size_reply
from gateway.receive.wire import Hangup

MAX_HELO = 255  # characters, the length of a domain (RFC 5321 4.5.3.1.2)

_NOT_IN_HELO = re.compile(r"[^A-Za-z0-9._:\[\]-]")
_OK = Reply(250, "2.0.0", "OK")
_SENDER_OK = Reply(250, "2.1.0", "sender OK")
_RECIPIENT_OK = Reply(250, "2.1.5", "recipient OK")
_GO_AHEAD = Reply(354, "", "send the mail; end with <CR><LF>.<CR><LF>")
_AUTH_NEEDED = Reply(530, "5.7.0", "authentication required", "auth")
_ACCOUNT_GONE = Reply(530, "5.7.0", "the account was suspended or removed", "auth")

log = structlog.get_logger()


class Session(SignIn):
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
            "RSET",
            "NOOP",
            "QUIT",
            "VRFY",
            "EXPN",
            "HELP",
        ]
    )
    _transaction: Transaction | None = None
    _helo = ""

    def forget(self) -> None:
        super().forget()
        self._helo = ""
        self._reset()

    # --- greeting ---

    async def smtp_HELO(self, hostname: str) -> None:  # noqa: N802 - aiosmtpd's naming
        self._greeted(hostname, extended=False)
        self.say(Reply(250, "", self.reception.settings.hostname))

    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802
        self._greeted(hostname, extended=True)
        self.say(Reply(250, "", "\n".join([self.reception.settings.hostname, *self._offers()])))

    def _greeted(self, hostname: str, *, extended: bool) -> None:
        if not hostname or len(hostname) > MAX_HELO:
            raise SyntaxFault(501, "5.5.4", "say who you are: EHLO host.example")
        self._reset()
        self._helo = _NOT_IN_HELO.sub("?", hostname)
        self.greeted = True
        self.extended = extended

    def _offers(self) -> list[str]:
        offers = [
            "PIPELINING",
            f"SIZE {self.limits.message}",
            "8BITMIME",
            "SMTPUTF8",
            "DSN",
            "ENHANCEDSTATUSCODES",
        ]
        if self.offers_starttls:
            offers.append("STARTTLS")
        if self.offers_auth:
            offers.append("AUTH PLAIN LOGIN")
        return offers

    # --- the envelope ---

    async def smtp_MAIL(self, arg: str) -> None:  # noqa: N802
        account = self._authorise()
        if isinstance(account, Reply):
            self.say(account)
            return
        if self._transaction is not None:
            raise SyntaxFault(503, "5.5.1", "a mail is already begun; RSET starts anew")
        mail = parse_mail(arg, extended=self.extended)
        now = self.loop.time()
        begun = Transaction.begin(mail, self.reception.rates.usage(self.login, self.ip, self.trusted, now))
        refusal = self._too_large(mail) or (
            sender_reply(account, begun.sender) if account is not None else None
        )
        if refusal is None and (over := begun.usage.mail(now)):
            refusal = over.reply()
        if refusal is not None:
            self.say(refusal)
            return
        self._transaction = begun
        self.in_transaction = True
        self.say(_SENDER_OK)

    def _authorise(self) -> Account | Reply | None:
        """Return the account, None for a trusted relay without one, or the refusal."""
        if not self.greeted:
            return Reply(503, "5.5.1", "say EHLO first", "syntax")
        if self.login is None:
            return None if self.trusted else _AUTH_NEEDED
        account = self.reception.accounts.active(self.login)
        if account is None:
            self.login = None
            return _ACCOUNT_GONE
        return account

    def _too_large(self, mail: Mail) -> Reply | None:
        if mail.size > self.limits.message:
            return size_reply(self.limits)
        if not self.reception.budget.has(mail.size):
            return Reply(452, "4.3.1", "too much mail is on its way in; try again later", "store")
        return None

    async def smtp_RCPT(self, arg: str) -> None:  # noqa: N802
        transaction = self._begun()
        rcpt = parse_rcpt(arg, extended=self.extended)
        if rcpt.path.casefold() == "postmaster":  # RFC 5321 4.1.1.3: the one mailbox without a domain
            rcpt = replace(rcpt, path=f"{rcpt.path}@{self.reception.settings.hostname}")
        self.say(transaction.add(rcpt, self.limits.recipients, self.loop.time()) or _RECIPIENT_OK)

    def _begun(self) -> Transaction:
        if self._transaction is None:
            raise SyntaxFault(503, "5.5.1", "say MAIL first")
        return self._transaction

    # --- the content ---

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        transaction = self._begun()
        if arg:
            raise SyntaxFault(501, "5.5.4", "DATA takes no argument")
        if not transaction.recipients:
            raise SyntaxFault(554, "5.5.1", "no valid recipients")
        self.say(_GO_AHEAD)
        transfer = Transfer(self.limits, self.reception.budget, self.loop.time())
        try:
            await self._receive_all(transfer)
            reply = transfer.refusal() or await self._hand_in(transaction, transfer)
            if reply.code == 250:
                transaction.usage.keep()
        finally:
            transfer.close()
            self._reset()
        if reply.code == 250:
            self.forgive()
        self.say(reply, counted=reply.why != "policy", utf8=transaction.mail.smtputf8)

    async def _receive_all(self, transfer: Transfer) -> None:
        """Read up to the end of the data; when that fails, hang up: what is left unread must not become commands."""
        try:
            await self._receive(transfer)
        except (Hangup, ConnectionError):
            raise
        except Exception:
            raise Hangup(self.unexpected()) from None

    async def _receive(self, transfer: Transfer) -> None:
        rest = transfer.take(self.take())
        while rest is None:
            if transfer.hopeless:
                raise Hangup(transfer.refusal())
            chunk = await self.read_chunk(transfer.deadline(self.loop.time()))
            if not chunk:
                log.info("smtp_lost_in_data", ip=self.ip)
                raise Hangup
            rest = transfer.take(chunk)
        self.input[:0] = rest

    async def _hand_in(self, transaction: Transaction, transfer: Transfer) -> Reply:
        raw = transfer.content()
        refusal = content_reply(raw, self.limits.received_fields) or self._author_refusal(transaction, raw)
        if refusal is not None:
            return refusal
        reserved, transfer.reserved = transfer.reserved, 0  # the commit gives it back
        try:
            envelope = self._envelope(transaction, transfer.eight_bit)
            return await self.reception.commit(self.handler, envelope, raw, reserved)
        except Exception:
            return self.unexpected()

    def _author_refusal(self, transaction: Transaction, raw: bytes) -> Reply | None:
        if self.login is None:
            return None
        account = self.reception.accounts.active(self.login)
        if account is None:
            return _ACCOUNT_GONE
        header, _ = split(header_octets(raw) + b"\r\n")
        return header_reply(account, transaction.sender, header)

    def _envelope(self, transaction: Transaction, eight_bit: bool) -> Envelope:
        return Envelope(
            sender=transaction.sender,
            recipients=tuple(transaction.recipients.values()),
            client=Client(ip=self.ip, helo=self._helo, account=self.login, tls=self.tls),
            smtputf8=transaction.mail.smtputf8,
            body_8bit=eight_bit,  # by content: clients forget BODY=8BITMIME, and say it without need
            asked=transaction.mail.asked,
            requests=transaction.requests(),
        )

    # --- the rest ---

    async def smtp_RSET(self, arg: str) -> None:  # noqa: N802
        if arg:
            raise SyntaxFault(501, "5.5.4", "RSET takes no argument")
        self._reset()
        self.say(_OK)

    async def smtp_NOOP(self, arg: str) -> None:  # noqa: N802
        self.say(_OK)

    async def smtp_QUIT(self, arg: str) -> None:  # noqa: N802
        if arg:
            raise SyntaxFault(501, "5.5.4", "QUIT takes no argument")
        raise Hangup(Reply(221, "2.0.0", "goodbye"))

    async def smtp_VRFY(self, arg: str) -> None:  # noqa: N802
        """Give everybody the same answer, so that nobody learns who exists (RFC 5321 7.3)."""
        if not arg:
            raise SyntaxFault(501, "5.5.4", "VRFY takes an address")
        self.say(Reply(252, "2.5.0", "not verified here; send the mail and see"))

    async def smtp_EXPN(self, arg: str) -> None:  # noqa: N802
        raise SyntaxFault(502, "5.5.1", "EXPN is not offered here")

    async def smtp_HELP(self, arg: str) -> None:  # noqa: N802
        self.say(Reply(214, "2.0.0", "RFC 5321 and RFC 6409 are spoken here"))

    def _say_goodbye(self, last: Reply | None) -> None:
        self._reset()
        super()._say_goodbye(last)

    def _reset(self) -> None:
        if self._transaction is not None:
            self._transaction.usage.give_back()
        self._transaction = None
        self.in_transaction = False
