"""The contestants, each started fresh for its run and ended by its process id: the product, and Postfix beside it.

The product runs as shipped: `policies/default.yaml`, bodies encrypted, events, metrics, a log line for each step. Postfix
runs with its defaults, a log file, and what tests/peers/postfix.py sets so that it stays on loopback.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.bench.figures import OURS, POSTFIX
from tests.bench.source import tool
from tests.peers import postfix as peer
from tests.process import Gateway

POLICY = Path(__file__).parents[2] / "policies" / "default.yaml"
HOLD = {"smtpd_recipient_restrictions": "check_recipient_access static:HOLD, permit"}
More = Callable[[Path], Mapping[str, str]]
"""More settings for a run, by their names with dots, given the folder of the run."""


def as_shipped(_: Path) -> Mapping[str, str]:
    """Change no setting."""
    return {}


@dataclass(frozen=True, slots=True)
class Relay:
    """A running relay: where it listens, and the process from which all of it descends."""

    port: int
    root: int


Start = Callable[[int], AbstractContextManager[Relay]]
"""Start a relay that delivers to the port given."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """Who takes part; `absent` says why not, empty where it can."""

    who: str
    start: Start
    absent: Callable[[], str] = lambda: ""


@contextmanager
def sekisho(sink_port: int, workers: int, more: More = as_shipped, policy: Path = POLICY) -> Iterator[Relay]:
    """Run the product with its shipped policy or another."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        running = Gateway(folder, sink_port)
        settings = {"workers": str(workers), **more(folder)}
        running.surroundings = {
            f"SEKISHO_{key.upper().replace('.', '__')}": value for key, value in settings.items()
        }
        running.write()
        shutil.copy(policy, folder / "policies" / "default.yaml")
        try:
            running.start()
            assert running.process is not None
            yield Relay(running.smtp_port, running.process.pid)
        finally:
            _end(running)


def _end(running: Gateway) -> None:
    """End the product in order, and at once where it does not."""
    if running.process is None:
        return
    try:
        running.stop()
    finally:
        if running.process is not None:
            running.process.kill()
            running.process.wait()


@contextmanager
def postfix(settings: Mapping[str, str]) -> Iterator[Relay]:
    """Run Postfix with its queue in a folder of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as name,
        peer.postfix(Path(name), settings) as running,
    ):
        master = int((running.folder / "queue" / "pid" / "master.pid").read_text())
        yield Relay(running.port, master)


def no_postfix() -> str:
    """Say why Postfix cannot be the peer here, empty where it can."""
    if tool("postfix") is None:
        return "Postfix is not installed (Debian: apt-get install postfix)"
    return "" if os.geteuid() == 0 else "only root can start Postfix"


def ours(workers: int, who: str = OURS, more: More = as_shipped) -> Contestant:
    """Return the product as a contestant."""
    return Contestant(who, partial(sekisho, workers=workers, more=more))


def postfix_hold() -> Contestant:
    """Return a Postfix that puts everything on HOLD."""
    return Contestant(POSTFIX, lambda _: postfix(HOLD), no_postfix)


def postfix_through() -> Contestant:
    """Return a Postfix that relays everything."""
    return Contestant(POSTFIX, lambda port: postfix({"relayhost": f"[127.0.0.1]:{port}"}), no_postfix)
