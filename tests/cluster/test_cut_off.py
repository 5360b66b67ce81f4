"""One node's link to the database is cut while it delivers, and everything else of it works on.

The worst place for a cut: the node still reaches the next hop and its clients, so only its own watch keeps it from sending
what others have taken over. Then the accounting: each 250 arrived; what arrived twice had been sent to its end before.
"""

from __future__ import annotations

import smtplib
import threading
import time
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
from tests.cluster.network import Network, needed, network
from tests.cluster.test_nodes import INSIDE
from tests.postgres import Cluster, cluster
from tests.postgres import needed as postgres_needed
from tests.process import Gateway, NextHop, Taken, mail, next_hop, wait_for

SENT = [f"sent-{number}@example.com" for number in range(3)]  # to its end; the reply does not come in time
BEGUN = [f"begun-{number}@example.com" for number in range(3)]  # at RCPT
HELD = [f"held-{number}@example.com" for number in range(4)]  # due while the link is cut
AFTER = ["after@example.com"]
GONE_S = 25  # 6 s of silence, up to 5 s until somebody looks, and a machine that is busy with other tests


@pytest.fixture
def net() -> Iterator[Network]:
    needed()
    postgres_needed()
    with network() as made:
        yield made


@pytest.fixture
def server(net: Network) -> Iterator[Cluster]:
    with cluster(net.database.ours) as running:
        yield running


@pytest.fixture
def url(server: Cluster) -> str:
    return server.fresh()


@pytest.fixture
def hop(net: Network) -> Iterator[NextHop]:
    with next_hop(net.mail.ours) as running:
        yield running


class Stalling:
    """A next hop that leaves the first node without an answer until `go_on`: to RCPT of some, to the final dot of others."""

    def __init__(self, hop: NextHop, net: Network) -> None:
        self.go_on = threading.Event()
        self.stalled: set[str] = set()
        self._slow = net.mail.theirs
        hop.answer = self._answer
        hop.before = self._before

    def _answer(self, taken: Taken) -> bytes:
        if taken.peer == self._slow and set(taken.recipients) & set(SENT):
            self._stall(taken.recipients[0])
        return b"250 2.0.0 taken\r\n"

    def _before(self, line: bytes) -> None:
        found = next((name for name in BEGUN if line.startswith(b"RCPT") and name.encode() in line), "")
        if found and found not in self.stalled:  # the node that takes over is not held up
            self._stall(found)

    def _stall(self, name: str) -> None:
        self.stalled.add(name)
        self.go_on.wait(90)


def send(gw: Gateway, to: str) -> None:
    with smtplib.SMTP(gw.host, gw.smtp_port, timeout=60) as client:
        client.sendmail(INSIDE, [to], mail([to], to.partition("@")[0]))


def test_a_node_that_is_cut_off_leaves_its_work_to_the_other(
    node: Node, hop: NextHop, url: str, net: Network, server: Cluster
) -> None:
    stalling = Stalling(hop, net)
    one = node("gw1", "2s", at=server.url(url.rpartition("/")[2], net.database.ours), inside=net)
    for name in (*SENT, *BEGUN):
        send(one, name)
    wait_for(lambda: stalling.stalled >= {*SENT, *BEGUN}, "deliveries under way")
    two = node("gw2", "2s", hop_host=net.mail.ours)
    for name in HELD:
        send(one, name)
    net.database.cut()
    refused_while_cut_off(one)
    wait_for(lambda: set(hop.recipients()) >= {*SENT, *BEGUN, *HELD}, "the other node", GONE_S)
    assert "cut-off" in one.log_text
    assert {taken.peer for taken in hop.taken} == {net.mail.ours}, "nothing by the one that was cut off"
    assert "lease-lost" in two.cli("log", "query", "--config", str(two.config)).stdout

    stalling.go_on.set()  # the next hop keeps what it was sent to its end; the node has long hung up
    net.database.mend()
    wait_for(lambda: "cut off" not in one.get("/readyz")[1], "the node to be back")
    wait_for(lambda: taken_again(one), "mail to be taken again")
    wait_for(lambda: AFTER[0] in hop.recipients(), "its mail")
    settle(url)
    arrived = Counter(name for name in hop.recipients() if name != INSIDE)
    assert set(arrived) == {*SENT, *BEGUN, *HELD, *AFTER}, "each 250 arrived, and nothing that got a 451"
    assert {name for name, times in arrived.items() if times > 1} == set(SENT), (
        "sent to its end before the cut"
    )
    assert max(arrived.values()) == 2
    assert perhaps(url) >= set(SENT)
    assert not perhaps(url) & {*HELD, *AFTER}
    with EventLog(Where(Path(), url)) as log:
        assert verify(log, event_seal(MasterKey(KEY))).intact


def refused_while_cut_off(gw: Gateway) -> None:
    """New mail is put off, and the page for load balancers says why."""
    with pytest.raises(smtplib.SMTPResponseException) as refused:
        send(gw, "refused@example.com")
    assert refused.value.smtp_code == 451
    wait_for(lambda: "cut off from the database" in gw.get("/readyz")[1], "the reason at /readyz")
    assert gw.get("/readyz")[0] == 503


def taken_again(gw: Gateway) -> bool:
    try:
        send(gw, AFTER[0])
    except smtplib.SMTPException:
        return False
    return True


def settle(url: str) -> None:
    """Wait until the database says that nothing is under way any more."""
    done = "SELECT count(*) = 0 FROM recipients WHERE state NOT IN ('delivered', 'cancelled', 'bounced')"
    with psycopg.connect(url, autocommit=True) as connection:
        wait_for(lambda: connection.execute(done.encode()).fetchone() == (True,), "the queue to be empty")
    time.sleep(0.5)  # would anything more arrive, it would come now


def perhaps(url: str) -> set[str]:
    """Return who is marked as one that may have had the mail before it was told delivered."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT m.subject FROM recipients r JOIN messages m USING (queue_id) WHERE r.perhaps <> 0"
        )
        return {f"{subject}@example.com" for (subject,) in rows}
