"""The pages of one mail: one table, for those who come by a link and for those who are signed in.

A link is one person's capability for one mail: it opens all of these. Of somebody who is signed in each asks what it says.
"""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from gateway.console.caller import MailHandler, by_link
from gateway.console.confirming import ConfirmPages
from gateway.console.desk import Desk
from gateway.console.halting import HaltActs
from gateway.console.held import HeldPage
from gateway.console.keys import KeyPage
from gateway.console.sharing import ShareActs
from gateway.console.statements import Prove, StatementPage
from gateway.console.stopping import HeldActs
from gateway.console.supplying import SupplyActs
from gateway.console.taking_back import TakeBackPages
from gateway.people.sight import Act
from gateway.values import dataclass


@dataclass(frozen=True, slots=True)
class MailRoute:
    """One page of a mail: what stands behind the mail's own address, how it is asked for, and what somebody may who does."""

    place: str
    method: str
    handler: MailHandler
    act: Act


def mail_pages(prove: Prove | None) -> list[MailRoute]:
    """Return the table, without the mail's own page; without `prove` there are no statements."""
    acts, keys, shares, taking, supply = HeldActs(), KeyPage(), ShareActs(), TakeBackPages(), SupplyActs()
    halts = HaltActs()
    return [
        MailRoute("/cancel", "POST", acts.cancel, Act.STOP),
        MailRoute("/release", "POST", acts.release, Act.SEND),
        MailRoute("/confirm", "POST", ConfirmPages().confirm, Act.SEND),
        MailRoute("/freeze", "POST", halts.freeze, Act.STOP),
        MailRoute("/thaw", "POST", halts.thaw, Act.STOP),
        MailRoute("/longer", "POST", halts.longer, Act.STOP),
        MailRoute("/correct", "POST", halts.correct, Act.STOP),
        MailRoute("/supply", "POST", supply.supply, Act.SEND),
        MailRoute("/stop-keys", "POST", supply.stop, Act.STOP),
        MailRoute("/key", "POST", keys.show, Act.SEND),
        MailRoute("/key", "GET", keys.lead, Act.SEND),
        MailRoute("/lock", "POST", shares.lock, Act.STOP),
        MailRoute("/unlock", "POST", shares.unlock, Act.SEND),
        MailRoute("/extend", "POST", shares.extend, Act.SEND),
        MailRoute("/take-back", "POST", taking.take, Act.STOP),
        MailRoute("/take-back", "GET", taking.ask, Act.STOP),
        *([] if prove is None else _statement(StatementPage(prove, asyncio.Semaphore(1)))),
    ]


def _statement(page: StatementPage) -> list[MailRoute]:
    return [
        MailRoute("/statement", "POST", page.make, Act.STOP),
        MailRoute("/statement", "GET", page.lead, Act.STOP),
    ]


def link_routes(desk: Desk, prove: Prove | None) -> list[BaseRoute]:
    """Return the pages behind a sender's link."""
    page = MailRoute("", "GET", HeldPage(provable=prove is not None).show, Act.SEE)
    return [_behind_link(desk, each) for each in (page, *mail_pages(prove))]


def _behind_link(desk: Desk, route: MailRoute) -> BaseRoute:
    async def endpoint(request: Request) -> Response:
        return await route.handler(await by_link(desk, request))

    return Route(f"/m/{{token}}{route.place}", endpoint, methods=[route.method])
