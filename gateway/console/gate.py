"""The gate before every page for people with an account: who is it, may this role come here, and is the form ours.

A route says its roles where it is made, and there is no other way to make one: the matrix of roles and routes is read off
the application itself (tests/console/test_access_matrix.py). Whether a person may see one particular mail is asked behind the
gate, by gateway/people/sight.py.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import field
from typing import Protocol
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gateway.clock import Clock
from gateway.console import guard
from gateway.console.forms import Fields
from gateway.console.pages import LANGUAGE_COOKIE, Failure, reader_language, recognised
from gateway.languages import LANGUAGES
from gateway.links import LinkInvalid, Links
from gateway.people.contract import Person, Role, Session, Sessions
from gateway.policy.demands import Language
from gateway.values import dataclass

COOKIE = "__Host-sekisho"
COOKIE_IN_CLEAR = (
    "sekisho"  # where public_url is http, as in the demo: __Host- needs TLS (RFC 6265bis 4.1.3.2)
)
MAX_COOKIE = 512  # characters
ANYBODY = frozenset(Role)
DUTIES = ("/me/password", "/me/code", "/sign-out")  # where somebody may go who has something to do first


@dataclass(frozen=True, slots=True)
class Visit:
    """A request of somebody who is signed in. `fields` are those of a form that is ours; empty for a GET."""

    request: Request
    session: Session
    language: Language
    seal: str
    fields: Fields = field(default_factory=list)

    @property
    def person(self) -> Person:
        return self.session.person


Handler = Callable[[Visit], Awaitable[Response]]


class Admits(Protocol):
    """What a gate works with: `Gate`."""

    async def admit(self, request: Request, roles: frozenset[Role], most: int) -> Visit | Response: ...

    def remember(self, request: Request, response: Response) -> Response: ...


class Gate:
    """Lets people in by their session. `links` seals forms; a form is sealed to its session."""

    def __init__(self, sessions: Sessions, links: Links, clock: Clock) -> None:
        self._sessions = sessions
        self._links = links
        self._clock = clock

    @property
    def cookie_name(self) -> str:
        return COOKIE if self._links.origin.startswith("https:") else COOKIE_IN_CLEAR

    async def session(self, request: Request) -> Session | None:
        """Return the session that a request belongs to, if any."""
        cookie = request.cookies.get(self.cookie_name, "")
        if not 0 < len(cookie) <= MAX_COOKIE:
            return None
        return await self._sessions.session(cookie, self._clock())

    def seal(self, session: Session) -> str:
        """Return what the forms of this session carry in the field `seal`."""
        return self._links.seal(session.key, {"form": 1})

    async def admit(self, request: Request, roles: frozenset[Role], most: int) -> Visit | Response:
        """Return the visit, or the way to the sign-in page; raises Failure 401, 403 and what a form can have wrong."""
        session = await self.session(request)
        if session is None:
            if request.method not in ("GET", "HEAD"):
                raise Failure(401)
            return self._to_sign_in(request)
        recognised(request, session, self.seal(session))
        if session.duty is not None and not request.scope["path"].startswith(DUTIES):
            return RedirectResponse(f"{self._links.base_path}/me/{session.duty}", status_code=303)
        if not roles & session.person.roles:
            raise Failure(403)
        fields = await self._fields(request, session, most) if request.method == "POST" else []
        return Visit(request, session, reader_language(request), request.state.seal, fields)

    def remember(self, request: Request, response: Response) -> Response:
        """Let a language that was chosen by `?lang=` last until the browser is closed; returns the response."""
        asked = request.query_params.get("lang", "")
        if asked in LANGUAGES:
            secure = self.cookie_name == COOKIE
            path = f"{self._links.base_path}/"
            response.set_cookie(
                LANGUAGE_COOKIE, asked, path=path, secure=secure, httponly=True, samesite="lax"
            )
        return response

    async def _fields(self, request: Request, session: Session, most: int) -> Fields:
        if not guard.from_own_page(request.headers, self._links.origin):
            raise Failure(403)
        try:
            fields = await guard.read_form(request, most)
        except guard.FormRefused as refused:
            raise Failure(refused.status) from None
        try:
            ours = self._links.unseal(session.key, dict(fields).get("seal", "")) == {"form": 1}
        except LinkInvalid:
            ours = False
        if not ours:
            raise Failure(403)
        return fields

    def _to_sign_in(self, request: Request) -> Response:
        path = request.scope["path"]
        query = request.url.query
        wanted = quote(f"{path}?{query}" if query else path, safe="")
        return RedirectResponse(f"{self._links.base_path}/sign-in?next={wanted}", status_code=303)


class Gated(Route):
    """A route for people with one of `roles`; `most` bounds its form in octets."""

    def __init__(
        self,
        path: str,
        handler: Handler,
        gate: Admits,
        roles: frozenset[Role],
        *,
        methods: Sequence[str] = ("GET",),
        most: int = guard.MAX_FORM,
    ) -> None:
        async def endpoint(request: Request) -> Response:
            admitted = await gate.admit(request, roles, most)
            if isinstance(admitted, Response):
                return admitted
            return gate.remember(request, await handler(admitted))

        super().__init__(path, endpoint, methods=list(methods))
        self.roles = roles
