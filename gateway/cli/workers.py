"""Several processes on one gateway's ports: started together, ended together.

The first worker is the whole gateway; the others take mail in and deliver, and find each other's work in the store. They share
the listening ports (SO_REUSEPORT). When one of them ends, all end: what watches over the service starts it again as a whole,
and recovery puts the mail in order. One that hangs is killed, because it may hold what the others wait for. A worker whose
supervisor is gone stops in order by itself.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

import click

from gateway.cli.confine import no_dumps
from gateway.cli.figures import FOLDER, FiguresFolder
from gateway.config.settings import Settings
from gateway.service.muster import Looks, Muster, shared_page
from gateway.store.forgetting import forget_environment

READY = b"."
# A worker drains for 20 s and has some bounded good-byes to say; systemd kills all of us after 60.
KILL_AFTER_S = 55.0
LOOK_EVERY_S = 5.0
# A minute without a sign of life; our own looks are counted, so a machine that slept kills nobody.
HUNG_LOOKS = 12


class Workers:
    """The supervisor: it reads no mail, opens no database and no port."""

    def __init__(self, config: Path, settings: Settings) -> None:
        self._config = config
        self._settings = settings
        self._page = shared_page(settings.workers)
        self._looks = Looks(Muster(self._page, settings.workers), range(settings.workers), HUNG_LOOKS)
        self._running: dict[int, int] = {}  # process id to worker; only `_reap` takes one out
        self._ends: list[socket.socket] = []
        self._kill_at: float | None = None  # by the monotonic clock, once all have to end

    def run(self) -> int:
        """Run all workers until they have ended; return the exit status of the first that failed, else 0."""
        no_dumps()
        self._listen_to_signals()
        try:
            figures = FiguresFolder(self._settings.state, self._settings.workers)
        except OSError as error:
            click.echo(f"sekisho: no place for the figures of the workers: {error}", err=True)
            return 1
        try:
            self._start_all({**os.environ, FOLDER: str(figures.path)})
            return self._watch()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)  # its handler ends before the process does
            figures.close()

    @property
    def _stopping(self) -> bool:
        return self._kill_at is not None

    def _listen_to_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._pass_on)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
        signal.signal(signal.SIGALRM, self._look)
        signal.setitimer(signal.ITIMER_REAL, LOOK_EVERY_S, LOOK_EVERY_S)

    def _start_all(self, environment: Mapping[str, str]) -> None:
        """Start one after the other: the first is alone until it is ready, because it recovers and migrates."""
        for worker in range(self._settings.workers):
            if self._stopping or not self._start(worker, environment):
                break
        forget_environment()

    def _start(self, worker: int, environment: Mapping[str, str]) -> bool:
        """Start a worker and wait until it is ready; False where it, or one of the others, ended before."""
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", "gateway.cli", "serve", "--config", str(self._config)]
        told = ["--worker", str(worker), "--supervisor", str(theirs.fileno()), "--muster", str(self._page)]
        # The worker inherits that SIGHUP waits, until it can act on it; and none comes to us before we know its process.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
        process = subprocess.Popen(  # noqa: S603 - our own command
            [*command, *told],
            env=environment,
            pass_fds=[theirs.fileno(), self._page],
            start_new_session=True,  # Ctrl-C reaches us alone, and we pass it on once
        )
        # Nobody but `_reap` may wait for it: what subprocess reaps, we would wait for in vain.
        process.returncode = 0
        self._running[process.pid] = worker
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
        theirs.close()
        self._ends.append(ours)
        if self._stopping:  # since before we knew its process
            _send(process.pid, signal.SIGTERM)
        return self._ready(ours)

    def _ready(self, end: socket.socket) -> bool:
        """Wait until a worker says that it is ready; False where any of them ends first."""
        readable, _, _ = select.select(self._ends, [], [])
        return readable == [end] and end.recv(1) == READY

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGHUP:
            self._end_all()
            return
        for pid in list(self._running):
            _send(pid, signal.SIGHUP)

    def _end_all(self) -> None:
        if self._kill_at is None:
            self._kill_at = time.monotonic() + KILL_AFTER_S
        for pid in list(self._running):
            _send(pid, signal.SIGTERM)

    def _look(self, _number: int, _frame: FrameType | None) -> None:
        """Kill who hangs, and who does not end in time."""
        self._looks.look()
        silent = self._looks.silent
        late = self._kill_at is not None and time.monotonic() >= self._kill_at
        for pid, worker in list(self._running.items()):
            if worker in silent:
                click.echo(f"sekisho: worker {worker} hangs and is killed", err=True)
            if late or worker in silent:
                _send(pid, signal.SIGKILL)

    def _watch(self) -> int:
        """Wait for the first end, bring the others to theirs, and return what the service as a whole ends with."""
        worst = 0
        while self._running:
            code = self._reap()
            asked = self._stopping and code == -signal.SIGTERM  # it was starting, and could not catch it yet
            if code and not asked and not worst:
                worst = code if code > 0 else 1
            if not self._stopping:
                worst = worst or 1
                self._end_all()
        return worst

    def _reap(self) -> int:
        """Wait until a worker has ended; return its exit code. It is forgotten before its process id may be another's."""
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
        assert found is not None  # noqa: S101 - only WNOHANG gives none
        self._running.pop(found.si_pid, None)
        _, status = os.waitpid(found.si_pid, 0)
        return os.waitstatus_to_exitcode(status)


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
