"""Files out of the bodies of mails, open while somebody fetches them: each once, however many fetch it, and few at once.

A body is decrypted and decoded on threads. A file that was let go stays for a moment, because a client that asks for it in
pieces asks again at once.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

from gateway.message.header import split
from gateway.message.mime import scan_structure
from gateway.spool.contract import BodyUnreadable
from gateway.transform.part_content import Undecodable, content_of

OPEN_OCTETS = 256 << 20  # of files that are open at once; a larger one is open alone
OF_LINK_OCTETS = (
    OPEN_OCTETS // 8
)  # of them behind one link, beside the first: who reads slowly does not take all
IN_USE = 256  # files that are open at once, however small
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
    octets: int
    users: Counter[str] = field(default_factory=Counter)
    closing: asyncio.TimerHandle | None = None


class Contents:
    """`take` and `give` go in pairs."""

    def __init__(self, originals: Originals) -> None:
        self._originals = originals
        self._open: dict[Key, _Open] = {}
        self._links: Counter[str] = Counter()
        self._turns = asyncio.Semaphore(OPENINGS)

    async def take(self, link: str, queue_id: str, place: int, octets: int) -> bytes:
        """Return a file of about so many octets; raises Unreadable, Busy, StoreUnavailable, UnknownMessage.

        It is the caller's until `give`.
        """
        key = queue_id, place
        file = self._opened(link, key, octets)
        file.users[link] += 1
        self._links[link] += 1
        try:
            return await asyncio.shield(file.reading)
        except BaseException:
            self.give(link, queue_id, place)
            raise

    def give(self, link: str, queue_id: str, place: int) -> None:
        """Let a file go."""
        key = queue_id, place
        file = self._open[key]
        self._links -= Counter([link])  # forgets who has none
        file.users -= Counter([link])
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

    def _opened(self, link: str, key: Key, octets: int) -> _Open:
        """Return the file, open, where there is room for one more who fetches it; raises Busy."""
        if self._links.total() >= STREAMS or self._links[link] >= OF_LINK:
            raise Busy
        file = self._open.get(key)
        if file is None or link not in file.users:
            self._check_share(link, octets)
        if file is None:
            self._make_room(octets)
            file = self._open[key] = _Open(asyncio.create_task(self._read(*key)), octets)
            file.reading.add_done_callback(_seen)
        if file.closing is not None:
            file.closing.cancel()
            file.closing = None
        return file

    def _check_share(self, link: str, octets: int) -> None:
        """Raise Busy where a link would keep more open than is its share; one file it may have, however large."""
        held = [file.octets for file in self._open.values() if link in file.users]
        if held and sum(held) + octets > OF_LINK_OCTETS:
            raise Busy

    def _make_room(self, octets: int) -> None:
        idle = [key for key, file in self._open.items() if not file.users]
        while self._open and self._is_full(octets):
            if not idle:
                raise Busy
            self._close(idle.pop(0))

    def _is_full(self, octets: int) -> bool:
        open_ = sum(file.octets for file in self._open.values())
        return open_ + octets > OPEN_OCTETS or len(self._open) >= IN_USE

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
