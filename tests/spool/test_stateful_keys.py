"""Any sequence of verbs on mail with and without keys against the model: a key goes after its mail, and after no other.

On both stores, as test_stateful.py.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from gateway.policy.handling import Handling
from gateway.policy.protection import Way
from gateway.spool.key_contract import KeySending, NoKey, Stage
from gateway.spool.key_leaving import SECOND_MAIL_AFTER
from gateway.spool.lifecycle import State
from gateway.spool.second_look import missing_of
from gateway.spool.values import Change
from gateway.store.where import Where
from tests.postgres import Cluster
from tests.spool.keyed import CLERK, NUMBER, keyed, sealed
from tests.spool.mails import LEASE, MINUTE, WINDOW
from tests.spool.test_stateful import Spooling, bounded
from tests.spool.waiting import Asked, Key, WaitingMail

SENT_BY_US = {Way.SMS: timedelta(0), Way.SECOND_MAIL: SECOND_MAIL_AFTER}
GONE = (State.CANCELLED, State.BOUNCED)


def handlings() -> st.SearchStrategy[Handling]:
    return st.builds(
        lambda way, own, bad: (
            sealed(obstacle="unclear", within=15 * MINUTE)
            if bad
            else sealed(way, own_key=own, within=15 * MINUTE)
        ),
        st.sampled_from([None, Way.SMS, Way.SECOND_MAIL, Way.SENDER]),
        st.booleans(),
        st.sampled_from([False, False, False, True]),
    )


class KeySpooling(Spooling):
    """Adds to the model: by which way each key goes, and how far those are that left."""

    @initialize()
    def begin(self) -> None:
        self.handlings: dict[Key, Handling] = {}
        self.ways: dict[Key, Way | None] = {}
        self.left_at: dict[Key, datetime] = {}
        self.carried: dict[Key, tuple[Stage, datetime | None]] = {}
        self.sendings: list[KeySending] = []
        self.typed: set[Key] = set()

    @rule(
        several=st.lists(handlings(), min_size=1, max_size=2), window=st.sampled_from([timedelta(0), WINDOW])
    )
    def accept_keyed(self, several: list[Handling], window: timedelta) -> None:
        new = keyed(*several, window=window, at=self.now)
        queue_id = self.run(self.spool.accept(new))
        missing = {index: missing_of(new.decision.of(index)) for index in range(len(several))}
        asked = [
            Asked(demand, concerns=frozenset(i for i, each in missing.items() if each == demand))
            for demand in sorted({each for each in missing.values() if each is not None})
        ]
        self.waiting[queue_id] = WaitingMail(queue_id, self.now, window, len(several), asked)
        for index, handling in enumerate(several):
            key, waits = (queue_id, index), missing[index] is not None
            self.model[key] = State.HELD if waits or window else State.QUEUED
            self.due[key] = None if waits else self.now + window
            self.handlings[key] = handling
            self.ways[key] = handling.way

    @precondition(lambda self: self.handlings)
    @rule(data=st.data(), way=st.sampled_from([Way.SMS, Way.SENDER, Way.PREAGREED]))
    def supply(self, data: st.DataObject, way: Way) -> None:
        key = data.draw(st.sampled_from(sorted(self.handlings)))
        handling, state = self.handlings[key], self.model[key]
        failed = self.carried.get(key, (None, None))[0] is Stage.FAILED
        asked = handling.way is None and state is State.HELD
        takes = handling.needs_key and way is not Way.PREAGREED and (asked or failed)
        to = NUMBER if way is Way.SMS else ""
        answer = self.run(self.spool.keys.supply(key[0], [key[1]], way, to, CLERK, self.now))
        assert answer == (Change((key[1],), ()) if takes else Change((), ((key[1], state),)))
        if takes:
            self.ways[key] = way
            (self.typed.add if to else self.typed.discard)(key)
        if takes and failed:
            self.carried[key] = (Stage.READY, self.now if way is Way.SMS else None)
        elif takes:
            self.waiting[key[0]].supply(self.model, key[1])
            self.waiting[key[0]].settle(self.model, self.due, self.now, self.frozen)

    @rule()
    def carry(self) -> None:
        self._note_what_left()
        expected = {key for key, (_, at) in self.carried.items() if at is not None and at <= self.now}
        found = self.run(self.spool.keys.due_sendings(self.now, 100, LEASE))
        assert {(each.queue_id, each.recipient) for each in found} == expected
        assert all(self.model[each.queue_id, each.recipient] is State.DELIVERED for each in found)
        self.carried |= dict.fromkeys(expected, (Stage.SENDING, self.now + LEASE))
        for each in found:
            typed = (each.queue_id, each.recipient) in self.typed
            address = f"r{each.recipient}@example.com" if each.way is Way.SECOND_MAIL else ""
            assert each.to == (NUMBER if typed else address)
        self.sendings += found

    @precondition(lambda self: self.sendings)
    @rule(data=st.data(), how=st.sampled_from(["sent", "again", "failed"]))
    def tell(self, data: st.DataObject, how: str) -> None:
        sending = self.sendings.pop(data.draw(st.integers(0, len(self.sendings) - 1)))
        key = sending.queue_id, sending.recipient
        newer = [each for each in self.sendings if (each.queue_id, each.recipient) == key]
        if how == "sent":
            self.run(self.spool.keys.sent(sending, f"{key[0]}-{key[1]}", self.now))
        else:
            retry = self.now + MINUTE if how == "again" else None
            self.run(self.spool.keys.not_sent(sending, "busy", retry, self.now))
        if self.carried[key][0] is Stage.SENDING and not newer:
            stage = {"sent": Stage.SENT, "again": Stage.READY, "failed": Stage.FAILED}[how]
            self.carried[key] = (stage, self.now + MINUTE if how == "again" else None)

    @invariant()
    def keys_agree(self) -> None:
        if not hasattr(self, "spool"):
            return
        self._note_what_left()
        for queue_id in dict.fromkeys(key[0] for key in self.handlings):
            for status in self.run(self.spool.keys.statuses(queue_id)):
                key = queue_id, status.recipient
                assert (status.way, status.stage) == (self.ways[key], self._stage(key))
                assert status.stage is not Stage.READY or self.model[key] is State.DELIVERED
                self._can_be_sealed(key)

    def _stage(self, key: Key) -> Stage:
        if self.model[key] in GONE:
            return Stage.STOPPED
        return self.carried[key][0] if key in self.carried else Stage.WAITING

    def _can_be_sealed(self, key: Key) -> None:
        """Whoever gets the mail has a key, and nobody else."""
        good = self.model[key] not in GONE and self.ways[key] is not None
        try:
            sealed_with = self.run(self.spool.keys.to_seal(key[0], [key[1]]))
        except NoKey:
            assert not good
        else:
            assert good == bool(sealed_with)

    def _note_what_left(self) -> None:
        """Keys of what was delivered since the last look may go: nobody else's."""
        for key, handling in self.handlings.items():
            if handling.needs_key and self.model[key] is State.DELIVERED and key not in self.carried:
                wait = SENT_BY_US.get(self.ways[key] or Way.SENDER)
                self.carried[key] = (Stage.READY, None if wait is None else self.now + wait)


class KeySpoolingTogether(KeySpooling):
    """The same on PostgreSQL."""

    server: ClassVar[Cluster]

    def empty_store(self, state: object) -> Where:
        return Where(super().empty_store(state).state, self.server.fresh(), node="gw1")  # type: ignore[arg-type]

    def teardown(self) -> None:
        super().teardown()
        if hasattr(self, "spool"):
            self.server.drop(self.where.url)


@pytest.fixture(scope="class")
def server(postgres: Cluster) -> None:
    KeySpoolingTogether.server = postgres


TestKeySpooling = KeySpooling.TestCase
TestKeySpooling.settings = bounded(30)
TestKeySpoolingTogether = pytest.mark.usefixtures("server")(KeySpoolingTogether.TestCase)
TestKeySpoolingTogether.settings = bounded(10)
