"""The page on which an approver says when they are away: shows what was said, takes more, takes it back.

It concerns nobody but who is signed in, for all of their mailboxes. Who is away may decide all the same.
"""

from __future__ import annotations

from datetime import datetime

from starlette.responses import Response

from gateway.acting.away import Away
from gateway.console.approvals import absence_view
from gateway.console.approvals.absence_view import Asked
from gateway.console.gate import Gated, Visit
from gateway.console.pages import Failure
from gateway.console.site import Site
from gateway.people.contract import Role
from gateway.spool.absences import TooManyAbsences
from gateway.spool.attendance import MAX_NOTE

PATH = "/approvals/absence"
APPROVERS = frozenset({Role.APPROVER})


def absence_routes(site: Site) -> list[Gated]:
    """Return the page and its two verbs."""
    pages = AbsencePages(site)
    return [
        Gated(PATH, pages.show, site.gate, APPROVERS),
        Gated(PATH, pages.say, site.gate, APPROVERS, methods=["POST"]),
        Gated(f"{PATH}/remove", pages.take_back, site.gate, APPROVERS, methods=["POST"]),
    ]


class AbsencePages:
    """The handlers."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._desk = site.desk
        self._away = Away(site.desk.spool, site.desk.clock)

    async def show(self, visit: Visit) -> Response:
        """GET /approvals/absence"""
        return await self._page(visit, Asked())

    async def say(self, visit: Visit) -> Response:
        """POST /approvals/absence: from, until, and a note for those who look for this person."""
        words = self._desk.pages.words(visit.language)
        asked, span = absence_view.read(dict(visit.fields), words.zone, words)
        if span is None:
            return await self._page(visit, asked, 422)
        try:
            await self._away.say(visit.person, *span, asked.note)
        except ValueError as error:
            return await self._page(visit, absence_view.refused(asked, str(error), words), 422)
        except TooManyAbsences:
            return await self._page(visit, absence_view.refused(asked, "many", words), 422)
        return self._back(visit, "said")

    async def take_back(self, visit: Visit) -> Response:
        """POST /approvals/absence/remove"""
        try:
            since = datetime.fromisoformat(dict(visit.fields).get("since", "")[:40])
        except ValueError:
            raise Failure(400) from None
        if since.tzinfo is None:
            raise Failure(400)
        await self._away.take_back(visit.person, since)
        return self._back(visit, "removed")

    async def _page(self, visit: Visit, asked: Asked, status: int = 200) -> Response:
        now, words = self._desk.clock(), self._desk.pages.words(visit.language)
        found = await self._away.of(visit.person)
        values = {
            "absences": absence_view.lines(found, words, now),
            "asked": asked,
            "longest": MAX_NOTE,
            "zone": words.zone_name(),
            "done": self._done(visit),
        }
        return self._site.page(visit, "absence.html", values, here="/approvals", status=status)

    def _back(self, visit: Visit, done: str) -> Response:
        sealed = self._desk.links.seal(visit.session.key, {"absence": done})
        return self._site.to(visit, f"{PATH}?answer={sealed}")

    def _done(self, visit: Visit) -> str:
        answer = self._desk.sealed_answer(visit.request, visit.session.key) or {}
        _ = self._desk.pages.words(visit.language).gettext
        told = {
            "said": _("Noted. Who sends you something to approve sees that you are away."),
            "removed": _("Removed. You count as there again."),
        }
        return told.get(str(answer.get("absence", "")), "")
