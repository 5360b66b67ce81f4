"""Demands are a join-semilattice: the algebra behind "rules only ever add"."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.decision import Demands, Form, join_all


def demands() -> st.SearchStrategy[Demands]:
    times = st.sampled_from([timedelta(0), timedelta(minutes=5), timedelta(minutes=10)])
    tags = st.frozensets(st.tuples(st.sampled_from(["X-A", "X-B"]), st.sampled_from("12")), max_size=3)
    return st.builds(
        lambda a, b, form, hide, tags: Demands(max(a, b), min(a, b), form, hide, tags),
        times,
        times,
        st.sampled_from(Form),
        st.booleans(),
        tags,
    )


@given(demands(), demands())
def test_join_is_commutative(a: Demands, b: Demands) -> None:
    assert a.join(b) == b.join(a)


@given(demands(), demands(), demands())
def test_join_is_associative(a: Demands, b: Demands, c: Demands) -> None:
    assert a.join(b).join(c) == a.join(b.join(c))


@given(demands())
def test_join_is_idempotent_and_nothing_is_neutral(a: Demands) -> None:
    assert a.join(a) == a
    assert a.join(Demands()) == a


@given(demands(), demands())
def test_join_is_the_least_that_covers_both(a: Demands, b: Demands) -> None:
    joined = a.join(b)
    assert joined.covers(a)
    assert joined.covers(b)
    assert joined.firm <= joined.window


@given(demands(), demands(), demands())
def test_join_is_monotone_and_least(a: Demands, b: Demands, c: Demands) -> None:
    if b.covers(a):
        assert b.join(c).covers(a.join(c))
    if c.covers(a) and c.covers(b):
        assert c.covers(a.join(b))


@given(st.permutations([Demands(window=timedelta(1)), Demands(form=Form.BCC), Demands(hide_internal=True)]))
def test_any_number_joins_in_any_order(parts: list[Demands]) -> None:
    assert join_all(parts) == Demands(timedelta(1), timedelta(0), Form.BCC, True)
