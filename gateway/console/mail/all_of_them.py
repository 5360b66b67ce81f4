"""A verb for all mails that a list finds, on however many pages: what it is about, the number to type, and as far as it got.

The question is read from the address of the list again; whose mail it may be about, acting says. It ends when the preview is
made, so that mail which comes meanwhile is in nobody's count. A request works for SECONDS and says how to go on.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import structlog
from starlette.responses import Response

from gateway.acting.acting import Acting
from gateway.acting.bulk import Bulk
from gateway.acting.wish import CountChanged, Preview, Sum, Verb, Wish
from gateway.console.gate import Visit
from gateway.console.mail.asked import AFTER, question, read
from gateway.console.mail.many_words import names, summary
from gateway.console.mail.many_words import question as asked_words
from gateway.console.pages import Failure
from gateway.console.site import Site
from gateway.languages import Words
from gateway.spool.contract import StoreUnavailable
from gateway.spool.list_contract import Scope
from gateway.spool.second_look import COMMENT
from gateway.values import dataclass

SECONDS = 15.0  # of one request: less than a browser, or what stands before us, waits for an answer
LONGEST = 4_000  # characters of the end of a list's address

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class AllOfThem:
    """The two steps; `Many` leads here when a form says `all`."""

    site: Site
    acting: Acting

    async def ask(self, visit: Visit, verb: Verb) -> Response:
        """Show what it would be about."""
        wish = self._wish(visit, verb)
        foreseen = await Bulk(self.acting).preview(visit.person, wish)
        return await asyncio.to_thread(self._asked, visit, foreseen, "")

    async def do(self, visit: Visit, verb: Verb, typed: int | None, wrong: str) -> Response:
        """Do it, if the number that was typed is the number of mails."""
        fields = dict(visit.fields)
        wish, after = self._wish(visit, verb), fields.get("after", "")
        if len(after) > AFTER:
            raise Failure(400)
        try:
            done = await self._as_far_as_it_gets(visit, wish, -1 if typed is None else typed, after)
        except CountChanged:
            foreseen = await Bulk(self.acting).preview(visit.person, wish)
            return await asyncio.to_thread(self._asked, visit, foreseen, wrong)
        except ValueError:
            raise Failure(400) from None
        log.info(
            "all-mails", verb=verb.value, mails=done.mails, recipients=done.recipients, more=bool(done.after)
        )
        return await asyncio.to_thread(self._done, visit, wish, done)

    async def _as_far_as_it_gets(self, visit: Visit, wish: Wish, count: int, after: str) -> Sum:
        clock = asyncio.get_running_loop().time
        end = clock() + SECONDS
        total = await Bulk(self.acting).perform(visit.person, wish, count, after)
        while total.after and not total.broken and clock() < end:
            try:
                total += await Bulk(self.acting).perform(visit.person, wish, count, total.after)
            except StoreUnavailable:  # before anything of this part was done; what was done before is
                total = replace(total, broken=True)
        return total

    def _wish(self, visit: Visit, verb: Verb) -> Wish:
        fields = dict(visit.fields)
        query = fields.get("asked", "")
        if len(query) > LONGEST:
            raise Failure(400)
        asked = read(dict(parse_qsl(query.removeprefix("?"))))
        if asked.mine:  # the list itself offers no such thing
            raise Failure(400)
        wanted = question(asked, visit.person, Scope(), self._words(visit).zone)
        until = _moment(fields.get("until", ""))
        if until is not None and (wanted.until is None or until < wanted.until):
            wanted = replace(wanted, until=until)
        because = fields.get("because", "").strip()[:COMMENT]
        return Wish(verb, question=wanted, because=because)

    def _asked(self, visit: Visit, foreseen: Preview, error: str) -> Response:
        words, verb = self._words(visit), foreseen.wish.verb
        values = {
            "verb": verb.value,
            "title": names(words)[verb],
            "question": asked_words(verb, foreseen.mails, foreseen.recipients, words),
            "mails": foreseen.mails,
            "cannot": foreseen.cannot,
            "error": error,
            "because": verb in (Verb.RELEASE, Verb.FREEZE),
            "longest": COMMENT,
            **self._carried(visit, foreseen.wish),
        }
        status = 422 if error else 200
        return self.site.page(visit, "held-all.html", values, here="/held", status=status)

    def _done(self, visit: Visit, wish: Wish, done: Sum) -> Response:
        words = self._words(visit)
        values = {
            "verb": wish.verb.value,
            "title": names(words)[wish.verb],
            "summary": summary(wish.verb, done.mails, done.recipients, words),
            "done": done,
            "left": len(done.nothing) + len(done.failed),
            "reason": wish.because,
            "count": dict(visit.fields).get("count", "")[:9],
            **self._carried(visit, wish),
        }
        return self.site.page(visit, "held-all-done.html", values, here="/held")

    def _carried(self, visit: Visit, wish: Wish) -> dict[str, object]:
        until = wish.question.until if wish.question is not None else None
        ends = "" if until is None else str((until - _EPOCH) // timedelta(microseconds=1))
        return {"asked": dict(visit.fields).get("asked", "")[:LONGEST], "until": ends}

    def _words(self, visit: Visit) -> Words:
        return self.site.desk.pages.words(visit.language)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _moment(text: str) -> datetime | None:
    """Read a moment in microseconds, as the page before wrote it."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 17):
        return None
    return _EPOCH + timedelta(microseconds=int(text))
