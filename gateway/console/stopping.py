"""The POSTs by which somebody stops a mail or lets it go: what a verb answers is what the page says afterwards."""

from __future__ import annotations

import structlog
from starlette.responses import Response

from gateway.console import answers
from gateway.console.caller import Caller
from gateway.console.forms import chosen
from gateway.spool.second_look import COMMENT
from gateway.values import dataclass

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class HeldActs:
    """The two handlers."""

    async def cancel(self, caller: Caller) -> Response:
        """POST .../cancel: `which=all`, or `which=ticked` with `recipient` for each."""
        whom = chosen(caller.fields)
        if whom is not None and not whom:
            return caller.answer(answers.pack("cancel", None))
        change = await caller.verbs.cancel(whom)
        done, late = len(change.done), len(change.not_done)
        log.info(f"cancelled-by-{caller.actor.kind}", queue_id=caller.queue_id, done=done, late=late)
        if whom is not None:
            return caller.answer(answers.pack("cancel", change))
        at_once = answers.unheld(await caller.verbs.message(), change)
        return caller.answer(answers.pack("cancel", change, at_once))

    async def release(self, caller: Caller) -> Response:
        """POST .../release: likewise. What is firm of the window stays; the spool sees to that."""
        whom = chosen(caller.fields)
        because = dict(caller.fields).get("because", "").strip()[:COMMENT]
        if whom is not None and not whom:
            return caller.answer(answers.pack("release", None))
        change = await caller.verbs.release(whom, because)
        done, late = len(change.done), len(change.not_done)
        log.info(f"released-by-{caller.actor.kind}", queue_id=caller.queue_id, done=done, late=late)
        value = answers.pack("release", change) | answers.kept(await caller.verbs.message(), change, because)
        return caller.answer(value)
