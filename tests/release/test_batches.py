"""Who shares a transaction: equal octets and an equal route, nobody else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.delivery.route import Route
from gateway.evidence.resolver import Mx
from gateway.message.address import Address
from gateway.policy.demands import Form
from gateway.release.batches import batches, by_route
from gateway.spool.lifecycle import State
from gateway.spool.values import Recipient
from gateway.transform.view import View

ROUTES = [Route(exchangers=(Mx(10, f"mx{number}.example.com"),)) for number in range(3)]
VIEWS = [View(Form.ORIGINAL), View(Form.BCC), View(Form.INDIVIDUAL, Address("a", "example.com"))]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=40), st.integers(1, 7))
def test_batches_partition_the_recipients(classes: list[tuple[int, int]], limit: int) -> None:
    rows = [
        Recipient(number, Address(f"r{number}", "example.com"), True, State.ACTIVE, None, 1)
        for number in range(len(classes))
    ]
    kinds = [(ROUTES[route], VIEWS[view]) for route, view in classes]
    made = batches([(row, *kinds[row.index], False) for row in rows], limit)
    assert sorted(row.index for batch in made for row in batch.recipients) == list(range(len(rows)))
    for batch in made:
        assert 1 <= len(batch.recipients) <= limit
        for row in batch.recipients:
            route, view = classes[row.index]
            assert (ROUTES[route], VIEWS[view]) == (batch.route, batch.view)
    least = sum(-(-classes.count(each) // limit) for each in set(classes))
    assert len(made) == least
    parts = by_route(made)
    assert [len({batch.route for batch in part}) for part in parts] == [1] * len(parts)
    assert len({part[0].route for part in parts}) == len(parts)
    assert sorted(map(id, made)) == sorted(id(batch) for part in parts for batch in part)


def test_silent_recipients_share_no_transaction_with_others() -> None:
    rows = [
        Recipient(number, Address(f"r{number}", "example.com"), True, State.ACTIVE, None, 1)
        for number in range(3)
    ]
    made = batches([(each, ROUTES[0], View(Form.ORIGINAL), each.index == 1) for each in rows], 10)
    assert [([each.index for each in batch.recipients], batch.silent) for batch in made] == [
        ([0, 2], False),
        ([1], True),
    ]
