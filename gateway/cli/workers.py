"""Several processes on one gateway's ports: started together, ended together.

The first worker is the whole gateway; the others take mail in and deliver, and find each other's work in the store. They share
the listening ports (SO_REUSEPORT). When one of them ends, all end: what watches over the service starts it again as a whole,
and recovery puts the mail in order. A worker whose supervisor is gone stops in order by itself.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

from gateway.cli.confine import no_dumps
from gateway.config.settings import Settings
from gateway.store.forgetting import forget_environment

METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client's name for it
READY = b"."
KILL_AFTER_S = 60.0  # a worker drains for 20 s and has some bounded good-byes to say


class Workers:
    """The supervisor: it reads no mail, opens no database and no port."""

    def __init__(self, config: Path, settings: Settings) -> None:
        self._config = config
        self._count = settings.workers
        self._metrics = settings.state / "metrics"
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._ends: list[socket.socket] = []
        self._stopping = False

    def run(self) -> int:
        """Run all workers until they have ended; return the exit status of the first that failed, else 0."""
        no_dumps()
        environment = self._environment()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._pass_on)
        for worker in range(self._count):  # the first one alone until it is ready: it recovers and migrates
            if not self._stopping and not self._start(worker, environment):
                break
        forget_environment()
        return self._watch()

    def _environment(self) -> Mapping[str, str]:
        shutil.rmtree(self._metrics, ignore_errors=True)  # series of processes that are gone
        self._metrics.mkdir(parents=True, mode=0o700)
        return {**os.environ, METRICS_FOLDER: str(self._metrics)}

    def _start(self, worker: int, environment: Mapping[str, str]) -> bool:
        """Start a worker and wait until it is ready; False where it ended before."""
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", "gateway.cli", "serve", "--config", str(self._config)]
        process = subprocess.Popen(  # noqa: S603 - our own command
            [*command, "--worker", str(worker), "--supervisor", str(theirs.fileno())],
            env=environment,
            pass_fds=[theirs.fileno()],
            start_new_session=True,  # Ctrl-C reaches us alone, and we pass it on once
        )
        theirs.close()
        self._running[process.pid] = process
        self._ends.append(ours)
        return ours.recv(1) == READY

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGHUP:
            self._stopping = True
            number = signal.SIGTERM
        for process in self._running.values():
            process.send_signal(number)

    def _watch(self) -> int:
        """Wait for the first end, bring the others to theirs, and return what the service as a whole ends with."""
        worst = 0
        while self._running:
            pid, status = os.wait()
            process = self._running.pop(pid, None)
            if process is None:
                continue
            process.returncode = code = os.waitstatus_to_exitcode(status)
            asked = self._stopping and code == -signal.SIGTERM  # it was starting, and could not catch it yet
            if code and not asked and not worst:
                worst = code if code > 0 else 1
            if not self._stopping:
                worst = worst or 1
                self._pass_on(signal.SIGTERM, None)
                signal.signal(signal.SIGALRM, self._kill)
                signal.setitimer(signal.ITIMER_REAL, KILL_AFTER_S)
        return worst

    def _kill(self, _number: int, _frame: FrameType | None) -> None:
        for process in self._running.values():
            process.kill()
