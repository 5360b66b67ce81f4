"""The way to an OpenID provider and back: authorization code with PKCE, state and nonce (OpenID Connect Core 3.1, RFC 7636).

What is asked for stands in `Begun`, which the browser keeps sealed; nothing of a sign-in is kept here. The discovery document
and keys of the provider are kept for a while; keys are fetched again, once a minute at most, where a token names another.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import KeySet, import_key

from gateway.calling.requests import NoAnswer, Requests
from gateway.config.sign_in_settings import Oidc
from gateway.config.values import is_loopback
from gateway.people.oidc.claims import Identity, NotTold, identity_of, lacks
from gateway.people.oidc.tokens import UnknownKey, checked
from gateway.values import dataclass

TIMEOUT = timedelta(seconds=10)  # for one request: somebody looks at an empty page meanwhile
KNOWN_S = 3_600.0  # a discovery document and keys are good for this long
AGAIN_S = 60.0  # between two looks for keys that are not known, or at a provider that did not answer
AT_ONCE = 8  # sign-ins that wait for the provider; it is asked three times for each
MAX_KEYS = 50  # of a provider's; Entra ID has about ten
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


@dataclass(frozen=True, slots=True)
class _Known:
    """The discovery document's addresses, and the keys."""

    authorization: str
    token: str
    userinfo: str
    keys: KeySet
    basic: bool
    at: float


class Provider:
    """One provider. `secret` reads the client's secret; `redirect_uri` is where the provider sends people back to."""

    def __init__(
        self, settings: Oidc, secret: Callable[[], str], redirect_uri: str, requests: Requests | None = None
    ) -> None:
        self._settings = settings
        self._secret = secret
        self._redirect_uri = redirect_uri
        self._requests = requests or Requests(settings.issuer, TIMEOUT, settings.proxy)
        self._known: _Known | None = None
        self._failed_at = -AGAIN_S
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._reading = asyncio.Lock()

    @property
    def name(self) -> str:
        """Return what stands on the button."""
        return self._settings.name

    async def close(self) -> None:
        """Close the connections."""
        await self._requests.close()

    async def begin(self, now: datetime) -> tuple[str, Begun]:
        """Return the address to lead somebody to, and what to keep until they come back; raises NotTold."""
        known = await self._discovered()
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
        known, client = await self._discovered(), (self._settings.client_id, self._secret())
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
        return await self._ask("POST", known.token, urlencode(form).encode(), auth=auth)

    async def _claims(self, tokens: Mapping[str, Any], nonce: str, now: datetime) -> Mapping[str, Any]:
        token, ours = tokens.get("id_token"), (self._settings.issuer, self._settings.client_id, nonce, now)
        known = await self._discovered()
        try:
            claims = checked(token, known.keys, *ours)
        except UnknownKey:
            known = await self._discovered(newer_than=known.at)
            claims = checked(token, known.keys, *ours)
        access = tokens.get("access_token")
        if not known.userinfo or not isinstance(access, str) or not lacks(claims, self._settings):
            return claims
        more = await self._ask("GET", known.userinfo, headers={"authorization": f"Bearer {access}"})
        if more.get("sub") != claims["sub"]:  # OpenID Connect Core 5.3.2
            raise NotTold("userinfo speaks of somebody else")
        return {**more, **claims}

    async def _discovered(self, newer_than: float | None = None) -> _Known:
        """Return what is known; read again what is old, or (`newer_than`) what was read at that moment."""
        async with self._reading:
            known, now = self._known, time.monotonic()
            if known is not None and self._serves(known, newer_than, now):
                return known
            if now - self._failed_at < AGAIN_S and known is None:
                raise NotTold("the provider did not answer a moment ago")
            try:
                self._known = await self._discover()
            except NotTold:
                self._failed_at = now
                raise
            return self._known

    @staticmethod
    def _serves(known: _Known, newer_than: float | None, now: float) -> bool:
        if newer_than is None:
            return now - known.at < KNOWN_S
        return known.at > newer_than or now - known.at < AGAIN_S

    async def _discover(self) -> _Known:
        issuer = self._settings.issuer
        said = await self._ask("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if said.get("issuer") != issuer:
            raise NotTold(f"the provider calls itself {str(said.get('issuer'))[:200]!r}, not {issuer!r}")
        jwks = await self._ask("GET", _endpoint(said, "jwks_uri"))
        keys = KeySet(_keys_in(jwks))
        methods = said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        return _Known(
            _endpoint(said, "authorization_endpoint"),
            _endpoint(said, "token_endpoint"),
            _endpoint(said, "userinfo_endpoint") if "userinfo_endpoint" in said else "",
            keys,
            "client_secret_basic" in methods,
            time.monotonic(),
        )

    async def _ask(
        self,
        method: str,
        url: str,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
    ) -> Mapping[str, Any]:
        kind = {"content-type": "application/x-www-form-urlencoded"} if content is not None else {}
        try:
            answer = await self._requests.send(method, url, content, {**kind, **(headers or {})}, auth)
        except NoAnswer:
            raise NotTold(f"no answer from {urlsplit(url).hostname}") from None
        if not answer.ok:
            why = str(answer.json().get("error", ""))[:80]
            raise NotTold(f"{urlsplit(url).hostname} answered {answer.status} {why!r}")
        return answer.json()


def _challenge(verifier: str) -> str:
    """Return S256 of a verifier (RFC 7636 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode()


def _endpoint(said: Mapping[str, Any], name: str) -> str:
    """Return an address of the discovery document; over TLS, or on this machine."""
    url = str(said.get(name, ""))
    parts = urlsplit(url)
    safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    if not safe or not parts.hostname:
        raise NotTold(f"the provider's {name} is no https address")
    return url


def _keys_in(jwks: Mapping[str, Any]) -> list[Any]:
    """Return the public keys that sign; one for encryption, or of a kind that nobody knows, is passed over."""
    listed = jwks.get("keys")
    found = []
    for key in listed[:MAX_KEYS] if isinstance(listed, list) else []:
        if (
            isinstance(key, dict)
            and key.get("kty") in ("RSA", "EC", "OKP")
            and key.get("use", "sig") == "sig"
        ):
            with suppress(JoseError, ValueError, KeyError, TypeError):
                found.append(import_key(key))
    return found


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
