"""Somebody at the pages of one mail: by a link from a notice, or signed in. The pages are the same; this is what differs.

A caller was admitted: whose mail it is and what they may do with it was asked before there is one. Handlers take a caller and
know no token, no session and no address of their own page.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import field
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.console.desk import Desk
from gateway.console.forms import Fields
from gateway.console.verbs import ByLink, Verbs
from gateway.languages import LANGUAGES
from gateway.links import LinkInvalid
from gateway.policy.demands import Language
from gateway.spool.values import Actor, Stored
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class May:
    """What forms a page shows to its caller; whether a press counts is asked where it is done."""

    stop: bool = True
    send: bool = True
    report: bool = False


@dataclass(frozen=True, slots=True)
class Caller:
    """`path` is where the pages of the mail are, `secret` what their forms and answers are sealed to.

    `fields` are those of a form that is ours, empty for a GET. `frame` has what the layout of the page takes besides.
    """

    desk: Desk
    request: Request
    queue_id: str
    actor: Actor
    verbs: Verbs
    path: str
    secret: str
    layout: str
    may: May = May()
    own_language: Language | None = None
    fields: Fields = field(default_factory=list)
    frame: Mapping[str, object] = field(default_factory=dict)

    @property
    def action(self) -> str:
        """Return the address of the mail's page, without a query."""
        return f"{self.desk.links.base_path}{self.path}"

    def language(self, message: Stored) -> Language:
        """Return the reader's language: what the address asks for, what they chose for themselves, or the message's."""
        asked = self.request.query_params.get("lang", "")
        return Language(asked) if asked in LANGUAGES else self.own_language or message.language

    def page(
        self, template: str, language: Language, values: Mapping[str, object], status: int = 200
    ) -> Response:
        """Return a page of this mail; its forms lead to `action`, with `query` behind."""
        seal = self.desk.links.seal(self.secret, {"form": 1})
        own = {"action": self.action, "query": self._query(), "seal": seal, "layout": self.layout}
        return self.desk.pages.render(template, language, {**own, **self.frame, **values}, status)

    def lead(self, place: str = "") -> Response:
        """Lead to the page of the mail, to a place on it."""
        return RedirectResponse(f"{self.action}{self._query()}{place}", status_code=303)

    def answer(self, value: dict[str, Any]) -> Response:
        """Lead back to the page of the mail, which says what the button did.

        303: a reload of what follows shows the page again and does not post again (RFC 9110 15.4.4).
        """
        query = {"answer": self.desk.links.seal(self._answers, value), **self._asked()}
        return RedirectResponse(f"{self.action}?{urlencode(query)}", status_code=303)

    def answered(self) -> dict[str, Any] | None:
        """Return what a button did, as the redirect brings it back; None where nothing, or nothing of ours, came."""
        sealed = self.request.query_params.get("answer")
        if sealed is None:
            return None
        try:
            return self.desk.links.unseal(self._answers, sealed)
        except LinkInvalid:
            return None

    @property
    def _answers(self) -> str:
        """What answers are sealed to: one mail, so that no page says what was done to another."""
        return f"{self.secret} {self.queue_id}"

    def _query(self) -> str:
        asked = self._asked()
        return f"?{urlencode(asked)}" if asked else ""

    def _asked(self) -> dict[str, str]:
        asked = self.request.query_params.get("lang", "")
        return {"lang": asked} if asked in LANGUAGES else {}


MailHandler = Callable[[Caller], Awaitable[Response]]
"""What answers a request for a page of one mail."""


async def by_link(desk: Desk, request: Request) -> Caller:
    """Return who comes by a sender's link; raises LinkInvalid, and Failure for a form that is not ours."""
    token, claim = await desk.claim(request)
    fields = await desk.form(request, token) if request.method == "POST" else []
    actor = Actor("sender", claim.person)
    return Caller(
        desk=desk,
        request=request,
        queue_id=claim.queue_id,
        actor=actor,
        verbs=ByLink(desk.spool, desk.clock, claim.queue_id, actor),
        path=f"/m/{token}",
        secret=token,
        layout="frame.html",
        fields=fields,
        frame={"report": desk.links.incident_url(claim.queue_id, claim.person)},
    )
