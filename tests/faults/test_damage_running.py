"""A page of the database goes bad under the running gateway: told, nothing acknowledged lost, what is sound goes on.

The pages are real ones of a real database, overwritten from outside. At the end every recipient that was answered with 250 has
been delivered once, or its mail still stands in the database, whose damaged pages nothing has written to.
"""

from __future__ import annotations

import json
import smtplib
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.pages import (
    GARBAGE,
    caches_forgotten,
    checkpoint,
    damage_in_wal,
    damage_page,
    page_at,
    page_of,
)
from tests.faults.sending import SENDER, queue_id
from tests.process import gateway, mail, next_hop, wait_for

pytestmark = pytest.mark.crash

MAILS, EACH = 40, 15  # recipients on two dozen leaves
BODY = (b"x" * 72 + b"\r\n") * 200  # overflows over several pages
WINDOW = "5s"
QUIET_S = 2.0
OK, NO = frozenset({250}), frozenset({451})


@dataclass(frozen=True)
class Case:
    """Which page goes bad, and what must still be true while the gateway runs on it.

    `leave` is how many of the old mails leave at least, `said` whether the work of a gateway meets the damage, rather than
    only who reads that page, and `new` what clients hear.
    """

    table: str
    kind: str
    part: float = 0.5
    in_wal: bool = False
    leave: int = 1
    new: frozenset[int] = OK
    said: bool = True


CASES = {
    "recipients leaf": Case("recipients", "leaf", leave=MAILS - 20),
    "recipients leaf in the WAL": Case("recipients", "leaf", in_wal=True, leave=MAILS - 20),
    "recipients index": Case("ix_recipients_held", "leaf", part=0.0, new=OK | NO),
    "messages leaf": Case("messages", "leaf", leave=MAILS - 20),
    "body overflow": Case("bodies", "first", leave=MAILS - 1),
    "events leaf": Case("events", "leaf", leave=MAILS, said=False),
    "newest event": Case("events", "leaf", part=0.999, leave=0, new=NO),
    "schema": Case("sqlite_schema", "internal", part=0.0, leave=0, new=NO),
}


@pytest.mark.parametrize("name", CASES)
def test_a_page_goes_bad_while_it_runs(tmp_path: Path, name: str) -> None:
    case, database = CASES[name], tmp_path / "var" / "sekisho.db"
    with next_hop() as hop, gateway(tmp_path, hop.port, window=WINDOW) as gw:
        with smtplib.SMTP("127.0.0.1", gw.smtp_port, timeout=30) as client:
            accepted = {f"old{n}": submit(client, f"old{n}", EACH) for n in range(MAILS)}
        assert {code for code, _ in accepted.values()} == OK
        number = spoil(database, case)
        with smtplib.SMTP("127.0.0.1", gw.smtp_port, timeout=30) as client:
            answers = {f"new{n}": submit(client, f"new{n}", 1) for n in range(3)}
        assert {code for code, _ in answers.values()} <= case.new
        accepted |= {name: answer for name, answer in answers.items() if answer[0] == 250}
        wait_for(lambda: len(whole(hop.recipients())) >= case.leave, "what is sound to leave")
        settled(hop.recipients)

        if case.said:
            assert gw.metric("sekisho_store_damage_total") > 0
            wait_for(
                lambda: "sekisho doctor --repair" in json.loads(gw.get("/readyz")[1])["checks"]["store"],
                "red",
            )
            assert gw.log_text.count('"event":"database-damaged"') == 1
        assert gw.process is not None
        assert gw.process.poll() is None
        assert "loop-died" not in gw.log_text
        left = Counter(recipient for recipient in hop.recipients() if recipient.endswith("@example.com"))
        assert set(left.values()) <= {1}
        assert gw.stop() == 0
        if (
            case.table != "sqlite_schema" and not case.in_wal
        ):  # the first page is written anew with every commit
            assert set(page_at(database, number)) == set(GARBAGE)
        stays(database, accepted, left)


def submit(client: smtplib.SMTP, name: str, recipients: int) -> tuple[int, str]:
    """Send one mail; return the code, and the queue id where it was accepted."""
    to = [f"{name}.{i}@example.com" for i in range(recipients)]
    client.ehlo_or_helo_if_needed()
    client.mail(SENDER)
    for recipient in to:
        client.rcpt(recipient)
    code, text = client.data(mail(to, name, BODY))
    return code, queue_id(text) if code == 250 else ""


def spoil(database: Path, case: Case) -> int:
    """Damage the page that the case names; return its number."""
    number = page_of(database, case.table, case.kind, case.part)
    if not case.in_wal:
        checkpoint(database)
    with caches_forgotten(database):
        (damage_in_wal if case.in_wal else damage_page)(database, number)
    return number


def whole(recipients: list[str]) -> list[str]:
    """Return the old mails of which every recipient was delivered."""
    count = Counter(recipient.partition(".")[0] for recipient in recipients)
    return [name for name, delivered in count.items() if name.startswith("old") and delivered == EACH]


def settled(delivered: Callable[[], list[str]]) -> None:
    """Wait until nothing more has left for a while."""
    before, since = -1, time.monotonic()
    while time.monotonic() - since < QUIET_S:
        if len(delivered()) != before:
            before, since = len(delivered()), time.monotonic()
        time.sleep(0.1)


def stays(database: Path, accepted: dict[str, tuple[int, str]], left: Counter[str]) -> None:
    """Check that what has not left entirely is still named in the database."""
    octets = b"".join(path.read_bytes() for path in database.parent.glob("sekisho.db*"))
    for name, (_, queue) in accepted.items():
        recipients = sum(count for recipient, count in left.items() if recipient.startswith(f"{name}."))
        assert recipients == (EACH if name.startswith("old") else 1) or queue.encode() in octets, name
