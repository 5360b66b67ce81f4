"""Behind a load balancer or another server: whom a connection is for, when the peer says so (PROXY header, XCLIENT).

Only a peer in `smtp.proxy_networks` or `smtp.xclient_networks` is asked, or heard. From then on the address it
names is the client's for everything: trust, limits, logs, the stored mail. A front that names nobody is trusted with
nothing, however its own address is listed.
"""

from __future__ import annotations

import structlog

from gateway.receive.proxy_header import ProxyFault, header_length, named_client
from gateway.receive.reply import TOO_MANY, Reply
from gateway.receive.sign_in import SignIn
from gateway.receive.wire import Hangup
from gateway.receive.xclient import ATTRIBUTES, parse_xclient

PROXY_SECONDS = 5.0  # a balancer sends the header with its first packet
NOBODY = "unknown"  # the address of a client whom the front does not know; no network holds it

_NO_HEADER = Reply(554, "5.5.0", "a PROXY header is required from this address", "syntax", closes=True)
_NO_ACCOUNT = Reply(421, "4.7.0", "XCLIENT: LOGIN is no active account", "auth", closes=True)

log = structlog.get_logger()


class Fronted(SignIn):
    """Adds the PROXY header and XCLIENT. `claims` is what XCLIENT has said so far."""

    claims: dict[str, str | None] | None = None

    async def introduced(self) -> None:
        if self.peer.behind_proxy:
            await self._read_proxy_header()
        await super().introduced()

    # --- PROXY ---

    async def _read_proxy_header(self) -> None:
        deadline = self.loop.time() + PROXY_SECONDS
        try:
            while (length := header_length(self.input)) is None:
                if not await self.more(deadline):
                    raise Hangup
            client = await named_client(bytes(self.take(length)))
        except ProxyFault as fault:
            log.warning("proxy_header_refused", proxy=self.peer.ip, cause=str(fault))
            raise Hangup(_NO_HEADER) from None
        if client is not None:
            self._stand_for(client)

    def _stand_for(self, client: str) -> None:
        if self._left:  # what came before the end is still done; a place taken now would never be given back
            raise Hangup
        log.info("client_named", front=self.peer.address, ip=client)
        self.peer.stand_for(client)
        if not self.peer.admitted:
            raise Hangup(TOO_MANY)

    # --- XCLIENT ---

    @property
    def xclient_offer(self) -> str:
        return f"XCLIENT {' '.join(ATTRIBUTES)}"

    async def smtp_XCLIENT(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's naming
        if not self.peer.may_xclient:
            self.refuse_unknown("XCLIENT")
        elif not self.extended or self.in_transaction:
            self.say(Reply(503, "5.5.1", "XCLIENT comes after EHLO and not within a mail", "syntax"))
        else:
            # The peer speaks for somebody else from here on, also when what it says cannot be read.
            self.peer.trusted, self.login = False, None
            self.claims = {**(self.claims or {}), **parse_xclient(arg)}
            self.forget()
            self._use_claims(self.claims)
            await self.greet()

    def _use_claims(self, claims: dict[str, str | None]) -> None:
        self._stand_for(claims.get("ADDR") or NOBODY)
        login = claims.get("LOGIN")
        if login is None:
            return
        account = self.reception.accounts.active(login)
        if account is None:
            raise Hangup(_NO_ACCOUNT)
        self.login = account.login

    @property
    def claimed_helo(self) -> str | None:
        """Return the name with which the client greeted the front."""
        return self.claims.get("HELO") if self.claims is not None else None
