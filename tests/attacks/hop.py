"""A next hop that keeps what is on the wire, dots stuffed, and answers a recipient as a dialogue file scripts it.

It believes nothing: a command or a mail with a CR or an LF of its own, or with a NUL, is written into `faults`.
"""

from __future__ import annotations

import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

OFFERS = (b"PIPELINING", b"8BITMIME", b"SMTPUTF8", b"SIZE", b"DSN")
_LOOSE = re.compile(rb"\r(?!\n)|(?<!\r)\n|\0")
_PATH = re.compile(rb"<([^>]*)>")


@dataclass(frozen=True, slots=True)
class Arrived:
    """One transaction: the MAIL line, the recipients that were taken, and the octets between 354 and the final dot.

    `asked` are the RCPT lines that say more than an address.
    """

    mail: bytes
    recipients: tuple[str, ...]
    octets: bytes
    asked: tuple[bytes, ...] = ()

    @property
    def written(self) -> bytes:
        """Return all of it as a dialogue file writes it down."""
        return b"".join(line + b"\r\n" for line in (self.mail, *self.asked)) + self.octets

    @property
    def sender(self) -> str:
        return _path(self.mail)


def _path(line: bytes) -> str:
    found = _PATH.search(line)
    assert found, line
    return found[1].decode()


class _Session(socketserver.BaseRequestHandler):
    server: RecordingHop
    waiting = b""

    def handle(self) -> None:
        with suppress(ConnectionError):
            self._serve()

    def _until(self, end: bytes) -> bytes:
        while (at := self.waiting.find(end)) < 0:
            more = self.request.recv(1 << 16)
            if not more:
                raise ConnectionError
            self.waiting += more
        taken, self.waiting = self.waiting[:at], self.waiting[at + len(end) :]
        if _LOOSE.search(taken):
            self.server.faults.append(taken)
        return taken

    def _data(self) -> bytes:
        self.waiting = b"\r\n" + self.waiting  # the end may stand on the first line
        return (self._until(b"\r\n.\r\n") + b"\r\n")[2:]

    def _say(self, octets: bytes) -> None:
        self.request.sendall(octets + b"\r\n")

    def _serve(self) -> None:
        self._say(b"220 next-hop.example ESMTP")
        mail = b""
        recipients: list[str] = []
        asked: list[bytes] = []
        while True:
            line = self._until(b"\r\n")
            verb = line[:4].upper()
            if verb == b"EHLO":
                self._say(
                    b"\r\n".join([b"250-next-hop.example", *(b"250-" + o for o in OFFERS), b"250 HELP"])
                )
            elif verb == b"MAIL":
                mail, recipients, asked = line, [], []
                self._say(b"250 2.1.0 ok")
            elif verb == b"RCPT":
                address = _path(line)
                reply = self.server.script("RCPT", [address]) or b"250 2.1.5 ok"
                asked += [line] if not line.endswith(b">") else []
                recipients += [address] if reply.startswith(b"250") else []
                self._say(reply)
            elif verb == b"DATA" and recipients:
                self._say(b"354 go on")
                arrived = Arrived(mail, tuple(recipients), self._data(), tuple(asked))
                reply = self.server.script("DOT", recipients) or b"250 2.0.0 taken"
                if reply.startswith(b"250"):
                    self.server.arrived.append(arrived)
                self._say(reply)
            elif verb == b"QUIT":
                self._say(b"221 2.0.0 bye")
                return
            else:
                self._say(b"554 5.5.1 nobody" if verb == b"DATA" else b"250 2.0.0 ok")


@dataclass
class _Kept:
    arrived: list[Arrived] = field(default_factory=list)
    faults: list[bytes] = field(default_factory=list)
    scripts: dict[tuple[str, str], bytes] = field(default_factory=dict)


class RecordingHop(socketserver.ThreadingTCPServer):
    """Listens on a loopback port of the kernel's choice. `scripts` maps (stage, recipient) to a reply without CRLF."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        kept = _Kept()
        self.arrived, self.faults, self.scripts = kept.arrived, kept.faults, kept.scripts

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def script(self, stage: str, recipients: list[str]) -> bytes | None:
        found = (self.scripts.get((stage, recipient)) for recipient in recipients)
        return next((reply for reply in found if reply is not None), None)


@contextmanager
def recording_hop() -> Iterator[RecordingHop]:
    """Run a next hop in a thread."""
    with RecordingHop() as hop:
        threading.Thread(target=hop.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield hop
        finally:
            hop.shutdown()
