"""The way to an OpenID provider and back: authorization code with PKCE, state and nonce (OpenID Connect Core 3.1, RFC 7636).

What is asked for stands in `Begun`, which the browser keeps sealed; nothing of a sign-in is kept here.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from gateway.config.sign_in_settings import Oidc
from gateway.people.oidc.asking import Asking
from gateway.people.oidc.claims import Identity, NotTold, identity_of, lacks
from gateway.people.oidc.discovery import Discovery
from gateway.people.oidc.tokens import UnknownKey, checked
from gateway.values import dataclass

AT_ONCE = 8  # sign-ins that wait for the provider; it is asked three times for each
MAX_SECRET = 1_000  # octets
BEGUN_VALID = timedelta(minutes=15)  # to sign in over there, a second factor included


@dataclass(frozen=True, slots=True)
class Begun:
    """What one sign-in asked the provider; it goes to the browser sealed, and comes back with the answer."""

    state: str
    nonce: str
    verifier: str
    at: int

    def as_value(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return asdict(self)


class Provider:
    """One provider. `secret` reads the client's secret; `redirect_uri` is where the provider sends people back to."""

    def __init__(self, settings: Oidc, secret: Callable[[], str], redirect_uri: str) -> None:
        self._settings = settings
        self._secret = secret
        self._redirect_uri = redirect_uri
        self._asking = Asking(settings)
        self._discovery = Discovery(settings.issuer, self._asking)
        self._turns = asyncio.Semaphore(AT_ONCE)

    @property
    def name(self) -> str:
        """Return what stands on the button."""
        return self._settings.name

    async def close(self) -> None:
        """Close the connections."""
        await self._asking.close()

    async def begin(self, now: datetime) -> tuple[str, Begun]:
        """Return the address to lead somebody to, and what to keep until they come back; raises NotTold."""
        known = await self._discovery.known()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        begun = Begun(state, nonce, verifier, int(now.timestamp()))
        asked = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": self._redirect_uri,
            "scope": " ".join(self._settings.scopes),
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
        }
        joint = "&" if "?" in known.authorization else "?"
        return f"{known.authorization}{joint}{urlencode(asked)}", begun

    async def finish(self, begun: Begun, answer: Mapping[str, str], now: datetime) -> Identity:
        """Return who the provider's answer speaks of; raises NotTold."""
        if not 0 <= now.timestamp() - begun.at < BEGUN_VALID.total_seconds():
            raise NotTold("the answer came too late")
        if not hmac.compare_digest(answer.get("state", "").encode(), begun.state.encode()):
            raise NotTold("an answer to another question (state)")
        if answer.get("iss", self._settings.issuer) != self._settings.issuer:  # RFC 9207
            raise NotTold("an answer of another provider (iss)")
        if "error" in answer or not answer.get("code"):
            raise NotTold(f"the provider refused: {answer.get('error', 'no code')[:80]!r}")
        async with self._turns:
            tokens = await self._exchange(answer["code"], begun.verifier)
            claims = await self._claims(tokens, begun.nonce, now)
        return identity_of(claims, self._settings)

    async def _exchange(self, code: str, verifier: str) -> Mapping[str, Any]:
        known, client = await self._discovery.known(), (self._settings.client_id, self._secret())
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": verifier,
        }
        if not known.basic:
            form |= {"client_id": client[0], "client_secret": client[1]}
        # RFC 6749 2.3.1: both are encoded before they become a user name and a password.
        auth = (quote(client[0], safe=""), quote(client[1], safe="")) if known.basic else None
        return await self._asking.post(known.token, form, auth)

    async def _claims(self, tokens: Mapping[str, Any], nonce: str, now: datetime) -> Mapping[str, Any]:
        token, ours = tokens.get("id_token"), (self._settings.issuer, self._settings.client_id, nonce, now)
        known = await self._discovery.known()
        try:
            claims = checked(token, known.keys, *ours)
        except UnknownKey:
            known = await self._discovery.known(newer_than=known.at)
            claims = checked(token, known.keys, *ours)
        access = tokens.get("access_token")
        if not known.userinfo or not isinstance(access, str) or not lacks(claims, self._settings):
            return claims
        more = await self._asking.get(known.userinfo, {"authorization": f"Bearer {access}"})
        if more.get("sub") != claims["sub"]:  # OpenID Connect Core 5.3.2
            raise NotTold("userinfo speaks of somebody else")
        return {**more, **claims}


def _challenge(verifier: str) -> str:
    """Return S256 of a verifier (RFC 7636 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode()


def secret_in(path: Path) -> str:
    """Return the client's secret, read anew so that it can be changed; raises NotTold."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_SECRET).decode("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NotTold(f"{path}: {type(error).__name__}") from None
    if not text:
        raise NotTold(f"{path} holds no secret")
    return text
