"""The reader and its processes: answers on every mail, and what was read counts whatever happens to the process."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import uvloop

from gateway.config.settings import Content as Settings
from gateway.evidence.content.bounds import Bounds
from gateway.evidence.content.child import Child, ChildDied
from gateway.evidence.content.pool import Pool
from gateway.evidence.content.reader import QUICK_OCTETS, Reader
from gateway.message.evidence import Content, FileEvidence
from gateway.metrics import REGISTRY
from tests.evidence.content.making import docx, facts_of, letter, mail, paragraph, part, pdf, xlsx, zipped


class Watched:
    """A reader whose processes can be found."""

    def __init__(self, settings: Settings, start: Callable[[Bounds], Awaitable[Child]] = Child.start) -> None:
        self.children: list[Child] = []
        self._start = start
        self._begun = asyncio.Event()
        wait = settings.wait.total_seconds()
        self.reader = Reader(settings, lambda bounds: Pool(settings.workers, wait, bounds, self._begin))

    async def _begin(self, bounds: Bounds) -> Child:
        child = await self._start(bounds)
        self.children.append(child)
        self._begun.set()
        return child

    async def read(self, raw: bytes) -> Content:
        return await self.reader.read(facts_of(raw), raw)

    async def child(self) -> Child:
        await self._begun.wait()
        return self.children[-1]


@asynccontextmanager
async def watched(**settings: object) -> AsyncIterator[Watched]:
    found = Watched(Settings.model_validate(settings))
    try:
        yield found
    finally:
        await found.reader.close()


def reads(result: str) -> float:
    return REGISTRY.get_sample_value("sekisho_content_reads_total", {"result": result}) or 0.0


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


ENDLESS = xlsx("<c/>" * 8_000_000)
"""A file that no worker reads in a second."""


async def test_a_small_mail_is_read_without_a_process() -> None:
    async with watched() as reader:
        content = await reader.read(letter("資料を添付します。090-1234-5678".encode()))
        assert content.speaks_of_attachment
        assert content.body.phone == 1
        assert content.texts["subject"] == ("test",)
        assert reader.children == []


async def test_the_process_says_what_reading_here_says() -> None:
    raw = letter("佐藤様\r\n資料を添付します。090-1234-5678".encode())
    long = raw + b"\r\n" + b" " * QUICK_OCTETS
    async with watched() as reader:
        here, there = await reader.read(raw), await reader.read(long)
        assert len(reader.children) == 1
    assert (here.body, here.mail_is, here.greets_other) == (there.body, there.mail_is, there.greets_other)
    assert [text.strip() for text in here.texts["body"]] == [text.strip() for text in there.texts["body"]]


async def test_files_are_read_by_one_process_after_the_other_mail() -> None:
    raw = mail(
        part("a.docx", docx(paragraph("one"))),
        part("b.pdf", pdf("two")),
        part("c.zip", zipped({"x": b"three"})),
    )
    async with watched() as reader:
        contents = [await reader.read(raw) for _ in range(3)]
        assert len(reader.children) == 1
    assert contents[0] == contents[1] == contents[2]
    assert [text.strip() for text in contents[0].texts["attachments"]] == ["one", "two", "three"]
    assert [file.kind for file in contents[0].files] == ["docx", "pdf", "zip"]


async def test_a_killed_process_leaves_what_it_told_and_is_replaced() -> None:
    raw = mail(part("a.txt", b"read before"), part("b.xlsx", ENDLESS), part("c.txt", b"never"))
    before = reads("died")
    async with watched(time="60s") as reader:
        reading = asyncio.create_task(reader.read(raw))
        child = await reader.child()
        await asyncio.sleep(0.5)
        os.kill(child.pid, signal.SIGKILL)
        content = await reading
        assert content.files[0].unread == ""
        assert content.texts["attachments"] == ("read before",)
        assert [file.unread for file in content.files[1:]] == ["too-slow", "too-slow"]
        assert content.files[1] == FileEvidence(unread="too-slow")
        assert "attachments" in content.cut
        assert (await reader.read(mail(part("a.txt", b"again")))).texts["attachments"] == ("again",)
        assert len(reader.children) == 2
    assert reads("died") == before + 1


async def test_a_slow_file_is_interrupted_and_the_next_one_read() -> None:
    raw = mail(part("a.xlsx", ENDLESS), part("b.txt", b"090-1234-5678"))
    async with watched(time="1s") as reader:
        content = await reader.read(raw)
        assert [file.unread for file in content.files] == ["too-slow", ""]
        assert content.files[1].found.phone == 1
        assert content.files[0].kind == "xlsx"


async def test_a_process_that_does_not_answer_is_killed_in_time() -> None:
    raw = mail(part("a.txt", b"x"))
    before = reads("killed")
    async with watched(time="1s") as reader:
        await reader.read(raw)
        child = await reader.child()
        os.kill(child.pid, signal.SIGSTOP)
        content = await reader.read(raw)
        assert [file.unread for file in content.files] == ["too-slow"]
        assert content.body_unread == "too-slow"
        assert content.texts["subject"] == ("test",)
        assert not is_alive(child.pid)
        assert (await reader.read(raw)).files[0].unread == ""
    assert reads("killed") == before + 1


async def test_a_mail_that_eats_memory_is_read_as_far_as_it_goes() -> None:
    raw = mail(part("a.zip", zipped({"big": bytes(400 << 20)})), part("b.txt", b"read after"))
    async with watched(memory="256MiB", unpacked="1GiB", time="60s") as reader:
        content = await reader.read(raw)
        assert content.files[0].unread == "too-slow"
        assert content.files[1].unread == ""
        assert (await reader.read(raw)).files[1].unread == ""


async def test_cancelled_reading_gives_its_place_back() -> None:
    raw = mail(part("a.xlsx", ENDLESS))
    async with watched(time="60s", workers=1) as reader:
        reading = asyncio.create_task(reader.read(raw))
        child = await reader.child()
        await asyncio.sleep(0.2)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        content = await reader.read(mail(part("a.txt", b"next")))
        assert content.files[0].unread == ""
        assert not is_alive(child.pid)


async def test_who_waits_too_long_for_a_process_is_told_so() -> None:
    before = reads("busy")
    async with watched(time="60s", workers=1, wait="0s") as reader:
        reading = asyncio.create_task(reader.read(mail(part("a.xlsx", ENDLESS))))
        await reader.child()
        content = await reader.read(mail(part("a.txt", b"x")))
        assert content.files[0].unread == "too-slow"
        assert content.body_unread == "too-slow"
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
    assert reads("busy") == before + 1


async def test_processes_that_cannot_start_are_tried_later_and_later() -> None:
    starts = 0

    async def start(_: Bounds) -> Child:
        nonlocal starts
        starts += 1
        raise ChildDied("no")

    found = Watched(Settings(), start)
    before = reads("broken")
    for _ in range(5):
        assert (await found.read(mail(part("a.txt", b"x")))).files[0].unread == "too-slow"
    assert starts == 1
    await asyncio.sleep(0.6)
    await found.read(mail(part("a.txt", b"x")))
    assert starts == 2
    assert reads("broken") == before + 6
    await found.reader.close()


async def test_many_mails_at_once_are_all_read() -> None:
    async with watched(workers=2) as reader:
        raws = [mail(part("a.txt", b"text %d" % n)) for n in range(40)]
        contents = await asyncio.gather(*(reader.read(raw) for raw in raws))
        assert [content.texts["attachments"] for content in contents] == [(f"text {n}",) for n in range(40)]
        assert len(reader.children) <= 2


async def test_closing_ends_all_processes() -> None:
    async with watched() as reader:
        await reader.read(mail(part("a.txt", b"x")))
        pid = reader.children[0].pid
        assert is_alive(pid)
    assert not is_alive(pid)
    assert (await reader.read(mail(part("a.txt", b"x")))).files[0].unread == "too-slow"


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
    assert len(targets) == 3
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


TRIES = {
    "the network": "import socket; socket.socket()",
    "another program": "import os; os.execv('/bin/true', ['true'])",
    "another process": "import os; os.fork()",
    "a signal": "import os; os.kill(os.getppid(), 0)",
    "a file": "open({outside!r}).read()",
    "a folder": "import os; os.listdir({folder!r})",
    "writing": "open({outside!r}, 'w')",
}


@pytest.mark.parametrize("what", TRIES)
async def test_the_process_is_refused(what: str, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("a secret")
    tried = TRIES[what].format(outside=str(tmp_path / "outside"), folder=str(tmp_path))
    code = (
        "import sys\n"
        "from gateway.evidence.content.confined import confine\n"
        "confine(512 << 20)\n"
        "import pypdf, zipfile, xml.parsers.expat\n"  # the program's own files can be read
        f"try:\n    {tried}\n"
        "except OSError as error:\n    print('refused', error.errno)\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-c", code, stdout=asyncio.subprocess.PIPE, cwd="/"
    )
    out, _ = await process.communicate()
    assert out.split() in ([b"refused", b"1"], [b"refused", b"13"])  # EPERM, EACCES


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


async def test_nonsense_from_a_process_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.evidence.content.child._MODULE", "this")
    with pytest.raises(ChildDied):
        await Child.start(Bounds())


async def test_the_gateways_process_imports_no_parser() -> None:
    code = (
        "import sys, gateway.evidence.content.reader; "
        "print([each for each in ('pypdf', 'xml.parsers.expat', 'zipfile', 'csv') if each in sys.modules])"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert b"pypdf" not in out
    assert process.returncode == 0


def test_the_settings_bound_what_is_read() -> None:
    settings = Settings(time=timedelta(seconds=3), depth=2, members=5)
    bounds = Reader(settings)._bounds
    assert (bounds.seconds, bounds.depth, bounds.members) == (3.0, 2, 5)
