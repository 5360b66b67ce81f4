"""ID tokens: whether one was made by the provider, for us, now, and for this very sign-in (OpenID Connect Core 3.1.3.7). Pure.

Signed with the provider's private key and nothing else: an algorithm that takes a shared secret, or none, is refused.
"""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from gateway.people.oidc.claims import NotTold

ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
)
LEEWAY_S = 60  # by which clocks may differ
MAX_TOKEN = 64 << 10  # characters; 200 groups take some ten thousand


class UnknownKey(NotTold):
    """It names a key that is not among those we know: the provider may have changed its keys."""


def checked(
    token: object, keys: KeySet, issuer: str, client_id: str, nonce: str, now: datetime
) -> dict[str, Any]:
    """Return the claims of an ID token; raises NotTold, and UnknownKey where newer keys may help."""
    if not isinstance(token, str) or len(token) > MAX_TOKEN:
        raise NotTold("no ID token")
    try:
        decoded = jwt.decode(token, keys, algorithms=ALGORITHMS)
    except ValueError as error:  # no key of this id
        raise UnknownKey(f"ID token: {type(error).__name__}") from None
    except JoseError as error:
        raise (UnknownKey if _key_missing(error) else NotTold)(f"ID token: {type(error).__name__}") from None
    claims = dict(decoded.claims)
    _check(claims, issuer, client_id, nonce, now)
    return claims


def _check(claims: dict[str, Any], issuer: str, client_id: str, nonce: str, now: datetime) -> None:
    asked = jwt.JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=LEEWAY_S,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": client_id},
        exp={"essential": True},
        iat={"essential": True},
        sub={"essential": True},
    )
    try:
        asked.validate(claims)
    except JoseError as error:
        raise NotTold(f"ID token: {type(error).__name__} {error.description}") from None
    said = claims.get("nonce")
    if not isinstance(said, str) or not hmac.compare_digest(said.encode(), nonce.encode()):
        raise NotTold("ID token: made for another sign-in")
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if several else client_id) != client_id:
        raise NotTold("ID token: for another client (azp)")


def _key_missing(error: JoseError) -> bool:
    return type(error).__name__ in ("InvalidKeyIdError", "MissingKeyError", "BadSignatureError")
