"""Signing in and out: the form, the second step, and the way through an OpenID provider.

Before somebody is signed in, a form is sealed to a cookie of its own: nobody can sign a stranger's browser in to an account of
theirs. The session always gets a new id.
"""

from __future__ import annotations

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from gateway.console.gate import ANYBODY, Gated, Visit
from gateway.console.pages import Failure, kept_query, reader_language
from gateway.console.people.cookies import Kind
from gateway.console.people.doors import Doors, local_path
from gateway.links import LinkInvalid
from gateway.metrics import SIGN_INS
from gateway.people.checking import MAX_LOGIN
from gateway.people.oidc.claims import NotTold
from gateway.people.oidc.provider import Begun
from gateway.people.signing_in import SignInRefused

CALLBACK = "/sign-in/oidc/callback"  # where the provider sends people back to
MAX_KEPT = 300  # characters of where somebody wants to go: more does not fit into a seal
_STATUS = {"locked": 429, "busy": 503}

log = structlog.get_logger()


class SignInPages:
    """The pages in front of all others."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._signing_in = doors.people.verbs.signing_in

    def routes(self) -> list[BaseRoute]:
        """Return the routes; only signing out is for those who are in."""
        gate = self._doors.site.gate
        return [
            Route("/sign-in", self.show, methods=["GET"]),
            Route("/sign-in", self.enter, methods=["POST"]),
            Route("/sign-in/code", self.ask_code, methods=["GET"]),
            Route("/sign-in/code", self.enter_code, methods=["POST"]),
            Route("/sign-in/oidc", self.go, methods=["GET"]),
            Route(CALLBACK, self.come_back, methods=["GET"]),
            Gated("/sign-out", self.leave, gate, ANYBODY, methods=("POST",)),
        ]

    async def show(self, request: Request) -> Response:
        """GET /sign-in: the form; somebody who is in is led on."""
        wanted = local_path(request.query_params.get("next", ""))
        session = await self._doors.site.gate.session(request)
        if session is not None:
            return self._doors.to(wanted or self._doors.first_page(session.person))
        return self._page(request, wanted)

    async def enter(self, request: Request) -> Response:
        """POST /sign-in: a login and a password."""
        fields = await self._doors.form(request, Kind.FORM)
        if fields is None:
            return self._page(request, local_path(request.query_params.get("next", "")), why="form")
        given = dict(fields)
        wanted, login = local_path(given.get("next", "")), given.get("login", "").strip()[:MAX_LOGIN]
        try:
            admitted = await self._signing_in.with_password(
                login, given.get("password", ""), self._doors.origin(request), self._doors.site.desk.clock()
            )
        except SignInRefused as refused:
            return self._page(request, wanted, login, refused.why)
        return await self._doors.admit(request, admitted, wanted)

    async def ask_code(self, request: Request) -> Response:
        """GET /sign-in/code: the form of the second step."""
        wanted = local_path(request.query_params.get("next", ""))
        step = self._doors.cookies.read(request, Kind.STEP)
        now = self._doors.site.desk.clock()
        if not step or await self._signing_in.second_step(step, now) is None:
            return self._doors.to_step("/sign-in", wanted)
        return self._code_page(request, step, wanted)

    async def enter_code(self, request: Request) -> Response:
        """POST /sign-in/code: a one-time password or a recovery code."""
        fields = await self._doors.form(request, Kind.STEP)
        if fields is None:
            return self._doors.to("/sign-in")
        given, step = dict(fields), self._doors.cookies.read(request, Kind.STEP)
        wanted = local_path(given.get("next", ""))
        try:
            admitted = await self._signing_in.with_code(
                step, given.get("code", ""), self._doors.origin(request), self._doors.site.desk.clock()
            )
        except SignInRefused as refused:
            if refused.why == "code":
                SIGN_INS.labels("code").inc()
                return self._code_page(request, step, wanted, wrong=True)
            return self._page(request, wanted, why=refused.why)
        return await self._doors.admit(request, admitted, wanted)

    async def go(self, request: Request) -> Response:
        """GET /sign-in/oidc: to the provider. A link and no form: pages of ours send forms nowhere else (form-action)."""
        provider = self._doors.people.provider
        if provider is None:
            raise Failure(404)
        wanted = local_path(request.query_params.get("next", ""))
        try:
            address, begun = await provider.begin(self._doors.site.desk.clock())
        except NotTold as no:
            return self._not_told(request, wanted, no)
        response = RedirectResponse(address, status_code=303)
        kept = wanted if len(wanted) <= MAX_KEPT else ""
        sealed = self._doors.site.desk.links.seal(CALLBACK, {**begun.as_value(), "next": kept})
        self._doors.cookies.set(response, Kind.PROVIDER, sealed)
        return response

    async def come_back(self, request: Request) -> Response:
        """GET: the provider's answer, which is good in the browser that asked for it, and once."""
        provider = self._doors.people.provider
        if provider is None:
            raise Failure(404)
        now, answer = self._doors.site.desk.clock(), dict(request.query_params)
        try:
            begun, wanted = self._begun(request)
            identity = await provider.finish(begun, answer, now)
        except NotTold as no:
            return self._not_told(request, "", no)
        try:
            admitted = await self._signing_in.with_provider(identity, self._doors.origin(request), now)
        except SignInRefused as refused:
            log.warning("sign-in.refused", why=refused.why)
            return self._page(request, wanted, why=refused.why)
        return await self._doors.admit(request, admitted, wanted)

    def _begun(self, request: Request) -> tuple[Begun, str]:
        """Return what this browser asked the provider, and where it wants to go; raises NotTold."""
        try:
            value = self._doors.site.desk.links.unseal(
                CALLBACK, self._doors.cookies.read(request, Kind.PROVIDER)
            )
        except LinkInvalid:
            raise NotTold("this browser asked nothing") from None
        wanted = local_path(value.pop("next"))
        return Begun(**value), wanted

    def _not_told(self, request: Request, wanted: str, no: NotTold) -> Response:
        log.warning("sign-in.provider", cause=str(no))
        response = self._page(request, wanted, why="provider")
        self._doors.cookies.drop(response, Kind.PROVIDER)
        return response

    async def leave(self, visit: Visit) -> Response:
        """POST /sign-out: the session ends."""
        cookies = self._doors.cookies
        await self._doors.people.verbs.sign_out(cookies.session(visit.request), self._doors.site.desk.clock())
        response = self._doors.to("/sign-in?left=1")
        cookies.drop_session(response)
        return response

    def _page(self, request: Request, wanted: str, login: str = "", why: str = "") -> Response:
        if why and why != "form":
            SIGN_INS.labels(why).inc()
        cookies = self._doors.cookies
        secret = cookies.read(request, Kind.FORM) or self._doors.new_secret()
        values = {
            "seal": self._doors.seal(secret),
            "next": wanted,
            "login": login,
            "why": why,
            "left": "left" in request.query_params and not why,
            "provider": self._doors.provider_name,
            "kept": kept_query(request),
        }
        status = _STATUS.get(why, 403) if why else 200
        pages = self._doors.site.desk.pages
        response = pages.render("sign-in.html", reader_language(request), values, status)
        cookies.set(response, Kind.FORM, secret)
        return cookies.gate.remember(request, response)  # what was chosen here lasts behind the door

    def _code_page(self, request: Request, step: str, wanted: str, *, wrong: bool = False) -> Response:
        values = {
            "seal": self._doors.seal(step),
            "next": wanted,
            "wrong": wrong,
            "kept": kept_query(request),
        }
        pages = self._doors.site.desk.pages
        return pages.render("sign-in-code.html", reader_language(request), values, 403 if wrong else 200)
