"""What a relay costs, read from /proc: processor time and memory of a process and all that descend from it.

Time is that of the scheduler (nanoseconds), not of clock ticks: a relay of many short-lived processes would otherwise lose
up to a tick with each. Children that have ended count through their parents, who waited for them.
"""

from __future__ import annotations

import os
import re
import time
from contextlib import suppress
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


def tree(root: int) -> list[int]:
    """Return a process and its descendants."""
    children: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):  # it ended meanwhile
                children.setdefault(int(_stat(int(entry.name))[1]), []).append(int(entry.name))
    found = [root]
    for process in found:
        found += children.get(process, [])
    return found


def cpu_s(root: int) -> float:
    """Return the processor seconds that a tree has used so far."""
    return sum(_cpu_s(process) for process in tree(root))


def _cpu_s(process: int) -> float:
    with suppress(OSError):
        fields = _stat(process)
        own = (int(fields[11]) + int(fields[12])) * _TICK_S
        ended = (int(fields[13]) + int(fields[14])) * _TICK_S
        return max(own, _scheduled_s(process)) + ended
    return 0.0


def _scheduled_s(process: int) -> float:
    """Return the seconds on a processor of all threads alive; 0 where the kernel does not tell."""
    spent = 0
    for thread in (PROC / str(process) / "task").iterdir():
        with suppress(OSError):
            spent += int((thread / "schedstat").read_text().split()[0])
    return spent / 1e9


def memory_kib(root: int) -> float:
    """Return the memory of a tree in KiB: pages shared by n processes count as 1/n in each (PSS)."""
    return sum(_kib(process, "smaps_rollup", "Pss") for process in tree(root))


def peak_kib(root: int) -> float:
    """Return the sum of what each process of a tree occupied at its own worst, in KiB (VmHWM)."""
    return sum(_kib(process, "status", "VmHWM") for process in tree(root))


def settle(root: int, limit_s: float = 15.0) -> None:
    """Wait until a tree is idle (under 5 % of a core over a third of a second), or the limit has passed."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        before = cpu_s(root)
        time.sleep(0.3)
        if cpu_s(root) - before < 0.015:
            return


def _stat(process: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the third on (proc(5)); the name before may hold anything."""
    return (PROC / str(process) / "stat").read_text().rpartition(")")[2].split()


def _kib(process: int, file: str, name: str) -> float:
    with suppress(OSError):
        found = re.search(rf"(?m)^{name}:\s+(\d+) kB", (PROC / str(process) / file).read_text())
        return float(found[1]) if found else 0.0
    return 0.0
