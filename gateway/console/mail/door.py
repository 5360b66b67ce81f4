"""How somebody who is signed in comes to the pages of one mail: what they may do with it is asked here, and nowhere else.

A mail that they may not see is not there for them (404); what they may see but not do is refused (403).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.responses import Response
from starlette.routing import BaseRoute

from gateway.acting.acting import Acting, Seen
from gateway.acting.allowed import NotAllowed, acts_on, allowed
from gateway.acting.files import acting_as
from gateway.console.caller import Caller, May
from gateway.console.gate import Gated, Handler, Visit
from gateway.console.pages import Failure
from gateway.console.site import Site
from gateway.console.verbs import BySession
from gateway.people.contract import Person
from gateway.people.sight import Act, roles_for
from gateway.values import dataclass

PersonHandler = Callable[[Visit, Caller], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Door:
    """Makes routes of one mail for people who are signed in."""

    site: Site
    acting: Acting

    def route(self, place: str, method: str, act: Act, handler: PersonHandler) -> BaseRoute:
        """Return the route of a page that somebody may open who may do this with the mail."""

        async def handle(visit: Visit) -> Response:
            return await handler(visit, await self.caller(visit, act))

        path, roles = f"/held/{{queue_id}}{place}", roles_for(act)
        return Gated(path, _told(handle), self.site.gate, roles, methods=(method,))

    async def caller(self, visit: Visit, act: Act) -> Caller:
        """Return who asks for a page of a mail; raises UnknownMessage, NotAllowed."""
        queue_id = visit.request.path_params["queue_id"]
        found = await allowed(self.acting.spool, visit.person, act, queue_id)
        return Caller(
            desk=self.site.desk,
            request=visit.request,
            queue_id=queue_id,
            actor=acting_as(visit.person, found),
            verbs=BySession(self.acting, visit.person, queue_id),
            path=f"/held/{queue_id}",
            secret=visit.session.key,
            layout="inside.html",
            may=_may(acts_on(visit.person, found.whose)),
            own_language=visit.language,
            fields=visit.fields,
            frame=self.site.frame(visit, here="/held"),
        )

    async def seen(self, caller: Caller, person: Person) -> Seen:
        """Return the mail with what is recorded of it."""
        return await self.acting.see(person, caller.queue_id)


def _told(handle: Handler) -> Handler:
    async def told(visit: Visit) -> Response:
        try:
            return await handle(visit)
        except NotAllowed:
            raise Failure(403) from None

    return told


def _may(acts: frozenset[Act]) -> May:
    return May(stop=Act.STOP in acts, send=Act.SEND in acts, report=Act.REPORT in acts)
