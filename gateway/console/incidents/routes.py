"""The routes of incidents: behind links for everybody, behind the gate for people with an account."""

from __future__ import annotations

from collections.abc import Callable

from starlette.routing import BaseRoute, Route

from gateway.acting.on_incidents import ActingOnIncidents
from gateway.console.desk import Desk
from gateway.console.gate import Gated, Handler
from gateway.console.incidents.by_link import DeletionAnswers, ReportByLink
from gateway.console.incidents.incident_pages import IncidentPages
from gateway.console.incidents.incident_verbs import IncidentVerbs
from gateway.console.incidents.reporting import Reporting
from gateway.console.site import Site
from gateway.incidents.door import Incidents
from gateway.people.contract import Role

REPORTS = frozenset({Role.SENDER, Role.ADMIN, Role.ORDERING})
HANDLES = frozenset({Role.ADMIN, Role.ORDERING})


def incident_routes(
    desk: Desk, site: Site | None, incidents: Incidents, ring: Callable[[], None]
) -> list[BaseRoute]:
    """Return them; without a site nobody signs in, and only the links work. `ring` is called when letters wait."""
    reporting, acting = Reporting(desk, incidents, ring), ActingOnIncidents(desk.spool, incidents, desk.clock)
    report, answers = ReportByLink(reporting), DeletionAnswers(reporting)
    return [
        Route("/i/{token}", report.show),
        Route("/i/{token}", report.open, methods=["POST"]),
        Route("/r/{token}", answers.show),
        Route("/r/{token}", answers.answer, methods=["POST"]),
        *([] if site is None else _gated(site, IncidentPages(site, reporting, acting))),
    ]


def _gated(site: Site, pages: IncidentPages) -> list[BaseRoute]:
    verbs = IncidentVerbs(pages)

    def get(path: str, handler: Handler) -> BaseRoute:
        return Gated(path, handler, site.gate, REPORTS)

    def post(path: str, handler: Handler, roles: frozenset[Role] = REPORTS) -> BaseRoute:
        return Gated(path, handler, site.gate, roles, methods=["POST"])

    one = "/incidents/{queue_id}"
    return [
        get("/incidents", pages.list),
        get("/incidents/new", pages.new),
        post("/incidents/new", pages.open),
        get(one, pages.show),
        get(f"{one}/draft.docx", pages.draft),
        post(f"{one}/note", verbs.note),
        post(f"{one}/ask", verbs.ask),
        post(f"{one}/remind", verbs.remind),
        post(f"{one}/amend", verbs.amend, HANDLES),
        post(f"{one}/reported", verbs.reported, HANDLES),
        post(f"{one}/close", verbs.close, HANDLES),
        post(f"{one}/reopen", verbs.reopen, HANDLES),
    ]
