"""GET and HEAD /d/{token}/f/{place}: one file, whole or a piece of it (RFC 9110 14), to a visit that proved the address.

A fetch is counted before its first octet leaves, and only once it is clear what will be sent. HEAD counts nothing, nor does a
piece that goes on with what the visit began. The event loop only hands out octets that threads have made ready.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import field

import structlog
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from gateway.console.download.admission import client_of
from gateway.console.download.contents import Busy, Contents, Unreadable
from gateway.console.download.naming import content_type, disposition
from gateway.console.download.pace import FETCHES_OF_CLIENT, FETCHES_OF_LINK, Pace
from gateway.console.download.pages import DownloadPages, Gone
from gateway.console.download.ranges import NotSatisfiable, Piece, piece
from gateway.console.download.view import safe_names
from gateway.console.pages import reader_language
from gateway.spool.share_contract import NoShare, Share, Visitor
from gateway.values import dataclass

CHUNK = 64 << 10  # octets handed out at a time
RETRY_S = 15  # after which a client is told to come again
_MAX_DIGITS = 6  # of a file's place: a mail has at most a thousand parts
_SAFE = {"content-security-policy": "default-src 'none'; sandbox; frame-ancestors 'none'"}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A file that a visit asks for."""

    token: str
    share: Share
    visitor: Visitor
    place: int

    @property
    def octets(self) -> int:
        """Return how large the file is, as it was when the mail was accepted."""
        return {file.place: file.size_bytes for file in self.share.attached}.get(self.place, 0)

    @property
    def etag(self) -> str:
        """Return a strong tag: a mail never changes, nor does the place of a file in it."""
        named = f"{self.share.queue_id}/{self.place}".encode()
        return f'"{hashlib.sha256(named).hexdigest()[:32]}"'

    @property
    def headers(self) -> dict[str, str]:
        """Return what every answer about this file says."""
        kinds = {file.place: file.kind for file in self.share.attached}
        return {
            **_SAFE,
            "content-type": content_type(kinds.get(self.place, "")),
            "content-disposition": disposition(safe_names(self.share)[self.place]),
            "accept-ranges": "bytes",
            "etag": self.etag,
        }


@dataclass(frozen=True, slots=True)
class DownloadFiles:
    """The handler; what it shares with the pages comes from there."""

    pages: DownloadPages
    contents: Contents
    pace: Pace = field(default_factory=lambda: Pace(FETCHES_OF_LINK, FETCHES_OF_CLIENT))

    async def fetch(self, request: Request) -> Response:
        """GET or HEAD"""
        token, now = request.path_params["token"], self.pages.desk.clock()
        if not self.pace.allows(token, client_of(request), now):
            return self.pages.too_fast(request)
        try:
            wanted = await self._wanted(request)
        except Gone as gone:
            return self.pages.gone(request, gone.why)
        if wanted is None:
            return self._to_page(request, {"act": "over"})
        key = wanted.token, wanted.share.queue_id, wanted.place
        try:
            content = await self.contents.take(*key, wanted.octets)
        except Unreadable as error:
            return self._unreadable(request, wanted, error)
        except Busy:
            return self._busy(request)
        try:
            response = await self._answer(request, wanted, content)
        except BaseException:
            self.contents.give(*key)
            raise
        if not isinstance(response, _File):
            self.contents.give(*key)
            return response
        return _Kept(response, lambda: self.contents.give(*key))

    async def _wanted(self, request: Request) -> _Wanted | None:
        """Return what is asked for, None where the visit is over; raises Gone."""
        token, share = await self.pages.open_share(request)
        text = request.path_params["place"]
        place = int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS else -1
        visitor = await self.pages.visitor(request, token, share)
        if visitor is None:
            if share.used_up:
                raise Gone("used-up")
            return None
        if place not in dict(share.files):
            raise Gone("no-file")
        return _Wanted(token, share, visitor, place)

    async def _answer(self, request: Request, wanted: _Wanted, content: bytes) -> Response:
        asked, condition = request.headers.get("range"), request.headers.get("if-range")
        head = request.method == "HEAD"
        try:
            part = piece(None if head else asked, condition, wanted.etag, len(content))
        except NotSatisfiable:
            headers = {"content-range": f"bytes */{len(content)}", "accept-ranges": "bytes"}
            return Response(status_code=416, headers=headers)
        if head:  # RFC 9110 14.2: Range means nothing with HEAD
            return Response(headers={**wanted.headers, "content-length": str(len(content))})
        try:
            await self._count(wanted, part)
        except NoShare as refused:
            return self._refused(request, refused)
        return _file(wanted, content, part)

    async def _count(self, wanted: _Wanted, part: Piece) -> None:
        share = wanted.share
        await self.pages.desk.spool.shares.fetch(
            share.queue_id,
            share.recipient,
            wanted.place,
            wanted.visitor,
            self.pages.desk.clock(),
            onward=part.start > 0,
        )
        log.info("share-fetched", queue_id=share.queue_id, start=part.start, octets=part.octets)

    def _refused(self, request: Request, refused: NoShare) -> Response:
        if refused.why == "used-up":
            return self._to_page(request, {"act": "used-up"})
        return self.pages.gone(request, refused.why)

    def _to_page(self, request: Request, answer: dict[str, str]) -> Response:
        token = request.path_params["token"]
        return self.pages.desk.back(request, f"/d/{token}", token, answer)

    def _unreadable(self, request: Request, wanted: _Wanted, error: Unreadable) -> Response:
        log.error("share-unreadable", queue_id=wanted.share.queue_id, cause=str(error))
        desk = self.pages.desk
        return desk.pages.render("download_unreadable.html", reader_language(request), {}, 500)

    def _busy(self, request: Request) -> Response:
        desk = self.pages.desk
        page = desk.pages.render("download_busy.html", reader_language(request), {}, 503)
        page.headers["retry-after"] = str(RETRY_S)
        return page


class _File(StreamingResponse):
    """A file on its way."""


class _Kept(Response):
    """An answer that lets its file go, however it ends."""

    def __init__(self, answer: _File, on_end: Callable[[], None]) -> None:
        super().__init__()
        self._answer = answer
        self._on_end = on_end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._answer(scope, receive, send)
        finally:
            self._on_end()


def _file(wanted: _Wanted, content: bytes, part: Piece) -> _File:
    headers = {**wanted.headers, "content-length": str(part.octets)}
    if not part.whole:
        headers["content-range"] = f"bytes {part.start}-{part.end - 1}/{len(content)}"
    return _File(_chunks(content, part), status_code=200 if part.whole else 206, headers=headers)


async def _chunks(content: bytes, part: Piece) -> AsyncIterator[bytes]:
    """Hand out octets; the connection takes the next ones when it has sent the last."""
    for at in range(part.start, part.end, CHUNK):
        yield content[at : min(at + CHUNK, part.end)]
        await asyncio.sleep(0)  # a client that takes all at once must not keep the loop from the others
