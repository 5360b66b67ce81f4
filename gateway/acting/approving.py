"""What waits for a person's approval, and deciding on many at once: each mail for itself, with the truth about each.

Nothing is decided together: of fifty mails each is looked at, allowed and decided on its own, and what cannot be done with
one keeps none of the others.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.acting.acting import Acting, Seen
from gateway.acting.allowed import NotAllowed
from gateway.acting.each import Undone, one_by_one
from gateway.people.contract import Person
from gateway.people.sight import Act, scope_of
from gateway.spool.askings import AskedPage
from gateway.spool.contract import UnknownMessage
from gateway.spool.second_look import Said
from gateway.spool.values import Consented
from gateway.values import dataclass

MAX_MANY = 50  # mails that are decided on at once: what a person can look through on one page


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one mail of many."""

    queue_id: str
    said: Said | Undone
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Approving:
    """The verbs of approvers on many mails."""

    acting: Acting

    async def asked(self, person: Person, after: str = "", limit: int = 50) -> tuple[AskedPage, list[Seen]]:
        """Return a page of what waits for this person, and the mails of it; raises ValueError for an `after` not ours."""
        page = await self.acting.spool.askings.page(scope_of(person, Act.APPROVE), after, limit)
        return page, await self.seen(person, page.queue_ids)

    async def seen(self, person: Person, queue_ids: Sequence[str]) -> list[Seen]:
        """Return those of these mails that this person may approve, each once and in their order."""
        found = []
        for queue_id in list(dict.fromkeys(queue_ids)):
            try:
                seen = await self.acting.see(person, queue_id)
            except (UnknownMessage, NotAllowed):
                continue
            if Act.APPROVE in seen.acts:
                found.append(seen)
        return found

    async def decide(
        self, person: Person, queue_ids: Sequence[str], comment: str, *, agrees: bool
    ) -> list[Answer]:
        """Approve each, or reject each with a comment; raises ReasonMissing before anything is done."""
        verb = self.acting.approve if agrees else self.acting.reject
        told = await one_by_one(dict.fromkeys(queue_ids), lambda queue_id: verb(person, queue_id, comment))
        return [_answer(queue_id, became) for queue_id, became in told]


def _answer(queue_id: str, became: Consented | Undone) -> Answer:
    if isinstance(became, Undone):
        return Answer(queue_id, became)
    return Answer(queue_id, became.said, became.missing)
