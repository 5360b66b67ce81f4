"""All pages for people with an account, put together from their parts."""

from __future__ import annotations

from starlette.routing import BaseRoute

from gateway.audit.auditing import Auditing
from gateway.console.approvals.absence import absence_routes
from gateway.console.approvals.listing import approval_routes
from gateway.console.auditing.routes import audit_routes
from gateway.console.figures import FigureSources, figure_routes
from gateway.console.mail.routes import held_routes
from gateway.console.site import Site


def signed_in_routes(
    site: Site, figures: FigureSources | None = None, auditing: Auditing | None = None
) -> list[BaseRoute]:
    """Return the routes of every part; each part names its own, and has none without what it works with."""
    return [
        *held_routes(site),
        *approval_routes(site),
        *absence_routes(site),
        *([] if figures is None else figure_routes(site, figures)),
        *([] if auditing is None else audit_routes(site, auditing)),
    ]
