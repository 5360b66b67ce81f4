"""The web application: the page behind the links, a start page, health, readiness and metrics.

Only a factory: it gets everything it works with and reads no settings. Whoever runs it must not log request
paths, because a link is a capability (gateway/log.py silences uvicorn's access log).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from zoneinfo import ZoneInfo

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route

from gateway.acting.acting import Acting
from gateway.audit.auditing import Auditing
from gateway.audit.log import EventLog
from gateway.clock import Clock
from gateway.console.approving import ApprovalPages
from gateway.console.colleague import colleague_routes
from gateway.console.desk import PREVIEWS_AT_ONCE, Desk, nobody
from gateway.console.digest_choice import Choices, digest_routes
from gateway.console.download.routes import download_routes
from gateway.console.figures import FigureSources
from gateway.console.gate import Gate
from gateway.console.guard import NoNul, SecureHeaders
from gateway.console.incidents.routes import incident_routes
from gateway.console.mail_routes import link_routes
from gateway.console.pages import Failure, Pages
from gateway.console.people.doors import People
from gateway.console.people.own_letters import OwnLetters
from gateway.console.people.routes import people_routes
from gateway.console.probes import Check, probe_routes
from gateway.console.reach import EVERYWHERE, Reach
from gateway.console.signed_in import signed_in_routes
from gateway.console.site import Site
from gateway.console.statements import Prove
from gateway.incidents.door import Incidents
from gateway.links import LinkInvalid, Links
from gateway.people.contract import Sessions
from gateway.spool.contract import Spool, StoreUnavailable, UnknownMessage

_TOLD = (Failure, HTTPException, LinkInvalid, StoreUnavailable, UnknownMessage, Exception)


def create_app(
    spool: Spool,
    links: Links,
    clock: Clock,
    zone: ZoneInfo,
    hostname: str,
    *,
    checks: Mapping[str, Check] | None = None,
    with_metrics: bool = True,
    extra_routes: Sequence[BaseRoute] = (),
    ring: Callable[[], None] = lambda: None,
    prove: Prove | None = None,
    reach: Reach = EVERYWHERE,
    sessions: Sessions | None = None,
    people: People | None = None,
    figures: FigureSources | None = None,
    incidents: Incidents | None = None,
    events: EventLog | None = None,
    auditing: Auditing | None = None,
    digests: Choices | None = None,
) -> Starlette:
    """Return the console; without `checks` it serves no probes, without `prove` it makes no statements,
    without `sessions` nobody is signed in, and without `people`, who have sessions, nobody can sign in;
    without `figures`, `incidents` and `auditing` there are no pages of them, and without `digests` none where somebody can
    switch daily letters off.

    `extra_routes` are looked at first. `ring` is called when a page put a letter into the outbox; `reach` is where keys
    can be sent. `events` is the log, for pages that tell what happened.
    """
    sessions = people.verbs if people is not None else sessions
    pages = Pages(zone, links.base_path, signing_in=sessions is not None)
    silenced = nobody if sessions is None else sessions.silenced
    desk = Desk(spool, links, clock, pages, hostname, asyncio.Semaphore(PREVIEWS_AT_ONCE), reach, silenced)
    site = None if sessions is None else _site(desk, sessions, events, prove)
    approvals = ApprovalPages(desk)
    probes = [] if checks is None else probe_routes(checks, with_metrics=with_metrics)
    routes = [
        *extra_routes,
        Route("/", pages.start if site is None else site.start),
        *link_routes(desk, prove),
        Route("/a/{token}", approvals.show),
        Route("/a/{token}/text", approvals.to_page),
        Route("/a/{token}/text", approvals.text, methods=["POST"]),
        Route("/a/{token}/approve", approvals.approve, methods=["POST"]),
        Route("/a/{token}/reject", approvals.reject, methods=["POST"]),
        *colleague_routes(desk),
        *download_routes(desk, ring),
        *([] if digests is None else digest_routes(desk, digests)),
        *([] if site is None else signed_in_routes(site, figures, auditing)),
        *([] if site is None or people is None else people_routes(site, people, OwnLetters(digests))),
        *([] if incidents is None else incident_routes(desk, site, incidents, ring)),
        *probes,
        Route("/static/{name}", pages.files.serve),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(SecureHeaders), Middleware(NoNul)],
        exception_handlers=dict.fromkeys(_TOLD, pages.failed),
    )
    return _without_redirects(app)


def _site(desk: Desk, sessions: Sessions, events: EventLog | None, prove: Prove | None) -> Site:
    gate = Gate(sessions, desk.links, desk.clock)
    return Site(desk, gate, Acting(desk.spool, desk.clock), events, prove)


def create_probe_app(checks: Mapping[str, Check], *, with_metrics: bool = True) -> Starlette:
    """Return health, readiness and metrics alone, for a listener of their own."""
    routes = probe_routes(checks, with_metrics=with_metrics)
    return _without_redirects(Starlette(routes=routes, middleware=[Middleware(SecureHeaders)]))


def _without_redirects(app: Starlette) -> Starlette:
    """Switch off Starlette's redirect to the same path with or without a slash: its address is made from the Host field."""
    app.router.redirect_slashes = False
    return app
