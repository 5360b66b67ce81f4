"""Several gateways on one PostgreSQL: together they do what one does, and what one leaves undone another does."""

from __future__ import annotations

import json
import signal
import smtplib
import threading
import time
from functools import partial
from pathlib import Path

import psycopg
import pytest

from gateway.audit.log import EventLog
from gateway.audit.verify import verify_chains
from gateway.store.database import Database, event_seal
from gateway.store.keys import MasterKey
from gateway.store.where import Where
from tests.cluster.conftest import KEY, Node
from tests.postgres import Cluster
from tests.process import Gateway, NextHop, Taken, mail, wait_for

INSIDE, OUTSIDE = "office@sports.example.jp", "person@outside.example.com"


def send(gw: Gateway, subject: str, to: str = OUTSIDE, body: bytes = b"hello\r\n") -> None:
    with smtplib.SMTP("127.0.0.1", gw.smtp_port, timeout=30) as client:
        client.sendmail(INSIDE, [to], mail([to], subject, body))


def subjects(hop: NextHop) -> list[str]:
    """Return the subjects of all mails to the outside that were taken, in order."""
    found = []
    for taken in list(hop.taken):
        line = next(line for line in taken.header.split(b"\r\n") if line.lower().startswith(b"subject:"))
        if taken.recipients == (OUTSIDE,):
            found.append(line.partition(b":")[2].strip().decode())
    return found


def held(gw: Gateway) -> list[str]:
    return [message["queue_id"] for message in gw.cli_json("held", "list")]


def test_two_nodes_hold_release_and_deliver_together(node: Node, hop: NextHop, url: str) -> None:
    one, two = node("gw1"), node("gw2")
    sent = [f"mail-{number}" for number in range(20)]
    for number, subject in enumerate(sent):
        send(one if number % 2 else two, subject)
    wait_for(lambda: len(subjects(hop)) >= len(sent), "all mails")
    time.sleep(1)
    assert sorted(subjects(hop)) == sorted(sent), "each once"
    with EventLog(Where(Path(), url)) as log:
        verdicts = verify_chains(log, event_seal(MasterKey(KEY)))
    assert [(v.node, v.intact) for v in verdicts] == [("gw1", True), ("gw2", True)]


def test_a_large_mail_taken_by_one_leaves_by_the_other(node: Node, hop: NextHop) -> None:
    one, two = node("gw1", "10m"), node("gw2", "10m")
    body = b"0123456789abcdef" * 4 + b"\r\n"
    send(one, "large", body=body * 40_000)  # 2.6 MB
    (queue_id,) = held(two)
    one.stop()
    two.cli("held", "release", queue_id, "--config", str(two.config))
    wait_for(lambda: subjects(hop) == ["large"], "the mail")
    assert next(t for t in hop.taken if t.recipients == (OUTSIDE,)).body.endswith(body * 40_000)


def test_a_cancel_on_one_is_the_truth_on_all(node: Node, hop: NextHop) -> None:
    one, two = node("gw1", "10m"), node("gw2", "10m")
    send(one, "second-thoughts")
    (queue_id,) = held(two)
    two.cli("held", "cancel", queue_id, "--config", str(two.config))
    assert one.cli("held", "release", queue_id, "--config", str(one.config), check=False).returncode == 1
    assert held(one) == []
    shown = json.loads(
        two.cli("log", "query", "--config", str(one.config), "--json", "--kind", "cancelled").stdout
    )
    assert shown["node"] == "gw2/commands"
    assert subjects(hop) == []


def test_cancels_and_deliveries_of_two_nodes_never_contradict(node: Node, hop: NextHop, url: str) -> None:
    """Mails come due on two real processes while a third one cancels them: what was cancelled never leaves."""
    one, two = node("gw1", "8s"), node("gw2", "8s")
    for number in range(40):
        send(one if number % 2 else two, f"race-{number}")
    cancelled = set()
    deadline = time.monotonic() + 30
    while (waiting := one.cli_json("held", "list")) and time.monotonic() < deadline:
        for message in waiting[:3]:
            said = one.cli(
                "held", "cancel", message["queue_id"], "--config", str(one.config), "--json", check=False
            )
            if json.loads(said.stdout)["done"]:
                cancelled.add(message["subject"])
    wait_for(lambda: len(subjects(hop)) + len(cancelled) >= 40, "the others")
    left = subjects(hop)
    assert cancelled, "some were cancelled in time"
    assert sorted([*left, *cancelled]) == sorted(f"race-{number}" for number in range(40))


def test_a_killed_nodes_work_is_taken_over(node: Node, hop: NextHop) -> None:
    """The one node hangs in a delivery when it is killed; the other one delivers it, and all it held."""
    block = threading.Event()

    def answer(taken: Taken) -> bytes:
        if not block.is_set():
            block.wait(60)
            return b"451 4.3.0 not this time\r\n"
        return b"250 2.0.0 taken\r\n"

    hop.answer = answer
    one = node("gw1", "1s")
    for number in range(5):
        send(one, f"mail-{number}")
    wait_for(lambda: one.metric('sekisho_queue_recipients{state="active"}') >= 5, "deliveries under way")
    two = node("gw2", "1s")
    one.stop(signal.SIGKILL)
    block.set()
    wait_for(lambda: sorted(set(subjects(hop))) == [f"mail-{number}" for number in range(5)], "the handover")
    assert "lease-lost" in two.cli("log", "query", "--config", str(two.config)).stdout


def test_nothing_acknowledged_is_lost_when_the_database_restarts(
    node: Node, hop: NextHop, postgres: Cluster
) -> None:
    one, two = node("gw1", "1s"), node("gw2", "1s")
    acknowledged: list[str] = []
    stop = threading.Event()

    def load(gw: Gateway, name: str) -> None:
        number = 0
        while not stop.is_set() and number < 2_000:
            number += 1
            try:
                send(gw, f"{name}-{number}")
                acknowledged.append(f"{name}-{number}")
            except (smtplib.SMTPException, OSError):
                time.sleep(0.05)

    threads = [threading.Thread(target=load, args=(gw, name)) for gw, name in ((one, "a"), (two, "b"))]
    for thread in threads:
        thread.start()
    try:
        wait_for(lambda: len(acknowledged) > 20, "load")
        for how in ("fast", "immediate"):
            postgres.restart(how)
            enough = len(acknowledged) + 20
            wait_for(partial(_has_more_than, acknowledged, enough), "mail to be taken again")
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    wait_for(lambda: set(acknowledged) <= set(subjects(hop)), "what was acknowledged", 90)


def test_while_the_database_is_away_mail_is_put_off(node: Node, postgres: Cluster) -> None:
    one = node("gw1")
    postgres.stop("fast")
    try:
        with pytest.raises(smtplib.SMTPResponseException) as refused:
            send(one, "not-now")
        assert refused.value.smtp_code == 451
        assert one.get("/readyz")[0] == 503
    finally:
        postgres.start()
    wait_for(lambda: _taken(one), "mail to be taken again")


def _has_more_than(found: list[str], count: int) -> bool:
    return len(found) > count


def _taken(gw: Gateway) -> bool:
    try:
        send(gw, "again")
    except smtplib.SMTPException:
        return False
    return True


def test_a_node_with_another_master_key_is_refused(node: Node, url: str, tmp_path: Path) -> None:
    node("gw1")
    other = Gateway(tmp_path / "other", 1, extra=f"node: gw9\nstore: {{url: '{url}'}}\n")
    (other.folder / "var").mkdir(parents=True)
    (other.folder / "var" / "master.key").write_bytes(b"x" * 32)
    (other.folder / "var" / "master.key").chmod(0o600)
    other.write()
    said = other.cli("serve", "--config", str(other.config), check=False)
    assert (said.returncode, "master key" in said.stderr) == (1, True)


def test_two_nodes_start_together_on_an_empty_database(postgres: Cluster, tmp_path: Path) -> None:
    """Both bring the schema: one at a time."""
    url = postgres.empty()
    failed: list[BaseException] = []

    def start(name: str) -> None:
        try:
            Database(Where(tmp_path / name, url, node=name), MasterKey(KEY), serve=True).close()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=start, args=(f"gw{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM chain").fetchone() == (4,)
