"""One HTTP connection, bounded in time, and all of them in number: who holds a connection without asking gives way.

Uvicorn waits for ever for the end of a request and for a client that does not read, and answers 503 to everybody
while enough others do nothing. Here a connection that waits for its client is the first to go when a new one comes,
so that a person who presses "cancel" gets through whatever strangers hold open.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

CONNECTIONS = 500  # open at once; a page takes milliseconds, and each takes a descriptor that mail needs too
REQUEST_S = 30.0  # from the first chance to speak to the last octet of a form; 2 MiB at 70 KB/s
RESPONSE_S = 120.0  # to make a page, which may wait for its turn, and to take it; or 64 KiB of a file
ANSWER_S = 3600.0  # for a file as a whole, 35 MiB at 80 kbit/s: it stays in memory; whoever reads on asks for the rest


class Turnstile(H11Protocol):
    """Counts what stands open on this listener; `connections` is uvicorn's own set of them."""

    _timer: asyncio.TimerHandle | None = None
    _takes = False  # octets of an answer, since the timer was set
    _answers_since = 0.0
    waits_since: float | None = None
    """When this connection began to wait for its client; None while an answer is made or sent."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait_for_client()
        if len(self.connections) > CONNECTIONS:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        self._arm(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._look()

    def resume_writing(self) -> None:
        """The client has taken what was written so far: a file is on its way, however long it takes."""
        super().resume_writing()
        self._takes = True

    def _look(self) -> None:
        """Note whose turn it is: the client's until its request is whole, ours until the answer is."""
        cycle = self.cycle
        ours = cycle is not None and not cycle.response_complete and not cycle.more_body
        if ours and self.waits_since is not None:
            self.waits_since = None
            self._answers_since = self.loop.time()
            self._arm(RESPONSE_S)
        elif not ours and self.waits_since is None:
            self._wait_for_client()

    def _wait_for_client(self) -> None:
        self.waits_since = self.loop.time()
        self._arm(REQUEST_S)

    def _arm(self, seconds: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self.loop.call_later(seconds, self._late)

    def _late(self) -> None:
        """Cut, unless the client is still taking an answer."""
        in_time = self.loop.time() - self._answers_since < ANSWER_S
        if self.waits_since is None and self._takes and in_time:
            self._takes = False
            self._arm(RESPONSE_S)
            return
        left = self.waits_since + RESPONSE_S - self.loop.time() if self.waits_since is not None else 0.0
        if left > 0 and self.transport.get_write_buffer_size() > 0:
            self._arm(left)
        else:
            self.cut()

    def cut(self) -> None:
        """Drop the connection at once, unsent octets and all."""
        self._arm(None)
        self.connections.discard(self)
        self.transport.abort()

    def _make_room(self) -> None:
        """Cut who has kept us waiting for longest; where everybody is being served, the newcomer."""
        waiting = [each for each in self.connections if isinstance(each, Turnstile) and each is not self]
        held = [(each.waits_since, id(each), each) for each in waiting if each.waits_since is not None]
        (min(held)[2] if held else self).cut()
