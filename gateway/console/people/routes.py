"""The routes of signing in, of one's own page, and of the people of the gateway."""

from __future__ import annotations

from starlette.routing import BaseRoute

from gateway.console.people.cookies import Cookies
from gateway.console.people.doors import Doors, People
from gateway.console.people.own import OwnPages
from gateway.console.people.own_letters import OwnLetters
from gateway.console.people.persons import PersonPages
from gateway.console.people.sign_in import SignInPages
from gateway.console.site import Site


def people_routes(site: Site, people: People, letters: OwnLetters) -> list[BaseRoute]:
    """Return them all."""
    doors = Doors(site, people, Cookies(site.gate))
    return [*SignInPages(doors).routes(), *OwnPages(doors, letters).routes(), *PersonPages(doors).routes()]
