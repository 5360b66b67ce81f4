"""One verb for many mails: what it would do, a count to type, and the verb itself, mail by mail, through `Acting`.

A question stands for all its mails as they are when the preview is made: it ends at that moment, so mail that comes later
belongs to nobody's count. The count that somebody typed is compared again when it is done. A call does a bounded number of
mails and says where to go on; what it says it did, it did, also where the store fails in the middle.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import field, replace

from gateway.acting.acting import Acting
from gateway.acting.each import Undone, attempt, do_one
from gateway.acting.wish import LEFT_OUT, MOST_NAMED, ONLY, CountChanged, Preview, Sum, TooMany, Wish
from gateway.people.contract import Person
from gateway.people.sight import Act, may, scope_of
from gateway.spool.contract import UnknownMessage
from gateway.spool.list_contract import Counted, HeldQuestion, Order, Waits
from gateway.spool.values import Change
from gateway.values import dataclass

AT_ONCE = 16  # verbs that wait for one commit together
MOST_PER_CALL = 200  # mails of one call: some seconds at worst


@dataclass(frozen=True, slots=True)
class _Part:
    """The mails of one call, and where the next begins."""

    queue_ids: Sequence[str]
    after: str = field(default="")


@dataclass(frozen=True, slots=True)
class Bulk:
    """The verbs on many mails."""

    acting: Acting

    async def preview(self, person: Person, wish: Wish) -> Preview:
        """Return what the wish is about; raises TooMany."""
        wish = self._ended(wish)
        if wish.question is None:
            return await self._named(person, wish)
        every, can = await self._counted(person, wish, able=False), await self._counted(person, wish)
        return Preview(wish, can.mails, can.recipients, every.mails - can.mails)

    async def perform(self, person: Person, wish: Wish, count: int, after: str = "") -> Sum:
        """Do it to up to MOST_PER_CALL mails; raises CountChanged and ReasonMissing before anything is done, ValueError for a
        foreign `after`.

        Only the first call compares the count: the later ones go on with what it began.
        """
        if not after:
            now = (await self.preview(person, wish)).mails
            if now != count:
                raise CountChanged(now)
        part = await self._part(person, wish, after)
        total = Sum(after=part.after)
        for first in range(0, len(part.queue_ids), AT_ONCE):
            some = part.queue_ids[first : first + AT_ONCE]
            done = await asyncio.gather(*[self._one(person, wish, queue_id) for queue_id in some])
            total = sum(done, total)
            if total.broken:  # the others of this call would fail alike; they are named, so nothing is lost
                rest = tuple(part.queue_ids[first + AT_ONCE :])
                return replace(total, failed=total.failed + rest, after=part.after)
        return replace(total, after=part.after)

    async def _one(self, person: Person, wish: Wish, queue_id: str) -> Sum:
        change = await attempt(self._change(person, wish, queue_id))
        if isinstance(change, Undone) and change is not Undone.GONE:
            return Sum(failed=(queue_id,), broken=change is Undone.STORE)
        if isinstance(change, Undone) or not change.done:
            return Sum(nothing=(queue_id,))
        return Sum(1, len(change.done), perhaps=len(change.perhaps))

    async def _change(self, person: Person, wish: Wish, queue_id: str) -> Change:
        if wish.question is None and not await self._counts(person, wish, queue_id):
            return Change((), ())
        return await do_one(self.acting, person, wish, queue_id)

    async def _part(self, person: Person, wish: Wish, after: str) -> _Part:
        if wish.question is None:
            first = _first(after, len(wish.queue_ids))
            last = first + MOST_PER_CALL
            return _Part(wish.queue_ids[first:last], str(last) if last < len(wish.queue_ids) else "")
        page = await self.acting.spool.lists.held(self._able(person, wish, after))
        return _Part([line.queue_id for line in page.lines], page.after)

    async def _named(self, person: Person, wish: Wish) -> Preview:
        """Count those of the named mails that this person may do it to, and that wait for it."""
        if len(wish.queue_ids) > MOST_NAMED:
            raise TooMany(len(wish.queue_ids))
        seen = [await self._counts(person, wish, queue_id) for queue_id in dict.fromkeys(wish.queue_ids)]
        held = [count for count in seen if count]
        return Preview(wish, len(held), sum(held), len(seen) - len(held))

    async def _counts(self, person: Person, wish: Wish, queue_id: str) -> int:
        """Return how many held recipients of a mail it is about; 0 where it cannot be done."""
        try:
            whose = await self.acting.spool.lists.whose(queue_id)
            if not may(person, wish.act, whose):
                return 0
            line = await self.acting.spool.lists.line(queue_id)
        except UnknownMessage:
            return 0
        if line is None or line.waits & LEFT_OUT.get(wish.verb, frozenset()):
            return 0
        only = ONLY.get(wish.verb)
        return line.held if only is None or only in line.waits else 0

    async def _counted(self, person: Person, wish: Wish, *, able: bool = True) -> Counted:
        question = self._able(person, wish) if able else self._seen(person, wish)
        return await self.acting.spool.lists.counted(question)

    def _seen(self, person: Person, wish: Wish, after: str = "") -> HeldQuestion:
        """Return the question in an order that what is done does not disturb."""
        return replace(
            wish.question or HeldQuestion(scope_of(person, Act.SEE)),
            scope=scope_of(person, Act.SEE),
            order=Order.RECEIVED,
            descending=False,
            after=after,
            limit=MOST_PER_CALL,
        )

    def _able(self, person: Person, wish: Wish, after: str = "") -> HeldQuestion:
        question = self._seen(person, wish, after)
        without = question.without | LEFT_OUT.get(wish.verb, frozenset())
        only = ONLY.get(wish.verb)
        if only is not None and question.waits not in (None, only):
            without |= frozenset(Waits)  # it asks for mail of another kind
        return replace(
            question,
            within=scope_of(person, wish.act),
            without=without,
            waits=only or question.waits,
        )

    def _ended(self, wish: Wish) -> Wish:
        if wish.question is None or wish.question.until is not None:
            return wish
        return replace(wish, question=replace(wish.question, until=self.acting.clock()))


def _first(after: str, named: int) -> int:
    """Return the place of the first mail of a call; raises ValueError for what no call before gave."""
    places = range(0, named, MOST_PER_CALL)
    given = {str(place): place for place in places[1:]} | {"": 0}
    if after not in given:
        raise ValueError("not a place in these mails")
    return given[after]
