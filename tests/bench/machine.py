"""On what a run was made: the machine, the versions, the tree. Says nothing about who ran it or where it stands.

Read once before the first round. A folder in memory (tmpfs) is called out: syncing costs nothing there, and the comparison
would be none.
"""

from __future__ import annotations

import os
import platform
import re
import sqlite3
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.source import tool
from tests.postgres import PLACES

ROOT = Path(__file__).parents[2]
IN_MEMORY = ("tmpfs", "ramfs")


def machine(folder: Path) -> dict[str, str]:
    """Return what there is to say, in words."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cores": f"{len(os.sched_getaffinity(0))} x {_first('/proc/cpuinfo', 'model name') or platform.machine()}",
        "memory": f"{int((_first('/proc/meminfo', 'MemTotal') or '0').split()[0]) / 2**20:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "disk": filesystem(folder),
        "load before": f"{os.getloadavg()[0]:.2f}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "postfix": _said([tool("postconf") or "", "-h", "mail_version"]),
        "postgresql": _said(
            [next((f"{place}/postgres" for place in PLACES if Path(place).exists()), ""), "-V"]
        ),
        "tree": _said(["git", "-C", str(ROOT), "describe", "--always", "--dirty"]),
        "gateway": f"{compiled()} compiled modules" if compiled() else "no compiled modules",
    }


def compiled() -> int:
    """Return how many modules of the gateway are compiled here."""
    return len(list((ROOT / "gateway").rglob("*.so")))


def filesystem(folder: Path, mounts: Path = Path("/proc/mounts")) -> str:
    """Return the kind of the file system that holds a folder."""
    here, best = str(folder.resolve()), ("", "unknown")
    for line in mounts.read_text().splitlines():
        _, point, kind, *_ = line.split()
        inside = here == point or here.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best[0]):
            best = (point, kind)
    return best[1]


def warnings(about: dict[str, str]) -> list[str]:
    """Return what makes the figures of a run worth less."""
    found = []
    if about["disk"] in IN_MEMORY:
        found.append(
            f"the queues stand on {about['disk']}: nothing is synced; set BENCH_DIR to a folder on a disk"
        )
    if float(about["load before"]) > 0.5:
        found.append(f"the machine is busy (load {about['load before']}): others take part in the result")
    return found


def _first(path: str, name: str) -> str:
    found = re.search(rf"(?m)^{name}\s*:\s*(.+)$", Path(path).read_text())
    return found[1].strip() if found else ""


def _said(command: list[str]) -> str:
    """Return what a program says about itself, in a line; 'absent' where it is not there."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return "absent"
    return done.stdout.strip()
