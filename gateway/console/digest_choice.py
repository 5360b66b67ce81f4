"""The page behind the link of the daily letter: whether this person wants it. It works without an account.

GET changes nothing, because mail scanners follow links; the POST of our own sealed form does. Each change is an event.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from gateway.console.desk import Desk
from gateway.console.pages import reader_language
from gateway.languages import shown
from gateway.policy.demands import Language
from gateway.spool.values import Actor
from gateway.values import dataclass

ADDRESS = 320  # characters shown of the person's address


class Choices(Protocol):
    """What the page needs of `spool.digests`."""

    async def wanted(self, address: str) -> bool:
        """Tell whether somebody (a key) wants the letter."""

    async def choose(self, address: str, wanted: bool, actor: Actor, now: datetime) -> None:
        """Note it, with its event."""


@dataclass(frozen=True, slots=True)
class DigestChoicePage:
    """GET and POST of /n/{token}."""

    desk: Desk
    choices: Choices

    async def show(self, request: Request) -> Response:
        """Say how it stands, with the button that changes it."""
        token = request.path_params["token"]
        person = self.desk.links.read_digest(token)
        values = {
            "who": shown(person, ADDRESS),
            "wanted": await self.choices.wanted(person),
            "saved": "saved" in request.query_params,
            "seal": self.desk.links.seal(token, {"form": 1}),
            "action": self._action(token),
        }
        return self.desk.pages.render("digest-choice.html", Language(reader_language(request)), values)

    async def choose(self, request: Request) -> Response:
        """Switch it off or on."""
        token = request.path_params["token"]
        person = self.desk.links.read_digest(token)
        fields = dict(await self.desk.form(request, token))
        wanted = fields.get("wanted") == "yes"
        await self.choices.choose(person, wanted, Actor("person", person), self.desk.clock())
        query = {"saved": "1"} | (
            {"lang": request.query_params["lang"]} if "lang" in request.query_params else {}
        )
        return RedirectResponse(f"{self._action(token)}?{urlencode(query)}", status_code=303)

    def _action(self, token: str) -> str:
        return f"{self.desk.links.base_path}/n/{token}"


def digest_routes(desk: Desk, choices: Choices) -> list[BaseRoute]:
    """Return the routes of the page."""
    page = DigestChoicePage(desk, choices)
    return [Route("/n/{token}", page.show), Route("/n/{token}", page.choose, methods=["POST"])]
