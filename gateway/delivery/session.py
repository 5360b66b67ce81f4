"""Open a session with a next hop: connect, greeting, EHLO, STARTTLS, AUTH. What comes back is ready for MAIL.

No refusal here says anything about a mail, so all of them are temporary (`SessionRefused`), a wrong password
included: mail must not bounce because an administrator mistyped a setting.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

from gateway.clock import utc_now
from gateway.delivery.connection import Connection
from gateway.delivery.errors import NoConnection, SessionRefused
from gateway.delivery.hop import Capabilities, Hop
from gateway.delivery.proof import NotProven, check, usable
from gateway.delivery.reply import Reply
from gateway.delivery.signing_in import sign_in
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


@lru_cache(maxsize=100)
def authority_context(ca_file: str) -> ssl.SSLContext:
    """Return the context that trusts the authorities of one file and no other."""
    return ssl.create_default_context(cafile=ca_file)


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
            if hop.tls == "implicit":
                _prove(connection, hop)
            await self._greet(connection)
            if encrypt and hop.tls != "implicit":
                await self._encrypt(connection, hop)
            if hop.username:
                await sign_in(connection, hop, self._timeouts.command)
        except BaseException:
            connection.abort()
            raise
        return connection

    async def _connect(self, hop: Hop) -> Connection:
        loop = asyncio.get_running_loop()
        context = self._context_for(hop) if hop.tls == "implicit" else None
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

    def _context_for(self, hop: Hop) -> ssl.SSLContext:
        verify = hop.verify and hop.tls_required
        try:
            return authority_context(hop.demand.ca_file) if hop.demand.ca_file else self._context(verify)
        except OSError as error:
            raise NoConnection(f"{hop}: {hop.demand.ca_file}: {error}") from error

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
        try:
            await connection.start_tls(self._context_for(hop), hop.name, self._timeouts.connect)
        except NoConnection as error:
            raise _HandshakeFailed(f"{hop}: {error}") from error
        _prove(connection, hop)
        await self._hello(connection)


def _prove(connection: Connection, hop: Hop) -> None:
    """Check what the hop has to prove beyond the handshake and note how the connection is secured."""
    tls = connection.tls
    assert tls is not None  # noqa: S101 (the handshake is done)
    demand = hop.demand
    try:
        if demand.tlsa or demand.fingerprints:
            check(demand, hop.name, _chain(tls), utc_now())
    except NotProven as error:
        raise NoConnection(f"{hop}: {error}") from error
    cipher = tls.cipher()
    words = f"{tls.version()} {cipher[0] if cipher else ''}"
    proven = bool(demand.fingerprints) or any(map(usable, demand.tlsa)) or (hop.verify and hop.tls_required)
    connection.security = (
        f"{words} verified by {demand.by or 'settings'}" if proven else f"{words} not verified"
    )


def _chain(tls: ssl.SSLObject) -> list[bytes]:
    """Return the certificates that the peer showed, in DER. Before Python 3.13 the verb has no public name."""
    if hasattr(tls, "get_unverified_chain"):
        return list(tls.get_unverified_chain())
    inner: Any = tls._sslobj  # type: ignore[attr-defined]
    return [ssl.PEM_cert_to_DER_cert(each.public_bytes()) for each in inner.get_unverified_chain() or ()]


class _HandshakeFailed(NoConnection):
    """STARTTLS was agreed on and the handshake failed: an opportunistic hop gets a second chance in the
    clear."""


def _expect(code: int, doing: str, reply: Reply) -> None:
    if reply.code != code:
        raise SessionRefused(doing, reply)
