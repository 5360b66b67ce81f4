"""What may happen to several workers besides mail: signals while they start, one that hangs, another user, an early end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.test_main_job import CLERK, submit
from tests.integration.test_workers import is_gone, workers
from tests.process import Gateway, NextHop, environment, mail, next_hop, wait_for

# Looks at the workers twice a second and kills one that has said nothing for eight seconds, not for a minute: on a busy
# machine, one that is well says nothing for four.
IMPATIENT = """\
import sys
from pathlib import Path
import gateway.cli.workers as w
from gateway.config.load import load_settings
w.LOOK_EVERY_S, w.HUNG_LOOKS, w.KILL_AFTER_S = 0.5, 16, 5.0
config = Path(sys.argv[sys.argv.index("--config") + 1])
sys.exit(w.Workers(config, load_settings(config)).run())
"""


@pytest.fixture
def hop() -> Iterator[NextHop]:
    with next_hop() as running:
        yield running


@contextmanager
def pair(
    hop: NextHop, folder: Path, command: Sequence[str] = ("-m", "gateway.cli"), extra: str = ""
) -> Iterator[Gateway]:
    """Start a supervisor with two workers; not ready on entry, nothing left at the end."""
    gw = Gateway(folder, hop.port, window="60s", extra=f"workers: 2\n{extra}")
    gw.write()
    with (folder / "log.jsonl").open("ab") as out:
        run = [sys.executable, *command, "serve", "--config", str(gw.config)]
        gw.process = subprocess.Popen(run, stdout=out, stderr=out, env={**environment(), **gw.surroundings})
    try:
        yield gw
    finally:
        if gw.process is not None and gw.process.poll() is None:
            for pid in (*workers(gw), gw.process.pid):
                os.kill(pid, signal.SIGKILL)
            gw.process.wait()


def all_ready(gw: Gateway) -> bool:
    assert gw.process is not None
    assert gw.process.poll() is None, gw.log_text
    return gw.log_text.count('"event":"ready"') == 2


def test_reloads_while_the_workers_start_end_none_of_them_and_are_not_lost(
    hop: NextHop, tmp_path: Path
) -> None:
    with pair(hop, tmp_path) as gw:
        assert gw.process is not None
        wait_for(lambda: workers(gw), "the first worker's process")
        while not all_ready(gw):
            gw.process.send_signal(signal.SIGHUP)
            time.sleep(0.02)
        assert gw.stop() == 0


@pytest.mark.parametrize("after_s", [0.0, 0.01, 0.1, 0.4])
def test_an_end_that_comes_while_a_worker_is_just_being_started_reaches_it(
    hop: NextHop, tmp_path: Path, after_s: float
) -> None:
    with pair(hop, tmp_path) as gw:
        assert gw.process is not None
        wait_for(lambda: workers(gw), "the first worker's process")
        time.sleep(after_s)
        all_workers = workers(gw)
        assert gw.stop() == 0
        assert all(is_gone(pid) for pid in all_workers)


def test_a_worker_that_died_unseen_behind_a_reload_still_ends_the_gateway(
    hop: NextHop, tmp_path: Path
) -> None:
    """While the second worker starts, the first one dies and SIGHUP comes: who sends it must not reap the first."""
    with pair(hop, tmp_path) as gw:
        assert gw.process is not None
        wait_for(lambda: len(workers(gw)) == 2, "the second worker's process")
        os.kill(gw.process.pid, signal.SIGSTOP)
        os.kill(workers(gw)[0], signal.SIGKILL)
        os.kill(gw.process.pid, signal.SIGHUP)
        os.kill(gw.process.pid, signal.SIGCONT)
        assert gw.process.wait(30) == 1


def test_a_worker_that_hangs_is_told_and_killed_and_the_gateway_ends(hop: NextHop, tmp_path: Path) -> None:
    with pair(hop, tmp_path, ["-c", IMPATIENT]) as gw:
        wait_for(lambda: all_ready(gw), "two workers")
        wait_for(lambda: gw.get("/readyz")[0] == 200, "a green /readyz")
        time.sleep(2)  # it said that it works at least once
        hung = workers(gw)[1]
        os.kill(hung, signal.SIGSTOP)
        assert gw.process is not None
        assert gw.process.wait(30) == 1
        assert is_gone(hung)
        assert "worker 1 hangs and is killed" in gw.log_text


def test_readyz_tells_that_another_worker_does_not_answer(hop: NextHop, tmp_path: Path) -> None:
    with pair(hop, tmp_path) as gw:
        wait_for(lambda: all_ready(gw), "two workers")
        wait_for(lambda: gw.get("/readyz")[0] == 200, "a green /readyz")
        time.sleep(2)
        hung = workers(gw)[1]
        os.kill(hung, signal.SIGSTOP)
        red = wait_for(lambda: (answer := gw.get("/readyz"))[0] == 503 and answer[1], "a red /readyz")
        assert json.loads(red)["checks"]["store"] == "worker 1: does not answer"
        os.kill(hung, signal.SIGCONT)
        wait_for(lambda: gw.get("/readyz")[0] == 200, "a green /readyz")
        assert gw.stop() == 0


def test_a_worker_that_does_not_end_in_time_is_killed(hop: NextHop, tmp_path: Path) -> None:
    with pair(hop, tmp_path, ["-c", IMPATIENT]) as gw:
        wait_for(lambda: all_ready(gw), "two workers")
        os.kill(workers(gw)[1], signal.SIGSTOP)
        assert gw.stop() == 1


def others_may_read(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o005 == 0o005 for folder in path.resolve().parents)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.skipif(not others_may_read(Path(os.__file__)), reason="others cannot read this interpreter")
def test_workers_that_become_another_user_start_on_a_new_state_and_count_together(
    hop: NextHop, tmp_path: Path
) -> None:
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    with pair(hop, tmp_path, extra="run_as: nobody\n") as gw:
        wait_for(lambda: all_ready(gw), "two workers")
        submit(gw, [CLERK], mail([CLERK], "as nobody"))
        wait_for(lambda: gw.metric("sekisho_messages_accepted_total") == 1, "the figures of all workers")
        assert {path.stat().st_uid for path in (gw.folder / "var").rglob("*")} == {65534}
        assert gw.stop() == 0
    shutil.rmtree(gw.folder / "var")


def test_a_new_policy_is_the_only_one_in_the_figures(hop: NextHop, tmp_path: Path) -> None:
    with pair(hop, tmp_path) as gw:
        wait_for(lambda: all_ready(gw), "two workers")
        policy = gw.folder / "policies" / "default.yaml"
        policy.write_text(policy.read_text(encoding="utf-8").replace("60s", "61s"), encoding="utf-8")
        wait_for(lambda: gw.log_text.count('"event":"policy.in-force"') == 4, "the new policy in both")
        wait_for(lambda: policies_in_force(gw) == 1, "the old policy's end in the figures")
        assert gw.stop() == 0


def policies_in_force(gw: Gateway) -> int:
    return sum(
        line.endswith(" 1.0")
        for line in gw.get("/metrics")[1].splitlines()
        if line.startswith("sekisho_policy_info{")
    )


def test_a_second_start_by_mistake_leaves_the_figures_of_the_first_alone(
    hop: NextHop, tmp_path: Path
) -> None:
    with pair(hop, tmp_path) as gw:
        wait_for(lambda: all_ready(gw), "two workers")
        submit(gw, [CLERK], mail([CLERK], "counted"))
        wait_for(lambda: gw.metric("sekisho_messages_accepted_total") == 1, "the figures of all workers")
        assert gw.cli("serve", "--config", str(gw.config), check=False).returncode == 1
        assert gw.metric("sekisho_messages_accepted_total") == 1
        assert gw.stop() == 0
