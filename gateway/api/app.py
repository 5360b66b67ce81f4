"""/api/v1: the API as an application of its own, with its OpenAPI document at /api/v1/openapi.json.

It reads no settings and loads nothing from other hosts: there is no page that tries it out.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.api import (
    approvals,
    bulk,
    copying,
    figures,
    files,
    incidents,
    log,
    mails,
    papers,
    people,
    problems,
)
from gateway.api.doors import Doors

VERSION = "1"
MAX_BODY = 1 << 20  # octets; a verb on a thousand mails names them in some 20 KiB


class Api(FastAPI):
    """Documents errors under the media type that they have."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            document = super().openapi()
            for operations in document["paths"].values():
                for operation in operations.values():
                    _media_types(operation["responses"])
        return super().openapi()


def _media_types(responses: dict[str, dict[str, Any]]) -> None:
    for status, response in responses.items():
        if int(status) >= 400 and "content" in response:
            response["content"] = {problems.MEDIA_TYPE: response["content"]["application/json"]}


def create_api(doors: Doors) -> FastAPI:
    """Return the application, to be mounted at /api/v1."""
    app = Api(
        title="Sekisho",
        version=VERSION,
        description="Held mail, second looks, the log, incidents and people of a Sekisho gateway.",
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        separate_input_output_schemas=False,
    )
    app.state.doors = doors
    problems.install(app)
    for router in (
        *(mails.reading, mails.acting, bulk.acting),
        *(incidents.reading, incidents.acting),
        *(files.acting, approvals.reading, approvals.acting),
        *(copying.reading, papers.reading, papers.making, log.reading, figures.reading),
        *(people.reading, people.writing),
    ):
        app.include_router(router)
    app.add_middleware(BoundedBody)
    return app


class BoundedBody:
    """Takes a request's body in before anything else, and answers 413 where it has more than MAX_BODY octets.

    Whatever the request says about its length: what counts is what comes.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _body(receive) if scope["type"] == "http" else b""
        if body is None:
            refused = problems.Refused(413, "too-large", f"a request has {MAX_BODY} octets at most")
            await problems.answer(refused)(scope, receive, send)
            return
        whole: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Message:
            return whole.pop() if whole else await receive()

        await self._app(scope, again if scope["type"] == "http" else receive, send)


async def _body(receive: Receive) -> bytes | None:
    """Return what comes, None where it is too much."""
    taken = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":  # the client is gone
            return bytes(taken)
        taken += message.get("body", b"")
        if len(taken) > MAX_BODY:
            return None
        if not message.get("more_body", False):
            return bytes(taken)
