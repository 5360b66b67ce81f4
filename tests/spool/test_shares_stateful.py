"""Any sequence of what recipients, senders and time do to a share, against a model of a few lines; on both stores."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.audit.log import EventLog
from gateway.audit.verify import verify
from gateway.spool.lifecycle import Kind
from gateway.spool.notice import NoticeKind
from gateway.spool.share_contract import NoShare, Visitor
from gateway.spool.shares_codes import VALID
from gateway.spool.sql import open_spool
from gateway.spool.values import Actor
from gateway.store.database import event_seal
from gateway.store.where import Where
from tests.postgres import Cluster
from tests.spool.conftest import MASTER
from tests.spool.mails import MINUTE, T0, Ticks
from tests.spool.sharing import DAY, FIRST, SECOND, linked, sent, wrong

CLERK = Actor("sender", "clerk@sports.example.jp")
DOWNLOADS = 2
SPANS = st.sampled_from([MINUTE, VALID, timedelta(hours=1), DAY])


class Sharing(RuleBasedStateMachine):
    """The model: whether the share is open, the code that is out, who was let in, and how often each file was fetched."""

    @initialize()
    def open(self) -> None:
        self.where = self.empty_store(Path(tempfile.mkdtemp()))
        self.loop = asyncio.new_event_loop()
        self.spool = open_spool(self.where, MASTER, serve=True, monotonic=Ticks())
        self.now = T0
        self.queue_id = self.run(sent(self.spool, linked(downloads=DOWNLOADS, expires=2 * DAY)))
        self.expires, self.locked, self.ended = T0 + 2 * DAY, False, False
        self.code: tuple[str, datetime] | None = None
        self.visits: list[str] = []
        self.begun: set[tuple[str, int]] = set()
        self.fetched = {FIRST: 0, SECOND: 0}

    def empty_store(self, state: Path) -> Where:
        return Where(state)

    def teardown(self) -> None:
        if not hasattr(self, "spool"):
            return
        history = self.run(self.spool.shares.history(self.queue_id))
        assert sum(each.kind is Kind.SHARE_FETCHED for each in history) == sum(self.fetched.values())
        assert sum(each.kind is Kind.SHARE_OPENED for each in history) == len(self.visits)
        self.run(self.spool.close())
        self.loop.close()
        with EventLog(self.where) as log:
            assert verify(log, event_seal(MASTER)).intact
        shutil.rmtree(self.where.state)

    def run(self, verb: Any) -> Any:
        return self.loop.run_until_complete(verb)

    @property
    def is_open(self) -> bool:
        return not self.locked and not self.ended and self.now < self.expires

    @property
    def used_up(self) -> bool:
        return all(count >= DOWNLOADS for count in self.fetched.values())

    @rule(span=SPANS)
    def time_passes(self, span: timedelta) -> None:
        self.now += span

    @rule()
    def ask(self) -> None:
        why = ""
        try:
            self.run(self.spool.shares.ask_code(self.queue_id, 0, Visitor("192.0.2.1"), self.now))
        except NoShare as refused:
            why = refused.why
        if why:
            assert not self.is_open or self.used_up or why == "too-many"
            return
        assert self.is_open
        notices = self.run(self.spool.notices.pending(1_000))
        assert {notice.kind for notice in notices} == {NoticeKind.CODE}
        code = self.spool.shares.code_of(notices[-1])
        assert code is not None
        self.code = code, self.now

    @rule(right=st.booleans())
    @precondition(lambda self: self.code is not None)
    def enter(self, right: bool) -> None:
        assert self.code is not None
        code, made = self.code
        visit = f"visit-{len(self.visits)}"
        try:
            said = self.run(
                self.spool.shares.enter(
                    self.queue_id,
                    0,
                    code if right else wrong(code),
                    "",
                    Visitor("192.0.2.1", visit),
                    self.now,
                )
            )
        except NoShare:
            assert not self.is_open or self.used_up
            return
        assert self.is_open
        if said:
            assert right
            assert self.now - made < VALID
            self.visits.append(visit)
            self.code = None  # good once

    @rule(place=st.sampled_from([FIRST, SECOND]), onward=st.booleans(), pick=st.integers(0, 3))
    def fetch(self, place: int, onward: bool, pick: int) -> None:
        visit = self.visits[pick % len(self.visits)] if self.visits and pick else "nobody"
        free = onward and (visit, place) in self.begun
        visitor = Visitor("192.0.2.1", visit)
        try:
            fetching = self.spool.shares.fetch(self.queue_id, 0, place, visitor, self.now, onward=onward)
            self.run(fetching)
        except NoShare:
            assert not self.is_open or visit == "nobody" or (not free and self.fetched[place] >= DOWNLOADS)
            return
        assert self.is_open
        assert visit != "nobody"
        if not free:
            self.fetched[place] += 1
            self.begun.add((visit, place))

    @rule()
    def lock(self) -> None:
        done = self.run(self.spool.shares.lock(self.queue_id, None, CLERK, self.now)).done
        assert bool(done) == self.is_open
        if done:
            self.locked, self.code = True, None

    @rule()
    def unlock(self) -> None:
        done = self.run(self.spool.shares.unlock(self.queue_id, None, CLERK, self.now)).done
        assert bool(done) == (self.locked and not self.ended and self.now < self.expires)
        self.locked = self.locked and not done

    @rule()
    def extend(self) -> None:
        until = self.now + DAY
        done = self.run(self.spool.shares.extend(self.queue_id, None, until, CLERK, self.now)).done
        assert bool(done) == (not self.ended and self.now < self.expires < until)
        if done:
            self.expires = until

    @rule()
    def sweep(self) -> None:
        ended = self.run(self.spool.shares.end_expired(self.now, 10))
        assert ended == (not self.ended and self.now >= self.expires)
        self.ended = self.ended or bool(ended)

    @rule()
    @precondition(lambda self: self.now > T0 + DAY)
    def take_back(self) -> None:
        taken = self.run(self.spool.shares.take_back(self.queue_id, None, CLERK, self.now))
        assert (taken.locked, len(taken.opened)) == (((), 1) if self.visits else ((0,), 0))
        self.ended, self.code = True, None

    @invariant()
    def nothing_is_fetched_too_often(self) -> None:
        if not hasattr(self, "spool"):
            return
        (share,) = self.run(self.spool.shares.of(self.queue_id))
        assert dict(share.fetched) == {place: count for place, count in self.fetched.items() if count}
        assert max(self.fetched.values()) <= DOWNLOADS
        assert (share.opened_at is not None) == bool(self.visits)
        try:
            self.run(self.spool.shares.get(self.queue_id, 0, self.now))
            assert self.is_open
        except NoShare:
            assert not self.is_open


class SharingTogether(Sharing):
    """The same on PostgreSQL."""

    server: ClassVar[Cluster]

    def empty_store(self, state: Path) -> Where:
        return Where(state, self.server.fresh(), node="gw1")

    def teardown(self) -> None:
        super().teardown()
        if hasattr(self, "spool"):
            self.server.drop(self.where.url)


@pytest.fixture(scope="class")
def server(postgres: Cluster) -> None:
    SharingTogether.server = postgres


def bounded(examples: int) -> settings:
    return settings(
        max_examples=examples, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
    )


TestSharing = Sharing.TestCase
TestSharing.settings = bounded(20)
TestSharingTogether = pytest.mark.usefixtures("server")(SharingTogether.TestCase)
TestSharingTogether.settings = bounded(8)
