"""The systemd unit's system call filter and limits, put on the real process: a whole life goes through them."""

from __future__ import annotations

import os
import platform
import re
import resource
import shutil
import signal
import smtplib
import subprocess
import sys
from pathlib import Path

import pytest

from tests.process import ROOT, Gateway, mail, next_hop, wait_for

UNIT = (ROOT / "deploy" / "systemd" / "sekisho.service").read_text()
NUMBERS = Path(f"/usr/include/{platform.machine()}-linux-gnu/asm/unistd_64.h")
LARGE = (b"x" * 70 + b"\r\n") * 3_000  # a body of this size lies in a file


def cannot(why: str) -> None:
    if os.environ.get("TEST_NO_SKIP"):
        pytest.fail(why)
    pytest.skip(why)


def group(name: str) -> set[str]:
    """Return the system calls of one of systemd's groups, with those of the groups in it."""
    said = subprocess.run(
        ["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True, timeout=30
    ).stdout
    calls: set[str] = set()
    for line in said.splitlines()[1:]:
        word = line.strip()
        calls |= (
            group(word) if word.startswith("@") else {word} if word and not word.startswith("#") else set()
        )
    return calls


def allowed() -> set[str]:
    """Return what the unit's SystemCallFilter lines leave."""
    calls: set[str] = set()
    for said in re.findall(r"(?m)^SystemCallFilter=(.+)$", UNIT):
        words = said.lstrip("~").split()
        named: set[str] = set().union(*(group(word) if word.startswith("@") else {word} for word in words))
        calls = calls - named if said.startswith("~") else calls | named
    return calls


def numbers(names: set[str]) -> list[int]:
    """Return the numbers of system calls by name; what this kernel's headers do not know is left out."""
    known = dict(re.findall(r"#define __NR_(\w+)\s+(\d+)", NUMBERS.read_text()))
    return sorted(int(known[name]) for name in names if name in known)


def limits() -> None:
    """Set the unit's limits in the child."""
    files = re.search(r"(?m)^LimitNOFILE=(\d+)$", UNIT)
    assert files is not None
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    count = int(files[1]) if hard == resource.RLIM_INFINITY else min(int(files[1]), hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, count))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def test_a_whole_life_goes_through_the_units_filter(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        cannot("systemd-analyze is absent")
    if not NUMBERS.exists():
        cannot(f"{NUMBERS} is absent: the kernel's headers for C")
    calls = numbers(allowed())
    assert 200 < len(calls) < 400
    command = (sys.executable, str(ROOT / "tests" / "backup" / "filtered.py"), ",".join(map(str, calls)))
    with next_hop() as hop:
        gw = Gateway(tmp_path, hop.port, window="1s", extra="workers: 2\n")
        gw.write()
        gw.start((*command, sys.executable, "-m", "gateway.cli"))
        try:
            assert gw.process is not None
            status = Path(f"/proc/{gw.process.pid}/status").read_text()
            assert re.search(r"(?m)^Seccomp:\s+2$", status)
            with smtplib.SMTP("127.0.0.1", gw.smtp_port, timeout=30) as client:
                for to, body in (("a@example.com", b"small\r\n"), ("b@example.com", LARGE)):
                    client.sendmail("office@sports.example.jp", [to], mail([to], "x", body))
            wait_for(lambda: gw.log_text.count('"event":"ready"') == 2, "both workers")
            gw.process.send_signal(signal.SIGHUP)
            wait_for(lambda: {"a@example.com", "b@example.com"} <= set(hop.recipients()), "both mails")
            gw.cli("backup", "--state", str(tmp_path / "var"), str(tmp_path / "backup"))
            assert gw.get("/readyz")[0] == 200
            assert gw.get("/metrics")[0] == 200
            assert gw.stop() == 0
        finally:
            if gw.process is not None:
                gw.process.kill()
                gw.process.wait()
    for word in ("Operation not permitted", "PermissionError", '"level":"error"', "Traceback"):
        assert word not in gw.log_text


READS = (
    "import asyncio\n"
    "from gateway.config.settings import Content\n"
    "from gateway.evidence.content.reader import Reader\n"
    "from tests.evidence.content.making import facts_of, mail, part, pdf\n"
    "async def main():\n"
    "    raw, reader = mail(part('a.pdf', pdf('words in it'))), Reader(Content())\n"
    "    print((await reader.read(facts_of(raw), raw)).texts['attachments'][0].strip())\n"
    "    await reader.close()\n"
    "asyncio.run(main())\n"
)
SEALS = (
    "import asyncio\n"
    "from gateway.config.settings import Sealing as Settings\n"
    "from gateway.policy.protection import How\n"
    "from gateway.sealing.sealer import Sealing\n"
    "from tests.sealing.making import mail_with, order_for, parts_of, places_of\n"
    "async def main():\n"
    "    sealing = Sealing(Settings())\n"
    "    seen = await sealing.look(mail_with())\n"
    "    print(*parts_of(await sealing.write(mail_with(), order_for(places_of(seen), How.NATIVE))))\n"
    "    await sealing.close()\n"
    "asyncio.run(main())\n"
)


@pytest.mark.parametrize(
    ("script", "printed"),
    [(READS, "words in it"), (SEALS, "report.pdf list.docx table.xlsx attachments.zip")],
    ids=["reads", "seals"],
)
def test_confined_processes_work_under_the_units_filter(script: str, printed: str) -> None:
    """They set limits to themselves, which the filter must not refuse: without them they do not begin."""
    if shutil.which("systemd-analyze") is None or not NUMBERS.exists():
        cannot("systemd-analyze or the kernel's headers are absent")
    calls = ",".join(map(str, numbers(allowed())))
    done = subprocess.run(
        [sys.executable, "tests/backup/filtered.py", calls, sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.split("\n")[0] == printed


def test_the_filter_bites(tmp_path: Path) -> None:
    """What the unit takes away is refused: otherwise the life above would show nothing."""
    if shutil.which("systemd-analyze") is None or not NUMBERS.exists():
        cannot("systemd-analyze or the kernel's headers are absent")
    calls = ",".join(map(str, numbers(allowed())))
    tries = ("os.chroot('/')", "os.nice(1)")
    script = "import os\n" + "".join(f"try: {t}\nexcept PermissionError: print('refused')\n" for t in tries)
    done = subprocess.run(
        [sys.executable, "tests/backup/filtered.py", calls, sys.executable, "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stdout.split() == ["refused", "refused"]
