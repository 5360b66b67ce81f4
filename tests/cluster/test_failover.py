"""A synchronous standby takes the primary's place while mail flows: every 250 is there afterwards."""

from __future__ import annotations

import smtplib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from gateway.audit.log import EventLog
from gateway.audit.verify import verify
from gateway.store.database import event_seal
from gateway.store.keys import MasterKey
from gateway.store.where import Where
from tests.cluster.conftest import KEY, Node
from tests.cluster.standby import both, standby_of
from tests.cluster.test_cut_off import settle
from tests.cluster.test_nodes import held, send, subjects
from tests.postgres import Cluster, cluster, needed
from tests.process import Gateway, NextHop, wait_for

CLIENTS = 3  # for each node
ENOUGH = 40  # mails before the failover, and as many after it


@pytest.fixture
def primary() -> Iterator[Cluster]:
    needed()
    with cluster() as running:
        yield running


@pytest.fixture
def url(primary: Cluster) -> str:
    return primary.fresh()


@pytest.fixture
def second(primary: Cluster, url: str) -> Iterator[Cluster]:
    with standby_of(primary) as running:
        yield running


class Clients:
    """Send until they are stopped; `acknowledged` are the subjects of what got its 250."""

    def __init__(self, *gateways: Gateway) -> None:
        self.acknowledged: list[str] = []
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._send, args=(gw, f"{gw.folder.name}-{number}"), daemon=True)
            for gw in gateways
            for number in range(CLIENTS)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def more(self) -> Callable[[], bool]:
        """Return what tells whether ENOUGH more were acknowledged."""
        enough = len(self.acknowledged) + ENOUGH
        return lambda: len(self.acknowledged) >= enough

    def _send(self, gw: Gateway, name: str) -> None:
        for number in range(2_000):
            if self._stop.wait(0.02):
                return
            try:
                send(gw, f"{name}-{number}")
                self.acknowledged.append(f"{name}-{number}")
            except (smtplib.SMTPException, OSError):
                time.sleep(0.1)


def test_every_250_is_on_the_standby_that_takes_over(
    node: Node, hop: NextHop, url: str, primary: Cluster, second: Cluster
) -> None:
    at = both(url, primary, second)
    clients = Clients(node("gw1", "1s", at=at), node("gw2", "1s", at=at))
    try:
        wait_for(clients.more(), "load")
        primary.stop("immediate")
        second.promote()
        wait_for(clients.more(), "mail to be taken again")
    finally:
        clients.stop()
    after = second.url(url.rpartition("/")[2])
    settle(after)
    arrived = Counter(subjects(hop))
    assert set(clients.acknowledged) <= set(arrived), "acknowledged, and it never arrived"
    again = {subject for subject, times in arrived.items() if times > 1}
    assert again <= marked(after), "what arrived twice is marked as something that may"
    with EventLog(Where(Path(), after)) as log:
        assert verify(log, event_seal(MasterKey(KEY))).intact


def marked(url: str) -> set[str]:
    """Return the subjects of the mails that may have arrived before."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT m.subject FROM recipients r JOIN messages m USING (queue_id) WHERE r.perhaps <> 0"
        )
        return {subject for (subject,) in rows}


def test_a_commit_that_did_not_wait_for_its_standby_is_no_250(
    node: Node, url: str, primary: Cluster, second: Cluster
) -> None:
    """Somebody cancels the wait: PostgreSQL commits on one disk, warns and says COMMIT all the same."""
    one = node("gw1", "10m", at=both(url, primary, second))
    second.stop("fast")
    waiting = Waiting(one, "on one disk only")
    held_up = "FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = current_database()"
    with psycopg.connect(url, autocommit=True) as admin:
        end = time.monotonic() + 60
        while waiting.is_alive() and time.monotonic() < end:
            admin.execute(f"SELECT pg_cancel_backend(pid) {held_up}".encode())
            time.sleep(0.1)
    assert waiting.heard() == 451
    assert '"cause":"OperationalError"' in one.log_text, "by the warning, not because it was cut off"
    second.start()
    wait_for(lambda: len(held(one)) == 1, "it is there, and a client that sends it again has two")


def test_nobody_waits_longer_for_a_standby_than_the_node_for_its_sign_of_life(
    node: Node, url: str, primary: Cluster, second: Cluster
) -> None:
    one = node("gw1", "10m", at=both(url, primary, second))
    second.stop("fast")
    several = [Waiting(one, f"waiting-{number}") for number in range(4)]
    assert {waiting.heard() for waiting in several} == {451}, "who waited when it took itself for cut off"
    wait_for(lambda: "cut off" in one.get("/readyz")[1], "the reason at /readyz")
    assert Waiting(one, "later").heard() == 451
    second.start()
    wait_for(lambda: "cut off" not in one.get("/readyz")[1], "the node to be back")
    assert Waiting(one, "again").heard() == 250


class Waiting(threading.Thread):
    """A client that sends one mail and waits for what it hears."""

    def __init__(self, gw: Gateway, subject: str) -> None:
        super().__init__(daemon=True)
        self._mail = gw, subject
        self._code = 0
        self.start()

    def run(self) -> None:
        try:
            send(*self._mail)
            self._code = 250
        except smtplib.SMTPResponseException as error:
            self._code = error.smtp_code

    def heard(self) -> int:
        """Return the reply's code, 0 where there was none in time."""
        self.join(25)
        return self._code
