"""/record and /certificates: papers to print. A record is read out of the log; a certificate is made once, signed and kept."""

from __future__ import annotations

import asyncio
from dataclasses import field
from datetime import datetime, timedelta

from starlette.responses import Response

from gateway.acting.allowed import reader_of_log
from gateway.audit import wording
from gateway.audit.certificates import Certificate, TooMany
from gateway.audit.certificates import question as destroyed_in
from gateway.audit.record import Record, month
from gateway.console import view as shared
from gateway.console.auditing import view
from gateway.console.auditing.asking import NAMES, Asked, asked
from gateway.console.auditing.searching import SearchPages
from gateway.console.gate import Visit
from gateway.console.pages import Failure
from gateway.languages import Words, shown
from gateway.people.sight import reads_log_of
from gateway.values import dataclass

LISTED = 40  # deletions on the paper: one page; the file holds all
NAMED = 10  # people on the paper
MAX_NUMBER = 12  # digits of a certificate's number


@dataclass(frozen=True, slots=True)
class PaperPages:
    """The handlers. `turn` lets one paper be made at a time."""

    search: SearchPages
    turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))

    async def record(self, visit: Visit) -> Response:
        """GET /record: choose; with a group and a month: the paper."""
        query = visit.request.query_params
        group, when = query.get("group", "")[:254], query.get("month", "")[:16]
        if not group and not when:
            return self._choose(visit, "", self._last_month(visit))
        try:
            since, until = month(when, self.search.zone(visit))
        except ValueError:
            return self._choose(visit, group, when, wrong=True, status=422)
        self._must_see(visit, group)
        if self.turn.locked():
            raise Failure(429)
        async with self.turn:
            made = await self.search.auditing.record(group, since, until)
            checked = await self.search.auditing.verify()
        words = self.search.site.desk.pages.words(visit.language)
        values = {"r": _record(made, words), "checked": checked, "month": when}
        return self.search.site.page(visit, "record.html", values, here="/log")

    async def certificates(self, visit: Visit) -> Response:
        """GET /certificates"""
        return await self._certificates(visit)

    async def certify(self, visit: Visit) -> Response:
        """POST /certificates"""
        fields = dict(visit.fields)
        question = asked(visit.person, lambda name: fields.get(name, ""), self.search.zone(visit), True)
        since, until = question.question.since, question.question.until
        if since is None or until is None or question.wrong or since >= until:
            return await self._certificates(visit, question, "days", 422)
        group = question.question.group or ""
        self._must_see(visit, group)
        if self.turn.locked():
            raise Failure(429)
        async with self.turn:
            try:
                wish = destroyed_in(since, min(until, self.search.site.desk.clock()), group or None)
                made = await self.search.auditing.certify(wish, reader_of_log(visit.person))
            except TooMany:
                return await self._certificates(visit, question, "many", 422)
        return self.search.site.to(visit, f"/certificates/{made.number}")

    async def certificate(self, visit: Visit) -> Response:
        """GET /certificates/{number}"""
        made = await self._certificate(visit)
        words = self.search.site.desk.pages.words(visit.language)
        values = await asyncio.to_thread(_certificate, made, words)
        return self.search.site.page(visit, "certificate.html", values, here="/log")

    async def file(self, visit: Visit) -> Response:
        """GET /certificates/{number}/file: what `sekisho log verify-certificate` verifies."""
        made = await self._certificate(visit)
        headers = {"content-disposition": f'attachment; filename="sekisho-certificate-{made.number}.json"'}
        return Response(made.file + "\n", headers=headers, media_type="application/json")

    async def _certificate(self, visit: Visit) -> Certificate:
        text = str(visit.request.path_params["number"])
        if not (text.isascii() and text.isdecimal() and len(text) <= MAX_NUMBER):
            raise Failure(404)
        made = await self.search.auditing.certificate(int(text))
        if made is None:
            raise Failure(404)
        self._must_see(visit, str(made.told["group"]))
        return made

    def _must_see(self, visit: Visit, group: str) -> None:
        """Raise Failure 404 where this person may not read the log of a group; the empty name is the whole organisation."""
        if not reads_log_of(visit.person, group):
            raise Failure(404)

    def _choose(
        self, visit: Visit, group: str, when: str, *, wrong: bool = False, status: int = 200
    ) -> Response:
        values = {"group": group, "month": when, "wrong": wrong, "groups": self.search.groups(visit)}
        return self.search.site.page(visit, "record-choose.html", values, here="/log", status=status)

    async def _certificates(
        self, visit: Visit, question: Asked | None = None, problem: str = "", status: int = 200
    ) -> Response:
        words = self.search.site.desk.pages.words(visit.language)
        listed = [
            (number, view.moment(at, words), group)
            for number, at, group in await self.search.auditing.certificates()
            if reads_log_of(visit.person, group)
        ]
        values = {
            "listed": listed,
            "asked": dict.fromkeys(NAMES, "") if question is None else question.fields,
            "wrong": frozenset() if question is None else question.wrong,
            "groups": self.search.groups(visit),
            "whole": reads_log_of(visit.person, ""),
            "problem": problem,
        }
        return self.search.site.page(visit, "certificates.html", values, here="/log", status=status)

    def _last_month(self, visit: Visit) -> str:
        today = self.search.site.desk.clock().astimezone(self.search.zone(visit))
        return (today.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")


def _record(made: Record, words: Words) -> dict[str, object]:
    people = sorted(made.figures.approvals.items(), key=lambda item: (-item[1], item[0]))
    return {
        "group": made.group,
        "month": _month(made.since.astimezone(words.zone), words),
        "made_at": view.moment(made.made_at, words),
        "over": made.over,
        "figures": made.figures,
        "approvers": [(shown(name, shared.ADDRESS), times) for name, times in people[:NAMED]],
        "more_approvers": max(0, len(people) - NAMED),
        "incidents": [(view.moment(each.at, words), each.queue_id) for each in made.incidents],
    }


def _month(begin: datetime, words: Words) -> str:
    return words.gettext("%(month)s/%(year)s") % {"year": begin.year, "month": begin.month}


def _certificate(made: Certificate, words: Words) -> dict[str, object]:
    told = made.told
    rows = told["destroyed"]
    times = {
        name: view.moment(datetime.fromisoformat(told[name]), words) for name in ("at", "since", "until")
    }
    listed = [
        (
            view.moment(datetime.fromisoformat(row[0]), words),
            row[1],
            row[2],
            wording.why(shown(str(row[3]), 100), words),
            wording.who(shown(str(row[4]), 100), words),
        )
        for row in rows[:LISTED]
    ]
    return {
        "told": told,
        "times": times,
        "rows": listed,
        "more": max(0, len(rows) - LISTED),
        "by": shown(str(told["by"]), shared.ADDRESS),
        "signature": made.signature.hex(),
    }
