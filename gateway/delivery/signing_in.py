"""Signing in at a next hop. What it answers is kept (log, event chain, DSN); credentials never are, even if it repeats them.

Servers do repeat a command that they refuse, and a broken one answers with anything. The words of a reply are kept only
where they share no run of characters with what was sent; otherwise its code alone.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence

from gateway.delivery.connection import Connection
from gateway.delivery.errors import NoConnection, SessionRefused
from gateway.delivery.hop import Hop
from gateway.delivery.reply import BadReply, Reply

RUN = 6  # characters in a row that a reply may not share with a credential: shorter ones are in any sentence by chance
NOT_KEPT = "(the words repeat what was sent to sign in, and are not kept)"


async def sign_in(connection: Connection, hop: Hop, timeout: float) -> None:
    """Authenticate with PLAIN (RFC 4616) or LOGIN, whichever is offered first in this order."""
    offered = connection.capabilities.auth
    user, alone = _b64(hop.username or ""), _b64(hop.password)
    token = _b64(f"\0{hop.username}\0{hop.password}")
    secrets = (hop.password, token, alone)
    if "PLAIN" in offered:
        steps = [(235, f"AUTH PLAIN {token}")]
        doing = "AUTH PLAIN"
    elif "LOGIN" in offered:
        steps = [(334, "AUTH LOGIN"), (334, user), (235, alone)]
        doing = "AUTH LOGIN"
    else:
        raise NoConnection(f"{hop}: neither AUTH PLAIN nor AUTH LOGIN is offered")
    for code, line in steps:
        reply = await _answered(connection, line, timeout)
        if reply.code != code:
            raise SessionRefused(doing, without(reply, secrets))


async def _answered(connection: Connection, line: str, timeout: float) -> Reply:
    try:
        return await connection.command(line, timeout)
    except BadReply:
        raise BadReply("what came after AUTH is no SMTP reply") from None


def without(reply: Reply, secrets: Sequence[str]) -> Reply:
    """Return the reply, without its words where they share a run of characters with a secret."""
    said = "".join(reply.lines).casefold()
    runs = (
        secret[at : at + RUN].casefold() for secret in secrets for at in range(max(1, len(secret) - RUN + 1))
    )
    if any(run and run in said for run in runs):
        return Reply(reply.code, (f"{reply.enhanced} {NOT_KEPT}".strip(),))
    return reply


def _b64(text: str) -> str:
    return b64encode(text.encode()).decode("ascii")
