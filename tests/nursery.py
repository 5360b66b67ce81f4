"""Processes that start fast: one that has imported the whole product forks its commands, one for each start.

Importing is most of what a start takes, and tests start hundreds of gateways and of commands. What is forked is the command
line as it is installed, with arguments, environment and output of its own; nothing was opened before the fork. What is about
starting itself (its signals, its environment, its interpreter) is started as anybody would, without this.
A child is a child of the nursery, which ends with us and leaves nothing running.
"""

from __future__ import annotations

import array
import gc
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
REQUEST_OCTETS = 1 << 17
ANSWER_OCTETS = 64


class Child:
    """A process that was forked; what `subprocess.Popen` calls the same is the same."""

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._nursery = nursery
        self._end = os.pidfd_open(pid)  # its number cannot go to another: it is reaped only when we ask

    def poll(self) -> int | None:
        return self._reaped(0)

    def wait(self, timeout: float | None = None) -> int:
        status = self._reaped(None if timeout is None else timeout * 1000)
        if status is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return status

    def send_signal(self, how: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, how)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _reaped(self, patience_ms: float | None) -> int | None:
        if self.returncode is None:
            waiting = select.poll()
            waiting.register(self._end, select.POLLIN)
            if waiting.poll(patience_ms):
                self.returncode = self._nursery.reap(self.pid)
                os.close(self._end)
        return self.returncode


class Nursery:
    """Starts commands; may be asked from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.nursery", str(theirs.fileno())],
                cwd=ROOT,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )

    def start(
        self, module: str, arguments: Sequence[str], environment: Mapping[str, str], out: int, err: int
    ) -> Child:
        """Run `module` as `python -m` would; `out` and `err` are descriptors for its output."""
        pid = self._ask(
            {"module": module, "arguments": arguments, "environment": dict(environment)}, out, err
        )
        return Child(self, pid)

    def reap(self, pid: int) -> int:
        """Return the status of a process that ended, as `Popen.returncode` has it."""
        return self._ask({"reap": pid})

    def close(self) -> None:
        """Kill what still runs, and the nursery."""
        self._control.close()
        self._process.wait()

    def _ask(self, what: object, *files: int) -> int:
        with self._lock:
            passed = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))] if files else []
            self._control.sendmsg([json.dumps(what).encode()], passed)
            return int(self._control.recv(ANSWER_OCTETS))


def serve(control: socket.socket) -> None:
    """Fork and reap as asked until the other end is closed; a child leaves it with SystemExit."""
    children: set[int] = set()
    while True:
        request, files, _, _ = socket.recv_fds(control, REQUEST_OCTETS, 2)
        if not request:
            break
        asked = json.loads(request)
        if "reap" in asked:
            _, status = os.waitpid(asked["reap"], 0)
            children.discard(asked["reap"])
            control.send(b"%d" % os.waitstatus_to_exitcode(status))
            continue
        pid = os.fork()
        if not pid:
            control.close()
            _become(asked, files)
        children.add(pid)
        for file in files:
            os.close(file)
        control.send(b"%d" % pid)
    for pid in children:
        os.kill(pid, signal.SIGKILL)


def _become(asked: dict[str, Any], files: list[int]) -> None:
    for number, file in enumerate(files, 1):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = [asked["module"], *asked["arguments"]]
    runpy.run_module(asked["module"], run_name="__main__", alter_sys=True)
    sys.exit(0)


def import_all() -> None:
    """Import every verb of the command line, what runs the gateway, and what brings a store to its schema."""
    commands = import_module("gateway.cli")
    for found in pkgutil.iter_modules(commands.__path__, "gateway.cli."):
        if not found.name.endswith("__main__"):
            import_module(found.name)
    for name in ("alembic.config", "alembic.runtime.environment", "alembic.script", "psycopg"):
        import_module(name)


if __name__ == "__main__":
    import_all()
    gc.freeze()  # a child's collections, and its end, need not go through all that
    serve(socket.socket(fileno=int(sys.argv[1])))
