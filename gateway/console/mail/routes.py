"""The pages of held mail for people who are signed in, with what each asks of them."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import BaseRoute

from gateway.console.caller import Caller, MailHandler
from gateway.console.gate import Gated, Visit
from gateway.console.mail.deciding import Deciding
from gateway.console.mail.door import Door, PersonHandler
from gateway.console.mail.listing import Listing
from gateway.console.mail.many import Many
from gateway.console.mail.message import MessagePage
from gateway.console.mail.reading import READERS, Reading
from gateway.console.mail_routes import mail_pages
from gateway.console.site import Site
from gateway.people.sight import Act, roles_for


def held_routes(site: Site) -> list[BaseRoute]:
    """Return the list, the page of one mail and all that can be done from there."""
    door = Door(site, site.acting)
    listing, many, reading = Listing(site, site.acting), Many(site, site.acting), Reading(site, site.acting)
    deciding = Deciding(site.acting)
    page = MessagePage(door, provable=site.prove is not None)
    return [
        Gated("/held", listing.show, site.gate, roles_for(Act.SEE)),
        Gated("/held/many", many.ask, site.gate, roles_for(Act.STOP), methods=("POST",)),
        Gated("/held/many/do", many.do, site.gate, roles_for(Act.STOP), methods=("POST",)),
        Gated("/held/{queue_id}/text", reading.ask, site.gate, READERS),
        Gated("/held/{queue_id}/text", reading.open, site.gate, READERS, methods=("POST",)),
        Gated("/held/{queue_id}/html", reading.frame, site.gate, READERS),
        door.route("", "GET", Act.SEE, page.show),
        door.route("/approve", "POST", Act.APPROVE, deciding.approve),
        door.route("/reject", "POST", Act.APPROVE, deciding.reject),
        *[
            door.route(each.place, each.method, each.act, _for(each.handler))
            for each in mail_pages(site.prove)
        ],
    ]


def _for(handler: MailHandler) -> PersonHandler:
    """Return a handler that serves links, too, for somebody who is signed in."""

    async def handle(visit: Visit, caller: Caller) -> Response:
        return await handler(caller)

    return handle
