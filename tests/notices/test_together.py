"""The worker in a burst: one notice at once, letters for the rest; each held mail is told of exactly once."""

from __future__ import annotations

import re
import threading
from collections.abc import MutableMapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import chain
from typing import Any

import pytest

from gateway.links import Links
from gateway.notices.aside import NoThread
from gateway.notices.bursts import LISTED, LONGEST, QUIET
from gateway.notices.compose import Composers
from gateway.notices.failures import STORE_RETRY
from gateway.notices.held_mail import HeldMail
from gateway.notices.together import Many
from gateway.notices.worker import BATCH, LOOK_BACK, NoticeWorker
from gateway.policy.demands import Language
from gateway.spool.contract import StoreUnavailable
from gateway.spool.lifecycle import State
from gateway.spool.notice import Glance, Notice, NoticeKind
from gateway.spool.values import NewMessage
from tests.memory_spool import NOON, SENDER, WINDOW, MemorySpool, decision_for, hold
from tests.notices.conftest import AUTHOR, notice, read_back, text

OUT = ("sato@example.com", "suzuki@example.net")


class Watched(MemorySpool):
    """Counts what a worker reads."""

    def __init__(self) -> None:
        super().__init__()
        self.raws = 0
        self.rows = 0

    async def raw(self, queue_id: str) -> bytes:
        self.raws += 1
        return await super().raw(queue_id)

    async def pending(self, limit: int, after: int = 0) -> Sequence[Notice]:
        found = await super().pending(limit, after)
        self.rows += len(found)
        return found


class Burst:
    """A worker, a clock to move, and a sender who holds many mails."""

    def __init__(self, composers: Composers, many: Many | None = None) -> None:
        self.spool, self.now, self.woken = Watched(), NOON, 0
        self.worker = NoticeWorker(
            self.spool.door(),
            composers.by_kind(),
            many or composers,
            lambda: self.now,
            AUTHOR.hostname,
            self._wake,
        )

    def mails(self, numbers: range, language: Language = Language.JA, to: str = SENDER) -> None:
        for number in numbers:
            hold(self.spool, f"Q{number}", OUT, decision=decision_for((0, 0), language=language))
            row = notice(queue_id=f"Q{number}", to=to, notice_id=number)
            self.spool.outbox.append(replace(row, hold_ends=self.now + WINDOW))

    async def later(self, span: timedelta) -> int:
        self.now += span
        return await self.worker.run_once()

    async def all(self) -> None:
        """Look until a look finds nothing to write."""
        while await self.worker.run_once() or self.worker._more:
            pass

    def _wake(self) -> None:
        self.woken += 1


@pytest.fixture
def burst(composers: Composers) -> Burst:
    return Burst(composers)


def told(mail: NewMessage, links: Links) -> list[str]:
    """Return the queue ids whose links stand in a letter."""
    urls = re.findall(r"https://\S+", text(read_back(mail.raw)))
    return [links.read(url.rpartition("/m/")[2]).queue_id for url in urls]


async def test_the_first_goes_at_once_and_the_others_in_one_letter(burst: Burst, links: Links) -> None:
    burst.mails(range(1, 14))
    assert await burst.worker.run_once() == 1
    assert told(burst.spool.spooled[0], links) == ["Q1"]
    assert await burst.later(QUIET - timedelta(seconds=1)) == 0
    assert await burst.later(timedelta(seconds=1)) == 12
    _, letter = burst.spool.spooled
    assert told(letter, links) == [f"Q{number}" for number in range(2, 14)]
    assert (letter.about, letter.from_gateway, letter.envelope.sender) == ("Q2", True, None)
    assert [str(address) for address in letter.envelope.recipients] == [SENDER]
    assert not letter.decision.notify_sender
    assert read_back(letter.raw)["Subject"] == "【送信保留】メール12件"
    assert (burst.spool.outbox, burst.woken) == ([], 2)


async def test_a_letter_reads_no_original(burst: Burst) -> None:
    burst.mails(range(1, 30))
    await burst.worker.run_once()
    await burst.later(QUIET)
    assert burst.spool.raws == 1


async def test_five_hundred_mails_are_a_few_letters_and_each_is_told_of_once(
    burst: Burst, links: Links
) -> None:
    burst.mails(range(1, 501))
    await burst.all()
    burst.now += QUIET
    await burst.all()
    assert burst.spool.outbox == []
    letters = [told(mail, links) for mail in burst.spool.spooled]
    assert sorted(chain.from_iterable(letters)) == sorted(f"Q{number}" for number in range(1, 501))
    assert len(letters) == 1 + -(-499 // LISTED)


async def test_one_that_waited_alone_is_told_of_as_ever(burst: Burst) -> None:
    burst.mails(range(1, 3))
    await burst.worker.run_once()
    await burst.later(QUIET)
    assert read_back(burst.spool.spooled[1].raw)["X-Sekisho-Notice"] == "hold; about=Q2"
    assert burst.spool.raws == 2


async def test_what_was_cancelled_meanwhile_is_left_out(burst: Burst, links: Links) -> None:
    burst.mails(range(1, 5))
    await burst.worker.run_once()
    for index in range(2):
        burst.spool.set_state("Q3", index, State.CANCELLED)
    assert await burst.later(QUIET) == 3
    assert told(burst.spool.spooled[1], links) == ["Q2", "Q4"]
    assert [mail for done, mail in burst.spool.finished if done.queue_id == "Q3"] == [None]


async def test_each_language_has_its_letter(burst: Burst, links: Links) -> None:
    burst.mails(range(1, 4))
    burst.mails(range(4, 6), Language.EN)
    await burst.worker.run_once()
    await burst.later(QUIET)
    _, ours, theirs = burst.spool.spooled
    assert read_back(theirs.raw)["Subject"] == "[Held] 2 mails"
    assert (told(ours, links), told(theirs, links)) == (["Q2", "Q3"], ["Q4", "Q5"])


async def test_other_kinds_and_other_senders_do_not_wait(burst: Burst) -> None:
    burst.mails(range(1, 4))
    burst.mails(range(4, 5), to="other@sports.example.jp")
    burst.spool.outbox += [
        notice(NoticeKind.COPY, to="boss@sports.example.jp", notice_id=number) for number in (5, 6)
    ]
    assert await burst.worker.run_once() == 4
    assert [row.notice_id for row in burst.spool.outbox] == [2, 3]


async def test_what_waits_is_not_read_again_and_again(burst: Burst) -> None:
    burst.mails(range(1, BATCH))
    await burst.worker.run_once()
    burst.spool.rows = 0
    for _ in range(20):
        await burst.later(QUIET / 100)
    assert burst.spool.rows == 0
    burst.mails(range(BATCH, BATCH + 1))
    await burst.worker.run_once()
    assert burst.spool.rows == 1


async def test_a_store_that_fails_loses_no_letter_and_doubles_none(burst: Burst, links: Links) -> None:
    burst.mails(range(1, 4))
    await burst.worker.run_once()
    burst.spool.down = True
    assert await burst.later(QUIET) == 0
    burst.spool.down = False
    assert await burst.later(STORE_RETRY) == 2
    assert told(burst.spool.spooled[1], links) == ["Q2", "Q3"]


async def test_a_letter_that_fails_while_it_is_written_is_written_again(
    burst: Burst, links: Links, monkeypatch: pytest.MonkeyPatch
) -> None:
    burst.mails(range(1, 4))
    await burst.worker.run_once()

    async def failing(queue_ids: Sequence[str]) -> list[object]:
        raise StoreUnavailable("a bad sector")

    with monkeypatch.context() as patched:
        patched.setattr(burst.spool, "glances", failing)
        assert await burst.later(QUIET) == 0
    assert await burst.later(STORE_RETRY) == 2
    assert told(burst.spool.spooled[1], links) == ["Q2", "Q3"]


async def test_what_somebody_else_finished_is_not_told_again(burst: Burst, links: Links) -> None:
    burst.mails(range(1, 6))
    await burst.worker.run_once()
    burst.spool.outbox = [row for row in burst.spool.outbox if row.queue_id != "Q3"]
    assert await burst.later(QUIET) == 0
    await burst.all()
    await burst.later(QUIET)
    letters = [told(mail, links) for mail in burst.spool.spooled]
    assert sorted(chain.from_iterable(letters)) == ["Q1", "Q2", "Q4", "Q5"]
    assert burst.spool.outbox == []


async def test_a_row_that_came_late_with_a_low_number_is_found(burst: Burst) -> None:
    burst.mails(range(5, 9))
    await burst.worker.run_once()
    burst.mails(range(1, 2), to="other@sports.example.jp")
    await burst.later(LOOK_BACK)
    assert burst.spool.outbox == []


async def test_a_mail_that_is_gone_and_one_that_cannot_be_read_keep_the_others_from_nothing(
    burst: Burst, links: Links
) -> None:
    burst.mails(range(1, 7))
    await burst.worker.run_once()
    del burst.spool.messages["Q3"]
    burst.spool.messages["Q4"] = replace(burst.spool.messages["Q4"], unreadable=True)
    assert await burst.later(QUIET) == 4
    assert told(burst.spool.spooled[1], links) == ["Q2", "Q5", "Q6"]
    for _ in range(6):
        await burst.later(timedelta(hours=1))
    assert burst.spool.outbox == []
    assert len(burst.spool.spooled) == 2


class Broken:
    """Composes no letter; `line` is as it should be."""

    def __init__(self, composers: Composers, error: Exception) -> None:
        self.line = composers.line
        self._error = error

    def holds(self, about: Glance, notice: Notice, lines: Sequence[HeldMail]) -> bytes:
        raise self._error


async def test_a_bug_in_the_letter_makes_single_notices_of_it(composers: Composers, links: Links) -> None:
    burst = Burst(composers, Broken(composers, RuntimeError("a bug")))
    burst.mails(range(1, 6))
    await burst.worker.run_once()
    burst.now += QUIET
    await burst.all()
    assert [told(mail, links) for mail in burst.spool.spooled] == [[f"Q{n}"] for n in range(1, 6)]


async def test_a_letter_waits_for_a_thread(composers: Composers) -> None:
    burst = Burst(composers, Broken(composers, NoThread()))
    burst.mails(range(1, 4))
    await burst.worker.run_once()
    assert await burst.later(QUIET) == 0
    assert [row.queue_id for row in burst.spool.outbox] == ["Q2", "Q3"]
    assert burst.worker._failures.due(burst.now + LONGEST) == []


async def test_an_address_that_is_none_is_dropped(burst: Burst) -> None:
    burst.mails(range(1, 4), to="nobody")
    await burst.worker.run_once()
    await burst.later(QUIET)
    assert (burst.spool.outbox, burst.spool.spooled) == ([], [])


async def test_the_log_names_all_mails_of_a_letter_in_one_line(
    burst: Burst, events: list[MutableMapping[str, Any]]
) -> None:
    burst.mails(range(1, 4))
    await burst.worker.run_once()
    await burst.later(QUIET)
    one, several = [event for event in events if event["event"] == "notice-written"]
    assert (one["queue_id"], one["own_id"]) == ("Q1", "OWN1")
    assert (several["mails"], several["queue_ids"], several["own_id"]) == (2, ["Q2", "Q3"], "OWN2")


async def test_the_event_loop_looks_at_no_mail_of_a_letter(composers: Composers) -> None:
    threads: list[bool] = []

    class Seeing(Broken):
        def __init__(self) -> None:
            def line(glance: Glance, notice: Notice) -> HeldMail | None:
                threads.append(threading.current_thread() is threading.main_thread())
                return composers.line(glance, notice)

            self.line = line

        def holds(self, about: Glance, notice: Notice, lines: Sequence[HeldMail]) -> bytes:
            return composers.holds(about, notice, lines)

    burst = Burst(composers, Seeing())
    burst.mails(range(1, 4))
    await burst.worker.run_once()
    await burst.later(QUIET)
    assert threads == [False, False]


async def test_it_wakes_when_a_letter_is_due(burst: Burst) -> None:
    assert burst.worker._pause() > timedelta(seconds=1)
    burst.mails(range(1, 3))
    burst.spool.outbox[1] = replace(burst.spool.outbox[1], hold_ends=NOON + timedelta(seconds=4))
    await burst.worker.run_once()
    assert burst.worker._pause() == timedelta(seconds=1)
    burst.now = NOON + timedelta(seconds=9)
    assert burst.worker._pause() == timedelta(0)
