"""What stands before every page: strict response headers, the check that a form came from our own page, bounded forms, and no
NUL in anything that a request says: PostgreSQL keeps none in a text, and would answer each with an error of its own.

A GET never acts, so nothing here looks at one. A POST has to bring the link's token (the capability), the
seal that only the page behind that token holds, and must not come from another site.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_FORM = 2 << 20  # octets; 100,000 ticked recipients (the most a mail may have) take 1.6 MiB
MAX_FIELDS = 100_010  # a tick for each of them, and the form's own fields

PAGE_HEADERS: Mapping[str, str] = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "referrer-policy": "no-referrer",  # the address of the page is the capability
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-robots-tag": "noindex, nofollow",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


_NUL_SHOWN = "%EF%BF%BD"  # U+FFFD, which finds nothing and is no name


class FormRefused(Exception):
    """The form is not one of ours, or larger than one of ours can be; `status` is the HTTP status to answer
    with."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class SecureHeaders:
    """Put PAGE_HEADERS on every response, also on errors; a route's own headers win."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in PAGE_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, secured if scope["type"] == "http" else send)


class NoNul:
    """Show what stands behind it a replacement character for each NUL in a request's path and query."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = scope["path"].replace("\0", "\N{REPLACEMENT CHARACTER}")
            query = scope["query_string"].replace(b"%00", _NUL_SHOWN.encode())
            scope = {**scope, "path": path, "query_string": query}
        await self._app(scope, receive, send)


def from_own_page(headers: Mapping[str, str], public_origin: str) -> bool:
    """Tell whether the browser says, as far as it says anything, that our own page posted this.

    `Origin: null` is what browsers send from a page with `Referrer-Policy: no-referrer` (Fetch, 3.2); over
    plain HTTP they send no Sec-Fetch-Site either. Then the sealed form field alone has to prove it.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin", "null").lower()
    return origin in ("null", public_origin) or origin.partition("://")[2] == headers.get("host", "").lower()


async def read_form(request: Request, most: int = MAX_FORM) -> list[tuple[str, str]]:
    """Return the fields of a posted form of at most so many octets in order; raises FormRefused (413, 415, 400)."""
    if (
        request.headers.get("content-type", "").partition(";")[0].strip()
        != "application/x-www-form-urlencoded"
    ):
        raise FormRefused(415)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise FormRefused(413)
    try:
        said = body.decode("ascii").replace("\0", _NUL_SHOWN).replace("%00", _NUL_SHOWN)
        return parse_qsl(said, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:  # not ASCII, or more fields than that
        raise FormRefused(400) from None
