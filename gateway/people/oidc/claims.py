"""What an OpenID provider says about somebody, and what that makes them here. Pure.

Groups become roles by the table in the settings, at every sign-in anew. Nothing that a person can change about themselves
decides anything: who they are is issuer and `sub`; the login is a name that is theirs as long as nobody else has it here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gateway.config.sign_in_settings import Oidc
from gateway.people.checking import MAX_LOGIN, MAX_NAME, address_key
from gateway.people.contract import Grant, PersonRefused
from gateway.people.grants import grant_of, in_order
from gateway.values import dataclass

MAX_SUBJECT = 255  # characters (OpenID Connect Core 2)
MAX_GROUPS = 2_000  # of one person; Entra ID sends 200 at most, Keycloak all there are

Claims = Mapping[str, Any]


class NotTold(Exception):
    """The provider's word lacks something, or cannot be believed; the text is for the log and quotes no token."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody as the provider knows them. `subject` names them for good: issuer and `sub`."""

    subject: str
    login: str
    name: str
    addresses: tuple[str, ...]
    grants: tuple[Grant, ...]


def identity_of(claims: Claims, settings: Oidc) -> Identity:
    """Return who the claims speak of; raises NotTold."""
    sub = claims.get("sub")
    if not isinstance(sub, str) or not 0 < len(sub) <= MAX_SUBJECT:
        raise NotTold("no usable `sub`")
    login = _text(_at(claims, settings.login_claim), MAX_LOGIN)
    if not login:
        raise NotTold(f"no usable `{settings.login_claim}` (sign_in.oidc.login_claim)")
    return Identity(
        subject=f"{settings.issuer} {sub}",
        login=login,
        name=_text(claims.get("name"), MAX_NAME) or login[:MAX_NAME],
        addresses=_addresses(claims, settings.address_claim),
        grants=grants_of(_groups(_at(claims, settings.groups_claim)), settings),
    )


def lacks(claims: Claims, settings: Oidc) -> bool:
    """Tell whether something that is asked for stands not in these claims: it may in those of the userinfo endpoint."""
    return _at(claims, settings.login_claim) is None or _at(claims, settings.groups_claim) is None


def grants_of(groups: Iterable[str], settings: Oidc) -> tuple[Grant, ...]:
    """Return what these groups of the provider may do here."""
    return in_order(grant_of(text) for group in groups for text in settings.roles.get(group, ()))


def _at(claims: Claims, path: str) -> object:
    """Return a claim: by its whole name, or else by the path that the dots in it make."""
    if path in claims:
        return claims[path]
    value: object = claims
    for step in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(step)
    return value


def _groups(value: object) -> list[str]:
    """Read a list of names, or one name; Keycloak writes groups as paths, with a slash before."""
    names = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    found = [name for name in names[:MAX_GROUPS] if isinstance(name, str)]
    return [*found, *(name[1:] for name in found if name.startswith("/"))]


def _addresses(claims: Claims, claim: str) -> tuple[str, ...]:
    """Return the mailbox; one that the provider says it never checked is nobody's."""
    value = _at(claims, claim)
    if not isinstance(value, str) or claims.get("email_verified") in (False, "false"):
        return ()
    try:
        return (address_key(value),)
    except PersonRefused:
        return ()


def _text(value: object, most: int) -> str:
    """Return a claim of one line; empty for anything else."""
    plain = isinstance(value, str) and value.isprintable() and 0 < len(value.strip()) <= most
    return str(value).strip() if plain else ""
