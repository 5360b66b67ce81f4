"""Routes that do something: the field `Idempotency-Key` makes a call that is sent twice be done once.

The answer is kept for a day under the token, the key and a digest of what was sent. The same key with something else is an
error, and so is one whose first call is still under way. What failed on our side is not kept: it may be tried again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from starlette.responses import Response

from gateway.api.caller import bearer_of
from gateway.api.calls import Another, Answered, Begun, Busy
from gateway.api.doors import doors_of
from gateway.api.problems import MEDIA_TYPE, Refused, answer, refusal_of

FIELD = "Idempotency-Key"
MAX_KEY = 128  # characters; a UUID has 36

_SCHEME = HTTPBearer(auto_error=False)
Handle = Callable[[Request], Coroutine[Any, Any, Response]]


class Verb(APIRoute):
    """A route of a verb."""

    def get_route_handler(self) -> Handle:
        handle = super().get_route_handler()

        async def once(request: Request) -> Response:
            key = request.headers.get(FIELD)
            return await handle(request) if key is None else await _once(request, key, handle)

        return once


async def _once(request: Request, key: str, handle: Handle) -> Response:
    if not 0 < len(key) <= MAX_KEY or not key.isascii() or not key.isprintable():
        raise Refused(400, "idempotency-key", f"{FIELD} has 1 to {MAX_KEY} printable ASCII characters")
    begun = await _begin(request, key)
    if isinstance(begun, Answered):
        kind = MEDIA_TYPE if begun.status >= 400 else "application/json"
        return Response(begun.body, begun.status, {"Idempotent-Replayed": "true"}, kind)
    calls = doors_of(request).calls
    try:
        response = await handle(request)
    except Exception as error:
        response = await _refused(error, begun, request)
    if response.status_code >= 500:
        await calls.drop(begun)
    else:
        await calls.end(begun, Answered(response.status_code, bytes(response.body)))
    return response


async def _refused(error: Exception, begun: Begun, request: Request) -> Response:
    try:
        return answer(refusal_of(error))
    except Exception:
        await doors_of(request).calls.drop(begun)
        raise


async def _begin(request: Request, key: str) -> Begun | Answered:
    doors = doors_of(request)
    bearer = await bearer_of(request, await _SCHEME(request))
    said = b"\n".join((request.method.encode(), request.url.path.encode(), await request.body()))
    try:
        return await doors.calls.begin(bearer.number, key, hashlib.sha256(said).digest(), doors.clock())
    except Busy:
        later = {"Retry-After": "1"}
        raise Refused(409, "under-way", "the same call is under way", headers=later) from None
    except Another:
        raise Refused(422, "idempotency-key", "this key was used for another call") from None
