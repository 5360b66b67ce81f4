"""The smarthost's password stays where it belongs, whatever the smarthost makes of it: on the real process, under real TLS.

Some servers repeat a command they refuse in their reply, and replies are kept: in the log, in the event chain, on pages.
"""

from __future__ import annotations

import base64
import socketserver
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import trustme

from tests.faults.sending import send
from tests.process import ROOT, Gateway, environment, wait_for

PASSWORD = "Korrekt-Pferd-9-Batterie"
TOKEN = base64.b64encode(f"\0u\0{PASSWORD}".encode()).decode()
ALONE = base64.b64encode(PASSWORD.encode()).decode()
TRACES = (PASSWORD, TOKEN, ALONE, TOKEN[4:20], ALONE[:12], PASSWORD.encode().hex())

ANSWERS = {  # how AUTH is offered, and what comes after the password: {said} is what the client said
    "535": ("PLAIN", "535 5.7.8 no such password"),
    "535 that repeats the command": ("PLAIN", "535 5.7.8 not accepted: {said}"),
    "500 that shouts it": ("PLAIN", "500 5.5.2 WHAT IS {shouted}"),
    "421": ("PLAIN", "421 4.3.2 closing, last was {said}"),
    "no reply at all, but its echo": ("PLAIN", "{said}"),
    "LOGIN, 535 that repeats it": ("LOGIN", "535-5.7.8 no\r\n535 5.7.8 {said}"),
    "the handshake fails": ("PLAIN", ""),
}


class _Hop(socketserver.StreamRequestHandler):
    server: Hop

    def handle(self) -> None:
        with suppress(OSError, ssl.SSLError):
            self._say("220 hop.example.net")
            self._serve(encrypted=False)

    def _serve(self, *, encrypted: bool) -> None:
        offered, answer = ANSWERS[self.server.mode]
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"EHLO":
                self._say(f"250-hop\r\n250 {'AUTH ' + offered if encrypted else 'STARTTLS'}")
            elif verb == b"STAR":
                self._say("220 go on")
                if not answer:
                    self._say("no TLS here")
                    self.server.signed_in.append("")
                    return
                self._over_tls()
                return
            elif line.strip().upper() == b"AUTH LOGIN":
                self._say("334 VXNlcm5hbWU6")
                self.rfile.readline()
                self._say("334 UGFzc3dvcmQ6")
                self._refuse(self.rfile.readline().decode().strip(), answer)
                return
            elif verb == b"AUTH":
                self._refuse(line.decode().strip(), answer)
                return
            else:
                self._say("250 ok")

    def _over_tls(self) -> None:
        self.rfile.close()
        wrapped = self.server.context.wrap_socket(self.request, server_side=True)
        with wrapped as self.request, wrapped.makefile("rb") as self.rfile:
            self._serve(encrypted=True)

    def _refuse(self, said: str, answer: str) -> None:
        self.server.signed_in.append(said)
        self._say(answer.format(said=said, shouted=said.upper()))

    def _say(self, text: str) -> None:
        self.request.sendall(text.encode() + b"\r\n")


class Hop(socketserver.ThreadingTCPServer):
    """Refuses whoever signs in, in the way of `mode`; keeps what it was told in `signed_in`."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(("127.0.0.1", 0), _Hop)
        self.context = context
        self.mode = ""
        self.signed_in: list[str] = []


@contextmanager
def hop(context: ssl.SSLContext) -> Iterator[Hop]:
    with Hop(context) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


def everything(folder: Path) -> str:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "secret")
    return "".join(path.read_bytes().decode("utf-8", "replace") for path in files)


@pytest.mark.parametrize("name", ANSWERS)
def test_no_reply_brings_the_password_into_what_is_kept(tmp_path: Path, name: str) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    (tmp_path / "secret").write_text(PASSWORD)
    with hop(context) as server:
        server.mode = name
        gw = Gateway(tmp_path, int(server.server_address[1]), window="1s")
        gw.write()
        secret = f"tls: starttls, verify: false, username: u, password_file: '{tmp_path / 'secret'}'"
        gw.config.write_text(gw.config.read_text().replace("tls: 'off'", secret))
        gw.start()
        try:
            assert send(gw, ["a@example.com"])[0] == 250
            wait_for(lambda: '"event":"deferred"' in gw.log_text, "the refusal")
            assert server.signed_in
            shown = gw.get("/metrics")[1] + gw.get("/readyz")[1]
            shown += gw.cli("log", "query", "--json", "--state", str(tmp_path / "var")).stdout
            assert gw.process is not None
            proc = Path(f"/proc/{gw.process.pid}")
            shown += "".join((proc / page).read_bytes().decode() for page in ("cmdline", "environ"))
            assert gw.stop() == 0
        finally:
            if gw.process is not None:
                gw.process.kill()
                gw.process.wait()
    kept = (everything(tmp_path) + shown).casefold()
    assert [trace for trace in TRACES if trace.casefold() in kept] == []


RAISES = """
import sys, structlog
from gateway import log
log.configure("debug", sys.argv[1])
def sign_in(password):
    token = "x" + password
    return {}[len(token)]
try:
    sign_in(sys.stdin.read())
except KeyError:
    structlog.get_logger().exception("failed")
"""


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_traceback_shows_no_locals(form: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RAISES, form],
        input=PASSWORD,
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    said = done.stdout + done.stderr
    assert "KeyError" in said
    assert PASSWORD not in said
