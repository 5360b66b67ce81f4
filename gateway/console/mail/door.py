"""How somebody who is signed in comes to the pages of one mail: what they may do with it is asked here, and nowhere else.

A mail that they may not see is not there for them (404); what they may see but not do is refused (403).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.responses import Response
from starlette.routing import BaseRoute

from gateway.acting.acting import Acting, Seen
from gateway.acting.allowed import Allowed, NotAllowed, acts_on, allowed
from gateway.console.caller import Caller, May
from gateway.console.gate import Gated, Handler, Visit
from gateway.console.pages import Failure
from gateway.console.site import Site
from gateway.console.verbs import BySession
from gateway.people.contract import Person, Role
from gateway.people.sight import Act, roles_for
from gateway.spool.contract import Actor, Stored
from gateway.spool.second_look import is_sender

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
            actor=_actor(visit.person, found),
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


def _actor(person: Person, found: Allowed) -> Actor:
    """Return as whom this person acts on keys and links, which know the sender by the envelope's names."""
    if found.role is Role.SENDER and found.own:
        return Actor(Role.SENDER.value, _own_name(person, found.message))
    return found.actor


def _own_name(person: Person, message: Stored) -> str:
    named = [each for each in (*person.addresses, person.login) if is_sender(each, message.envelope)]
    return named[0] if named else person.login
