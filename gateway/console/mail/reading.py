"""The text of a mail: on a page of its own, where a reason is asked for first, and the frame in which its HTML is shown.

The frame's route answers to a ticket that a page handed out, so that one opening is one event in the log however often the
browser draws the frame. Its response is a page that can do nothing (safe_html.py).
"""

from __future__ import annotations

import asyncio

from starlette.responses import HTMLResponse, Response

from gateway.acting.acting import Acting
from gateway.acting.allowed import NotAllowed, ReasonMissing
from gateway.console import guard, view
from gateway.console.gate import Visit
from gateway.console.mail import safe_html
from gateway.console.mail.letter import Letter
from gateway.console.mail.opening import chosen_copy, open_letter, read_ticket, ticket
from gateway.console.pages import Failure
from gateway.console.site import Site
from gateway.languages import Words, shown
from gateway.people.sight import Act, may, roles_for
from gateway.spool.contract import BodyUnreadable, UnknownMessage
from gateway.spool.second_look import COMMENT
from gateway.spool.values import Stored
from gateway.values import dataclass

_KEPT = "\t\u3000\u200c\u200d"  # white space, and joiners: parts of names and of emoji
_GAP = "\N{REPLACEMENT CHARACTER}"
READERS = roles_for(Act.READ) | roles_for(Act.READ_FOR_REASON)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page shows of a letter; `frame` is the address of the HTML, empty where there is none. `unreadable`: the original
    cannot be opened any more."""

    text: str = ""
    from_html: bool = False
    cut: bool = False
    frame: str = ""
    recipient: str = ""
    unreadable: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """The three handlers."""

    site: Site
    acting: Acting

    async def ask(self, visit: Visit) -> Response:
        """GET /held/{queue_id}/text: the text for whom it is theirs to read, the question for a reason for others."""
        queue_id = visit.request.path_params["queue_id"]
        whose = await self.acting.spool.lists.whose(queue_id)
        if may(visit.person, Act.READ, whose):
            return await self._open(visit, queue_id, "")
        if not may(visit.person, Act.READ_FOR_REASON, whose):
            raise UnknownMessage(queue_id)
        return self._page(visit, queue_id, None)

    async def open(self, visit: Visit) -> Response:
        """POST /held/{queue_id}/text: with `because`."""
        because = dict(visit.fields).get("because", "").strip()
        return await self._open(visit, visit.request.path_params["queue_id"], because)

    async def frame(self, visit: Visit) -> Response:
        """GET /held/{queue_id}/html: with the `ticket` of a page that was open to this session."""
        good = read_ticket(self.site.desk, visit, visit.request.query_params.get("ticket", ""))
        queue_id = visit.request.path_params["queue_id"]
        if good is None or good.queue_id != queue_id:
            raise UnknownMessage(queue_id)
        whose = await self.acting.spool.lists.whose(queue_id)
        if not any(may(visit.person, act, whose) for act in (Act.READ, Act.READ_FOR_REASON)):
            raise UnknownMessage(queue_id)  # what a ticket allows ends with what its person may
        if good.over:
            return framed(_note(self._words(visit).gettext("Please reload the page to see this again.")))
        message = await self.acting.spool.get(good.queue_id)
        try:
            found = await open_letter(self.site.desk, message, good.recipient)
        except BodyUnreadable:
            return framed(_note(self._words(visit).gettext("The original cannot be read any more.")))
        made = await asyncio.to_thread(safe_html.document, found, self._words(visit))
        return framed(
            made or _note(self._words(visit).gettext("This HTML is built too oddly to be shown safely."))
        )

    async def _open(self, visit: Visit, queue_id: str, because: str) -> Response:
        try:
            raw: bytes | None = await self.acting.read(visit.person, queue_id, because)
        except ReasonMissing:
            return self._page(visit, queue_id, None, error=True)
        except NotAllowed:
            raise Failure(403) from None
        except BodyUnreadable:
            raw = None
        message = (await self.acting.spool.get(queue_id)).as_handed_in
        return self._page(visit, queue_id, await show(self.site, visit, message, raw))

    def _page(self, visit: Visit, queue_id: str, found: Shown | None, *, error: bool = False) -> Response:
        values = {
            "queue_id": shown(queue_id, view.SUBJECT),
            "letter": found,
            "error": error,
            "longest": COMMENT,
            "action": f"{self.site.desk.links.base_path}/held/{queue_id}",
            "seen": may_see(visit),
        }
        return with_frames(
            self.site.page(visit, "held-text.html", values, here="/held", status=422 if error else 200)
        )

    def _words(self, visit: Visit) -> Words:
        return self.site.desk.pages.words(visit.language)


def may_see(visit: Visit) -> bool:
    """Tell whether there is a way from the text to the page of the mail for somebody with these roles."""
    return bool(visit.person.roles & roles_for(Act.SEE))


async def show(site: Site, visit: Visit, message: Stored, raw: bytes | None) -> Shown:
    """Return what a page shows of a mail whose octets this person may read."""
    if raw is None or message.unreadable or not message.recipients:
        return Shown(unreadable=True)
    recipient = chosen_copy(visit, message)
    found: Letter = await open_letter(site.desk, message, recipient, raw)
    sealed = ticket(site.desk, visit, message.queue_id, recipient) if found.html else ""
    path = f"{site.desk.links.base_path}/held/{message.queue_id}/html"
    return in_words(found, message, recipient, f"{path}?ticket={sealed}" if sealed else "")


def in_words(found: Letter, message: Stored, recipient: int, frame: str = "") -> Shown:
    """Return what a page shows of the copy of a recipient."""
    address = next(str(row.address) for row in message.recipients if row.index == recipient)
    return Shown(
        text=_lines(found.plain),
        from_html=found.from_html,
        cut=found.cut,
        frame=frame,
        recipient=shown(address, view.ADDRESS),
    )


def _lines(text: str) -> str:
    """Return text for a page, line by line as it is, without what would reorder or hide some of it."""
    return "\n".join([shown_line(line) for line in text.strip("\n").split("\n")])


def shown_line(line: str) -> str:
    """Return one line with its white space, and with a sign for every character that nobody sees."""
    return "".join([char if char in _KEPT or char.isprintable() else _GAP for char in line])


def framed(document: str) -> Response:
    """Return a page for a frame of ours, that can do nothing."""
    return HTMLResponse(document, headers=dict(safe_html.HEADERS))


def with_frames(response: Response) -> Response:
    """Let a page of ours hold frames of ours; what is in them has a stricter policy of its own."""
    policy = guard.PAGE_HEADERS["content-security-policy"]
    response.headers["content-security-policy"] = f"{policy}; frame-src 'self'"
    return response


def _note(sentence: str) -> str:
    return f"<!doctype html><meta charset=utf-8><title>-</title><p>{sentence}</p>"
