"""`make bench`: accept-and-hold and end-to-end relay against Postfix, interleaved, medians and ratios.

Source and sink are Postfix's own smtp-source and smtp-sink, all on loopback; both relays sync before they answer 250. Prints a
table and writes `var/bench.json`. Bounded: MESSAGES per run, RUNS runs, a time limit on each.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.peers.postfix import available, postfix
from tests.process import Gateway, free_port, wait_for

RUNS = int(os.environ.get("BENCH_RUNS", "3"))
MESSAGES = int(os.environ.get("BENCH_MESSAGES", "2000"))
WORKERS = int(os.environ.get("BENCH_WORKERS", str(min(os.cpu_count() or 1, 8))))
SESSIONS = 20
RUN_LIMIT_S = 180.0
SENDER = "office@sports.example.jp"
OUTSIDE = "citizen@example.com"
INSIDE = "clerk@city.example.lg.jp"
ROOT = Path(__file__).parents[2]


class Sink:
    """smtp-sink with its running counter."""

    def __init__(self) -> None:
        self.port = free_port()
        self._out = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the sink
        self._process = subprocess.Popen(
            [_tool("smtp-sink"), "-c", f"127.0.0.1:{self.port}", "1000"],
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


def _tool(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    assert found, f"{name} is not installed (Debian: postfix)"
    return found


@contextmanager
def sink() -> Iterator[Sink]:
    """Run smtp-sink on a free port."""
    running = Sink()
    try:
        yield running
    finally:
        running.close()


def send(port: int, count: int, size: int, recipient: str) -> float:
    """Submit `count` mails of `size` octets over SESSIONS kept connections; return the seconds it took."""
    command = [_tool("smtp-source"), "-d", "-s", str(SESSIONS), "-m", str(count), "-l", str(size)]
    begin = time.monotonic()
    subprocess.run(
        [*command, "-f", SENDER, "-t", recipient, f"127.0.0.1:{port}"], check=True, timeout=RUN_LIMIT_S
    )
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


@contextmanager
def sekisho(sink_port: int) -> Iterator[Gateway]:
    """Run the product with its shipped policy, everything switched on."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
        running = Gateway(Path(folder), sink_port, extra=f"workers: {WORKERS}\n")
        running.write()
        shutil.copy(ROOT / "policies" / "default.yaml", Path(folder) / "policies")
        running.start()
        try:
            yield running
        finally:
            running.stop()


@contextmanager
def peer(settings: dict[str, str]) -> Iterator[int]:
    """Run Postfix; yield its port."""
    with (
        tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder,
        postfix(Path(folder), settings) as running,
    ):
        yield running.port


def measure(size: int, count: int) -> dict[str, dict[str, list[float]]]:
    """Run every contestant RUNS times in turn; return rates by task and contestant."""
    rates: dict[str, dict[str, list[float]]] = {"accept and hold": {}, "end to end": {}}

    def note(task: str, who: str, rate: float) -> None:
        rates[task].setdefault(who, []).append(rate)
        print(f"  {task:<16} {who:<8} {size:>8} octets {rate:9.0f}/s", file=sys.stderr)

    for _ in range(RUNS):
        with ExitStack() as stack:
            into = stack.enter_context(sink())
            hold = stack.enter_context(
                peer({"smtpd_recipient_restrictions": "check_recipient_access static:HOLD, permit"})
            )
            note("accept and hold", "postfix", accept_rate(hold, count, size))
        with sink() as into, sekisho(into.port) as ours:
            note("accept and hold", "sekisho", accept_rate(ours.smtp_port, count, size))
        with sink() as into, peer({"relayhost": f"[127.0.0.1]:{into.port}"}) as through:
            note("end to end", "postfix", relay_rate(through, count, size, into))
        with sink() as into, sekisho(into.port) as ours:
            note("end to end", "sekisho", relay_rate(ours.smtp_port, count, size, into))
    return rates


def table(size: int, rates: dict[str, dict[str, list[float]]], out: Callable[[str], None]) -> None:
    """Print medians and the ratio to Postfix."""
    for task, by_who in rates.items():
        theirs = statistics.median(by_who["postfix"])
        ours = statistics.median(by_who["sekisho"])
        spread = f"[{min(by_who['sekisho']):.0f}-{max(by_who['sekisho']):.0f}]"
        out(
            f"{task:<16} {size:>8} octets   postfix {theirs:7.0f}/s"
            f"   sekisho {ours:7.0f}/s {spread:<13} ratio {ours / theirs:5.2f}"
        )


def main() -> None:
    """Run the sizes, print and write the figures."""
    if not available():
        sys.exit("make bench needs Postfix (Debian: apt-get install postfix) and root")
    result: dict[str, object] = {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "workers": WORKERS,
    }
    lines: list[str] = []
    for size, count in ((10_240, MESSAGES), (1_048_576, max(MESSAGES // 20, 20))):
        rates = measure(size, count)
        result[str(size)] = rates
        table(size, rates, lines.append)
    print("\n".join(lines))
    (ROOT / "var").mkdir(exist_ok=True)
    (ROOT / "var" / "bench.json").write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
