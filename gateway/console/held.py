"""The page of one message: GET shows it as it is now, behind a sender's link, and to people who are signed in.

Changes nothing: link scanners send GET and HEAD. What the buttons do stands in modules of their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from starlette.responses import Response

from gateway.console import answers, halting_view, key_answers, view
from gateway.console.caller import Caller
from gateway.console.files_view import files
from gateway.console.halting_view import halting
from gateway.console.prospects import left
from gateway.console.share_history import history
from gateway.console.share_view import shares
from gateway.console.sharing import DAYS
from gateway.console.supply_view import supplies
from gateway.console.ticks import ticks
from gateway.deadline_words import outlook
from gateway.languages import Words
from gateway.spool.contract import Spool
from gateway.spool.key_contract import KeyStatus
from gateway.spool.second_look import COMMENT
from gateway.spool.share_contract import Happened, Share
from gateway.spool.values import Stored
from gateway.transform.preview import Preview
from gateway.values import dataclass
from gateway.waiting import is_for_way, needs, open_looks


@dataclass(frozen=True, slots=True)
class OnTheWay:
    """How the keys and the shares of a mail stand."""

    statuses: Sequence[KeyStatus] = ()
    shares: Sequence[Share] = ()
    happened: Sequence[Happened] = ()


@dataclass(frozen=True, slots=True)
class Gathered:
    """All that the page of a mail is written from."""

    message: Stored
    seen: Preview
    on_the_way: OnTheWay


@dataclass(frozen=True, slots=True)
class HeldPage:
    """The page of one message for its sender; `provable`: there is a statement to be made about links."""

    provable: bool = False

    async def show(self, caller: Caller) -> Response:
        """GET .../"""
        gathered = await gather(caller)
        # A thread, because thousands of rows take longer to write than the event loop may stand still.
        return await asyncio.to_thread(self._write, caller, gathered)

    def _write(self, caller: Caller, gathered: Gathered) -> Response:
        return caller.page(
            "held.html", caller.language(gathered.message), values(caller, gathered, provable=self.provable)
        )


async def gather(caller: Caller) -> Gathered:
    """Look at a mail as it is now."""
    seen = await caller.desk.preview(await caller.verbs.message())
    message = await caller.verbs.message()  # again: the preview may have waited, and states move
    return Gathered(message, seen, await on_the_way_of(caller.desk.spool, message))


def values(caller: Caller, gathered: Gathered, *, provable: bool) -> dict[str, object]:
    """Return what the page takes, for this moment."""
    desk, message, on_the_way = caller.desk, gathered.message, gathered.on_the_way
    words, now = desk.pages.words(caller.language(message)), desk.clock()
    forms = supplies(message, on_the_way.statuses, words, desk.reach.ways)
    # How a key gets there is asked for by a form of its own.
    looks = [look for look in open_looks(message) if not (forms and is_for_way(look))]
    return {
        "page": view.build(message, gathered.seen, words, now),
        "may": caller.may,
        "needs": needs(message, words, looks),
        "halting": halting(message, caller.actor, words, now),
        "outlook": outlook(message, words, now),
        "ticks": ticks(message, gathered.seen, words),
        "files": files(message, on_the_way.statuses, words),
        "supplies": forms,
        "shares": shares(message, on_the_way.shares, words, now),
        "history": history(message, on_the_way.happened, words),
        "days": DAYS,
        "left": left(message),
        "provable": provable,
        "longest": COMMENT,
        "answer": said(caller, message, words),
    }


async def on_the_way_of(spool: Spool, message: Stored) -> OnTheWay:
    """Return how keys and shares stand; a mail whose files nobody protects has none, and is not asked for them."""
    if all(outcome.handling is None for outcome in message.decision.outcomes):
        return OnTheWay()
    found = await spool.shares.of(message.queue_id)
    happened = await spool.shares.history(message.queue_id) if found else ()
    return OnTheWay(await spool.keys.statuses(message.queue_id), found, happened)


def said(caller: Caller, message: Stored, words: Words) -> answers.Answer | None:
    """Return what the button did that led here, if one did."""
    value = caller.answered()
    if value is None or value.get("act") not in (*answers.ACTS, *key_answers.ACTS, *halting_view.ACTS):
        return None
    if value["act"] in key_answers.ACTS:
        return key_answers.unpack(value, message, words)
    if value["act"] in halting_view.ACTS:
        return halting_view.unpack(value, words)
    return answers.unpack(value, words)
