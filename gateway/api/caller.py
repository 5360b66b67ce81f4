"""Who calls the API: a bearer token (RFC 6750) of one person, for some purposes. Nothing of a token is logged.

What a person may do to one mail is asked behind this, where the console asks too (gateway/acting).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from gateway.api.doors import doors_of
from gateway.api.problems import Refused
from gateway.people.contract import Bearer, Person, TokenScope
from gateway.values import dataclass

MAX_TOKEN = 128  # characters; ours have 47

_SCHEME = HTTPBearer(auto_error=False, scheme_name="token", description="A token made at /me or by the CLI")
Given = Annotated[HTTPAuthorizationCredentials | None, Security(_SCHEME)]


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose token it is, and what it may be used for."""

    person: Person
    scopes: frozenset[TokenScope]


async def bearer_of(request: Request, given: HTTPAuthorizationCredentials | None) -> Bearer:
    """Return whom the token of a request stands for; raises Refused (401)."""
    doors = doors_of(request)
    text = given.credentials if given is not None else ""
    found = None
    if 0 < len(text) <= MAX_TOKEN and text.isascii():
        found = await doors.tokens.authenticate(text, doors.clock())
    if found is None:
        error = ', error="invalid_token"' if text else ""
        raise Refused(
            401, "token", "a token is needed", headers={"WWW-Authenticate": f'Bearer realm="sekisho"{error}'}
        )
    return found


def calling(scope: TokenScope) -> Any:
    """Return the dependency that admits a token with this scope; raises Refused (401, 403)."""

    async def admitted(request: Request, given: Given) -> Caller:
        bearer = await bearer_of(request, given)
        if scope not in bearer.scopes:
            challenge = f'Bearer realm="sekisho", error="insufficient_scope", scope="{scope}"'
            detail = f"the token lacks the scope {scope}"
            raise Refused(403, "scope", detail, headers={"WWW-Authenticate": challenge})
        return Caller(bearer.person, bearer.scopes)

    call: Callable[..., Awaitable[Caller]] = admitted
    return Security(call)
