"""The cookies of signing in: their names, and how they are set and taken back.

All are HttpOnly, and SameSite=Lax: a link in a mail leads to the page it names, and no other site's form acts in anybody's
name. Over TLS their names begin with __Host- (RFC 6265bis 4.1.3.2): no other host, and nothing without TLS, can set one.
"""

from __future__ import annotations

from enum import StrEnum

from starlette.requests import Request
from starlette.responses import Response

from gateway.console.gate import MAX_COOKIE, Gate
from gateway.values import dataclass

REMEMBERED_S = 400 * 86_400  # of the browser's own cookie: as long as browsers keep any (RFC 6265bis 5.5)
MAX_SEALED = 4_000  # characters; browsers keep 4,096 octets of a cookie


class Kind(StrEnum):
    """What a cookie is for, beside the session's own."""

    FORM = "form"  # ties the sign-in form to this browser, before anybody is signed in
    STEP = "step"  # a sign-in whose second step is to come
    BROWSER = "browser"  # in which somebody has signed in before
    PROVIDER = "provider"  # what was said to the OpenID provider, until it answers


@dataclass(frozen=True, slots=True)
class Cookies:
    """Reads and writes them; `gate` knows whether the pages stand behind TLS."""

    gate: Gate

    def read(self, request: Request, kind: Kind) -> str:
        """Return what a cookie holds; empty where there is none, or nothing of ours."""
        value = request.cookies.get(self._name(kind), "")
        most = MAX_SEALED if kind is Kind.PROVIDER else MAX_COOKIE
        return value if len(value) <= most else ""

    def session(self, request: Request) -> str:
        """Return the cookie of the session; empty where there is none, or nothing of ours."""
        value = request.cookies.get(self.gate.cookie_name, "")
        return value if len(value) <= MAX_COOKIE else ""

    def set(self, response: Response, kind: Kind, value: str) -> None:
        """Set a cookie; only the browser's own outlives the browser's being closed."""
        self._set(response, self._name(kind), value, REMEMBERED_S if kind is Kind.BROWSER else None)

    def set_session(self, response: Response, value: str) -> None:
        """Set the cookie of a session; when it ends is the store's to say."""
        self._set(response, self.gate.cookie_name, value, None)

    def drop(self, response: Response, *kinds: Kind) -> None:
        """Take cookies back."""
        for kind in kinds:
            self._drop(response, self._name(kind))

    def drop_session(self, response: Response) -> None:
        """Take the session's cookie back."""
        self._drop(response, self.gate.cookie_name)

    def _name(self, kind: Kind) -> str:
        return f"{self.gate.cookie_name}-{kind}"

    @property
    def _secure(self) -> bool:
        return self.gate.cookie_name.startswith("__Host-")

    def _set(self, response: Response, name: str, value: str, age: int | None) -> None:
        response.set_cookie(
            name, value, max_age=age, path="/", secure=self._secure, httponly=True, samesite="lax"
        )

    def _drop(self, response: Response, name: str) -> None:
        response.delete_cookie(name, path="/", secure=self._secure, httponly=True, samesite="lax")
