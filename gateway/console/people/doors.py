"""What the pages of signing in work with, and where they lead: never out of these pages.

`next` comes out of an address that anybody may have written: only a path of ours is followed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.config.sign_in_settings import SignIn
from gateway.console import guard
from gateway.console.forms import Fields
from gateway.console.navigation import entries
from gateway.console.pages import Failure
from gateway.console.people.cookies import Cookies, Kind
from gateway.console.site import Site
from gateway.links import LinkInvalid
from gateway.metrics import SIGN_INS
from gateway.people.contract import Person
from gateway.people.oidc.provider import Provider
from gateway.people.session_rows import MAX_AGENT, Origin, fresh
from gateway.people.signing_in import Admitted
from gateway.people.sql import SqlPeople
from gateway.policy.demands import Language
from gateway.values import dataclass

MAX_NEXT = 1_000  # characters of a path that somebody is led to
MAX_FORM = 16 << 10  # octets: a login and a password of the longest, and what seals them
_SEALED = {"form": "sign-in"}


@dataclass(frozen=True, slots=True)
class People:
    """What the application is given for people with an account: the verbs, the settings, and an OpenID provider.

    `groups` tells the names of the policy's groups; None while nobody knows them.
    """

    verbs: SqlPeople
    settings: SignIn
    provider: Provider | None = None
    groups: Callable[[], Sequence[str] | None] = lambda: None


@dataclass(frozen=True, slots=True)
class Doors:
    """What every page of signing in shares."""

    site: Site
    people: People
    cookies: Cookies

    def origin(self, request: Request) -> Origin:
        """Return where a request comes from."""
        client = request.client.host if request.client is not None else ""
        agent = request.headers.get("user-agent", "")[:MAX_AGENT]
        return Origin(client, agent, self.cookies.read(request, Kind.BROWSER))

    @property
    def provider_name(self) -> str:
        """Return what the OpenID provider is called; empty where there is none."""
        return self.people.provider.name if self.people.provider is not None else ""

    def seal(self, secret: str) -> str:
        """Return what the sign-in form of the browser with this cookie carries."""
        return self.site.desk.links.seal(secret, dict(_SEALED))

    async def form(self, request: Request, kind: Kind) -> Fields | None:
        """Return the fields of a form that we gave to this very browser; None where it is another's, or a cookie is missing.

        Raises Failure on what no form of ours can be.
        """
        if not guard.from_own_page(request.headers, self.site.desk.links.origin):
            raise Failure(403)
        try:
            fields = await guard.read_form(request, MAX_FORM)
        except guard.FormRefused as refused:
            raise Failure(refused.status) from None
        return fields if self._is_ours(self.cookies.read(request, kind), fields) else None

    def _is_ours(self, secret: str, fields: Fields) -> bool:
        if not secret:
            return False
        try:
            return self.site.desk.links.unseal(secret, dict(fields).get("seal", "")) == _SEALED
        except LinkInvalid:
            return False

    def to(self, path: str) -> Response:
        """Lead to a page of ours."""
        return RedirectResponse(f"{self.site.desk.links.base_path}{path}", status_code=303)

    def to_step(self, path: str, wanted: str) -> Response:
        """Lead to another page of signing in, which knows where somebody wants to go."""
        return self.to(f"{path}?next={quote(wanted, safe='')}" if wanted else path)

    async def admit(self, request: Request, admitted: Admitted, wanted: str) -> Response:
        """Lead in: to the second step, or with a session of its own to where somebody wanted to go.

        A session that this browser had before is over: it would go on in the store, and nobody could see whose it is.
        """
        if admitted.asks_code:
            response = self.to_step("/sign-in/code", wanted)
            self.cookies.set(response, Kind.STEP, admitted.cookie)
            return response
        SIGN_INS.labels("ok").inc()
        if before := self.cookies.session(request):
            await self.people.verbs.sign_out(before, self.site.desk.clock())
        response = self.to(wanted or "/")
        self.cookies.set_session(response, admitted.cookie)
        self.cookies.set(response, Kind.BROWSER, admitted.browser)
        self.cookies.drop(response, Kind.STEP, Kind.FORM, Kind.PROVIDER)
        return response

    def first_page(self, person: Person) -> str:
        """Return where somebody's work begins."""
        found = entries(person, self.site.desk.pages.words(person.language or Language.JA))
        return found[0].path if found else "/me"

    def new_secret(self) -> str:
        """Make what a cookie before sign-in holds."""
        return fresh().cookie


def local_path(text: str) -> str:
    """Return a path of ours as it was asked for; empty for anything that leads, or might lead, elsewhere.

    Browsers read `//host`, `/\\host` and paths with tabs in them as another site (WHATWG URL 4.4).
    """
    plain = text.isascii() and text.isprintable() and " " not in text and "\\" not in text
    ours = text.startswith("/") and not text.startswith("//") and len(text) <= MAX_NEXT
    return text if plain and ours else ""
