"""How long any mail makes everybody else wait: `python -m tests.bench.stalls [part of a bomb's name ...]`.

Starts the real gateway, hands it every bomb of bombs.py by SMTP, and meanwhile opens connection after connection to time the
banner. Shown per bomb: the reply, the worst banner, and the worst lag of the event loop that the gateway itself measured
(`sekisho_event_loop_lag_seconds`, an upper bound by its bucket), from the first octet to the copy at the next hop. On a busy
machine the first row, a quiet gateway, says how much of it is the machine's. Bounded: BOMB_LIMIT_S for each.
"""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.bombs import BOMBS
from tests.process import Gateway

OF_A_BODY = frozenset(list(BOMBS)[list(BOMBS).index("parts") :])
HEADER_OCTETS, BODY_OCTETS = 500_000, 25_000_000
BOMB_LIMIT_S = 60.0
ENVELOPE = (
    b"EHLO a.example\r\nMAIL FROM:<office@sports.example.jp>\r\n"
    b"RCPT TO:<a@example.com>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n"
)
QUIET = b"From: office@sports.example.jp\r\nTo: a@example.com\r\n\r\nquiet\r\n"
HOP = """
import time
from tests.process import next_hop
with next_hop() as hop:
    print(hop.port, flush=True)
    while True:
        time.sleep(1)
"""


def lag(gateway: Gateway) -> dict[float, float]:
    """Return how many beats were at most so late, by bucket in seconds."""
    text = gateway.get("/metrics")[1]
    pairs = re.findall(r'(?m)^sekisho_event_loop_lag_seconds_bucket\{le="([^"]+)"\} (\S+)$', text)
    return {float(le): float(count) for le, count in pairs}


def worst(before: dict[float, float], after: dict[float, float]) -> float:
    """Return the bucket of the latest beat between the two, in seconds."""
    grown = {le: after[le] - before[le] for le in sorted(after)}
    return next(le for le, count in grown.items() if count == grown[max(grown)])


def banner_ms(port: int) -> float:
    """Return how long a new connection waits to be greeted."""
    begin = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port), BOMB_LIMIT_S) as peer:
        peer.recv(512)
    return (time.perf_counter() - begin) * 1e3


class Bomb(threading.Thread):
    """Hands one mail in; `reply` is what came for it, `done` is set a little after the copy has left."""

    def __init__(self, gateway: Gateway, raw: bytes) -> None:
        super().__init__(daemon=True)
        self.gateway = gateway
        self.raw = raw.replace(b"\r\n.", b"\r\n..")
        self.reply = ""

    def run(self) -> None:
        out = self.gateway.metric("sekisho_recipients_delivered_total")
        with socket.create_connection(("127.0.0.1", self.gateway.smtp_port), BOMB_LIMIT_S) as peer:
            lines = peer.makefile("rb")
            lines.readline()
            peer.sendall(ENVELOPE)
            while not lines.readline().startswith(b"354"):
                pass
            peer.sendall(self.raw + b"\r\n.\r\n")
            self.reply = lines.readline().decode("ascii", "replace").strip()
        end = time.monotonic() + BOMB_LIMIT_S
        while self.reply.startswith("250") and time.monotonic() < end:
            if self.gateway.metric("sekisho_recipients_delivered_total") >= out + 2:
                break
            time.sleep(0.3)


@dataclass(frozen=True, slots=True)
class Blast:
    """What a bomb did: the reply to it, the worst banner and the worst lag meanwhile."""

    name: str
    reply: str
    banner_ms: float
    lag_ms: float


def blast(gateway: Gateway, name: str, raw: bytes) -> Blast:
    """Hand a mail in and watch."""
    before, bomb, banners = lag(gateway), Bomb(gateway, raw), []
    bomb.start()
    while bomb.is_alive():
        banners.append(banner_ms(gateway.smtp_port))
        time.sleep(0.01)
    return Blast(name, bomb.reply, max(banners), worst(before, lag(gateway)) * 1e3)


def watch(names: Sequence[str]) -> Iterator[Blast]:
    """Start a gateway and a next hop; yield what an ordinary mail and each bomb named do."""
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen([sys.executable, "-c", HOP], stdout=subprocess.PIPE) as hop,
    ):
        assert hop.stdout is not None
        gateway = Gateway(Path(folder), int(hop.stdout.readline()), window="1s")
        gateway.write()
        try:
            gateway.start()
            yield blast(gateway, "(an ordinary mail)", QUIET)
            for name in names:
                yield blast(gateway, name, _made(name))
        finally:
            if gateway.process is not None:
                gateway.stop()
            hop.terminate()


def main() -> None:
    """Run the bombs named, or all."""
    wanted = [name for name in BOMBS if not sys.argv[1:] or any(part in name for part in sys.argv[1:])]
    for found in watch(wanted):
        banner, lagged = f"banner {found.banner_ms:7.1f} ms", f"lag <= {found.lag_ms:7.1f} ms"
        print(f"{found.name:40} {banner}   {lagged}   {found.reply[:60]}", flush=True)


def _made(name: str) -> bytes:
    return BOMBS[name](BODY_OCTETS if name in OF_A_BODY else HEADER_OCTETS)


if __name__ == "__main__":
    main()
