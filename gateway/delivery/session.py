"""Open a session with a next hop: connect, greeting, EHLO, STARTTLS, AUTH. What comes back is ready for MAIL.

No refusal here says anything about a mail, so all of them are temporary (`SessionRefused`), a wrong password
included: mail must not bounce because an administrator mistyped a setting.
"""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64encode
from collections.abc import Callable
from functools import cache

from gateway.delivery.connection import Connection
from gateway.delivery.errors import NoConnection, SessionRefused
from gateway.delivery.hop import Capabilities, Hop
from gateway.delivery.reply import Reply
from gateway.delivery.timeouts import Timeouts

TlsContext = Callable[[bool], ssl.SSLContext]


@cache
def tls_context(verify: bool) -> ssl.SSLContext:
    """Return the client's TLS context, certificates checked against the system's authorities or not at
    all."""
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class Opener:
    """Opens sessions; one for the whole service."""

    def __init__(self, hostname: str, timeouts: Timeouts, context: TlsContext = tls_context) -> None:
        self._hostname = hostname
        self._timeouts = timeouts
        self._context = context

    async def __call__(self, hop: Hop) -> Connection:
        """Return a session that is ready for MAIL; raises NoConnection, BadReply or SessionRefused.

        Where encryption was only opportunistic and its handshake failed, a second connection goes without
        (RFC 7435).
        """
        try:
            return await self._open(hop, encrypt=hop.tls != "off")
        except _HandshakeFailed as error:
            if hop.tls_required:
                raise NoConnection(str(error)) from error
            return await self._open(hop, encrypt=False)

    async def _open(self, hop: Hop, *, encrypt: bool) -> Connection:
        connection = await self._connect(hop)
        try:
            await self._greet(connection)
            if encrypt and hop.tls != "implicit":
                await self._encrypt(connection, hop)
            if hop.username:
                await _sign_in(connection, hop, self._timeouts.command)
        except BaseException:
            connection.abort()
            raise
        return connection

    async def _connect(self, hop: Hop) -> Connection:
        loop = asyncio.get_running_loop()
        context = self._context(hop.verify) if hop.tls == "implicit" else None
        try:
            async with asyncio.timeout(self._timeouts.connect):
                _, connection = await loop.create_connection(
                    Connection,
                    hop.connect_to,
                    hop.port,
                    ssl=context,
                    server_hostname=hop.name if context else None,
                )
        except TimeoutError as error:
            raise NoConnection(f"{hop}: no connection in {self._timeouts.connect:g} s") from error
        except (OSError, UnicodeError) as error:
            raise NoConnection(f"{hop}: {error}") from error
        return connection

    async def _greet(self, connection: Connection) -> None:
        greeting = await connection.reply(self._timeouts.greeting)
        if greeting.code != 220:
            raise SessionRefused("greeting", greeting)
        await self._hello(connection)

    async def _hello(self, connection: Connection) -> None:
        """Say EHLO, and HELO to those who do not know it (RFC 5321 3.2)."""
        reply = await connection.command(f"EHLO {self._hostname}", self._timeouts.command)
        if reply.code == 250:
            connection.capabilities = Capabilities.read(reply)
            return
        if not reply.permanent:
            raise SessionRefused("EHLO", reply)
        connection.capabilities = Capabilities()
        _expect(250, "HELO", await connection.command(f"HELO {self._hostname}", self._timeouts.command))

    async def _encrypt(self, connection: Connection, hop: Hop) -> None:
        if "STARTTLS" not in connection.capabilities:
            if hop.tls_required:
                raise NoConnection(f"{hop}: STARTTLS is required and not offered")
            return
        reply = await connection.command("STARTTLS", self._timeouts.command)
        if reply.code != 220:
            if hop.tls_required:
                raise SessionRefused("STARTTLS", reply)
            return
        verify = hop.verify and hop.tls_required
        try:
            await connection.start_tls(self._context(verify), hop.name, self._timeouts.connect)
        except NoConnection as error:
            raise _HandshakeFailed(f"{hop}: {error}") from error
        await self._hello(connection)


class _HandshakeFailed(NoConnection):
    """STARTTLS was agreed on and the handshake failed: an opportunistic hop gets a second chance in the
    clear."""


async def _sign_in(connection: Connection, hop: Hop, timeout: float) -> None:
    """Authenticate with PLAIN (RFC 4616) or LOGIN, whichever is offered first in this order."""
    offered = connection.capabilities.auth
    if "PLAIN" in offered:
        token = _b64(f"\0{hop.username}\0{hop.password}")
        _expect(235, "AUTH PLAIN", await connection.command(f"AUTH PLAIN {token}", timeout))
    elif "LOGIN" in offered:
        _expect(334, "AUTH LOGIN", await connection.command("AUTH LOGIN", timeout))
        _expect(334, "AUTH LOGIN", await connection.command(_b64(hop.username), timeout))
        _expect(235, "AUTH LOGIN", await connection.command(_b64(hop.password), timeout))
    else:
        raise NoConnection(f"{hop}: neither AUTH PLAIN nor AUTH LOGIN is offered")


def _b64(text: str) -> str:
    return b64encode(text.encode()).decode("ascii")


def _expect(code: int, doing: str, reply: Reply) -> None:
    if reply.code != code:
        raise SessionRefused(doing, reply)
