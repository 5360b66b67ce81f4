"""The demo's next hop: an SMTP server that takes everything and keeps it where one can look at it.

Each transaction becomes `NNNNNN.eml`, the octets as they arrived, and `NNNNNN.envelope`, its sender and recipients as JSON.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from gateway.values import dataclass

MAX_KEPT = 500  # mails; the oldest goes first, a demo must not fill a disk
MAX_OCTETS = 64 << 20


@dataclass(frozen=True, slots=True)
class Arrived:
    """One transaction the next hop took."""

    number: int
    sender: str
    recipients: tuple[str, ...]
    path: Path

    @property
    def raw(self) -> bytes:
        return self.path.read_bytes()


class Mailbox:
    """A folder of arrived mail, newest first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._last = max((int(p.stem) for p in folder.glob("*.eml")), default=0)

    def keep(self, sender: str, recipients: list[str], raw: bytes) -> None:
        """Write one mail and forget the oldest beyond MAX_KEPT."""
        self._last += 1
        stem = self._folder / f"{self._last:06d}"
        envelope = json.dumps({"from": sender, "to": recipients}, ensure_ascii=False)
        stem.with_suffix(".envelope").write_text(envelope + "\n", encoding="utf-8")
        stem.with_suffix(".eml").write_bytes(raw)
        old = self._folder / f"{self._last - MAX_KEPT:06d}"
        for suffix in (".eml", ".envelope"):
            old.with_suffix(suffix).unlink(missing_ok=True)

    def all(self) -> list[Arrived]:
        """Return what is kept, newest first."""
        paths = sorted(self._folder.glob("*.eml"), reverse=True)[:MAX_KEPT]
        return [self._read(path) for path in paths if path.with_suffix(".envelope").exists()]

    def one(self, number: int) -> Arrived | None:
        """Return mail number `number`, or None where it is not kept."""
        path = self._folder / f"{number:06d}.eml"
        return self._read(path) if path.exists() else None

    def _read(self, path: Path) -> Arrived:
        envelope = json.loads(path.with_suffix(".envelope").read_text(encoding="utf-8"))
        return Arrived(int(path.stem), envelope["from"], tuple(envelope["to"]), path)


class _Handler:
    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        raw = envelope.content if isinstance(envelope.content, bytes) else b""
        self._mailbox.keep(envelope.mail_from or "<>", list(envelope.rcpt_tos), raw)
        return "250 2.0.0 kept"


async def serve_catchall(mailbox: Mailbox, host: str) -> tuple[asyncio.Server, int]:
    """Listen on a free port of `host`; return the server and its port."""
    loop = asyncio.get_running_loop()
    handler = _Handler(mailbox)

    def protocol() -> SMTP:
        return SMTP(
            handler, data_size_limit=MAX_OCTETS, enable_SMTPUTF8=True, hostname="next-hop.example", loop=loop
        )

    server = await loop.create_server(protocol, host, 0)
    return server, server.sockets[0].getsockname()[1]
