"""/mails/{queue_id}/links and /keys: what waits behind links, and how keys travel. No key is ever told through the API.

A key is shown to its sender on a page, at the press of a button; a program that could fetch keys would make the two ways one.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field

from gateway.acting.files import ActingOnFiles
from gateway.api.caller import Caller, calling
from gateway.api.doors import doors_of
from gateway.api.idempotent import Verb
from gateway.api.mail_shapes import ChangeTold, change_told
from gateway.api.mails import Numbers
from gateway.api.problems import Refused
from gateway.api.shapes import Moment, QueueId, Said, problems
from gateway.people.contract import TokenScope
from gateway.policy.protection import Way

acting = APIRouter(tags=["files"], route_class=Verb)

Acts = Annotated[Caller, calling(TokenScope.HELD_ACT)]


class Whom(Said):
    recipients: Numbers


class Longer(Whom):
    until: Moment


class Supplied(Whom):
    """By which way the key gets to them; `to` is a telephone number for `sms`."""

    way: Way
    to: Annotated[str, Field(max_length=40)] = ""


@acting.post("/mails/{queue_id}/links/lock", responses=problems(404))
async def lock(request: Request, caller: Acts, queue_id: QueueId, said: Whom) -> ChangeTold:
    """Close what waits behind links for these recipients; nothing is lost."""
    return change_told(await _verbs(request).lock(caller.person, queue_id, frozenset(said.recipients)))


@acting.post("/mails/{queue_id}/links/unlock", responses=problems(404))
async def unlock(request: Request, caller: Acts, queue_id: QueueId, said: Whom) -> ChangeTold:
    """Open what was locked, and was not taken back."""
    return change_told(await _verbs(request).unlock(caller.person, queue_id, frozenset(said.recipients)))


@acting.post("/mails/{queue_id}/links/extend", responses=problems(404))
async def extend(request: Request, caller: Acts, queue_id: QueueId, said: Longer) -> ChangeTold:
    """Let links live longer, as far as the rule allows."""
    whom = frozenset(said.recipients)
    return change_told(await _verbs(request).extend_links(caller.person, queue_id, whom, said.until))


@acting.post("/mails/{queue_id}/keys/supply", responses=problems(404))
async def supply(request: Request, caller: Acts, queue_id: QueueId, said: Supplied) -> ChangeTold:
    """Say how the key gets to recipients that still lack a way."""
    try:
        whom = frozenset(said.recipients)
        change = await _verbs(request).supply(caller.person, queue_id, whom, said.way, said.to)
    except ValueError:
        raise Refused(422, "invalid", "`to` is no telephone number for this way") from None
    return change_told(change)


@acting.post("/mails/{queue_id}/keys/stop", responses=problems(404))
async def stop(request: Request, caller: Acts, queue_id: QueueId, said: Whom) -> ChangeTold:
    """Never send the keys of these recipients."""
    return change_told(await _verbs(request).stop_keys(caller.person, queue_id, frozenset(said.recipients)))


def _verbs(request: Request) -> ActingOnFiles:
    doors = doors_of(request)
    return ActingOnFiles(doors.acting.spool, doors.clock)
