"""/log: search, and the story of one mail. Reads only; everything within the scope of who asks."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.responses import Response

from gateway.audit.auditing import Auditing
from gateway.console.auditing import view
from gateway.console.auditing.asking import KINDS, Asked, asked
from gateway.console.gate import Visit
from gateway.console.pages import Failure
from gateway.console.site import Site
from gateway.people.contract import Role
from gateway.people.sight import Act, may, scope_of, sees_subjects
from gateway.values import dataclass

MAX_PLACE = 200  # characters of a cursor


@dataclass(frozen=True, slots=True)
class SearchPages:
    """The handlers."""

    site: Site
    auditing: Auditing

    async def found(self, visit: Visit) -> Response:
        """GET /log"""
        words = self.site.desk.pages.words(visit.language)
        question = self.asked(visit)
        after = visit.request.query_params.get("after", "")[:MAX_PLACE]
        try:
            page, lines = await self.auditing.lines(question.question, after, question.subjects)
        except ValueError:
            raise Failure(404) from None
        values = {
            "asked": question.fields,
            "wrong": question.wrong,
            "narrowed": question.narrowed,
            "subjects": question.subjects,
            "groups": self.groups(visit),
            "kinds": view.kinds(KINDS, words),
            "rows": [view.row(line, words) for line in lines],
            "searched_to": page.searched_to and view.moment(page.searched_to, words),
            "next": self._path(question, after=page.after) if page.after else "",
            "first": self._path(question) if after else "",
            "copies": self._path(question, "/log/export"),
        }
        return self.site.page(visit, "log.html", values, here="/log")

    async def story(self, visit: Visit) -> Response:
        """GET /log/{queue_id}"""
        words = self.site.desk.pages.words(visit.language)
        story = await self.auditing.story(str(visit.request.path_params["queue_id"]), words)
        if story is None or not may(visit.person, Act.LOG, story.whose):
            raise Failure(404)
        if not sees_subjects(visit.person, self.auditing.subjects_for_ordering):
            story = replace(story, subject="")
        values = {
            "story": story,
            "moment": lambda at: view.moment(at, words),
            "zone": words.zone_name(),
            "reads": may(visit.person, Act.READ_FOR_REASON, story.whose),
            "stops": Role.ADMIN in visit.person.roles and may(visit.person, Act.SEE, story.whose),
        }
        return self.site.page(visit, "log-mail.html", values, here="/log")

    def asked(self, visit: Visit) -> Asked:
        """Return what the address asks for."""
        query = visit.request.query_params
        return asked(
            visit.person,
            lambda name: query.get(name, ""),
            self.zone(visit),
            self.auditing.subjects_for_ordering,
        )

    def zone(self, visit: Visit) -> ZoneInfo:
        """Return the zone in which days begin."""
        return self.site.desk.pages.words(visit.language).zone

    def groups(self, visit: Visit) -> list[str]:
        """Return the groups that this person may choose."""
        scope = scope_of(visit.person, Act.LOG)
        return sorted(self.auditing.groups() if scope.everything else scope.groups)

    def _path(self, question: Asked, path: str = "/log", after: str = "") -> str:
        told = {name: value for name, value in question.fields.items() if value}
        if after:
            told["after"] = after
        return f"{self.site.desk.links.base_path}{path}{'?' if told else ''}{urlencode(told)}"
