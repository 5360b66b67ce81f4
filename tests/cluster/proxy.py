"""A wire between a gateway and its PostgreSQL that can swallow the answer to a COMMIT and hang up."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

PIECE = 1 << 16


class Wire:
    """Forwards connections until it is closed. `swallow` is how many answers to COMMITs of writers are yet to be lost."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self.swallow = 0
        self.swallowed = 0
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client, socket.create_connection(("127.0.0.1", self._port)) as server:
            self._forward(client, server)

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        """Forward until one end is done; a writer is a connection that inserted something since its last COMMIT."""
        writes = False
        while True:
            ready, _, _ = select.select([client, server], [], [], 60)
            for source in ready:
                piece = source.recv(PIECE)
                if not piece:
                    return
                (server if source is client else client).sendall(piece)
                if source is client:
                    writes = writes or b"INSERT INTO" in piece
                    if b"COMMIT\0" in piece:
                        if writes and self._takes():
                            server.recv(PIECE)  # it has been committed now, and nobody hears of it
                            return
                        writes = False

    def _takes(self) -> bool:
        with self._lock:
            if not self.swallow:
                return False
            self.swallow -= 1
            self.swallowed += 1
            return True


@contextmanager
def wire(port: int) -> Iterator[Wire]:
    made = Wire(port)
    try:
        yield made
    finally:
        made.close()
