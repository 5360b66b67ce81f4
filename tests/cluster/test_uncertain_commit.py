"""The connection is lost between COMMIT and its answer: whatever the client hears is true, and no 250 is without its mail."""

from __future__ import annotations

import smtplib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from gateway.audit.log import EventLog
from gateway.audit.verify import verify
from gateway.store.database import event_seal
from gateway.store.keys import MasterKey
from gateway.store.where import Where
from tests.cluster.conftest import KEY, Node
from tests.cluster.proxy import Wire, wire
from tests.cluster.test_cut_off import settle
from tests.cluster.test_nodes import INSIDE, OUTSIDE
from tests.postgres import Cluster
from tests.process import Gateway, NextHop, mail

MAILS = 24
COLLEAGUE = (
    "colleague@city.example.lg.jp"  # nothing holds this one: it is leased by the transaction that accepts it
)


@pytest.fixture
def lossy(postgres: Cluster) -> Iterator[Wire]:
    with wire(postgres.port) as made:
        yield made


def answer(gw: Gateway, subject: str, to: str) -> int:
    with smtplib.SMTP("127.0.0.1", gw.smtp_port, timeout=60) as client:
        try:
            client.sendmail(INSIDE, [to], mail([to], subject))
        except smtplib.SMTPResponseException as refused:
            return refused.smtp_code
    return 250


def test_whatever_the_client_hears_is_true(
    node: Node, hop: NextHop, url: str, lossy: Wire, postgres: Cluster
) -> None:
    one = node("gw1", "1s", at=url.replace(f":{postgres.port}/", f":{lossy.port}/"))
    heard: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for number in range(MAILS):
        subject, to = f"mail-{number}", COLLEAGUE if number % 2 else OUTSIDE
        lossy.swallow = 1 if number % 3 == 0 else 0
        while (code := answer(one, subject, to)) != 250:  # as a client does
            assert code == 451
            refused[subject] += 1
            assert refused[subject] < 10
        heard[subject] += 1
    assert lossy.swallowed >= 4
    assert refused, "some answers that were lost were those of new mail"
    settle(url)
    arrived = Counter(subject_of(taken.header) for taken in hop.taken)
    stored = in_database(url)
    for subject in heard:
        assert stored[subject] >= 1, "a 250 without its mail"
        assert stored[subject] <= 1 + refused[subject], "one for the 250, one for each answer that was lost"
        assert arrived[subject] >= stored[subject], (
            "what is in the database leaves, whatever its client heard"
        )
    assert any(stored[subject] > 1 for subject in refused), "a COMMIT that happened, told as a 451"
    assert tallies(url) == {"delivered": sum(stored.values())}
    with EventLog(Where(Path(), url)) as log:
        assert verify(log, event_seal(MasterKey(KEY))).intact


def subject_of(header: bytes) -> str:
    line = next(line for line in header.split(b"\r\n") if line.lower().startswith(b"subject:"))
    return line.partition(b":")[2].strip().decode()


def tallies(url: str) -> dict[str, int]:
    with psycopg.connect(url) as connection:
        return dict(
            connection.execute(
                "SELECT state, sum(recipients)::int FROM tallies GROUP BY 1 HAVING sum(recipients) <> 0"
            ).fetchall()
        )


def in_database(url: str) -> Counter[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT subject FROM messages").fetchall()
    return Counter(subject for (subject,) in rows)
