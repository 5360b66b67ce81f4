"""The POSTs by which somebody freezes and thaws a mail, lets it wait longer, and corrects a recipient."""

from __future__ import annotations

from datetime import timedelta

import structlog
from starlette.responses import Response

from gateway.console import halting_view
from gateway.console.caller import Caller
from gateway.console.forms import numbers
from gateway.console.pages import Failure
from gateway.spool.second_look import COMMENT
from gateway.values import dataclass

ADDRESS = 400  # characters of an address that is typed; longer ones are none (RFC 5321 4.5.3.1)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class HaltActs:
    """The four handlers."""

    async def freeze(self, caller: Caller) -> Response:
        """POST .../freeze: with `because`, or without."""
        because = dict(caller.fields).get("because", "").strip()[:COMMENT]
        change = await caller.verbs.freeze(because)
        log.info("frozen", queue_id=caller.queue_id, done=len(change.done), by=caller.actor.kind)
        return caller.answer(halting_view.pack("freeze", change))

    async def thaw(self, caller: Caller) -> Response:
        """POST .../thaw"""
        change = await caller.verbs.thaw()
        log.info("thawed", queue_id=caller.queue_id, done=len(change.done), by=caller.actor.kind)
        return caller.answer(halting_view.pack("thaw", change))

    async def longer(self, caller: Caller) -> Response:
        """POST .../longer: with `hours`, one of HOURS, from now."""
        asked = [value for name, value in caller.fields if name == "hours"]
        if len(asked) != 1 or asked[0] not in map(str, halting_view.HOURS):
            raise Failure(400)
        until = caller.desk.clock() + timedelta(hours=int(asked[0]))
        change = await caller.verbs.extend(until)
        log.info("extended", queue_id=caller.queue_id, done=len(change.done), by=caller.actor.kind)
        return caller.answer(halting_view.pack("longer", change, until))

    async def correct(self, caller: Caller) -> Response:
        """POST .../correct: with one `recipient`, and `meant`."""
        whom = numbers(caller.fields, "recipient")
        meant = dict(caller.fields).get("meant", "").strip()
        known = {row.index for row in (await caller.verbs.message()).recipients}
        if len(whom) != 1 or not whom <= known:
            return caller.answer({"act": "correct", "missing": "whom"})
        if not 0 < len(meant) <= ADDRESS:
            return caller.answer({"act": "correct", "missing": "address"})
        try:
            change = await caller.verbs.correct(min(whom), meant)
        except ValueError:
            return caller.answer({"act": "correct", "missing": "address"})
        log.info("corrected", queue_id=caller.queue_id, done=len(change.done), by=caller.actor.kind)
        return caller.answer(halting_view.pack("correct", change))
