"""Approving and rejecting on the page of a mail, for people who are signed in; a link's pages are in console/approving.py."""

from __future__ import annotations

import structlog
from starlette.responses import Response

from gateway.acting.acting import Acting
from gateway.console import approval_view
from gateway.console.answers import Answer
from gateway.console.caller import Caller
from gateway.console.gate import Visit
from gateway.console.pages import Failure
from gateway.languages import Words
from gateway.people.contract import Person
from gateway.spool.second_look import COMMENT, Said
from gateway.spool.values import Consented, Stored
from gateway.values import dataclass
from gateway.waiting import Need, needs

ACTS = frozenset({"approve", "reject"})

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Deciding:
    """The two handlers."""

    acting: Acting

    async def approve(self, visit: Visit, caller: Caller) -> Response:
        """POST /held/{queue_id}/approve, with a comment or without."""
        said = await self.acting.approve(visit.person, caller.queue_id, _comment(caller))
        log.info("approved", queue_id=caller.queue_id, said=said.said.value, missing=said.missing)
        return _back(caller, "approve", said)

    async def reject(self, visit: Visit, caller: Caller) -> Response:
        """POST /held/{queue_id}/reject, with a comment: whoever waits for this person's approval does not get the mail."""
        comment = _comment(caller)
        if not comment:
            return caller.answer({"act": "reject", "missing": "comment"})
        said = await self.acting.reject(visit.person, caller.queue_id, comment)
        log.info("rejected", queue_id=caller.queue_id, said=said.said.value, done=len(said.change.done))
        return _back(caller, "reject", said)


def asked(message: Stored, person: Person, caller: Caller, words: Words) -> tuple[Need, ...]:
    """Return what waits for this person's word; nothing where nobody asks them."""
    looks = approval_view.asked_of(message, person.addresses, caller.desk.clock())
    return needs(message, words, looks) if looks else ()


def unpack(value: dict[str, object], words: Words) -> Answer:
    """Return the sentences for a sealed answer."""
    if value.get("missing") == "comment":
        why = words.gettext("Please say why you reject it: the sender has to know what to change.")
        return Answer((why,), warning=True)
    said = Said(str(value["said"]))
    told = approval_view.told(str(value["act"]), said, int(str(value["count"])), words)
    return Answer(told.sentences, told.warning)


def _comment(caller: Caller) -> str:
    comment = dict(caller.fields).get("comment", "").strip()
    if len(comment) > COMMENT:
        raise Failure(400)
    return comment


def _back(caller: Caller, act: str, answer: Consented) -> Response:
    return caller.answer({"act": act, "said": answer.said.value, "count": answer.missing})
