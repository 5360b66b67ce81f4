"""The reader and its processes: answers on every mail, and what was read counts whatever happens to the process."""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import timedelta

import pytest

from gateway.config.settings import Content as Settings
from gateway.confined.process import ChildDied
from gateway.evidence.content.bounds import Bounds
from gateway.evidence.content.child import Child
from gateway.evidence.content.reader import QUICK_OCTETS, Reader
from gateway.message.evidence import FileEvidence
from tests.evidence.content.making import docx, letter, mail, paragraph, part, pdf, xlsx, zipped
from tests.evidence.content.watching import Watched, is_alive, reads, watched

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


async def test_a_process_that_ended_while_it_was_idle_costs_nobody_anything() -> None:
    raw = mail(part("a.txt", b"x"))
    async with watched() as reader:
        await reader.read(raw)
        os.kill(reader.children[0].pid, signal.SIGKILL)
        await reader.children[0]._process.wait()
        assert (await reader.read(raw)).files[0].unread == ""
        assert len(reader.children) == 2


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


async def test_nonsense_from_a_process_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.evidence.content.child._MODULE", "this")
    with pytest.raises(ChildDied):
        await Child.start(Bounds())


def test_the_settings_bound_what_is_read() -> None:
    settings = Settings(time=timedelta(seconds=3), depth=2, members=5)
    bounds = Reader(settings)._bounds
    assert (bounds.seconds, bounds.depth, bounds.members) == (3.0, 2, 5)
