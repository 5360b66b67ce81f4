"""One verb for many mails: what it would do, a count to type, and the verb itself, mail by mail, through `Acting`.

A question stands for all its mails as they are when the preview is made: it ends at that moment, so mail that comes later
belongs to nobody's count. The count that somebody typed is compared again when it is done. A call does a bounded number of
mails and says where to go on; what it says it did, it did, also where the store fails in the middle.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from gateway.acting.acting import Acting
from gateway.acting.allowed import NotAllowed
from gateway.people.contract import Person
from gateway.people.sight import Act, may, scope_of
from gateway.spool.contract import Change, StoreUnavailable, UnknownMessage
from gateway.spool.list_contract import Counted, HeldQuestion, Order, Waits
from gateway.spool.opened import RecordUnreadable

AT_ONCE = 16  # verbs that wait for one commit together
MOST_PER_CALL = 200  # mails of one call: some seconds at worst
MOST_NAMED = 1_000  # queue ids that somebody may name one by one; all of a question has no bound


class Verb(StrEnum):
    """What can be done to many mails."""

    CANCEL = "cancel"
    RELEASE = "release"
    FREEZE = "freeze"
    THAW = "thaw"
    EXTEND = "extend"
    APPROVE = "approve"
    REJECT = "reject"


_PEOPLE = frozenset({Waits.CONFIRMATION, Waits.APPROVAL, Waits.KEY_WAY, Waits.FROZEN})
_ACTS = {Verb.RELEASE: Act.SEND, Verb.APPROVE: Act.APPROVE, Verb.REJECT: Act.APPROVE}
_LEFT_OUT = {
    Verb.RELEASE: _PEOPLE,
    Verb.FREEZE: frozenset({Waits.FROZEN}),
    Verb.EXTEND: frozenset({Waits.FROZEN}),
}
_ONLY = {Verb.THAW: Waits.FROZEN, Verb.APPROVE: Waits.APPROVAL, Verb.REJECT: Waits.APPROVAL}


class CountChanged(Exception):
    """It is not as many mails any more as were shown: nothing was done. `now` is how many it is."""

    def __init__(self, now: int) -> None:
        super().__init__(f"it is {now} mails now")
        self.now = now


class TooMany(Exception):
    """More queue ids than anybody names one by one."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants of which mails: of those they named, or of all that a question finds.

    `because` is a reason or a comment; `until` is for EXTEND.
    """

    verb: Verb
    queue_ids: tuple[str, ...] = ()
    question: HeldQuestion | None = None
    because: str = ""
    until: datetime | None = None

    @property
    def act(self) -> Act:
        return _ACTS.get(self.verb, Act.STOP)


@dataclass(frozen=True, slots=True)
class Preview:
    """How many mails and held recipients the wish is about, and how many mails that somebody sees it cannot be done to.

    `wish` is what to do then: its question ends where the preview was made. `mails` is the count to type.
    """

    wish: Wish
    mails: int
    recipients: int
    cannot: int


@dataclass(frozen=True, slots=True)
class Sum:
    """What a call did: mails of which something was done, and recipients; mails of which nothing was, and those that failed.

    `nothing` and `failed` are queue ids. `after` leads to the next call, empty when all is done; `broken`: the store failed,
    and `failed` may be tried again.
    """

    mails: int = 0
    recipients: int = 0
    nothing: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    perhaps: int = 0
    after: str = ""
    broken: bool = False

    def __add__(self, other: Sum) -> Sum:
        """Add up calls, or mails of one call; where to go on is what the later says."""
        return Sum(
            self.mails + other.mails,
            self.recipients + other.recipients,
            self.nothing + other.nothing,
            self.failed + other.failed,
            self.perhaps + other.perhaps,
            other.after,
            self.broken or other.broken,
        )


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
        try:
            if wish.question is None and not await self._counts(person, wish, queue_id):
                return Sum(nothing=(queue_id,))
            change = await self._verb(person, wish, queue_id)
        except (UnknownMessage, NotAllowed):  # gone meanwhile, or not theirs any more
            return Sum(nothing=(queue_id,))
        except RecordUnreadable:
            return Sum(failed=(queue_id,))
        except StoreUnavailable:
            return Sum(failed=(queue_id,), broken=True)
        if not change.done:
            return Sum(nothing=(queue_id,))
        return Sum(1, len(change.done), perhaps=len(change.perhaps))

    def _verb(self, person: Person, wish: Wish, queue_id: str) -> Awaitable[Change]:
        acting = self.acting
        if wish.verb is Verb.CANCEL:
            return acting.cancel(person, queue_id)
        if wish.verb is Verb.RELEASE:
            return acting.release(person, queue_id, None, wish.because)
        if wish.verb is Verb.FREEZE:
            return acting.freeze(person, queue_id, wish.because)
        if wish.verb is Verb.THAW:
            return acting.thaw(person, queue_id)
        if wish.verb is Verb.EXTEND:
            return acting.extend(person, queue_id, wish.until or acting.clock())
        return self._decision(person, wish, queue_id)

    async def _decision(self, person: Person, wish: Wish, queue_id: str) -> Change:
        """Return whom somebody's word is about: it counts, also where more are needed."""
        decide = self.acting.approve if wish.verb is Verb.APPROVE else self.acting.reject
        answer = await decide(person, queue_id, wish.because)
        if answer.said.value != "counted":
            return Change((), ())
        about = answer.change.done or tuple(index for index, _ in answer.change.not_done)
        return Change(about, ())

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
        if line is None or line.waits & _LEFT_OUT.get(wish.verb, frozenset()):
            return 0
        only = _ONLY.get(wish.verb)
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
        without = question.without | _LEFT_OUT.get(wish.verb, frozenset())
        only = _ONLY.get(wish.verb)
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
