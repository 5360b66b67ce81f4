"""Demands are a join-semilattice: the algebra behind "rules only ever add"."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.decision import Decision, Outcome, Watched
from gateway.policy.demands import (
    EVER,
    Approval,
    Approver,
    Confirmation,
    Demands,
    Form,
    MailDemands,
    Refusal,
    Step,
    Text,
    join_all,
    join_all_for_mail,
)
from gateway.policy.stored_decision import from_json, to_json

TIMES = st.sampled_from([timedelta(0), timedelta(minutes=5), timedelta(minutes=10)])


def approvals() -> st.SearchStrategy[Approval]:
    approver = st.builds(
        Approver,
        st.sampled_from(["a@example.jp", "b@example.jp"]),
        st.sampled_from([EVER, datetime(2026, 7, 31, 15, tzinfo=UTC)]),
    )
    steps = st.lists(
        st.builds(Step, TIMES, st.lists(approver, max_size=2).map(tuple)), min_size=1, max_size=2
    )
    return st.builds(
        Approval,
        rule=st.sampled_from(["one", "two"]),
        name=st.just("managers"),
        at_least=st.integers(1, 2),
        within=TIMES,
        otherwise=st.sampled_from(["cancel", "release"]),
        steps=steps.map(tuple),
    )


def confirmations() -> st.SearchStrategy[Confirmation]:
    return st.builds(
        Confirmation,
        rule=st.sampled_from(["one", "two"]),
        items=st.sampled_from(["recipients", "attachments", "both"]),
        within=TIMES,
        otherwise=st.sampled_from(["cancel", "release"]),
    )


def demands() -> st.SearchStrategy[Demands]:
    """Draw any demands that rules can join to: the parts of a window lie within it."""
    return st.builds(
        lambda times, **more: Demands(window=max(times), firm=min(times), reasoned=times[1], **more),
        st.tuples(TIMES, TIMES, TIMES),
        form=st.sampled_from(Form),
        hide_internal=st.booleans(),
        tags=st.frozensets(st.tuples(st.sampled_from(["X-A", "X-B"]), st.sampled_from("12")), max_size=3),
        confirm=st.frozensets(confirmations(), max_size=2),
        approvals=st.frozensets(approvals(), max_size=2),
        drop=st.booleans(),
        routes=st.frozensets(st.sampled_from(["one", "two"])),
        disclaimers=st.frozensets(st.sampled_from(["one", "two"])),
    )


def for_mail() -> st.SearchStrategy[MailDemands]:
    people = st.frozensets(st.sampled_from(["a@example.jp", "b@example.jp"]))
    refusals = st.frozensets(st.builds(Refusal, st.sampled_from(["one", "two"]), st.just(Text("否", "no"))))
    yes = st.booleans()
    return st.builds(MailDemands, refusals, yes, people, people, people, yes, colleagues_may_stop=yes)


@given(for_mail(), for_mail(), for_mail())
def test_demands_on_the_whole_mail_join_in_the_same_way(
    a: MailDemands, b: MailDemands, c: MailDemands
) -> None:
    assert a.join(b) == b.join(a)
    assert a.join(b).join(c) == a.join(b.join(c)) == join_all_for_mail([c, a, b])
    assert a.join(a) == a == a.join(MailDemands())
    assert a.join(b).covers(a)


@given(demands(), for_mail(), st.booleans())
def test_what_is_stored_is_read_back(asked: Demands, whole: MailDemands, external: bool) -> None:
    outcome = Outcome(external, asked, ("p@example.com",), ("one",))
    decision = Decision(
        "d",
        (outcome, Outcome(True, Demands())),
        (0, 1, 0),
        refusals=tuple(sorted(whole.refusals)),
        bcc_to=whole.bcc_to,
        report_to=whole.report_to,
        watched=(Watched("w", 2, asked, whole),),
    )
    assert from_json(json.loads(json.dumps(to_json(decision))), decision.assigned) == decision


def test_a_decision_without_anything_new_is_written_as_a_release_before_reads_it() -> None:
    plain = Decision("d", (Outcome(True, Demands(window=timedelta(minutes=10), form=Form.BCC)),), (0,))
    assert to_json(plain)["v"] == 1
    assert not {"bcc_to", "watched"} & set(to_json(plain))


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
