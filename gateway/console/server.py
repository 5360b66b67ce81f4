"""The HTTP listener: uvicorn on the service's own loop, without its signal handlers and without an access log.

Links are capabilities: no line of a log may hold the path of a request.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.applications import Starlette

from gateway.config.settings import Listen
from gateway.console.turnstile import Turnstile

KEEP_ALIVE_S = 15  # an idle browser
GOODBYE_S = 5  # for requests under way when the service stops
BACKLOG = 512


@asynccontextmanager
async def http_server(app: Starlette, listen: Listen) -> AsyncIterator[None]:
    """Serve `app` while the block runs; raises OSError where the address cannot be had."""
    config = uvicorn.Config(
        app,
        http=Turnstile,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=GOODBYE_S,
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[_bind(listen)]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving


class _Server(uvicorn.Server):
    """Leaves the signals to the service, which ends in order as a whole."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _bind(listen: Listen) -> socket.socket:
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    bound = socket.create_server((listen.host, listen.port), family=family, backlog=BACKLOG)
    bound.setblocking(False)
    return bound
