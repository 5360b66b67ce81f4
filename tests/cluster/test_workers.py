"""Several workers on a shared database: each is a process of its own towards the others, and together they are one gateway."""

from __future__ import annotations

import base64
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from functools import partial
from pathlib import Path

import psycopg

from gateway.audit.log import EventLog
from gateway.audit.verify import verify_chains
from gateway.store.database import event_seal
from gateway.store.forgetting import SECRETS
from gateway.store.keys import MasterKey
from gateway.store.where import Where
from tests.cluster.conftest import KEY, Node
from tests.cluster.test_cut_off import perhaps, settle
from tests.cluster.test_nodes import held, send, subjects
from tests.integration.test_workers import is_gone, workers
from tests.process import Gateway, NextHop, Taken, environment, wait_for

TWO = "workers: 2\n"
BIG = b"0123456789abcdef" * 4 + b"\r\n"


def both(node: Node, name: str, window: str) -> Gateway:
    gw = node(name, window, extra=TWO)
    wait_for(lambda: gw.log_text.count('"ready"') == 2, "two workers")
    return gw


def owners(url: str) -> list[str]:
    """Return whose signs of life the database has, by the name of the node."""
    with psycopg.connect(url) as connection:
        return [name for (name,) in connection.execute("SELECT node FROM nodes ORDER BY node")]


def test_two_workers_accept_hold_cancel_release_and_deliver_as_one(
    node: Node, hop: NextHop, url: str
) -> None:
    gw = both(node, "gw1", "10m")
    for number in range(12):
        send(gw, f"mail-{number}", body=BIG * (2_000 if number % 5 == 0 else 1))
    taken = Counter(re.findall(r'"worker": ?(\d)', "\n".join(accepted(gw))))
    assert set(taken) == {"0", "1"}, "both take mail"
    assert owners(url) == ["gw1", "gw1"]
    waiting = held(gw)
    assert len(waiting) == 12
    for verb, chosen in (("cancel", waiting[:2]), ("release", waiting[-2:])):
        for queue_id in chosen:
            gw.cli("held", verb, queue_id, "--config", str(gw.config))
    wait_for(lambda: len(subjects(hop)) >= 2, "what was released")
    time.sleep(0.5)
    assert sorted(subjects(hop)) == ["mail-0", "mail-1"], "the oldest; the list has the newest first"
    assert len(held(gw)) == 8
    assert gw.stop() == 0
    assert owners(url) == []
    with EventLog(Where(Path(), url)) as log:
        verdicts = verify_chains(log, event_seal(MasterKey(KEY)))
    assert [(v.node, v.intact) for v in verdicts] == [
        ("gw1", True),
        ("gw1/1", True),
        ("gw1/commands", True),
    ]


def accepted(gw: Gateway) -> list[str]:
    return [
        line
        for line in gw.log_text.splitlines()
        if '"event": "accepted"' in line or '"event":"accepted"' in line
    ]


def test_a_worker_that_is_killed_ends_its_node_and_loses_nothing(node: Node, hop: NextHop, url: str) -> None:
    """Deliveries hang in both workers when one is killed: its node ends, and another one, with workers too, takes over."""
    go_on = threading.Event()

    def answer(_: Taken) -> bytes:
        go_on.wait(60)
        return b"250 2.0.0 taken\r\n"

    hop.answer = answer
    one = both(node, "gw1", "1s")
    sent = [f"mail-{number}" for number in range(8)]
    for subject in sent:
        send(one, subject)
    wait_for(lambda: one.metric('sekisho_queue_recipients{state="active"}') >= len(sent), "deliveries")
    two = both(node, "gw2", "1s")
    assert one.process is not None
    everyone = workers(one)
    os.kill(everyone[-1], signal.SIGKILL)
    go_on.set()
    assert one.process.wait(30) == 1
    assert all(is_gone(pid) for pid in everyone)
    settle(url)
    arrived = Counter(subjects(hop))
    assert sorted(arrived) == sent
    again = {f"{subject}@example.com" for subject, times in arrived.items() if times > 1}
    assert again <= perhaps(url), "in the hands of the worker that was killed; the other one ended in order"
    assert max(arrived.values()) <= 2
    assert two.stop() == 0


def _holds_no(shown: Path, secret: bytes) -> bool:
    return secret not in shown.read_bytes()


def test_secrets_of_the_environment_are_with_nobody_once_all_run(
    node: Node, hop: NextHop, url: str, tmp_path: Path
) -> None:
    """Neither the supervisor nor a worker shows them; each worker got them, or it had no key."""
    key, password = base64.b64encode(KEY).decode(), "hunter2MARK"
    gw = Gateway(tmp_path / "gw1", hop.port, "1s", f"node: gw1\nstore: {{url: '{url}'}}\n{TWO}")
    gw.folder.mkdir()
    gw.write()
    gw.surroundings = {"SEKISHO_MASTER_KEY": key, "SEKISHO_STORE_PASSWORD": password}
    gw.start()
    assert gw.process is not None
    try:
        wait_for(lambda: gw.log_text.count('"ready"') == 2, "two workers")
        for pid in (gw.process.pid, *workers(gw)):
            shown = Path(f"/proc/{pid}/environ")
            # The supervisor forgets once the last worker has told that it runs.
            wait_for(partial(_holds_no, shown, key.encode()), f"process {pid} to forget its key")
            assert password.encode() not in shown.read_bytes()
        assert password not in gw.log_text
    finally:
        assert gw.stop() == 0


CHILD = """
import os, subprocess, sys
from gateway.store.forgetting import forget_environment
forget_environment()
print(subprocess.run(["env"], capture_output=True, text=True).stdout, open("/proc/self/environ").read(), dict(os.environ))
"""


def test_a_child_inherits_no_secret() -> None:
    marked = dict.fromkeys(SECRETS, "hunter2MARK")
    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        env={**environment(), **marked},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "PATH=" in done.stdout
    assert "hunter2MARK" not in done.stdout
