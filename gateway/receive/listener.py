"""The listening sockets of mail in, on the service's own event loop; opened at start, drained at the end."""

from __future__ import annotations

import asyncio
import logging
import ssl
from datetime import timedelta
from typing import Any

import structlog

from gateway.config.settings import Listen, Settings, Tls
from gateway.receive.accounts import Accounts
from gateway.receive.passwords import Verifier
from gateway.receive.reception import FAILURE_DELAY, GREETING_PAUSE, Reception, Submit
from gateway.receive.session import Session
from gateway.receive.sign_in import HANDSHAKE_SECONDS

BACKLOG = 512  # connections the kernel keeps for us while the loop is busy; cut to net.core.somaxconn
DRAIN = timedelta(seconds=20)  # for mails on their way in when the service stops

log = structlog.get_logger()


class Listener:
    """Listens as the settings say. `submit` is `Intake.submit`; `close` before the loop ends."""

    def __init__(
        self,
        settings: Settings,
        submit: Submit,
        accounts: Accounts,
        *,
        verifier: Verifier | None = None,
        failure_delay: float = FAILURE_DELAY,
        greeting_pause: float = GREETING_PAUSE,
    ) -> None:
        self._settings = settings
        self._servers: list[asyncio.Server] = []
        self.reception = Reception(
            settings=settings,
            submit=submit,
            accounts=accounts,
            verifier=verifier or Verifier(accounts),
            tls=tls_context(settings.smtp.tls) if settings.smtp.tls is not None else None,
            failure_delay=failure_delay,
            greeting_pause=greeting_pause,
        )

    async def start(self) -> None:
        """Open every address of the settings; on an error none stays open. Raises OSError, ValueError."""
        for name in ("mail.log", "mail.debug"):  # aiosmtpd prints lines of content, and PROXY headers
            logging.getLogger(name).setLevel(logging.ERROR)
        smtp = self._settings.smtp
        if smtp.implicit_tls_listen and self.reception.tls is None:
            raise ValueError("smtp.implicit_tls_listen needs smtp.tls: a certificate and its key")
        try:
            for listen in smtp.listen:
                await self._open(listen, None)
            for listen in smtp.implicit_tls_listen:
                await self._open(listen, self.reception.tls)
        except BaseException:
            await self.close(timedelta(0))
            raise

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Return host and port of every listening socket, as the system chose them."""
        return [socket.getsockname()[:2] for server in self._servers for socket in server.sockets]

    def reload_certificate(self) -> None:
        """Read certificate and key again, for connections to come; a broken pair raises and the old one stays."""
        tls = self._settings.smtp.tls
        if tls is not None and self.reception.tls is not None:
            tls_context(tls)  # proves the pair before the live context is touched
            self.reception.tls.load_cert_chain(tls.certificate, tls.key)

    async def close(self, drain: timedelta = DRAIN) -> int:
        """Take no more connections, let mails on their way in finish, hang up; return how many were cut off.

        A commit that runs is waited for within `drain`; the store's own shutdown waits for what it has begun.
        """
        self.reception.closing = True
        for server in self._servers:
            server.close()
        for session in list(self.reception.sessions):
            session.shut_down()
        await self._drained(drain.total_seconds())
        cut = [session for session in self.reception.sessions if not session.handler.done()]
        for session in cut:
            session.abort()
        self._servers.clear()
        self.reception.verifier.close()
        log.info("smtp_closed_down", cut=len(cut), commits=len(self.reception.commits))
        return len(cut)

    async def _drained(self, seconds: float) -> None:
        handlers: set[asyncio.Task[Any]] = {session.handler for session in self.reception.sessions}
        running = handlers | self.reception.commits
        if running:
            await asyncio.wait(running, timeout=seconds)

    async def _open(self, listen: Listen, context: ssl.SSLContext | None) -> None:
        server = await asyncio.get_running_loop().create_server(
            lambda: Session(self.reception),
            listen.host,
            listen.port,
            ssl=context,
            backlog=BACKLOG,
            reuse_port=self._settings.workers > 1 or None,
            ssl_handshake_timeout=HANDSHAKE_SECONDS if context is not None else None,
        )
        self._servers.append(server)


def tls_context(tls: Tls) -> ssl.SSLContext:
    """Return the server's TLS context: TLS 1.2 at least (RFC 8997), no client certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(tls.certificate, tls.key)
    return context
