"""Run a service in this process, and say in one line why it could not start."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import sys
from collections.abc import Awaitable, Callable

import click
import structlog
import uvloop

from gateway import log
from gateway.cli.before import before_start
from gateway.cli.confine import become, no_dumps
from gateway.cli.descriptors import provide
from gateway.cli.figures import keep_figures
from gateway.cli.workers import READY
from gateway.config.settings import Settings
from gateway.service.errors import CannotStart
from gateway.service.loops import LoopDied
from gateway.service.muster import Muster
from gateway.service.process import Service
from gateway.store.errors import StateInUse, StoreMisconfigured, StoreUnavailable, WrongMasterKey
from gateway.store.keys import MasterKeyError

# Mail makes few cycles; at the default threshold of 700, collecting them costs a tenth of the time.
GC_THRESHOLDS = (20_000, 20, 50)

SWITCH_S = 0.001
"""Seconds that a thread reading a hostile mail may run while the event loop waits; 5 ms, the default, is felt at each step."""

EXPECTED = (
    CannotStart,
    LoopDied,
    MasterKeyError,
    StateInUse,
    StoreMisconfigured,
    StoreUnavailable,
    WrongMasterKey,
)


def run_service(
    settings: Settings, worker: int = 0, supervisor: int | None = None, muster: int | None = None
) -> None:
    """Serve with these settings; exits with 1 and one line where an admin has to mend something first.

    `supervisor` is the socket of the process that started several workers: it is told when this one is ready, and its end is
    ours. `muster` is the page on which all workers say how they are.
    """
    roll = Muster(-1 if muster is None else muster, settings.workers)

    async def main() -> None:
        service = Service(settings, worker=worker, muster=roll)
        if supervisor is not None:
            _attach(service, socket.socket(fileno=supervisor))
        await service.run()

    run_until_done(settings, main)


def _attach(service: Service, supervisor: socket.socket) -> None:
    structlog.contextvars.bind_contextvars(worker=service.worker)
    service.when_ready(lambda: supervisor.sendall(READY))
    asyncio.get_running_loop().add_reader(supervisor, service.stop)  # it sends nothing: readable is its end


def run_until_done(settings: Settings, main: Callable[[], Awaitable[None]]) -> None:
    """Run `main` on uvloop with logging set up; turn expected failures into one line."""

    async def awaited() -> None:
        await main()

    log.configure(settings.log.level, settings.log.format)
    gc.freeze()  # what start-up loaded lives as long as the process: the collector need not walk it again and again
    gc.set_threshold(*GC_THRESHOLDS)
    sys.setswitchinterval(SWITCH_S)
    try:
        no_dumps()
        before_start(settings)
        short = provide(settings)
        if short:
            structlog.get_logger().warning("too-few-descriptors", hint=short)
        keep_figures(os.geteuid(), os.getegid())
        if settings.run_as is not None:
            become(settings.run_as, settings.state)
        elif os.geteuid() == 0:
            structlog.get_logger().warning(
                "runs-as-root", hint="set run_as, or start it as a user of its own"
            )
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(awaited())
    except EXPECTED as error:
        click.echo(f"sekisho: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
