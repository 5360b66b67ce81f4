"""AUTH and STARTTLS: who the client is, and over what (RFC 4954, RFC 3207).

Unknown account, wrong password and suspended account get the same reply after the same time. Failures count
for the session, and over sessions for the client's network and for the account (`guesses`). After STARTTLS
nothing that was said before counts.
"""

from __future__ import annotations

import asyncio
import ssl

import structlog

from gateway.metrics import AUTHENTICATIONS
from gateway.receive import credentials
from gateway.receive.account import Account
from gateway.receive.command import AUTH_LINE
from gateway.receive.connection import Connection
from gateway.receive.passwords import Overloaded
from gateway.receive.reply import Reply
from gateway.receive.wire import Hangup

HANDSHAKE_SECONDS = 60.0  # a phone on a bad line takes a few

_USERNAME, _PASSWORD = "VXNlcm5hbWU6", "UGFzc3dvcmQ6"
_DENIED = Reply(535, "5.7.8", "login or password is wrong", "auth")
_GUESSING = Reply(421, "4.7.0", "too many failed logins; try again later", "rate", closes=True)

log = structlog.get_logger()


class SignIn(Connection):
    """Adds AUTH and STARTTLS. `login` is the account in whose name the session speaks."""

    login: str | None = None
    greeted = False
    extended = False
    in_transaction = False
    _failures = 0

    @property
    def offers_starttls(self) -> bool:
        return self.reception.tls is not None and not self.tls

    @property
    def offers_auth(self) -> bool:
        secure = self.tls or not self.reception.settings.smtp.auth_requires_tls
        return secure and len(self.reception.accounts) > 0

    def forget(self) -> None:
        """Reset the session to its state after the greeting (RFC 3207 section 4.2)."""
        self.login = None
        self.greeted = False
        self.in_transaction = False
        self.extended = False

    # --- STARTTLS ---

    async def smtp_STARTTLS(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's naming
        context = self.reception.tls
        if context is None or self.tls:
            self.say(Reply(503, "5.5.1", "STARTTLS is not offered here", "syntax"))
            return
        if arg:
            self.say(Reply(501, "5.5.4", "STARTTLS takes no argument", "syntax"))
            return
        await self.flush()
        if self.input:
            raise Hangup(Reply(503, "5.5.1", "nothing may follow STARTTLS before TLS has begun", "syntax"))
        await self._upgrade(context)

    async def _upgrade(self, context: ssl.SSLContext) -> None:
        # No await between the look at the input and start_tls, which stops reading at once.
        self.queue(Reply(220, "2.0.0", "ready to start TLS").wire())
        self.send()
        self._watchdog.until(self.loop.time() + HANDSHAKE_SECONDS)
        try:
            upgraded = await self.loop.start_tls(
                self.transport, self, context, server_side=True, ssl_handshake_timeout=HANDSHAKE_SECONDS
            )
        except (ssl.SSLError, OSError) as error:
            log.info("smtp_tls_failed", ip=self.peer.ip, cause=type(error).__name__)
            raise Hangup from None
        if upgraded is None:  # the client hung up during the handshake
            raise Hangup
        self.transport = upgraded
        self.tls = True
        self.forget()

    # --- AUTH ---

    async def smtp_AUTH(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's naming
        refusal = self._auth_refusal()
        if refusal is not None:
            self.say(refusal)
            return
        mechanism, _, initial = arg.partition(" ")
        try:
            login, password = await self._ask(mechanism.upper(), initial.strip(" "))
        except credentials.Malformed:
            self.say(Reply(501, "5.5.2", "the response cannot be read, or was cancelled", "auth"))
            return
        if login:
            await self._check(login, password)

    def _auth_refusal(self) -> Reply | None:
        if not self.extended:
            return Reply(503, "5.5.1", "say EHLO first", "syntax")
        if self.login is not None or self.in_transaction:
            return Reply(503, "5.5.1", "AUTH is not possible now", "syntax")
        if self.offers_auth:
            return None
        if len(self.reception.accounts) > 0 and self.offers_starttls:
            return Reply(538, "5.7.11", "start TLS first", "auth")
        return Reply(502, "5.5.1", "AUTH is not offered here", "auth")

    async def _ask(self, mechanism: str, initial: str) -> tuple[str, str]:
        """Return login and password; an empty login means that the mechanism was refused."""
        if mechanism == "PLAIN":
            return credentials.plain(initial or await self._challenge(""))
        if mechanism == "LOGIN":
            login = credentials.text(credentials.decode(initial or await self._challenge(_USERNAME)))
            password = credentials.text(credentials.decode(await self._challenge(_PASSWORD)))
            if not login:
                raise credentials.Malformed
            return login, password
        self.say(Reply(504, "5.5.4", "the mechanisms here are PLAIN and LOGIN", "syntax"))
        return "", ""

    async def _challenge(self, prompt: str) -> str:
        self.say(Reply(334, "", prompt))
        line = await self.read_line()
        if line is None:
            raise Hangup
        if not line.endswith(b"\r\n") or len(line) > AUTH_LINE or line == b"*\r\n" or not line.isascii():
            raise credentials.Malformed
        return line[:-2].decode("ascii") or "="

    async def _check(self, login: str, password: str) -> None:
        guesses = self.reception.guesses
        if guesses.too_many(self.peer.ip, login, self.loop.time()):
            self.say(_GUESSING)
        try:
            known = guesses.is_home(self.peer.ip, login)
            account = await self.reception.verifier.verify(login, password, first=known)
        except Overloaded:
            self.say(Reply(454, "4.7.0", "too many logins at the moment; try again later", "rate"))
            return
        if account is None:
            await self._deny(login)
        else:
            self._admit(account)

    def _admit(self, account: Account) -> None:
        AUTHENTICATIONS.labels("ok").inc()
        self.login = account.login
        self.reception.guesses.succeeded(self.peer.ip, account.login)
        self.say(Reply(235, "2.7.0", "welcome"))

    async def _deny(self, login: str) -> None:
        AUTHENTICATIONS.labels("failed").inc()
        self._failures += 1
        now, guesses = self.loop.time(), self.reception.guesses
        guesses.failed(self.peer.ip, login, now)
        known = self.reception.accounts.get(login)
        # Only the name of an account that exists is logged: people type passwords into the wrong box.
        log.warning("auth_failed", ip=self.peer.ip, account=known.login if known is not None else None)
        await asyncio.sleep(self.reception.failure_delay * guesses.delays(login, now))
        self.say(_DENIED)
        if self._failures >= self.limits.auth_failures:
            raise Hangup(_GUESSING)
