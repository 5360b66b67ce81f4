"""What an OpenID provider says of itself, however odd: known, or not told with why; never an error of ours."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest

from gateway.people.oidc.claims import NotTold
from gateway.people.oidc.discovery import AGAIN_S, KNOWN_S, Discovery

ISSUER = "https://id.city.example.lg.jp"
SAID: dict[str, Any] = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/keys",
}


class Provider:
    """Answers as it is told to, and counts how often it was asked."""

    def __init__(self, **said: Any) -> None:
        self.said = {name: value for name, value in (SAID | said).items() if value is not ...}
        self.asked = 0
        self.hangs = False

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        self.asked += 1
        if self.hangs:
            raise NotTold("no answer")
        return {"keys": []} if url.endswith("/keys") else self.said


def discovering(provider: Provider) -> Discovery:
    return Discovery(ISSUER, provider)  # type: ignore[arg-type]  # all that is used of it


@pytest.mark.parametrize(
    "address", ["https://[x", "http://id.city.example.lg.jp/a", "/authorize", "", None, 3]
)
@pytest.mark.parametrize(
    "name", ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"]
)
async def test_an_address_that_is_none_is_told(name: str, address: object) -> None:
    with pytest.raises(NotTold, match=f"the provider's {name} is no"):
        await discovering(Provider(**{name: address})).known()


@pytest.mark.parametrize(
    ("methods", "basic"),
    [
        (..., True),
        (None, True),
        (7, True),
        (["client_secret_basic", "client_secret_post"], True),
        (["client_secret_post"], False),
        ([], False),
    ],
)
async def test_how_the_client_names_itself(methods: object, basic: bool) -> None:
    known = await discovering(Provider(token_endpoint_auth_methods_supported=methods)).known()
    assert known.basic is basic


async def test_a_provider_that_hangs_is_asked_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it was known an hour ago: whoever wants to sign in would wait for those before."""
    at = 1_000.0
    monkeypatch.setattr(time, "monotonic", lambda: at)
    provider = Provider()
    discovering_it = discovering(provider)
    await discovering_it.known()
    at += KNOWN_S + 1
    provider.hangs, provider.asked = True, 0
    for _ in range(5):
        with pytest.raises(NotTold):
            await discovering_it.known()
    assert provider.asked == 1
    at += AGAIN_S
    provider.hangs = False
    assert (await discovering_it.known()).at == at
