"""A gateway of several workers that is killed as a power cut would, or as the kernel would when it runs out of memory.

Either every process at once, or one worker, upon which the supervisor ends the others in order.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.process import ROOT, environment

GONE_S = 40.0  # a worker that drains has 20 s


class Herd:
    """Starts and kills the gateways of one settings file, one at a time."""

    starting_s = 4.0  # two interpreters, one after the other, on a machine that is busy

    def __init__(self, config: Path, seed: int) -> None:
        self._config = config
        self._chance = random.Random(seed)
        self._process: subprocess.Popen[bytes] | None = None
        self.crashes = {"all": 0, "one worker": 0}

    def launch(self) -> None:
        """Start a gateway; it is not ready yet on return."""
        with (self._config.parent / "log.jsonl").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gateway.cli", "serve", "--config", str(self._config)],
                cwd=ROOT,
                env=environment(),
                stdout=log,
                stderr=log,
            )

    def crash(self) -> None:
        """Kill all processes or one worker; none is left on return."""
        assert self._process is not None
        everyone = children(self._process.pid)
        if everyone and self._chance.random() < 0.5:
            self.crashes["one worker"] += 1
            os.kill(self._chance.choice(everyone), signal.SIGKILL)
            assert self._process.wait(GONE_S) == 1
        else:
            self.crashes["all"] += 1
            everyone = self._kill_all()
        end = time.monotonic() + GONE_S
        while not all(is_gone(pid) for pid in everyone):
            assert time.monotonic() < end, "a worker does not end"
            time.sleep(0.02)
        self._process = None

    def stop(self) -> int:
        """End the gateway in order and return its status."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        status = self._process.wait(GONE_S)
        self._process = None
        return status

    def end(self) -> None:
        """Leave nothing running."""
        if self._process is not None:
            self._kill_all()

    def _kill_all(self) -> list[int]:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)  # or it would start another worker meanwhile
        everyone = children(self._process.pid)
        for pid in (*everyone, self._process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(GONE_S)
        return everyone


def children(pid: int) -> list[int]:
    """Return the process ids of the workers."""
    with suppress(OSError):
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def is_gone(pid: int) -> bool:
    with suppress(OSError):
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return True


@contextmanager
def herd(config: Path, seed: int) -> Iterator[Herd]:
    made = Herd(config, seed)
    try:
        yield made
    finally:
        made.end()
