"""/log/export: take a copy of what a search finds, or a proof; /log/verify: have the log verified. One of each at a time."""

from __future__ import annotations

import asyncio
from dataclasses import field

import structlog
from starlette.responses import Response, StreamingResponse

from gateway.acting.allowed import reader_of_log
from gateway.audit.auditing import TooMuch
from gateway.audit.checkpoints import ChainAltered
from gateway.audit.proof import NothingToProve
from gateway.audit.taken import octets_of, pieces, without_name
from gateway.console.auditing import view
from gateway.console.auditing.asking import KINDS, Asked, asked
from gateway.console.auditing.searching import SearchPages
from gateway.console.gate import Visit
from gateway.console.pages import Failure
from gateway.people.sight import Act, scope_of
from gateway.values import dataclass

_TYPES = {
    "csv": ("text/csv", "csv"),
    "jsonl": ("application/jsonl", "jsonl"),
    "proof": ("application/zip", "zip"),
}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class CopyPages:
    """The handlers. `turn` lets one copy, or one verification, be made at a time; who comes meanwhile is asked to wait."""

    search: SearchPages
    turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))

    async def ask(self, visit: Visit) -> Response:
        """GET /log/export"""
        return self._page(visit, self.search.asked(visit))

    async def take(self, visit: Visit) -> Response:
        """POST /log/export"""
        fields = dict(visit.fields)
        question = asked(
            visit.person,
            lambda name: fields.get(name, ""),
            self.search.zone(visit),
            self.search.auditing.subjects_for_ordering,
        )
        form = fields.get("form", "")
        if form == "proof" and not question.question.scope.everything:
            raise Failure(403)
        if form not in _TYPES:
            return self._page(visit, question, problem="form", status=422)
        if question.wrong or (form == "proof" and not _has_days(question)):
            return self._page(visit, question, problem="days", status=422)
        if self.turn.locked():
            raise Failure(429)
        async with self.turn:
            return await self._taken(visit, question, form)

    async def _taken(self, visit: Visit, question: Asked, form: str) -> Response:
        auditing, actor = self.search.auditing, reader_of_log(visit.person)
        try:
            if form == "proof":
                since, until = question.question.since, question.question.until
                if since is None or until is None:
                    raise Failure(422)
                path = await auditing.proof(since, until, actor)
            else:
                path = await auditing.copy(question.question, form, actor, question.subjects)
        except TooMuch:
            return self._page(visit, question, problem="much", status=422)
        except NothingToProve:
            return self._page(visit, question, problem="nothing", status=422)
        except ChainAltered as error:
            log.critical("export.refused", cause=str(error))
            return self._page(visit, question, problem="altered", status=409)
        kind, ending = _TYPES[form]
        name = f"sekisho-log-{self.search.site.desk.clock():%Y%m%d-%H%M%S}.{ending}"
        file = await asyncio.to_thread(without_name, path)
        headers = {
            "content-disposition": f'attachment; filename="{name}"',
            "content-length": str(octets_of(file)),
        }
        return StreamingResponse(pieces(file), media_type=kind, headers=headers)

    async def verify(self, visit: Visit) -> Response:
        """GET /log/verify: the button, and the public keys; POST: press it."""
        words = self.search.site.desk.pages.words(visit.language)
        checked = None
        if visit.request.method == "POST":
            if self.turn.locked():
                raise Failure(429)
            async with self.turn:
                checked = await self.search.auditing.verify()
        keys = await self.search.auditing.keys()
        values = {
            "checked": checked,
            "keys": [(key.number, view.moment(key.since, words), key.text) for key in reversed(keys)],
            "at": "" if checked is None else view.moment(checked.at, words),
            "newest": None
            if checked is None or checked.signed.newest is None
            else (checked.signed.newest.number, view.moment(checked.signed.newest.at, words)),
        }
        return self.search.site.page(visit, "log-verify.html", values, here="/log")

    def _page(self, visit: Visit, question: Asked, problem: str = "", status: int = 200) -> Response:
        words = self.search.site.desk.pages.words(visit.language)
        values = {
            "asked": question.fields,
            "wrong": question.wrong,
            "narrowed": question.narrowed,
            "subjects": question.subjects,
            "groups": self.search.groups(visit),
            "kinds": view.kinds(KINDS, words),
            "whole": scope_of(visit.person, Act.LOG).everything,
            "problem": problem,
        }
        return self.search.site.page(visit, "log-export.html", values, here="/log", status=status)


def _has_days(question: Asked) -> bool:
    return question.question.since is not None and question.question.until is not None
