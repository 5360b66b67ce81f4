"""What a tree of processes costs, read from /proc."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.bench import memory
from tests.bench.figures import Absent
from tests.bench.machine import filesystem, machine, warnings
from tests.bench.processes import cpu_s, memory_kib, peak_kib, tree
from tests.bench.relays import Contestant, Relay
from tests.bench.task import Load
from tests.process import ROOT, wait_for

BUSY = "import time\nend = time.process_time() + {}\nwhile time.process_time() < end: pass\n"
PARENT = f"""
import subprocess, sys
held = bytearray(64 << 20)
held[:: 4096] = bytes([1]) * len(held[:: 4096])
subprocess.run([sys.executable, "-c", {BUSY.format(0.3)!r}], check=True)
alive = subprocess.Popen([sys.executable, "-c", {BUSY.format(0.2)!r} + "print('ready', flush=True); input()"])
input()
"""


@pytest.fixture
def root() -> Iterator[int]:
    """A process with 64 MiB, one child that has ended after 0.3 s of work, and one alive after 0.2 s."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        yield process.pid


def test_children_alive_and_ended_count(root: int) -> None:
    assert len(tree(root)) == 2
    assert cpu_s(root) >= 0.45
    assert memory_kib(root) > 64 * 1024
    assert peak_kib(root) > 64 * 1024


def test_a_process_that_is_gone_costs_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    wait_for(lambda: not Path(f"/proc/{process.pid}").exists(), "the process to end")
    assert (cpu_s(process.pid), memory_kib(process.pid)) == (0.0, 0.0)


def test_the_machine_is_described_without_saying_whose_it_is(tmp_path: Path) -> None:
    about = machine(tmp_path)
    assert all(about.values())
    assert not any(word in " ".join(about.values()) for word in (str(tmp_path), str(ROOT)))


def test_a_queue_in_memory_and_a_busy_machine_are_called_out(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/a / ext4 rw 0 0\nnone {tmp_path} tmpfs rw 0 0\nnone /tmpx ramfs rw 0 0\n")
    assert filesystem(tmp_path / "below", mounts) == "tmpfs"
    assert filesystem(Path("/"), mounts) == "ext4"
    assert len(warnings({"disk": "tmpfs", "load before": "1.5"})) == 2
    assert warnings({"disk": "ext4", "load before": "0.1"}) == []


def test_memory_that_cannot_be_read_is_not_taken_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def start(port: int) -> Iterator[Relay]:
        yield Relay(port, os.getpid())

    monkeypatch.setattr(memory, "ours", lambda workers, more: Contestant("sekisho", start))
    monkeypatch.setattr(memory, "memory_kib", lambda root: 0.0)
    (found,) = memory.idle(Load())
    assert isinstance(found, Absent)
    assert "only root" in found.why
