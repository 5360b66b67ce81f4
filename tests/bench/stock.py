"""A gateway of stock parts, as a peer: aiosmtpd, email.parser, SQLite with a commit for each mail.

What one would write first: the whole mail parsed, its addresses looked at, Bcc taken out, the mail written anew and
committed (WAL, synchronous=FULL) before 250. `python -m tests.bench.stock FOLDER` prints its port and
serves until it is ended.
"""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from email.parser import BytesParser
from email.policy import SMTP as WIRE
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope

from tests.bench.relays import Contestant, Relay

WHO = "aiosmtpd + email + SQLite"


class Hold:
    """aiosmtpd's handler: parse, look, write, commit."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    async def handle_DATA(self, server: SMTP, session: object, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        mail = BytesParser(policy=WIRE).parsebytes(envelope.original_content or b"")
        fields = [field for name in ("To", "Cc") for field in mail.get_all(name, [])]
        seen = [address.addr_spec for field in fields for address in field.addresses]
        del mail["Bcc"]
        row = (envelope.mail_from, " ".join(envelope.rcpt_tos), " ".join(seen), mail.as_bytes())
        with self._database:
            self._database.execute(
                "INSERT INTO held (sender, recipients, seen, mail) VALUES (?, ?, ?, ?)", row
            )
        return "250 2.0.0 held"


async def serve(folder: Path) -> None:
    """Take mail on a port of the kernel's choosing; print it."""
    with closing(sqlite3.connect(folder / "held.db")) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE held (id INTEGER PRIMARY KEY, sender, recipients, seen, mail)")
        server = await asyncio.get_running_loop().create_server(
            lambda: SMTP(Hold(database), hostname="gate.example.jp"), "127.0.0.1", 0, backlog=512
        )
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


@contextmanager
def running(sink_port: int) -> Iterator[Relay]:
    """Run it as a process of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        subprocess.Popen([sys.executable, "-m", __name__, folder], stdout=subprocess.PIPE) as process,
    ):
        assert process.stdout is not None
        try:
            yield Relay(int(process.stdout.readline()), process.pid)
        finally:
            process.kill()


STOCK_PARTS = Contestant(WHO, running)

if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
