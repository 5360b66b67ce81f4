"""The POSTs by which a sender says how keys get to recipients, or stops them; the spool's answer is what the page says.

A telephone number goes to the spool and is nowhere else: in no event of ours, no answer and no address.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import structlog
from starlette.responses import Response

from gateway.console.caller import Caller
from gateway.console.files_view import going_soon, missing_ways
from gateway.console.forms import Fields, chosen
from gateway.console.pages import Failure
from gateway.console.reach import Reach
from gateway.console.supply_view import NUMBERS_AT_ONCE
from gateway.policy.protection import Way
from gateway.telephone import NoNumber, e164
from gateway.values import dataclass

NAMED = 10  # recipients with a wrong number that the answer names

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Asked:
    """What a form asks for: recipients by the number that their key goes to (empty where none is needed).

    `wrong` are recipients with a number that is none, or of a country that gets no text messages from here.
    """

    way: Way
    by_number: Mapping[str, frozenset[int]]
    wrong: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SupplyActs:
    """The two handlers."""

    async def supply(self, caller: Caller) -> Response:
        """POST /m/{token}/supply: a `way`; `which=ticked` with `recipient` and `number-N` for each, or `which=all`."""
        fields, reach = caller.fields, caller.desk.reach
        way = _way(fields)
        whom = chosen(fields)
        if way is not None and way not in reach.ways:
            raise Failure(400)  # no form of ours offers it
        if way is None or whom == frozenset():
            return caller.answer({"act": "supply", "missing": "way" if way is None else "whom"})
        if whom is None:
            whom = await self._all(caller, way)
        asked = _asked(way, whom, dict(fields), reach)
        done, left = await self._supply(caller, asked)
        wrong = asked.wrong
        log.info(
            "key-way-said", queue_id=caller.queue_id, way=way.value, done=done, left=left, wrong=len(wrong)
        )
        value = {"act": "supply", "done": done, "left": left, "wrong": wrong[:NAMED], "wrongs": len(wrong)}
        return caller.answer(value)

    async def stop(self, caller: Caller) -> Response:
        """POST /m/{token}/stop-keys: what goes soon by itself does not go."""
        message = await caller.verbs.message()
        whom = going_soon(message, await caller.desk.spool.keys.statuses(caller.queue_id))
        if not whom:
            return caller.answer({"act": "stop-keys", "done": 0, "left": 0})
        change = await caller.verbs.stop_keys(whom)
        log.info("keys-stopped", queue_id=caller.queue_id, done=len(change.done), late=len(change.not_done))
        value = {"act": "stop-keys", "done": len(change.done), "left": len(change.not_done)}
        return caller.answer(value)

    async def _all(self, caller: Caller, way: Way) -> frozenset[int]:
        """Return all whose key lacks a way and may go by this one; a number is never for all of them."""
        if way is Way.SMS:
            raise Failure(400)
        spool, queue_id = caller.desk.spool, caller.queue_id
        message = await caller.verbs.message()
        missing = missing_ways(message, await spool.keys.statuses(queue_id))
        handled = [(row.index, message.decision.of(row.index).handling) for row, _ in missing]
        return frozenset(index for index, each in handled if each is not None and way in each.ways)

    async def _supply(self, caller: Caller, asked: Asked) -> tuple[int, int]:
        """Hand over number by number; return for how many it is said now, and for how many it is not."""
        known = {row.index for row in (await caller.verbs.message()).recipients}
        done = left = 0
        for number, recipients in asked.by_number.items():
            mine = recipients & known  # a copy is nobody's to supply, whatever a form names
            change = await caller.verbs.supply(mine, asked.way, number)
            done += len(mine.intersection(change.done))
            left += len(recipients) - len(mine.intersection(change.done))
        return done, left


def _way(fields: Fields) -> Way | None:
    """Return the way that was chosen, None where none was; raises Failure on one that does not exist."""
    named = [value for name, value in fields if name == "way"]
    if len(named) > 1 or any(value not in {way.value for way in Way} for value in named):
        raise Failure(400)
    return Way(named[0]) if named else None


def _asked(way: Way, whom: Collection[int], fields: Mapping[str, str], reach: Reach) -> Asked:
    if way is not Way.SMS:
        return Asked(way, {"": frozenset(whom)})
    if len(whom) > NUMBERS_AT_ONCE:
        raise Failure(400)
    by_number: dict[str, frozenset[int]] = {}
    wrong = []
    for index in sorted(whom):
        try:
            number = e164(fields.get(f"number-{index}", ""))
        except NoNumber:
            number = ""
        if number and reach.allows(number):
            by_number[number] = by_number.get(number, frozenset()) | {index}
        else:
            wrong.append(index)
    return Asked(way, by_number, tuple(wrong))
