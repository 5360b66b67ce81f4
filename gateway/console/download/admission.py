"""Who has proved the address: a cookie, signed and sealed to one link, for a short time, that names a visit the spool knows.

The cookie alone opens nothing: the share has to be open, and to know the visit. Nothing of it is any good behind another link.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from gateway.links import LinkInvalid, Links
from gateway.spool.share_contract import Visitor

STAYS = timedelta(hours=1)  # long enough for a slow line, short enough for a computer that others use
NAME = "sekisho-files"
_VISIT_OCTETS = 16


def new_visitor(request: Request) -> Visitor:
    """Return who sits there, as a visit that nobody can guess."""
    return Visitor(client_of(request), secrets.token_urlsafe(_VISIT_OCTETS))


def client_of(request: Request) -> str:
    """Return the address that the request came from, empty where nobody knows."""
    return request.client.host if request.client is not None else ""


def admit(response: Response, links: Links, token: str, visitor: Visitor, now: datetime) -> None:
    """Put the cookie of this visit on an answer; it is sent to the pages behind this link only."""
    value = links.seal(token, {"visit": visitor.visit, "at": int(now.timestamp())})
    response.set_cookie(
        _name(links),
        value,
        max_age=int(STAYS.total_seconds()),
        path=f"{links.base_path}/d/{token}",
        secure=_is_secure(links),
        httponly=True,
        samesite="strict",
    )


def admitted(request: Request, links: Links, token: str, now: datetime) -> Visitor | None:
    """Return the visit that the request's cookie names; None where it names none, or one that is over."""
    sealed = request.cookies.get(_name(links), "")
    try:
        value = links.unseal(token, sealed)
    except LinkInvalid:
        return None
    visit, at = value.get("visit"), value.get("at")
    if not isinstance(visit, str) or not isinstance(at, int):
        return None  # something else of ours that was sealed to this link
    if abs(now.timestamp() - at) > STAYS.total_seconds():
        return None
    return Visitor(client_of(request), visit)


def _is_secure(links: Links) -> bool:
    return links.origin.startswith("https:")


def _name(links: Links) -> str:
    """Return the cookie's name; the prefix keeps a page without TLS from setting it (RFC 6265bis 4.1.3.1)."""
    return f"__Secure-{NAME}" if _is_secure(links) else NAME
