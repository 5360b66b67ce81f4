"""`python -m tests.bench` for real, with counts of a few seconds: it runs, it ends, it leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bench import __main__ as command
from tests.bench import on_postgres, relays, source, throughput
from tests.bench.figures import Absent
from tests.bench.processes import tree
from tests.bench.task import Load
from tests.peers.postfix import available
from tests.postgres import needed
from tests.process import ROOT, wait_for

LIMIT_S = 180.0


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the bench as its user does."""
    return subprocess.run(
        [sys.executable, "-m", "tests.bench", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def _missing() -> None:
    """Skip, or fail where skipping is not allowed."""
    if os.environ.get("TEST_NO_SKIP"):
        pytest.fail("Postfix is not installed, or this is not root")
    pytest.skip("Postfix is not installed, or this is not root")


@pytest.mark.interop
def test_hold_and_end_to_end_against_postfix(tmp_path: Path) -> None:
    if not available():
        _missing()
    files = ["--json", str(tmp_path / "a.json"), "--plot", str(tmp_path / "a.svg")]
    done = bench("hold", "e2e", "--rounds", "1", "--scale", "0.01", "--markdown", *files)
    assert done.returncode == 0, done.stderr
    figures = {each["name"]: each for each in json.loads((tmp_path / "a.json").read_text())["figures"]}
    assert set(figures) == {"hold", "hold-cpu", "e2e", "e2e-cpu"}
    for figure in figures.values():
        assert figure["ratio"] > 0, done.stderr
        assert len(figure["ours_runs"]) == len(figure["peer_runs"]) == 1
    again = bench("--from", str(tmp_path / "a.json"), "--markdown")
    assert again.stdout == done.stdout


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that Postfix can enter: pytest shuts its own to others whenever a session begins."""
    with tempfile.TemporaryDirectory(prefix="bench-test-", dir="/var/tmp") as folder:
        yield Path(folder)


@pytest.mark.interop
def test_ended_in_the_middle_it_leaves_no_process_behind(place: Path) -> None:
    if not available():
        _missing()
    words = [sys.executable, "-m", "tests.bench", "hold", "--scale", "20"]
    environment = {**os.environ, "BENCH_DIR": str(place)}
    with subprocess.Popen(words, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as running:
        try:
            wait_for(lambda: len(_at_work(place, running.pid)) > 10, "Postfix to have work")
        finally:
            running.terminate()
    assert running.returncode == 128 + signal.SIGTERM
    wait_for(lambda: not _at_work(place, running.pid), "all that was started to end")
    assert list(place.iterdir()) == []


def _at_work(folder: Path, root: int) -> set[int]:
    """Return the processes below a process, and those that live in a folder."""
    found = set(tree(root)) - {root}
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and (entry / "cwd").readlink().is_relative_to(folder):
                found.add(int(entry.name))
    return found


def test_without_postfix_a_line_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(source, "tool", lambda name: None)
    monkeypatch.setattr(command, "PLACE", tmp_path)
    monkeypatch.setattr(tempfile, "tempdir", None)
    assert command.main(["hold", "e2e-1m", "--rounds", "1", "--scale", "0.01"]) == 0
    out, err = capsys.readouterr()
    assert "hold: not measured: smtp-source is not installed" in err
    assert "0 of 1 promises kept, 1 not measured" in out


def test_without_root_postfix_is_no_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relays, "tool", lambda name: f"/usr/sbin/{name}")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert relays.postfix_hold().absent() == "only root can start Postfix"
    monkeypatch.setattr(relays, "tool", lambda name: None)
    assert relays.postfix_hold().absent().startswith("Postfix is not installed")


def test_without_postgresql_a_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_postgres, "absent", lambda: "PostgreSQL is not installed")
    found = list(throughput.on_postgres(Load()))
    assert found == [Absent(on_postgres.ON_POSTGRES, "PostgreSQL is not installed")]


@pytest.mark.interop
def test_postgresql_stands_on_the_disk_on_which_the_peer_syncs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that tests use stands in memory, where a commit costs nothing: no match for a Postfix that waits for a disk."""
    needed()
    monkeypatch.setattr(tempfile, "tempdir", os.environ.get("BENCH_DIR", "/var/tmp"))
    with on_postgres.cluster(on_disk=True) as server:
        on_postgres.insist_on_syncing(server)
        elsewhere = replace(server, folder=Path("/proc"))
        with pytest.raises(AssertionError, match="PostgreSQL stands on proc"):
            on_postgres.insist_on_syncing(elsewhere)
