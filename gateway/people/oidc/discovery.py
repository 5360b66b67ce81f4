"""What an OpenID provider says of itself: its discovery document and its keys (OpenID Connect Discovery 1.0, 4; RFC 7517).

Both are kept for a while; they are read again, once a minute at most, where a token names a key that is not among them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import KeySet, import_key

from gateway.config.values import is_loopback
from gateway.people.oidc.asking import Asking
from gateway.people.oidc.claims import NotTold
from gateway.values import dataclass

KNOWN_S = 3_600.0  # a discovery document and keys are good for this long
AGAIN_S = 60.0  # between two looks for keys that are not known, or at a provider that did not answer
MAX_KEYS = 50  # of a provider's; Entra ID has about ten


@dataclass(frozen=True, slots=True)
class Known:
    """The discovery document's addresses, and the keys, as they were read at `at`.

    `basic`: the client names itself by HTTP Basic at the address for tokens, not in the form.
    """

    authorization: str
    token: str
    userinfo: str
    keys: KeySet
    basic: bool
    at: float


class Discovery:
    """What one provider says, read when somebody wants to sign in."""

    def __init__(self, issuer: str, asking: Asking) -> None:
        self._issuer = issuer
        self._asking = asking
        self._known: Known | None = None
        self._failed_at = -AGAIN_S
        self._reading = asyncio.Lock()

    async def known(self, newer_than: float | None = None) -> Known:
        """Return what is known; read again what is old, or (`newer_than`) what was read at that moment; raises NotTold."""
        async with self._reading:
            known, now = self._known, time.monotonic()
            if known is not None and self._serves(known, newer_than, now):
                return known
            if now - self._failed_at < AGAIN_S:  # nobody waits for a provider that hangs, one after the other
                raise NotTold("the provider did not answer a moment ago")
            try:
                self._known = await self._read()
            except NotTold:
                self._failed_at = now
                raise
            return self._known

    @staticmethod
    def _serves(known: Known, newer_than: float | None, now: float) -> bool:
        if newer_than is None:
            return now - known.at < KNOWN_S
        return known.at > newer_than or now - known.at < AGAIN_S

    async def _read(self) -> Known:
        said = await self._asking.get(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        if said.get("issuer") != self._issuer:
            raise NotTold(
                f"the provider calls itself {str(said.get('issuer'))[:200]!r}, not {self._issuer!r}"
            )
        jwks = await self._asking.get(_endpoint(said, "jwks_uri"))
        keys = KeySet(keys_in(jwks))
        methods = said.get("token_endpoint_auth_methods_supported")
        return Known(
            _endpoint(said, "authorization_endpoint"),
            _endpoint(said, "token_endpoint"),
            _endpoint(said, "userinfo_endpoint") if "userinfo_endpoint" in said else "",
            keys,
            not isinstance(methods, list) or "client_secret_basic" in methods,  # the default of section 3
            time.monotonic(),
        )


def _endpoint(said: Mapping[str, Any], name: str) -> str:
    """Return an address of the discovery document; over TLS, or on this machine."""
    url = str(said.get(name, ""))
    try:
        parts = urlsplit(url)
    except ValueError:
        raise NotTold(f"the provider's {name} is no address") from None
    safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    if not safe or not parts.hostname:
        raise NotTold(f"the provider's {name} is no https address")
    return url


def keys_in(jwks: Mapping[str, Any]) -> list[Any]:
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
