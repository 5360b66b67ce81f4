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

from gateway.clock import Clock
from gateway.console.approving import ApprovalPages
from gateway.console.confirming import ConfirmPages
from gateway.console.desk import PREVIEWS_AT_ONCE, Desk
from gateway.console.download.routes import download_routes
from gateway.console.gate import Gate
from gateway.console.guard import SecureHeaders
from gateway.console.held import HeldPage
from gateway.console.keys import KeyPage
from gateway.console.pages import Failure, Pages
from gateway.console.probes import Check, probe_routes
from gateway.console.reach import EVERYWHERE, Reach
from gateway.console.sharing import ShareActs
from gateway.console.signed_in import signed_in_routes
from gateway.console.site import Site
from gateway.console.statements import Prove, StatementPage
from gateway.console.stopping import HeldActs
from gateway.console.supplying import SupplyActs
from gateway.console.taking_back import TakeBackPages
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
) -> Starlette:
    """Return the console; without `checks` it serves no probes, without `prove` it makes no statements,
    without `sessions` nobody signs in.

    `extra_routes` are looked at first. `ring` is called when a page put a letter into the outbox; `reach` is where keys
    can be sent.
    """
    pages = Pages(zone, links.base_path, signing_in=sessions is not None)
    desk = Desk(spool, links, clock, pages, hostname, asyncio.Semaphore(PREVIEWS_AT_ONCE), reach)
    site = None if sessions is None else Site(desk, Gate(sessions, links, clock))
    acts, approvals = HeldActs(desk), ApprovalPages(desk)
    probes = [] if checks is None else probe_routes(checks, with_metrics=with_metrics)
    routes = [
        *extra_routes,
        Route("/", pages.start if site is None else site.start),
        Route("/m/{token}", HeldPage(desk, provable=prove is not None).show),
        Route("/m/{token}/cancel", acts.cancel, methods=["POST"]),
        Route("/m/{token}/release", acts.release, methods=["POST"]),
        Route("/m/{token}/confirm", ConfirmPages(desk).confirm, methods=["POST"]),
        *file_routes(desk, prove),
        Route("/a/{token}", approvals.show),
        Route("/a/{token}/approve", approvals.approve, methods=["POST"]),
        Route("/a/{token}/reject", approvals.reject, methods=["POST"]),
        *download_routes(desk, ring),
        *([] if site is None else signed_in_routes(site)),
        *probes,
        Route("/static/{name}", pages.files.serve),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(SecureHeaders)],
        exception_handlers=dict.fromkeys(_TOLD, pages.failed),
    )
    return _without_redirects(app)


def file_routes(desk: Desk, prove: Prove | None) -> list[BaseRoute]:
    """Return the pages for a mail's files: their keys, what waits behind links, taking back, and the statement."""
    keys, shares, taking = KeyPage(desk), ShareActs(desk), TakeBackPages(desk)
    return [
        Route("/m/{token}/supply", SupplyActs(desk).supply, methods=["POST"]),
        Route("/m/{token}/stop-keys", SupplyActs(desk).stop, methods=["POST"]),
        Route("/m/{token}/key", keys.show, methods=["POST"]),
        Route("/m/{token}/key", keys.lead),
        Route("/m/{token}/lock", shares.lock, methods=["POST"]),
        Route("/m/{token}/unlock", shares.unlock, methods=["POST"]),
        Route("/m/{token}/extend", shares.extend, methods=["POST"]),
        Route("/m/{token}/take-back", taking.take, methods=["POST"]),
        Route("/m/{token}/take-back", taking.ask),
        *([] if prove is None else _statement_routes(StatementPage(desk, prove, asyncio.Semaphore(1)))),
    ]


def _statement_routes(page: StatementPage) -> list[BaseRoute]:
    return [
        Route("/m/{token}/statement", page.make, methods=["POST"]),
        Route("/m/{token}/statement", page.lead),
    ]


def create_probe_app(checks: Mapping[str, Check], *, with_metrics: bool = True) -> Starlette:
    """Return health, readiness and metrics alone, for a listener of their own."""
    routes = probe_routes(checks, with_metrics=with_metrics)
    return _without_redirects(Starlette(routes=routes, middleware=[Middleware(SecureHeaders)]))


def _without_redirects(app: Starlette) -> Starlette:
    """Switch off Starlette's redirect to the same path with or without a slash: its address is made from the Host field."""
    app.router.redirect_slashes = False
    return app
