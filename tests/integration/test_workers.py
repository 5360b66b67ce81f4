"""Several worker processes on one gateway's ports: one queue, one set of figures, one end."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.test_main_job import CITIZENS, CLERK, OFFICE, states, submit
from tests.process import Gateway, NextHop, gateway, mail, next_hop, wait_for

MAILS = 24
ACCEPTED = "sekisho_messages_accepted_total"


@pytest.fixture
def hop() -> Iterator[NextHop]:
    with next_hop() as running:
        yield running


@pytest.fixture
def gw(hop: NextHop, tmp_path: Path) -> Iterator[Gateway]:
    with gateway(tmp_path, hop.port, window="60s", extra="workers: 2\n") as running:
        wait_for(lambda: running.log_text.count('"ready"') == 2, "both workers")
        yield running


def workers(gw: Gateway) -> list[int]:
    """Return the process ids of the workers, the first worker first."""
    assert gw.process is not None
    children = Path(f"/proc/{gw.process.pid}/task/{gw.process.pid}/children").read_text(encoding="ascii")
    return sorted(map(int, children.split()), key=_started_at)  # numbers of processes begin again at the end


def _started_at(pid: int) -> int:
    """Return when a process began, in ticks since the machine did (proc(5))."""
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[19])


def is_gone(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return True


def test_all_take_mail_and_every_mail_leaves_once(gw: Gateway, hop: NextHop) -> None:
    for number in range(MAILS):
        submit(gw, [CLERK], mail([CLERK], f"number {number}"))
    wait_for(lambda: len(hop.recipients()) >= MAILS, "all mails at the next hop")
    assert hop.recipients() == [CLERK] * MAILS
    wait_for(lambda: gw.metric("sekisho_recipients_delivered_total") == MAILS, "the figures of all workers")
    wait_for(lambda: gw.metric(ACCEPTED) == MAILS, "the figures of all workers")
    taken = re.findall(r'"worker":(\d).*"event":"accepted"|"event":"accepted".*"worker":(\d)', gw.log_text)
    assert {first or second for first, second in taken} == {"0", "1"}
    events = gw.cli("log", "query", "--json", "--config", str(gw.config)).stdout
    assert events.count('"kind": "started"') == 1
    assert gw.cli("log", "verify", "--config", str(gw.config)).returncode == 0


def test_what_one_holds_another_lets_go_and_the_page_of_the_first_knows_it(gw: Gateway, hop: NextHop) -> None:
    held = [submit(gw, CITIZENS[:3], mail(CITIZENS[:3], f"held {number}")) for number in range(6)]
    assert gw.cli("held", "cancel", held[0], "--config", str(gw.config)).returncode == 0
    for queue_id in held[1:]:
        assert gw.cli("held", "release", queue_id, "--config", str(gw.config)).returncode == 0
    wait_for(lambda: hop.recipients().count(CITIZENS[0]) == 5, "what was released")
    wait_for(lambda: OFFICE in hop.recipients(), "the notices")
    assert set(states(gw, held[0]).values()) == {"cancelled"}


def test_the_end_of_one_is_the_end_of_all_and_the_next_start_goes_on(gw: Gateway, hop: NextHop) -> None:
    queue_id = submit(gw, CITIZENS[:2], mail(CITIZENS[:2], "before"))
    assert gw.process is not None
    all_workers = workers(gw)
    os.kill(all_workers[-1], signal.SIGKILL)
    assert gw.process.wait(30) == 1
    assert all(is_gone(pid) for pid in all_workers)
    gw.process = None
    gw.start()
    assert set(states(gw, queue_id).values()) == {"held"}


def test_workers_whose_supervisor_was_killed_stop_in_order(gw: Gateway) -> None:
    all_workers = workers(gw)
    gw.stop(signal.SIGKILL)
    wait_for(lambda: all(is_gone(pid) for pid in all_workers), "the workers' end")
    assert gw.log_text.count('"stopped"') == 2
    gw.start()


def test_stopping_drains_every_worker(gw: Gateway) -> None:
    with smtplib.SMTP("127.0.0.1", gw.smtp_port, timeout=20) as client:
        client.ehlo("client.example")
        all_workers = workers(gw)
        assert gw.stop() == 0
        assert all(is_gone(pid) for pid in all_workers)
        assert client.docmd("NOOP")[0] == 421


def test_a_mistake_in_the_settings_is_told_once_and_nothing_stays(gw: Gateway) -> None:
    gw.stop()
    (gw.folder / "var" / "master.key").write_bytes(b"x" * 32)
    done = gw.cli("serve", "--config", str(gw.config), check=False)
    assert done.returncode == 1
    assert done.stderr.count("sekisho: ") == 1


def test_a_stop_while_workers_still_start_is_in_order(gw: Gateway) -> None:
    """Those cannot catch a signal yet; that they end of it is no failure."""
    gw.stop()
    gw.start()
    assert gw.stop() == 0
