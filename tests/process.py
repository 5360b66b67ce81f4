"""The real thing for tests: `sekisho serve` as a process of its own, and a next hop that keeps the octets it gets.

Everything listens on loopback at ports the kernel chose; processes are ended by their id.
"""

from __future__ import annotations

import atexit
import functools
import io
import json
import os
import random
import re
import signal
import socket
import socketserver
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from tests.nursery import Child, Nursery

ROOT = Path(__file__).parents[1]
PROGRAM = (sys.executable, "-m", "gateway.cli")
COMMAND_S = 60.0
PATIENCE_S = 30.0  # how long a test waits for something that should take a moment

POLICY = """\
version: 1
organisation:
  name: test
  internal: [city.example.lg.jp, .city.example.lg.jp, sports.example.jp]
rules:
  - id: hide-recipients
    reason: {ja: 外部の宛先が2件以上見えます, en: two or more external recipients are visible}
    when: {visible_external: {at_least: 2}}
    then: {recipients: bcc}
  - id: cancel-window
    reason: {ja: 外部への送信です, en: mail going outside}
    when: {external: {at_least: 1}}
    then: {hold: WINDOW}
"""


def free_port() -> int:
    """Return a loopback port that was free a moment ago, below those the kernel gives to outgoing connections."""
    while True:
        port = random.randrange(15_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def wait_for(check: Callable[[], Any], what: str, patience: float = PATIENCE_S) -> Any:
    """Poll until `check` returns something true; return it, or fail with what was waited for."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        with suppress(OSError):
            if value := check():
                return value
        time.sleep(0.02)
    raise AssertionError(f"waited {patience} s for {what}")


@dataclass(frozen=True, slots=True)
class Taken:
    """One transaction at the next hop: octets as on the wire, dots unstuffed."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    peer: str = ""  # the address it came from

    @property
    def header(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[0] + b"\r\n"

    @property
    def body(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[2]


class _Session(socketserver.StreamRequestHandler):
    """A plain SMTP server: no library of ours and none of the product's."""

    server: NextHop
    wbufsize = 0

    def handle(self) -> None:
        with suppress(ConnectionError):  # a gateway that was killed in the middle of a mail
            self._serve()

    def _serve(self) -> None:
        self.wfile.write(b"220 next-hop.example ESMTP\r\n")
        sender = ""
        recipients: list[str] = []
        for line in self.rfile:
            verb = line[:4].upper()
            self.server.commands.append(line)
            self.server.before(line)
            if verb == b"EHLO":
                offers = [b"next-hop.example", b"PIPELINING", b"8BITMIME", b"SMTPUTF8", *self.server.offers]
                self.wfile.write(b"".join(b"250-%b\r\n" % offer for offer in offers) + b"250 SIZE\r\n")
            elif verb == b"MAIL":
                sender, recipients = _path(line), []
                self.wfile.write(b"250 2.1.0 ok\r\n")
            elif verb == b"RCPT":
                recipients.append(_path(line))
                self.wfile.write(b"250 2.1.5 ok\r\n")
            elif verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                raw = _read_data(self.rfile)
                self.wfile.write(
                    self.server.take(Taken(sender, tuple(recipients), raw, self.client_address[0]))
                )
            elif verb == b"QUIT":
                self.wfile.write(b"221 2.0.0 bye\r\n")
                return
            else:
                self.wfile.write(b"250 2.0.0 ok\r\n")


def _path(line: bytes) -> str:
    found = re.search(rb"<([^>]*)>", line)
    assert found, line
    return found[1].decode()


def _read_data(stream: io.BufferedIOBase) -> bytes:
    """Return a whole mail; one that was cut off before its final dot is none."""
    lines: list[bytes] = []
    for line in stream:
        if line == b".\r\n":
            return b"".join(lines)
        lines.append(line[1:] if line.startswith(b".") else line)
    raise ConnectionError("the client went away in the middle of a mail")


class NextHop(socketserver.ThreadingTCPServer):
    """Keeps what it takes in `taken` and what it was told in `commands`.

    `answer` may refuse a transaction, `before` hold up a command.
    """

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str = "127.0.0.1") -> None:
        super().__init__((host, 0), _Session)
        self.taken: list[Taken] = []
        self.commands: list[bytes] = []
        self.offers: tuple[bytes, ...] = ()
        self.answer: Callable[[Taken], bytes] = lambda _: b"250 2.0.0 taken\r\n"
        self.before: Callable[[bytes], None] = lambda _: None

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def take(self, mail: Taken) -> bytes:
        reply = self.answer(mail)
        if reply.startswith(b"250"):
            self.taken.append(mail)
        return reply

    def recipients(self) -> list[str]:
        """Return every recipient taken so far, once per transaction."""
        return [recipient for mail in list(self.taken) for recipient in mail.recipients]


@contextmanager
def next_hop(host: str = "127.0.0.1") -> Iterator[NextHop]:
    """Run a next hop in a thread."""
    with NextHop(host) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()


@dataclass
class Gateway:
    """One gateway's folder, and its process while it runs."""

    folder: Path
    hop_port: int
    window: str = "2s"
    extra: str = ""
    smtp_port: int = field(default_factory=free_port)
    web_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | Child | None = None
    surroundings: dict[str, str] = field(
        default_factory=dict
    )  # more of the environment, for the process only
    host: str = "127.0.0.1"  # where it listens
    hop_host: str = "127.0.0.1"

    def write(self) -> None:
        """Write settings and policy; what a test changes later, it changes in these files."""
        (self.folder / "policies").mkdir(exist_ok=True)
        (self.folder / "policies" / "default.yaml").write_text(
            POLICY.replace("WINDOW", self.window), encoding="utf-8"
        )
        (self.folder / "sekisho.yaml").write_text(
            f"hostname: gw.example.jp\nstate: var\n"
            f"smtp:\n  listen: ['{self.host}:{self.smtp_port}']\n  trusted_networks: [127.0.0.0/8, {self.hop_host}]\n"
            f"delivery:\n  smarthost: {{host: {self.hop_host}, port: {self.hop_port}, tls: 'off'}}\n"
            f"web:\n  listen: {self.host}:{self.web_port}\n  public_url: http://127.0.0.1:{self.web_port}\n"
            f"log: {{format: json}}\n{self.extra}",
            encoding="utf-8",
        )

    @property
    def config(self) -> Path:
        return self.folder / "sekisho.yaml"

    @property
    def log_text(self) -> str:
        return (self.folder / "log.jsonl").read_text(encoding="utf-8")

    def start(self, command: Sequence[str] = ()) -> None:
        """Start the process, by this command where one is given, and wait until it says it is ready."""
        process = self.launch(command)
        wait_for(lambda: process.poll() is not None or self.alive(), "the gateway to answer")
        assert process.poll() is None, self.log_text

    def launch(self, command: Sequence[str] = ()) -> subprocess.Popen[bytes] | Child:
        """Start the process; it is not ready yet on return.

        It is forked, unless what surrounds it or the workers it starts have to be there before the first import.
        """
        surroundings = {**environment(), **self.surroundings}
        words = ["serve", "--config", str(self.config)]
        with (self.folder / "log.jsonl").open("ab") as out:
            if command or self.surroundings or "workers:" in self.extra:
                command = command or PROGRAM
                self.process = subprocess.Popen(
                    [*command, *words], cwd=ROOT, stdout=out, stderr=out, env=surroundings
                )
            else:
                self.process = nursery().start("gateway.cli", words, surroundings, out.fileno(), out.fileno())
        return self.process

    def alive(self) -> bool:
        """Tell whether the SMTP and web listeners answer."""
        with socket.create_connection((self.host, self.smtp_port), 1):
            pass
        return self.get("/healthz")[0] == 200

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End the process and return its exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
        status = self.process.wait(PATIENCE_S)
        self.process = None
        return status

    def get(self, path: str) -> tuple[int, str]:
        """GET a page; return status and text."""
        return _open(urllib.request.Request(f"http://{self.host}:{self.web_port}{path}"))

    def metric(self, series: str) -> float:
        """Return the value of one series, 0 where it is not there yet."""
        found = re.search(rf"(?m)^{re.escape(series)} (\S+)$", self.get("/metrics")[1])
        return float(found[1]) if found else 0.0

    def cli(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `sekisho` with arguments against this gateway's settings."""
        done = sekisho(*arguments)
        assert not check or done.returncode == 0, (arguments, done.stdout, done.stderr)
        return done

    def cli_json(self, *arguments: str) -> Any:
        """Run a verb with --json and return what it printed."""
        return json.loads(self.cli(*arguments, "--config", str(self.config), "--json").stdout)


def sekisho(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `sekisho` with arguments."""
    return run_module("gateway.cli", *arguments)


def run_module(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a module as a program, forked where everything is imported already."""
    with TemporaryFile("w+") as out, TemporaryFile("w+") as err:
        child = nursery().start(module, arguments, environment(), out.fileno(), err.fileno())
        try:
            status = child.wait(COMMAND_S)
        finally:
            child.kill()
        for printed in (out, err):
            printed.seek(0)
        return subprocess.CompletedProcess(arguments, status, out.read(), err.read())


@functools.cache
def nursery() -> Nursery:
    """Return what starts processes here; it ends with us."""
    begun = Nursery()
    atexit.register(begun.close)
    return begun


def environment() -> dict[str, str]:
    """Return the environment for a child: ours without settings of the product."""
    return {key: value for key, value in os.environ.items() if not key.startswith("SEKISHO_")}


def _open(request: urllib.request.Request) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@contextmanager
def gateway(folder: Path, hop_port: int, window: str = "2s", extra: str = "") -> Iterator[Gateway]:
    """Run a gateway; whatever state it is in at the end, its process ends."""
    running = Gateway(folder, hop_port, window, extra)
    running.write()
    running.start()
    try:
        yield running
    finally:
        if running.process is not None and running.process.poll() is None:
            running.process.kill()
            running.process.wait()


def mail(to: Sequence[str], subject: str = "test", body: bytes = b"hello\r\n", extra: bytes = b"") -> bytes:
    """Return a small mail from the office with `to` in its To field."""
    return (
        b"From: office@sports.example.jp\r\nTo: "
        + ",\r\n ".join(to).encode()
        + f"\r\nSubject: {subject}\r\nDate: Sat, 21 Nov 2026 10:00:00 +0900\r\n".encode()
        + f"Message-ID: <{subject}.{time.monotonic_ns()}@sports.example.jp>\r\n".encode()
        + extra
        + b"\r\n"
        + body
    )
