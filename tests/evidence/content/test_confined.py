"""What the process that reads inherits, may do, and when it ends; and what the gateway's own process never loads."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
import uvloop

from gateway.evidence.content.bounds import Bounds
from gateway.evidence.content.child import Child
from gateway.message.evidence import Content
from tests.evidence.content.making import mail, part
from tests.evidence.content.watching import is_alive, watched


async def test_the_process_has_no_environment_no_descriptors_and_limits(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SEKISHO_MASTER_KEY", "very secret")
    with (tmp_path / "open").open("w") as kept:
        os.set_inheritable(kept.fileno(), True)
        async with watched() as reader:
            await reader.read(mail(part("a.txt", b"x")))
            proc = Path(f"/proc/{reader.children[0].pid}")
            status = (proc / "status").read_text()
            limits = (proc / "limits").read_text()
            environment = (proc / "environ").read_bytes()
            targets = [str(each.readlink()) for each in (proc / "fd").iterdir()]
    assert b"secret" not in environment
    assert not any("open" in target for target in targets)
    assert len(targets) == 4  # its pipes, nowhere for what goes wrong, and how much memory it occupies
    assert "NoNewPrivs:\t1" in status
    for what, value in (
        ("Max address space", "536870912"),
        ("Max file size", "0"),
        ("Max core file size", "0"),
    ):
        assert any(
            line.startswith(what) and line.removeprefix(what).split()[:2] == [value, value]
            for line in limits.splitlines()
        )


async def test_the_process_ends_with_its_parent() -> None:
    child = await Child.start(Bounds())
    writer = child._process.stdin
    assert writer is not None
    writer.close()
    async with asyncio.timeout(10):
        await child._process.wait()
    assert not is_alive(child.pid)
    await child.kill()


async def test_a_process_in_the_middle_of_a_mail_ends_with_its_parent() -> None:
    code = (
        "import asyncio, os, sys\n"
        "from gateway.evidence.content.bounds import Bounds\n"
        "from gateway.evidence.content.child import Child\n"
        "from tests.evidence.content.making import mail, part\n"
        "async def main():\n"
        "    child = await Child.start(Bounds(seconds=100))\n"
        "    print(child.pid, flush=True)\n"
        "    raw = mail(part('a.csv', b'1,2\\n' * 9_000_000))\n"
        "    async for _ in child.ask(raw, (), Bounds(seconds=100)):\n"
        "        os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[3]
    )
    out, _ = await parent.communicate()
    assert parent.returncode == -signal.SIGKILL
    pid = int(out)
    for _ in range(200):
        if not is_alive(pid) or "Z" in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]:
            break
        await asyncio.sleep(0.05)
    else:
        pytest.fail("it lives on")


async def test_a_reader_of_a_large_gateway_is_not_taken_for_large_itself() -> None:
    occupied = bytearray(b"x") * (300 << 20)  # more than half of what a reader may use
    async with watched() as reader:
        for _ in range(3):
            await reader.read(mail(part("a.txt", b"x")))
        assert len(reader.children) == 1
    assert len(occupied) == 300 << 20


async def test_a_stop_of_the_service_leaves_it_to_the_parent() -> None:
    async with watched() as reader:
        raw = mail(part("a.txt", b"x"))
        await reader.read(raw)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.kill(reader.children[0].pid, number)
        assert (await reader.read(raw)).files[0].unread == ""
        assert len(reader.children) == 1


def test_it_works_on_the_loop_of_the_service() -> None:
    async def read() -> Content:
        async with watched() as reader:
            return await reader.read(mail(part("a.txt", b"x" * (1 << 20))))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(read()).files[0].kind == "text"


async def test_the_gateways_process_imports_no_parser() -> None:
    code = (
        "import sys, gateway.evidence.content.reader; "
        "print([each for each in ('pypdf', 'xml.parsers.expat', 'zipfile', 'csv') if each in sys.modules])"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert b"pypdf" not in out
    assert process.returncode == 0
