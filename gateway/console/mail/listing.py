"""The list of held mail for people who are signed in: GET shows a page of it, as the address asks."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from starlette.responses import Response

from gateway.acting.acting import Acting
from gateway.console.answers import Answer
from gateway.console.gate import Visit
from gateway.console.mail import list_view
from gateway.console.mail.asked import Asked, question, read
from gateway.console.mail.many_view import verbs_for
from gateway.console.site import Site
from gateway.languages import Words
from gateway.spool.list_contract import HeldPage, Scope
from gateway.values import dataclass

_NOTHING = Scope()  # what somebody may see, `acting` says


@dataclass(frozen=True, slots=True)
class Listing:
    """The handler."""

    site: Site
    acting: Acting

    async def show(self, visit: Visit) -> Response:
        """GET /held"""
        asked = read(visit.request.query_params)
        page = await self._page(visit, asked)
        return await asyncio.to_thread(self._write, visit, asked, page)

    async def _page(self, visit: Visit, asked: Asked) -> HeldPage:
        wanted = question(asked, visit.person, _NOTHING, self._words(visit).zone)
        try:
            return await self.acting.held(visit.person, wanted)
        except ValueError:  # a place in another list, or none: begin at the first page
            return await self.acting.held(visit.person, replace(wanted, after=""))

    def _write(self, visit: Visit, asked: Asked, page: HeldPage) -> Response:
        words, now = self._words(visit), self.site.desk.clock()
        values = {
            "page": list_view.build(page, asked, words, now),
            "asked": asked,
            "options": list_view.options(words),
            "verbs": verbs_for(visit.person, words),
            "answer": self._answer(visit),
        }
        return self.site.page(visit, "held-list.html", values, here="/held")

    def _answer(self, visit: Visit) -> Answer | None:
        """Return what there is to say of a form that chose nothing."""
        if visit.request.query_params.get("none") != "1":
            return None
        return Answer((self._words(visit).gettext("No mail is chosen. Nothing was changed."),), warning=True)

    def _words(self, visit: Visit) -> Words:
        return self.site.desk.pages.words(visit.language)
