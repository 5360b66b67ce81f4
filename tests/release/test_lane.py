"""Each copy goes to one lane, with its own octets, however often it is tried and whatever is rendered ahead."""

from __future__ import annotations

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from gateway.delivery.mail import Outgoing
from gateway.delivery.route import Route
from gateway.message.address import Address
from gateway.policy.demands import Form
from gateway.release.batches import Batch
from gateway.release.lane import Lane
from gateway.spool.lifecycle import State
from gateway.spool.values import Recipient
from gateway.transform.view import View

COPIES = 12


def batch(number: int) -> Batch:
    address = Address(f"r{number}", "example.com")
    row = Recipient(number, address, True, State.ACTIVE, None, 1)
    return Batch(Route(), View(Form.INDIVIDUAL, address), (row,))


STEPS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 3), st.integers(0, 2)), max_size=60)


@given(STEPS, st.sets(st.integers(0, COPIES)))
def test_each_copy_is_taken_once_and_has_its_own_octets(
    steps: list[tuple[int, int, int]], broken: set[int]
) -> None:
    waiting = deque(batch(number) for number in range(COPIES))
    fails = set(broken)

    def render(one: Batch) -> Outgoing:
        [row] = one.recipients
        if row.index in fails:
            raise KeyError(row.index)
        return Outgoing(None, (row.address,), b"", memoryview(b""))

    lanes = [Lane(waiting, render) for _ in range(2)]
    taken: list[int] = []
    foretold: dict[int, Outgoing] = {}

    def work(number: int, looks: int, tries: int) -> bool:
        """Take a copy, look ahead so often, and ask so often for the copy itself, before and after."""
        one = lanes[number].next()
        if one is None:
            return False
        [row] = one.recipients
        taken.append(row.index)
        fails.discard(row.index)
        for attempt in range(tries):
            made = lanes[number].make(one)
            assert made.recipients == (row.address,)
            if attempt == 0 and number in foretold:
                assert made is foretold[number]
            foretold.pop(number, None)
            for _ in range(looks):
                if (ahead := lanes[number].following()) is not None:
                    foretold[number] = ahead
        if not tries:
            foretold.pop(number, None)
        return True

    for number, looks, tries in steps:
        ahead = foretold.get(number)
        before = len(taken)
        if work(number, looks, tries) and ahead is not None:
            assert ahead.recipients[0].local == f"r{taken[before]}"
    for number in (0, 1):
        while work(number, 1, 1):
            pass
    assert sorted(taken) == list(range(COPIES))
