"""The sealing processes: what they answer, what a dead or a busy one means, and that their walls hold while they seal."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from gateway.config.settings import Sealing as Settings
from gateway.confined.pool import Pool
from gateway.confined.process import ChildDied
from gateway.metrics import REGISTRY
from gateway.policy.handling import Seen
from gateway.policy.protection import How
from gateway.sealing import bounds
from gateway.sealing.child import Child
from gateway.sealing.sealer import NoChild, NotWritten, Sealing
from tests.evidence.content.making import mail, part
from tests.evidence.content.watching import is_alive
from tests.sealing.making import FILES, KEY, mail_with, order_for, parts_of, places_of

SLOW = mail(part("a.bin", os.urandom(12 << 20)))
"""A mail that takes seconds to be written in the old cipher."""


class Watched(Sealing):
    """A sealer whose processes can be found."""

    def __init__(self, settings: Settings, start: Callable[[], Awaitable[Child]] | None = None) -> None:
        self.children: list[Child] = []
        self._start = start or partial(Child.start, settings.memory)
        self._begun = asyncio.Event()
        super().__init__(
            settings, Pool("sealing", settings.workers, settings.wait.total_seconds(), self._begin)
        )

    async def _begin(self) -> Child:
        child = await self._start()
        self.children.append(child)
        self._begun.set()
        return child

    async def child(self) -> Child:
        await self._begun.wait()
        return self.children[-1]


@asynccontextmanager
async def sealing(**settings: object) -> AsyncIterator[Watched]:
    found = Watched(Settings.model_validate(settings))
    try:
        yield found
    finally:
        await found.close()


def counted(work: str, result: str) -> float:
    return REGISTRY.get_sample_value("sekisho_sealing_total", {"work": work, "result": result}) or 0.0


@pytest.mark.parametrize("how", How)
async def test_a_mail_is_looked_at_and_written(how: How) -> None:
    async with sealing() as sealer:
        seen = await sealer.look(mail_with())
        assert [each.name for each in seen.files] == list(FILES)
        out = await sealer.write(mail_with(), order_for(places_of(seen), how))
        assert len(sealer.children) == 1
    left_out = how in (How.LINK, How.BLOCK)
    assert bool(parts_of(out)) is not left_out
    for octets in FILES.values():
        assert octets not in parts_of(out).values()


async def test_walls_hold_while_it_seals() -> None:
    """No file is written or opened, no process or thread begun, nothing inherited; the system's randomness is there."""
    async with sealing() as sealer:
        seen = await sealer.look(mail_with())
        await sealer.write(mail_with(), order_for(places_of(seen), How.NATIVE))
        proc = Path(f"/proc/{sealer.children[0].pid}")
        status, limits = (proc / "status").read_text(), (proc / "limits").read_text()
        targets = sorted(str(each.readlink()) for each in (proc / "fd").iterdir())
        environment = (proc / "environ").read_bytes()
    assert "NoNewPrivs:\t1" in status
    assert "Threads:\t1\n" in status
    assert "Seccomp:\t2" in status
    assert environment == b"LC_ALL=C.UTF-8\0"
    assert any(
        line.split()[3:5] == ["0", "0"] for line in limits.splitlines() if line.startswith("Max file size")
    )
    known = ("pipe:", "socket:", "/dev/null", "/dev/urandom", "/proc/")
    assert all(target.startswith(known) for target in targets), targets


async def test_two_mails_written_are_never_the_same() -> None:
    async with sealing() as sealer:
        order = order_for([2], How.ZIP_AES256)
        one, other = [await sealer.write(mail_with({"a.txt": b"x" * 100}), order) for _ in range(2)]
    assert one != other


async def test_a_process_that_dies_over_a_mail_is_an_obstacle_of_that_mail_alone() -> None:
    before = counted("look", "died")
    async with sealing() as sealer:
        await sealer.look(mail_with())
        child = await sealer.child()
        os.kill(child.pid, signal.SIGSTOP)
        looking = asyncio.create_task(sealer.look(mail_with()))
        await asyncio.sleep(0.1)
        os.kill(child.pid, signal.SIGKILL)
        assert await looking == Seen(obstacle="unread")
        assert (await sealer.look(mail_with())).obstacle == ""
    assert counted("look", "died") == before + 1


async def test_a_process_that_dies_while_it_seals_is_told_as_temporary() -> None:
    async with sealing() as sealer:
        writing = asyncio.create_task(sealer.write(SLOW, order_for([2], How.ZIP_LEGACY)))
        child = await sealer.child()
        await asyncio.sleep(0.3)
        os.kill(child.pid, signal.SIGKILL)
        with pytest.raises(NotWritten) as not_written:
            await writing
    assert (not_written.value.why, not_written.value.temporary) == ("died", True)


async def test_a_process_that_takes_too_long_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.sealing.sealer.seconds_to_write", lambda _: 0.1)
    monkeypatch.setattr("gateway.sealing.sealer.seconds_to_look", lambda _: 0.1)
    monkeypatch.setattr("gateway.sealing.sealer.GRACE_S", 0.1)
    async with sealing() as sealer:
        with pytest.raises(NotWritten, match="too-slow"):
            await sealer.write(SLOW, order_for([2], How.ZIP_LEGACY))
        first = sealer.children[0]
        assert not is_alive(first.pid)
        assert (await sealer.look(mail(part("a.bin", os.urandom(9 << 20))))).obstacle in ("", "unread")


async def test_what_cannot_be_written_is_told_as_final_and_the_process_goes_on() -> None:
    async with sealing() as sealer:
        with pytest.raises(NotWritten) as not_written:
            await sealer.write(mail_with(), order_for([2], How.ZIP_AES256, key=""))
        assert (not_written.value.why, not_written.value.temporary) == ("no-key", False)
        assert (await sealer.look(mail_with())).obstacle == ""
        assert len(sealer.children) == 1


async def test_want_of_memory_is_no_crash() -> None:
    async with sealing(memory="256MiB") as sealer:
        large = mail(part("a.bin", os.urandom(60 << 20)))
        with pytest.raises(NotWritten) as not_written:
            await sealer.write(large, order_for([2], How.ZIP_AES256))
        assert not_written.value.temporary
        assert (await sealer.look(mail_with())).obstacle == ""


async def test_without_a_process_nothing_is_seen_and_nothing_written() -> None:
    async def start() -> Child:
        raise ChildDied("no")

    sealer = Watched(Settings(), start)
    with pytest.raises(NoChild, match="broken"):
        await sealer.look(mail_with())
    with pytest.raises(NotWritten) as not_written:
        await sealer.write(mail_with(), order_for([2], How.BLOCK))
    assert (not_written.value.why, not_written.value.temporary) == ("broken", True)
    await sealer.close()


async def test_who_waits_too_long_is_told_so() -> None:
    async with sealing(workers=1, wait="0s") as sealer:
        writing = asyncio.create_task(sealer.write(SLOW, order_for([2], How.ZIP_LEGACY)))
        await sealer.child()
        with pytest.raises(NoChild, match="busy"):
            await sealer.look(mail_with())
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        assert not is_alive(sealer.children[0].pid)


async def test_a_process_retires_after_so_many_mails(monkeypatch: pytest.MonkeyPatch) -> None:
    async with sealing() as sealer:
        for _ in range(bounds.MOST_MAILS + 1):
            await sealer.look(mail_with({"a.txt": b"x"}))
        assert len(sealer.children) == 2


async def test_several_large_mails_at_once() -> None:
    raws = [mail(part("a.bin", os.urandom(8 << 20))) for _ in range(4)]
    async with sealing(workers=2) as sealer:
        outs = await asyncio.gather(*(sealer.write(raw, order_for([2], How.ZIP_AES256)) for raw in raws))
        assert len(sealer.children) == 2
    assert all(len(out) > len(raw) * 0.9 for out, raw in zip(outs, raws, strict=True))


async def test_a_key_is_in_no_argument_and_no_environment() -> None:
    async with sealing() as sealer:
        await sealer.write(mail_with(), order_for([2], How.ZIP_AES256))
        proc = Path(f"/proc/{sealer.children[0].pid}")
        assert KEY.encode() not in (proc / "cmdline").read_bytes() + (proc / "environ").read_bytes()


async def test_the_gateways_process_imports_no_parser() -> None:
    code = (
        "import sys, gateway.sealing.sealer; "
        "print([each for each in ('pikepdf', 'msoffcrypto', 'lxml') if each in sys.modules])"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate()
    assert out.strip() == b"[]"
