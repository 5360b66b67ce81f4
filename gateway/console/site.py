"""What the pages for people with an account work with, and the frame that they stand in.

Each part of the console gives its routes as a function of the site; `signed_in.py` puts them together.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.acting.acting import Acting
from gateway.audit.log import EventLog
from gateway.console.desk import Desk
from gateway.console.gate import Gate, Visit
from gateway.console.navigation import entries
from gateway.console.pages import kept_query
from gateway.console.statements import Prove
from gateway.languages import LANGUAGES
from gateway.policy.demands import Language
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class Site:
    """`desk` has the spool, the clock, the links and the words; `gate` makes routes (`Gated`) for those who may come.

    `acting` has the verbs, as somebody; `log` is what was recorded, None where there is no event log to read.
    """

    desk: Desk
    gate: Gate
    acting: Acting
    log: EventLog | None = None
    prove: Prove | None = None

    def page(
        self, visit: Visit, template: str, values: Mapping[str, object], *, here: str = "", status: int = 200
    ) -> Response:
        """Return a page in the frame of a person who is signed in. `here` is the path of the entry it belongs to.

        Templates extend `inside.html` and find `person`, `seal` (for their forms), `entries` and `here` besides `values`.
        """
        frame = self.frame(visit, here=here)
        return self.desk.pages.render(template, visit.language, {**frame, **values}, status)

    def frame(self, visit: Visit, *, here: str) -> dict[str, object]:
        """Return what `inside.html` takes."""
        return {
            "person": visit.person,
            "seal": visit.seal,
            "entries": entries(visit.person, self.desk.pages.words(visit.language)),
            "here": here,
            "kept": kept_query(visit.request),
        }

    async def start(self, request: Request) -> Response:
        """GET /: where the work of somebody who is signed in begins; everybody else is told what this is."""
        session = await self.gate.session(request)
        if session is None:
            return await self.desk.pages.start(request)
        found = entries(session.person, self.desk.pages.words(Language.JA))
        path = found[0].path if found else "/me"
        return RedirectResponse(f"{self.desk.links.base_path}{path}", status_code=303)

    def to(self, visit: Visit, path: str) -> Response:
        """Lead to a page of our own after a form, keeping the language: a reload must not post again (RFC 9110 15.4.4)."""
        asked = visit.request.query_params.get("lang", "")
        if asked in LANGUAGES:
            path += f"{'&' if '?' in path else '?'}lang={asked}"
        return RedirectResponse(f"{self.desk.links.base_path}{path}", status_code=303)
