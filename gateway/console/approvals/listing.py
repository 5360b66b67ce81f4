"""The pages of what asks for one's approval: the list, soonest first, and deciding on many with a preview of each.

What is decided on is what was shown: the form carries the mails that its page listed, and their number has to be typed. Each
answer is told for its own mail, and nothing is said to be done that was not.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from starlette.responses import Response

from gateway.acting.approving import MAX_MANY, Approving
from gateway.console.approvals import asked_view
from gateway.console.approvals.absence import APPROVERS
from gateway.console.approvals.asked_view import Asked
from gateway.console.gate import Gated, Visit
from gateway.console.pages import Failure
from gateway.console.site import Site
from gateway.spool.second_look import COMMENT

PATH = "/approvals"
PAGE = 50  # mails on one page of the list: each may be ticked for one decision
MAX_ID = 40  # characters of a queue id in a form


def approval_routes(site: Site) -> list[Gated]:
    """Return the list, and the two steps of deciding on many."""
    pages = ApprovalList(site)
    return [
        Gated(PATH, pages.show, site.gate, APPROVERS),
        Gated(f"{PATH}/many", pages.preview, site.gate, APPROVERS),
        Gated(f"{PATH}/many", pages.decide, site.gate, APPROVERS, methods=["POST"]),
    ]


class ApprovalList:
    """The handlers."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._desk = site.desk
        self._approving = Approving(site.acting)

    async def show(self, visit: Visit) -> Response:
        """GET /approvals?after="""
        try:
            after = visit.request.query_params.get("after", "")
            page, found = await self._approving.asked(visit.person, after, PAGE)
        except ValueError:
            raise Failure(400) from None
        words, now = self._desk.pages.words(visit.language), self._desk.clock()
        values = {
            "mails": [asked_view.asked(each, visit.person, words, now) for each in found],
            "found": page.found,
            "at_least": page.at_least,
            "next": f"?{urlencode({'after': page.after})}" if page.after else "",
            "first": after,
        }
        return self._site.page(visit, "approvals.html", values, here=PATH)

    async def preview(self, visit: Visit) -> Response:
        """GET /approvals/many?mail=…: what is about to be decided on."""
        mails = await self._mails(visit, visit.request.query_params.getlist("mail"))
        return self._many(visit, [each for each in mails if each.mine])

    async def decide(self, visit: Visit) -> Response:
        """POST /approvals/many: `mail` for each, their `count`, `act` approve or reject, and a `comment`."""
        fields = dict(visit.fields)
        asked = [value for name, value in visit.fields if name == "mail"]
        mails = await self._mails(visit, asked)
        agrees = {"approve": True, "reject": False}.get(fields.get("act", ""))
        if agrees is None or not asked:
            raise Failure(400)
        comment = fields.get("comment", "").strip()
        errors = self._errors(visit, len(set(asked)), fields.get("count", ""), comment, agrees=agrees)
        if errors:
            return self._many(visit, mails, errors, comment, 422)
        answers = await self._approving.decide(visit.person, asked, comment, agrees=agrees)
        words = self._desk.pages.words(visit.language)
        done = asked_view.done(answers, mails, words, agrees=agrees)
        good = sum(each.good for each in done)
        values = {"done": done, "good": good, "not_done": len(done) - good, "agrees": agrees}
        return self._site.page(visit, "approvals-done.html", values, here=PATH)

    async def _mails(self, visit: Visit, queue_ids: Sequence[str]) -> list[Asked]:
        wanted = list(dict.fromkeys(queue_ids))
        if len(wanted) > MAX_MANY or any(len(each) > MAX_ID for each in wanted):
            raise Failure(400)
        words, now = self._desk.pages.words(visit.language), self._desk.clock()
        found = await self._approving.seen(visit.person, wanted)
        return [asked_view.asked(each, visit.person, words, now) for each in found]

    def _errors(self, visit: Visit, mails: int, count: str, comment: str, *, agrees: bool) -> dict[str, str]:
        _ = self._desk.pages.words(visit.language).gettext
        errors = {}
        if count.strip() not in (str(mails), _full_width(mails)):
            errors["count"] = _("This is not the number of mails above.")
        if len(comment) > COMMENT:
            raise Failure(400)
        if not agrees and not comment:
            errors["comment"] = _("Please say why you reject it: the sender has to know what to change.")
        return errors

    def _many(
        self,
        visit: Visit,
        mails: Sequence[Asked],
        errors: dict[str, str] | None = None,
        comment: str = "",
        status: int = 200,
    ) -> Response:
        values = {"mails": mails, "errors": errors or {}, "comment": comment, "longest": COMMENT}
        return self._site.page(visit, "approvals-many.html", values, here=PATH, status=status)


def _full_width(number: int) -> str:
    """Write a number as Japanese keyboards often do: `１２`."""
    return "".join(chr(ord(digit) - ord("0") + ord("０")) for digit in str(number))
