"""Gateways that start fast: a process that has imported everything forks one `sekisho serve` after another.

Importing is most of a start's time, and a test that kills hundreds of gateways wants hundreds of starts. What is forked is the
command line as it is installed; nothing has been opened before the fork. Started as a script it reads a line for each start
and answers the new process's number; a second line asks for its end.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.process import ROOT, environment


class Nursery:
    """Starts and kills the gateways of one settings file, one at a time."""

    starting_s = 0.6  # within which a kill falls into a start

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.pid = 0

    def launch(self) -> None:
        """Start a gateway; it is not ready yet on return."""
        self.pid = int(self._ask("start"))

    def kill(self, how: signal.Signals = signal.SIGKILL) -> int:
        """End the gateway that runs and return its status as `Popen.returncode` has it."""
        os.kill(self.pid, how)
        status, self.pid = int(self._ask("reap")), 0
        return status

    def crash(self) -> None:
        """Kill the gateway that runs."""
        assert self.kill() == -signal.SIGKILL

    def _ask(self, what: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()


@contextmanager
def nursery(config: Path) -> Iterator[Nursery]:
    """Run the process that forks; the gateway that is left at the end is killed."""
    with (
        (config.parent / "log.jsonl").open("ab") as log,
        subprocess.Popen(
            [sys.executable, "-m", "tests.crash.nursery", str(config)],
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        keeper = Nursery(process)
        try:
            yield keeper
        finally:
            if keeper.pid:
                keeper.kill()


def main() -> None:
    """Fork on each `start`, wait on each `reap`; nothing is left running when the input ends."""
    import gateway.cli.running  # noqa: F401 - so that the children need not import it
    from gateway.cli import main as cli

    answers, pid = os.fdopen(os.dup(1), "w"), 0
    os.dup2(2, 1)  # what the gateway prints goes to the log
    for line in sys.stdin:
        if line == "start\n":
            pid = os.fork()
            if not pid:
                answers.close()
                cli(["serve", "--config", sys.argv[1]], prog_name="sekisho")
            print(pid, file=answers, flush=True)
        else:
            _, status = os.waitpid(pid, 0)
            print(os.waitstatus_to_exitcode(status), file=answers, flush=True)


if __name__ == "__main__":
    main()
