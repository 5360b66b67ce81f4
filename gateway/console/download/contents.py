"""Files out of the bodies of mails, open while somebody fetches them: each once, however many fetch it, and few at once.

A body is decrypted and decoded on threads. A file that was let go stays for a moment, because a client that asks for it in
pieces asks again at once.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

from gateway.message.header import split
from gateway.message.mime import scan_structure
from gateway.spool.contract import BodyUnreadable
from gateway.transform.part_content import Undecodable, content_of

IN_USE = 8  # files that are open at once; with mails of 35 MiB some 200 MiB
STREAMS = 64  # fetches under way at once
OF_LINK = 6  # of them behind one link: what clients open that fetch in pieces
OPENINGS = 2  # bodies that are decrypted at once
KEPT_S = 20.0  # how long a file that nobody fetches stays open

Key = tuple[str, int]


class Unreadable(Exception):
    """The file cannot be had out of the mail (any more); the sender has to send it again."""


class Busy(Exception):
    """Too many fetch at this moment."""


class Originals(Protocol):
    """Where the octets of a mail come from."""

    async def raw(self, queue_id: str) -> bytes:
        """Return them; raises BodyUnreadable."""


@dataclass(eq=False, slots=True)
class _Open:
    reading: asyncio.Task[bytes]
    users: int = 0
    closing: asyncio.TimerHandle | None = None


class Contents:
    """`take` and `give` go in pairs."""

    def __init__(self, originals: Originals) -> None:
        self._originals = originals
        self._open: dict[Key, _Open] = {}
        self._links: dict[str, int] = {}
        self._turns = asyncio.Semaphore(OPENINGS)

    async def take(self, link: str, queue_id: str, place: int) -> bytes:
        """Return a file; raises Unreadable, Busy, StoreUnavailable, UnknownMessage. It is the caller's until `give`."""
        self._enter(link)
        key = queue_id, place
        try:
            file = self._opened(key)
        except Busy:
            self._leave(link)
            raise
        try:
            return await asyncio.shield(file.reading)
        except BaseException:
            self.give(link, queue_id, place)
            raise

    def give(self, link: str, queue_id: str, place: int) -> None:
        """Let a file go."""
        self._leave(link)
        key = queue_id, place
        file = self._open[key]
        file.users -= 1
        if file.users:
            return
        if file.reading.done() and not file.reading.cancelled() and file.reading.exception() is None:
            file.closing = asyncio.get_running_loop().call_later(KEPT_S, self._close, key)
        else:
            self._close(key)

    def close(self) -> None:
        """Let everything go that nobody fetches."""
        for key in [key for key, file in self._open.items() if not file.users]:
            self._close(key)

    def _enter(self, link: str) -> None:
        if sum(self._links.values()) >= STREAMS or self._links.get(link, 0) >= OF_LINK:
            raise Busy
        self._links[link] = self._links.get(link, 0) + 1

    def _leave(self, link: str) -> None:
        left = self._links[link] - 1
        if left:
            self._links[link] = left
        else:
            del self._links[link]

    def _opened(self, key: Key) -> _Open:
        file = self._open.get(key)
        if file is None:
            self._make_room()
            file = self._open[key] = _Open(asyncio.create_task(self._read(*key)))
            file.reading.add_done_callback(_seen)
        if file.closing is not None:
            file.closing.cancel()
            file.closing = None
        file.users += 1
        return file

    def _make_room(self) -> None:
        if len(self._open) < IN_USE:
            return
        idle = next((key for key, file in self._open.items() if not file.users), None)
        if idle is None:
            raise Busy
        self._close(idle)

    def _close(self, key: Key) -> None:
        file = self._open.pop(key)
        if file.closing is not None:
            file.closing.cancel()
        file.reading.cancel()

    async def _read(self, queue_id: str, place: int) -> bytes:
        async with self._turns:
            try:
                raw = await self._originals.raw(queue_id)
            except BodyUnreadable as error:
                raise Unreadable(str(error)) from error
            return await asyncio.to_thread(_file, raw, place)


def _seen(reading: asyncio.Task[bytes]) -> None:
    """Look at what went wrong: everybody who waited for it may have gone away."""
    if not reading.cancelled():
        reading.exception()


def _file(raw: bytes, place: int) -> bytes:
    """Return the octets of a mail's part."""
    header, body_at = split(raw)
    parts = scan_structure(raw, header, body_at).parts
    if place >= len(parts):
        raise Unreadable(f"the mail has no part {place}")
    try:
        return b"".join(content_of(raw, parts[place]))
    except Undecodable as error:
        raise Unreadable(f"part {place}: {error.reason}") from error
