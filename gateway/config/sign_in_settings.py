"""The settings of how people sign in (docs/operations.md, "People").

The roles are those of gateway/people/contract.py, which stands above the settings: a test holds the two together.
"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from gateway.config.group import Group
from gateway.config.values import ProxyUrl, is_loopback
from gateway.units import Duration

RoleName = Literal["sender", "approver", "admin", "auditor", "ordering-body"]
_GRANT = re.compile(rf"(?:{'|'.join(get_args(RoleName))})(?:@\S.{{0,98}})?")

_OF_NOBODY = ("/common", "/organizations", "/consumers")
"""Issuers of Entra ID that stand for every organisation there is: whoever has an account anywhere would be let in."""


def _issuer(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("not an issuer; write its address, for example https://login.example.jp/realms/city")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("people are signed in there: write https (http is for this machine alone)")
    path = parts.path.rstrip("/").removesuffix("/v2.0")
    if path.endswith(_OF_NOBODY):
        raise ValueError("this issuer is for every organisation; write the one with your own tenant's id")
    return value


def _grant(value: str) -> str:
    if not _GRANT.fullmatch(value) or value.startswith("approver@"):
        roles = ", ".join(get_args(RoleName))
        raise ValueError(f"no role: {value!r}; the roles are {roles}, each but approver also as role@group")
    return value


_TOKENS = timedelta(days=30)
"""How long tokens of somebody count after the provider let them in last: who has left does not come again."""

IssuerUrl = Annotated[str, AfterValidator(_issuer)]
GrantText = Annotated[str, AfterValidator(_grant)]
Claim = Annotated[str, Field(min_length=1, max_length=200)]


class Oidc(Group):
    """Sign-in through an OpenID provider: Entra ID, Keycloak. `roles` maps its groups to roles here."""

    issuer: IssuerUrl
    client_id: Annotated[str, Field(min_length=1, max_length=500)]
    client_secret_file: Path
    name: Annotated[str, Field(min_length=1, max_length=60)] = "OpenID Connect"
    scopes: Annotated[tuple[str, ...], Field(max_length=20)] = ("openid", "profile", "email")
    login_claim: Claim = "preferred_username"
    address_claim: Claim = "email"
    groups_claim: Claim = "groups"
    proxy: ProxyUrl | None = None
    roles: Annotated[dict[str, tuple[GrantText, ...]], Field(min_length=1, max_length=1000)]
    tokens_after_sign_in: Annotated[Duration, Field(ge=timedelta(days=1), le=timedelta(days=366))] = _TOKENS


class SignIn(Group):
    """How people sign in to the pages. Mail clients have the accounts file."""

    password_minimum: Annotated[int, Field(ge=8, le=64)] = 12
    password_history: Annotated[int, Field(ge=0, le=24)] = 5
    password_age: Annotated[Duration, Field(ge=timedelta(days=1))] | None = None
    lock_after: Annotated[int, Field(ge=3, le=100)] = 10
    lock_for: Annotated[Duration, Field(ge=timedelta(minutes=1), le=timedelta(days=1))] = timedelta(
        minutes=15
    )
    session_idle: Annotated[Duration, Field(ge=timedelta(minutes=5), le=timedelta(days=7))] = timedelta(
        minutes=30
    )
    session_length: Annotated[Duration, Field(ge=timedelta(minutes=15), le=timedelta(days=30))] = timedelta(
        hours=10
    )
    totp_required: Annotated[tuple[RoleName, ...], Field(max_length=5)] = ("admin",)
    oidc: Oidc | None = None

    @property
    def provided_for(self) -> timedelta:
        """How long a token of somebody from the provider counts after their last sign-in, also where none is set any more."""
        return _TOKENS if self.oidc is None else self.oidc.tokens_after_sign_in
