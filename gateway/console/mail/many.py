"""One verb for many mails: a page that says what would happen, the number to type, and a page that says what did.

The first POST changes nothing: it only shows. Every mail is asked for anew when it is done, one after the other, because
between the two pages anything may have left. The answer stands in the response to the second POST, as the verbs gave it; to
post that again does nothing more.
"""

from __future__ import annotations

import asyncio

import structlog
from starlette.responses import Response

from gateway.acting.acting import Acting
from gateway.acting.allowed import NotAllowed
from gateway.acting.each import do_one, one_by_one
from gateway.acting.wish import Verb, Wish
from gateway.console.forms import Fields
from gateway.console.gate import Visit
from gateway.console.mail.all_of_them import AllOfThem
from gateway.console.mail.many_view import VERBS, Candidate, Preview, preview, result
from gateway.console.pages import Failure
from gateway.console.site import Site
from gateway.languages import Words
from gateway.people.contract import Person
from gateway.spool.contract import UnknownMessage
from gateway.spool.list_contract import MAX_PAGE
from gateway.spool.second_look import COMMENT
from gateway.spool.values import Change
from gateway.values import dataclass

ID = 40  # characters of a queue id that a form may hold

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Many:
    """The two handlers."""

    site: Site
    acting: Acting

    async def ask(self, visit: Visit) -> Response:
        """POST /held/many: `verb`, and a `mail` for each."""
        verb, chosen = _verb(visit.fields), _mails(visit.fields)
        if dict(visit.fields).get("all") == "1":
            return await AllOfThem(self.site, self.acting).ask(visit, verb)
        if not chosen:
            return self.site.to(visit, "/held?none=1")
        found = await self._look(visit.person, chosen)
        return await asyncio.to_thread(self._asked, visit, preview(verb, found, self._words(visit)), {})

    async def do(self, visit: Visit) -> Response:
        """POST /held/many/do: the same, with the `count` of mails that was typed, and `because`."""
        verb, chosen = _verb(visit.fields), _mails(visit.fields)
        fields = dict(visit.fields)
        if fields.get("all") == "1":
            typed, wrong = _number(fields.get("count", "")), _not_the_number(self._words(visit))
            return await AllOfThem(self.site, self.acting).do(visit, verb, typed, wrong)
        because = fields.get("because", "").strip()[:COMMENT]
        found = await self._look(visit.person, chosen)
        foreseen = preview(verb, found, self._words(visit))
        if _number(fields.get("count", "")) != len(foreseen.can):
            error = _not_the_number(self._words(visit))
            return await asyncio.to_thread(self._asked, visit, foreseen, {"count": error})
        wanted = {item.queue_id for item in foreseen.can}
        wish = Wish(verb, because=because)
        outcomes = await one_by_one(
            [each for each in found if each.queue_id in wanted],
            lambda each: do_one(self.acting, visit.person, wish, each.queue_id),
        )
        done = sum(len(change.done) for _, change in outcomes if isinstance(change, Change))
        log.info("many-mails", verb=verb.value, mails=len(outcomes), recipients=done)
        values = {"result": result(verb, outcomes, self._words(visit))}
        return await asyncio.to_thread(self.site.page, visit, "held-many-done.html", values, here="/held")

    async def _look(self, person: Person, chosen: list[str]) -> list[Candidate]:
        return [await self._candidate(person, queue_id) for queue_id in chosen]

    async def _candidate(self, person: Person, queue_id: str) -> Candidate:
        try:
            seen = await self.acting.see(person, queue_id)
        except (UnknownMessage, NotAllowed):
            return Candidate(queue_id, None)
        return Candidate(queue_id, seen.message, seen.acts)

    def _asked(self, visit: Visit, foreseen: Preview, errors: dict[str, str]) -> Response:
        values = {"preview": foreseen, "errors": errors, "longest": COMMENT}
        status = 422 if errors else 200
        return self.site.page(visit, "held-many.html", values, here="/held", status=status)

    def _words(self, visit: Visit) -> Words:
        return self.site.desk.pages.words(visit.language)


def _not_the_number(words: Words) -> str:
    return words.gettext(
        "This is not the number of mails, which may have changed meanwhile. Nothing was done."
    )


def _verb(fields: Fields) -> Verb:
    named = [value for name, value in fields if name == "verb"]
    if len(named) != 1 or named[0] not in {verb.value for verb in VERBS}:
        raise Failure(400)
    return Verb(named[0])


def _mails(fields: Fields) -> list[str]:
    """Return the chosen mails, each once; raises Failure for more than a page of ours has."""
    chosen = list(dict.fromkeys(value for name, value in fields if name == "mail"))
    if len(chosen) > MAX_PAGE or not all(0 < len(value) <= ID and value.isalnum() for value in chosen):
        raise Failure(400)
    return chosen


def _number(text: str) -> int | None:
    """Read a number as people type it, in full-width digits, too."""
    text = text.strip()
    return int(text) if text.isdecimal() and len(text) <= 9 else None
