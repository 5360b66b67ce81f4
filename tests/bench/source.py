"""Postfix's own smtp-source and smtp-sink: the load that goes in, and what counts the mails that come out.

They are C programs of the peer's, so neither contestant is measured with a client of our making. Bounded: a limit in
seconds on every run; a sink ends with its context.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.process import free_port, wait_for

SESSIONS = 20
RUN_LIMIT_S = 120.0
SENDER = "office@sports.example.jp"
OUTSIDE = "citizen@example.com"  # the shipped policy holds it
INSIDE = "clerk@city.example.lg.jp"  # nothing holds it


def tool(name: str) -> str | None:
    """Return where a program of Postfix is."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def absent() -> str:
    """Say why there can be no load, empty where there can."""
    return "" if tool("smtp-source") else "smtp-source is not installed (Debian: apt-get install postfix)"


class Sink:
    """smtp-sink with its running counter."""

    def __init__(self) -> None:
        self.port = free_port()
        self._out = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the sink
        self._process = subprocess.Popen(
            [_found("smtp-sink"), "-c", f"127.0.0.1:{self.port}", "1000"],
            stdout=self._out,
            stderr=subprocess.DEVNULL,
            user="postfix" if os.geteuid() == 0 else None,
        )

    def messages(self) -> int:
        """Return how many messages the sink has taken since it started."""
        self._out.seek(max(0, self._out.seek(0, os.SEEK_END) - 200))
        found = re.findall(rb"mesg=(\d+)", self._out.read())
        return int(found[-1]) if found else 0

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._out.close()


@contextmanager
def sink() -> Iterator[Sink]:
    """Run smtp-sink on a free port."""
    running = Sink()
    try:
        yield running
    finally:
        running.close()


def command(port: int, count: int, size: int, recipient: str, sessions: int = SESSIONS) -> list[str]:
    """Return the command that submits `count` mails of `size` octets over kept connections."""
    amount = ["-d", "-s", str(sessions), "-m", str(count), "-l", str(size)]
    return [_found("smtp-source"), *amount, "-f", SENDER, "-t", recipient, f"127.0.0.1:{port}"]


def send(port: int, count: int, size: int, recipient: str, sessions: int = SESSIONS) -> float:
    """Submit mails; return the seconds until the last reply."""
    begin = time.monotonic()
    subprocess.run(command(port, count, size, recipient, sessions), check=True, timeout=RUN_LIMIT_S)
    return time.monotonic() - begin


def accept_rate(port: int, count: int, size: int) -> float:
    """Return mails per second until the last 250, mail going outside and being held."""
    return count / send(port, count, size, OUTSIDE)


def relay_rate(port: int, count: int, size: int, into: Sink) -> float:
    """Return mails per second until the sink has the last one, mail that nothing holds."""
    target = into.messages() + count
    begin = time.monotonic()
    send(port, count, size, INSIDE)
    wait_for(lambda: into.messages() >= target, f"{count} mails at the sink", RUN_LIMIT_S)
    return count / (time.monotonic() - begin)


def _found(name: str) -> str:
    found = tool(name)
    assert found, f"{name} is not installed (Debian: postfix)"
    return found
