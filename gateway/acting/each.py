"""One verb on one mail of many: what it did, or why it did nothing, so that no mail keeps the others from being told.

A store that fails in the middle has done what it did before: whoever asked for fifty hears of each of the fifty.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from enum import StrEnum
from typing import TypeVar

from gateway.acting.acting import Acting
from gateway.acting.allowed import NotAllowed
from gateway.acting.wish import Verb, Wish
from gateway.people.contract import Person
from gateway.spool.contract import StoreUnavailable, UnknownMessage
from gateway.spool.opened import RecordUnreadable
from gateway.spool.second_look import Said
from gateway.spool.values import Change

K = TypeVar("K")
T = TypeVar("T")


class Undone(StrEnum):
    """Why nothing is known to be done to a mail."""

    GONE = "gone"  # meanwhile, or not theirs any more
    UNREADABLE = "unreadable"  # its record is damaged
    STORE = "store"  # the store did not answer: what was on its way to it may be done all the same


async def attempt(verb: Awaitable[T]) -> T | Undone:
    """Return what the verb returns, or why it did nothing."""
    try:
        return await verb
    except (UnknownMessage, NotAllowed):
        return Undone.GONE
    except RecordUnreadable:
        return Undone.UNREADABLE
    except StoreUnavailable:
        return Undone.STORE


async def one_by_one(mails: Iterable[K], verb: Callable[[K], Awaitable[T]]) -> list[tuple[K, T | Undone]]:
    """Return each mail with what became of it, in their order; once the store fails, the rest is not tried."""
    told: list[tuple[K, T | Undone]] = []
    broken = False
    for mail in mails:
        became = Undone.STORE if broken else await attempt(verb(mail))
        broken = became is Undone.STORE
        told.append((mail, became))
    return told


async def do_one(acting: Acting, person: Person, wish: Wish, queue_id: str) -> Change:
    """Do what is wished to one mail; raises as the verbs of `Acting` do."""
    if wish.verb is Verb.CANCEL:
        return await acting.cancel(person, queue_id)
    if wish.verb is Verb.RELEASE:
        return await acting.release(person, queue_id, None, wish.because)
    if wish.verb is Verb.FREEZE:
        return await acting.freeze(person, queue_id, wish.because)
    if wish.verb is Verb.THAW:
        return await acting.thaw(person, queue_id)
    if wish.verb is Verb.EXTEND:
        return await acting.extend(person, queue_id, wish.until or acting.clock())
    return await _decision(acting, person, wish, queue_id)


async def _decision(acting: Acting, person: Person, wish: Wish, queue_id: str) -> Change:
    """Return whom somebody's word is about: it counts, also where more are needed."""
    decide = acting.approve if wish.verb is Verb.APPROVE else acting.reject
    answer = await decide(person, queue_id, wish.because)
    if answer.said is not Said.COUNTED:
        return Change((), ())
    about = answer.change.done or tuple(index for index, _ in answer.change.not_done)
    return Change(about, ())
