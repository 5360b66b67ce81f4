"""Any sequence of verbs against a model of a few lines: same states, same answers, true tallies, an unbroken chain.

On both stores; on PostgreSQL every example has a database of its own.
"""

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
from gateway.policy.demands import Approval, Confirmation
from gateway.spool.lifecycle import CANCELLABLE, Reason, State
from gateway.spool.list_contract import HeldQuestion, Scope, Waits
from gateway.spool.second_look import Said
from gateway.spool.sql import open_spool
from gateway.spool.values import Actor, Change, Claim
from gateway.store.database import event_seal
from gateway.store.where import Where
from tests.postgres import Cluster
from tests.spool.asking import CHIEF, DEPUTY, approval, asking, confirmation
from tests.spool.conftest import MASTER
from tests.spool.mails import (
    LEASE,
    MINUTE,
    SENDER,
    T0,
    WINDOW,
    Ticks,
    bounced,
    deferred,
    delivered,
    mail,
    unanswered,
)
from tests.spool.waiting import Asked, Key, WaitingMail


def approvals() -> st.SearchStrategy[Approval]:
    return st.builds(
        lambda people, rule, at_least, minutes, otherwise: approval(
            *people, rule=rule, at_least=at_least, within=minutes * MINUTE, otherwise=otherwise
        ),
        st.sampled_from([(CHIEF,), (CHIEF, DEPUTY)]),
        st.sampled_from(["one", "two"]),
        st.integers(1, 2),
        st.sampled_from([15, 30]),
        st.sampled_from(["cancel", "release"]),
    )


def confirmations() -> st.SearchStrategy[Confirmation]:
    return st.builds(
        lambda minutes, otherwise: confirmation(within=minutes * MINUTE, otherwise=otherwise),
        st.sampled_from([15, 30]),
        st.sampled_from(["cancel", "release"]),
    )


class Spooling(RuleBasedStateMachine):
    """The model: each recipient's state and due time, the claims that are out, and who may have the mail in spite of all.

    The wall clock steps where it likes; leases run by `ticks`.
    """

    @initialize()
    def open(self) -> None:
        self.where = self.empty_store(Path(tempfile.mkdtemp()))
        self.loop = asyncio.new_event_loop()
        self.ticks = Ticks()
        self.spool = open_spool(self.where, MASTER, serve=True, monotonic=self.ticks)
        self.now = T0
        self.model: dict[Key, State] = {}
        self.due: dict[Key, datetime | None] = {}  # None: it waits for people
        self.waiting: dict[str, WaitingMail] = {}
        self.perhaps: set[Key] = set()
        self.claims: list[tuple[Claim, float]] = []
        self.freezes: dict[str, tuple[bool, datetime]] = {}  # by an administrator, and until when
        self.frozen: dict[Key, timedelta] = {}  # what was left of the time of who is frozen
        self.spool.halts.frozen_for = 25 * MINUTE

    def empty_store(self, state: Path) -> Where:
        return Where(state)

    def teardown(self) -> None:
        if not hasattr(self, "spool"):
            return
        self.run(self.spool.close())
        self.loop.close()
        with EventLog(self.where) as log:
            assert verify(log, event_seal(MASTER)).intact
        shutil.rmtree(self.where.state)

    def run(self, verb: Any) -> Any:
        return self.loop.run_until_complete(verb)

    @rule(held=st.integers(0, 2), queued=st.integers(0, 2))
    def accept(self, held: int, queued: int) -> None:
        if held + queued:
            queue_id = self.run(self.spool.accept(mail(held=held, queued=queued, at=self.now)))
            for index in range(held + queued):
                is_held = index < held
                self.model[queue_id, index] = State.HELD if is_held else State.QUEUED
                self.due[queue_id, index] = self.now + (WINDOW if is_held else timedelta(0))

    @rule(
        count=st.integers(1, 2),
        window=st.sampled_from([timedelta(0), WINDOW]),
        approvals=st.lists(approvals(), max_size=2, unique_by=lambda each: each.rule),
        confirmations=st.lists(confirmations(), max_size=1),
    )
    def accept_asking(
        self,
        count: int,
        window: timedelta,
        approvals: list[Approval],
        confirmations: list[Confirmation],
    ) -> None:
        demands: list[Approval | Confirmation] = [*confirmations, *sorted(approvals)]
        if demands:
            new = asking(*demands, outside=count, window=window, at=self.now)
            queue_id = self.run(self.spool.accept(new))
            asked = [Asked(demand) for demand in demands]
            self.waiting[queue_id] = WaitingMail(queue_id, self.now, window, count, asked)
            self.model |= dict.fromkeys([(queue_id, index) for index in range(count)], State.HELD)
            self.due |= dict.fromkeys([(queue_id, index) for index in range(count)], None)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), person=st.sampled_from([CHIEF, DEPUTY, str(SENDER)]), agrees=st.booleans())
    def somebody_decides(self, data: st.DataObject, person: str, agrees: bool) -> None:
        queue_id = data.draw(st.sampled_from(sorted(self.waiting)))
        verb = self.spool.consents.approve if agrees else self.spool.consents.reject
        actor = Actor("approver", person)
        answer = self.run(verb(queue_id, None, person, actor, "", self.now))
        mail = self.waiting[queue_id]
        word = mail.approve if agrees else mail.reject
        counts = person != str(SENDER) and word(self.model, person, self.now)
        assert (answer.said is Said.COUNTED) == counts
        mail.settle(self.model, self.due, self.now, self.frozen)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), ticked=st.sets(st.integers(0, 1)))
    def the_sender_ticks(self, data: st.DataObject, ticked: set[int]) -> None:
        queue_id = data.draw(st.sampled_from(sorted(self.waiting)))
        mail = self.waiting[queue_id]
        ticked &= set(range(mail.count))
        self.run(self.spool.consents.confirm(queue_id, ticked, False, Actor("sender"), self.now))
        mail.confirm(self.model, ticked)
        mail.settle(self.model, self.due, self.now, self.frozen)

    @rule()
    def pass_deadlines(self) -> None:
        passed = {key for key, each in self.waiting.items() if each.pass_deadlines(self.model, self.now)}
        over = {queue_id for queue_id, (_, until) in self.freezes.items() if until <= self.now}
        for queue_id in over:
            del self.freezes[queue_id]
            for key in self._frozen_of(queue_id):
                self.model[key] = State.CANCELLED
        assert self.run(self.spool.consents.pass_deadlines(self.now, 100)) == len(passed | over)
        for each in self.waiting.values():
            each.settle(self.model, self.due, self.now, self.frozen)

    @rule(minutes=st.integers(1, 12))
    def time_passes(self, minutes: int) -> None:
        self.now += minutes * MINUTE
        self.ticks.pass_by(minutes * MINUTE)

    @rule(minutes=st.integers(1, 12))
    def the_wall_clock_jumps(self, minutes: int) -> None:
        self.now += minutes * MINUTE

    @precondition(lambda self: self.model)
    @rule(data=st.data(), everybody=st.booleans(), releasing=st.booleans())
    def second_thought(self, data: st.DataObject, everybody: bool, releasing: bool) -> None:
        queue_id, index = data.draw(st.sampled_from(sorted(self.model)))
        keys = [key for key in sorted(self.model) if key[0] == queue_id and (everybody or key[1] == index)]
        can = {State.HELD} if releasing else CANCELLABLE
        done = [key for key in keys if self.model[key] in can and not (releasing and self.due[key] is None)]
        expected = Change(
            tuple(key[1] for key in done),
            tuple((k[1], self.model[k]) for k in keys if k not in done),
            () if releasing else tuple(key[1] for key in done if key in self.perhaps),
        )
        verb = self.spool.release if releasing else self.spool.cancel
        chosen = None if everybody else [index]
        assert self.run(verb(queue_id, chosen, Actor("admin"), Reason.BY_ADMIN, self.now)) == expected
        for key in done:
            self.model[key] = State.QUEUED if releasing else State.CANCELLED
            self.due[key] = self.now

    @precondition(lambda self: self.model)
    @rule(data=st.data(), by_admin=st.booleans())
    def freeze(self, data: st.DataObject, by_admin: bool) -> None:
        keys = self._some_mail(data)
        going = [key for key in keys if self.model[key] in CANCELLABLE and key not in self._frozen_of(key[0])]
        queue_id = keys[0][0]
        change = self.run(self.spool.halts.freeze(queue_id, _who(by_admin), "", self.now))
        assert change.done == tuple(key[1] for key in going)
        if going or queue_id in self.freezes or any(self.model[key] is State.ACTIVE for key in keys):
            self.freezes.setdefault(queue_id, (by_admin, self.now + 25 * MINUTE))
        for key in going:
            self._freeze(key, self._rest(key))

    @precondition(lambda self: self.model)
    @rule(data=st.data(), by_admin=st.booleans())
    def thaw(self, data: st.DataObject, by_admin: bool) -> None:
        keys = self._some_mail(data)
        queue_id = keys[0][0]
        may = by_admin or not self.freezes.get(queue_id, (False, self.now))[0]
        going = self._frozen_of(queue_id) if may else []
        change = self.run(self.spool.halts.thaw(queue_id, _who(by_admin), self.now))
        assert change.done == tuple(key[1] for key in going)
        if may:
            self.freezes.pop(queue_id, None)
        for key in going:
            self._thaw(key, self.frozen.pop(key))

    @precondition(lambda self: self.model)
    @rule(data=st.data(), minutes=st.integers(1, 30))
    def extend(self, data: st.DataObject, minutes: int) -> None:
        keys = self._some_mail(data)
        until = self.now + minutes * MINUTE
        held = [key for key in keys if self.model[key] is State.HELD and key not in self._frozen_of(key[0])]
        going = [key for key in held if self._ends(key) < until]
        change = self.run(self.spool.halts.extend(keys[0][0], until, _who(False), self.now))
        assert change.done == tuple(key[1] for key in going)
        for key in going:
            if self.due[key] is None:
                self.waiting[key[0]].ends[key[1]] = until
            else:
                self.due[key] = until

    @rule()
    def release_due(self) -> None:
        due = [key for key, state in self.model.items() if state is State.HELD and self._is_due(key)]
        assert self.run(self.spool.release_due(self.now, 100)) == len(due)
        for key in due:
            self.model[key], self.due[key] = State.QUEUED, self.now

    @rule()
    def claim(self) -> None:
        moving = {State.QUEUED, State.DEFERRED}
        due = {key for key, state in self.model.items() if state in moving and self._is_due(key)}
        assert not any(self._is_open(key) for key in due)
        claims = self.run(self.spool.claim(self.now, 100, LEASE))
        assert {(c.message.queue_id, r.index) for c in claims for r in c.message.recipients} == due
        self.model |= dict.fromkeys(due, State.ACTIVE)
        self.claims += [(claim, self.ticks() + LEASE.total_seconds()) for claim in claims]

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), outcome=st.sampled_from([delivered, bounced, unanswered, None]))
    def record(self, data: st.DataObject, outcome: Any) -> None:
        claim, until = self.claims.pop(data.draw(st.integers(0, len(self.claims) - 1)))
        keys = [(claim.message.queue_id, r.index) for r in claim.message.recipients]
        retry_at = self.now + MINUTE
        deferring = outcome in (unanswered, None)
        results = [(outcome or deferred)(i, retry_at) if deferring else outcome(i) for _, i in keys]
        change = self.run(self.spool.record(claim, results, self.now))
        if self.ticks() >= until:
            assert change.done == ()
            return
        assert change.done == tuple(index for _, index in keys)
        for key, result in zip(keys, results, strict=True):
            self.model[key], self.due[key] = result.state, retry_at
            self._back(key)
            if outcome is unanswered:
                self.perhaps.add(key)

    @rule()
    def recover(self) -> None:
        running = [entry for entry in self.claims if self.ticks() < entry[1]]
        still = {(claim.message.queue_id, r.index) for claim, _ in running for r in claim.message.recipients}
        lost = {key for key, state in self.model.items() if state is State.ACTIVE} - still
        assert self.run(self.spool.recover(self.now)) == len(lost)
        self.claims = running
        self.perhaps |= lost
        for key in lost:
            self.model[key], self.due[key] = State.DEFERRED, self.now
            self._back(key)

    @invariant()
    def states_agree(self) -> None:
        if not hasattr(self, "spool"):
            return
        stored = self._stored()
        assert {key: recipient.state for key, recipient in stored.items()} == self.model
        assert {key for key, recipient in stored.items() if recipient.perhaps} == self.perhaps
        counted = self.run(self.spool.figures()).by_state
        assert counted == {state: list(self.model.values()).count(state) for state in State}
        held = {queue_id for (queue_id, _), state in self.model.items() if state is State.HELD}
        assert {message.queue_id for message in self.run(self.spool.held(1000))} == held
        page = self.run(self.spool.lists.held(HeldQuestion(Scope(everything=True), limit=200)))
        assert {line.queue_id for line in page.lines} == held
        assert {line.queue_id: line.held for line in page.lines} == {
            queue_id: sum(s is State.HELD for key, s in self.model.items() if key[0] == queue_id)
            for queue_id in held
        }
        frozen = {queue_id for queue_id in held if self._frozen_of(queue_id)}
        assert {line.queue_id for line in page.lines if Waits.FROZEN in line.waits} == frozen

    @invariant()
    def next_due_agrees(self) -> None:
        if hasattr(self, "spool"):
            waiting = {State.HELD, State.QUEUED, State.DEFERRED}
            due = [self.due[key] for key, state in self.model.items() if state in waiting]
            assert self.run(self.spool.next_due()) == min([at for at in due if at], default=None)

    def _some_mail(self, data: st.DataObject) -> list[Key]:
        queue_id = data.draw(st.sampled_from(sorted({key[0] for key in self.model})))
        return [key for key in sorted(self.model) if key[0] == queue_id]

    def _frozen_of(self, queue_id: str) -> list[Key]:
        """Return who of a mail waits to be thawed; whoever was cancelled meanwhile does not."""
        return sorted(key for key in self.frozen if key[0] == queue_id and self.model[key] is State.HELD)

    def _ends(self, key: Key) -> datetime:
        due = self.due[key]
        return self.waiting[key[0]].window_ends(key[1]) if due is None else due

    def _rest(self, key: Key) -> timedelta:
        if self.model[key] is State.QUEUED:
            return timedelta(0)
        return max(timedelta(0), self._ends(key) - self.now)

    def _freeze(self, key: Key, rest: timedelta) -> None:
        self.frozen[key], self.model[key], self.due[key] = rest, State.HELD, None

    def _thaw(self, key: Key, rest: timedelta) -> None:
        ends = self.now + rest
        if self._is_open(key):
            self.waiting[key[0]].ends[key[1]] = ends
        elif rest:
            self.due[key] = ends
        else:
            self.model[key], self.due[key] = State.QUEUED, self.now

    def _back(self, key: Key) -> None:
        """What comes back to a frozen mail is held."""
        if self.model[key] is State.DEFERRED and key[0] in self.freezes:
            self._freeze(key, timedelta(0))

    def _is_due(self, key: Key) -> bool:
        at = self.due[key]
        return at is not None and at <= self.now

    def _is_open(self, key: Key) -> bool:
        mail = self.waiting.get(key[0])
        return mail is not None and mail.is_open(key[1])

    def _stored(self) -> dict[Key, Any]:
        messages = [
            self.run(self.spool.get(queue_id)) for queue_id in dict.fromkeys(key[0] for key in self.model)
        ]
        return {(m.queue_id, r.index): r for m in messages for r in m.recipients}


def _who(by_admin: bool) -> Actor:
    return Actor("admin" if by_admin else "sender", "somebody")


class SpoolingTogether(Spooling):
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
    SpoolingTogether.server = postgres


def bounded(examples: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


TestSpooling = Spooling.TestCase
TestSpooling.settings = bounded(20)
TestSpoolingTogether = pytest.mark.usefixtures("server")(SpoolingTogether.TestCase)
TestSpoolingTogether.settings = bounded(20)
