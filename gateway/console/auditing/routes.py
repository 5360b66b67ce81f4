"""The routes of the log: search, stories, copies, verification and papers, for those who may read it."""

from __future__ import annotations

from gateway.audit.auditing import Auditing
from gateway.console.auditing.copying import CopyPages
from gateway.console.auditing.papers import PaperPages
from gateway.console.auditing.searching import SearchPages
from gateway.console.gate import Gated
from gateway.console.site import Site
from gateway.people.contract import Role

READERS = frozenset({Role.ADMIN, Role.AUDITOR, Role.ORDERING})


def audit_routes(site: Site, auditing: Auditing) -> list[Gated]:
    """Return the routes; what one person sees behind them is their scope's."""
    search = SearchPages(site, auditing)
    copies, papers = CopyPages(search), PaperPages(search)
    gate = site.gate
    return [
        Gated("/log", search.found, gate, READERS),
        Gated("/log/export", copies.ask, gate, READERS),
        Gated("/log/export", copies.take, gate, READERS, methods=["POST"]),
        Gated("/log/verify", copies.verify, gate, READERS, methods=["GET", "POST"]),
        Gated("/log/{queue_id}", search.story, gate, READERS),
        Gated("/record", papers.record, gate, READERS),
        Gated("/certificates", papers.certificates, gate, READERS),
        Gated("/certificates", papers.certify, gate, READERS, methods=["POST"]),
        Gated("/certificates/{number}", papers.certificate, gate, READERS),
        Gated("/certificates/{number}/file", papers.file, gate, READERS),
    ]
