"""The real process with the shipped policy and a short window, and a player of attack files against it."""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import trustme
from argon2 import PasswordHasher

from gateway.receive.account import Account
from gateway.receive.accounts_file import write
from tests.attacks.script import Script, octets, unrolled
from tests.process import ROOT, Gateway

PATIENCE_S = 30.0
ALICE = "alice", "open sesame", "alice@sports.example.jp"
PRELUDE = {"hold", "alone"}  # what is no setting of the gateway


def settings_text(folder: Path, script: Script) -> str:
    """Return the settings a file asks for, as YAML of one line each."""
    groups: dict[str, dict[str, str]] = {"smtp": {}, "limits": {}}
    for name, value in script.settings.items():
        if name not in PRELUDE:
            group, _, key = name.partition(".")
            groups.setdefault(group, {})[key] = value
    smtp = {
        "tls": f"{{certificate: {folder}/certificate.pem, key: {folder}/key.pem}}",
        "trusted_networks": "[127.0.0.1/32]",
        **groups.pop("smtp"),
    }
    lines = [f"  {key}: {value}\n" for key, value in smtp.items()]
    rest = [f"{name}:\n" + "".join(f"  {k}: {v}\n" for k, v in g.items()) for name, g in groups.items() if g]
    return "".join([*lines, "accounts: accounts.yaml\n", *rest])


@contextmanager
def open_stage(folder: Path, hop_port: int, script: Script) -> Iterator[Gateway]:
    """Run a gateway as the file asks for it, with TLS and one account; its process ends at the end."""
    issued = trustme.CA().issue_cert("127.0.0.1", "gw.example.jp")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    issued.cert_chain_pems[0].write_to_path(folder / "certificate.pem")
    login, password, address = ALICE
    cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    write(
        folder / "accounts.yaml", (Account(login=login, password=cheap.hash(password), addresses=(address,)),)
    )
    running = Gateway(folder, hop_port)
    running.write()
    written = running.config.read_text("utf-8")
    text = re.sub(r"^  trusted_networks: .*\n", "", written, flags=re.MULTILINE)
    smtp = f"  listen: ['127.0.0.1:{running.smtp_port}']\n"
    assert text != written
    assert smtp in text
    running.config.write_text(text.replace(smtp, smtp + settings_text(folder, script)), "utf-8")
    shipped = (ROOT / "policies" / "default.yaml").read_text("utf-8")
    window = script.settings.get("hold", "1s")
    (folder / "policies" / "default.yaml").write_text(
        shipped.replace("hold: 10m", f"hold: {window}"), "utf-8"
    )
    running.start()
    try:
        yield running
    finally:
        if running.process is not None and running.process.poll() is None:
            running.process.kill()
            running.process.wait()


@dataclass
class Line:
    """One connection of an attacker."""

    socket: socket.socket
    waiting: bytes = b""

    def line(self) -> str | None:
        """Return the next line without CRLF, None at the end."""
        while b"\r\n" not in self.waiting:
            with suppress(ConnectionError):
                if more := self.socket.recv(1 << 16):
                    self.waiting += more
                    continue
            assert not self.waiting, f"half a line: {self.waiting!r}"
            return None
        line, _, self.waiting = self.waiting.partition(b"\r\n")
        assert re.fullmatch(rb"[\x20-\x7e]*", line), f"a reply with more than printable ASCII: {line!r}"
        return line.decode("ascii")

    def silent(self, seconds: float) -> bool:
        self.socket.settimeout(seconds)
        try:
            self.waiting += self.socket.recv(1 << 16)
        except TimeoutError:
            return not self.waiting
        finally:
            self.socket.settimeout(PATIENCE_S)
        return False


@dataclass
class Player:
    """Plays the steps of one file."""

    port: int
    lines: dict[str, Line] = field(default_factory=dict)
    now: str = "1"
    kept: bytes = b""

    def play(self, script: Script) -> None:
        """Play; raises AssertionError with the step that went otherwise."""
        try:
            for number, (kind, text) in enumerate(unrolled(script.steps)):
                try:
                    self._step(kind, text)
                except (AssertionError, OSError) as error:
                    raise AssertionError(
                        f"{script.name}, step {number}: {kind} {text[:90]}: {error!r}"
                    ) from error
            assert not self.kept
        finally:
            for line in self.lines.values():
                line.socket.close()

    def _line(self) -> Line:
        if self.now not in self.lines:
            self._open(self.now, "127.0.0.1")
        return self.lines[self.now]

    def _open(self, name: str, source: str) -> None:
        opened = socket.create_connection(("127.0.0.1", self.port), PATIENCE_S, source_address=(source, 0))
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.lines[name] = Line(opened)

    def _step(self, kind: str, text: str) -> None:
        if kind == "N:":
            name, _, source = text.partition(" ")
            self.now = name
            if name not in self.lines:
                self._open(name, source or "127.0.0.1")
        elif kind == "T:":
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self._line().socket = context.wrap_socket(self._line().socket)
        elif kind == "W:":
            time.sleep(float(text))
        elif kind.startswith("C"):
            self.kept += octets(text) + (b"" if kind == "C!" else b"\r\n")
            if kind != "C>":
                sent, self.kept = self.kept, b""
                with suppress(
                    BrokenPipeError, ConnectionResetError
                ):  # cut off while we flooded: its reply says why
                    self._line().socket.sendall(sent)
        else:
            self._expect(kind, text)

    def _expect(self, kind: str, text: str) -> None:
        if kind == "S?":
            assert self._line().silent(float(text)), f"said {self._line().waiting!r}"
            return
        got = self._line().line()
        if kind == "E:":
            assert got is None, f"said {got!r}"
            return
        assert got is not None, "the server closed"
        while kind == "S+" and got[3:4] == "-":
            got = self._line().line() or ""
        matched = re.fullmatch(text, got) is not None if kind == "S~" else got.startswith(text)
        assert matched, f"got {got!r}"
