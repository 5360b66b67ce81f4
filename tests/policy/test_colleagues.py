"""Who gets a link by which they can stop a mail: a table, and laws over any decision."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.message.address import Address
from gateway.message.envelope import Client, Envelope
from gateway.policy.colleagues import MAX_COLLEAGUES, colleagues_of, waiting_outside, with_own_texts
from gateway.policy.decision import Decision, LeftOut, Outcome
from gateway.policy.demands import Demands
from gateway.policy.disclaimers import Disclaimer
from tests.spool.asking import CHIEF, approval

HELD = Outcome(True, Demands(window=timedelta(minutes=10)))
ASKING = Outcome(True, Demands(approvals=frozenset([approval(CHIEF)])))
OUT = Outcome(True, Demands())
IN = Outcome(False, Demands())
IN_HELD = Outcome(False, Demands(window=timedelta(minutes=10)))
IN_DROPPED = Outcome(False, Demands(drop=True))
GONE = Outcome(True, Demands(window=timedelta(minutes=10), drop=True))
SENDER = Address("clerk", "sports.example.jp")


def decided(*outcomes: Outcome, copied: int = 0, asked: bool = True) -> Decision:
    kinds = tuple(dict.fromkeys(outcomes))
    assigned = tuple(kinds.index(each) for each in outcomes)
    return Decision("d", kinds, assigned, copied=copied, colleagues_may_stop=asked)


def envelope(count: int, *own: int) -> Envelope:
    people = [Address(f"r{index}", "sports.example.jp") for index in range(count)]
    for index in own:
        people[index] = Address("Clerk+x", "sports.example.jp")
    return Envelope(SENDER, tuple(people), Client("127.0.0.1", "pc", "clerk", True))


@pytest.mark.parametrize(
    ("decision", "wanted"),
    [
        (decided(HELD, IN), (1,)),
        (decided(ASKING, IN, IN), (1, 2)),
        (decided(HELD, IN, asked=False), ()),
        (decided(OUT, IN), ()),  # it has left: nothing can be stopped
        (decided(GONE, IN), ()),
        (decided(HELD, IN_HELD, IN_DROPPED), ()),
        (decided(HELD, IN, IN, copied=1), (1,)),
        (decided(IN, HELD, copied=1), ()),  # only a copy waits
        (decided(IN), ()),
        (decided(HELD, OUT), ()),
    ],
)
def test_who_may(decision: Decision, wanted: tuple[int, ...]) -> None:
    assert colleagues_of(decision, envelope(len(decision.assigned))) == wanted


def test_the_sender_has_a_link_already() -> None:
    assert colleagues_of(decided(HELD, IN, IN), envelope(3, 1)) == (2,)


def test_links_have_a_bound() -> None:
    decision = decided(HELD, *[IN] * (MAX_COLLEAGUES + 5))
    assert len(colleagues_of(decision, envelope(MAX_COLLEAGUES + 6))) == MAX_COLLEAGUES


@given(st.lists(st.sampled_from([HELD, ASKING, OUT, IN, IN_HELD, IN_DROPPED, GONE]), min_size=1, max_size=8))
def test_nobody_outside_and_nobody_who_waits_ever_gets_one(outcomes: list[Outcome]) -> None:
    decision = decided(*outcomes)
    people = colleagues_of(decision, envelope(len(outcomes)))
    assert all(outcomes[index] == IN for index in people)
    assert bool(people) == (IN in outcomes and waiting_outside(decision) > 0)
    told = with_own_texts(decision, [(index, Disclaimer("", f"link {index}")) for index in people])
    keys = [told.disclaimers_of(index) for index in range(len(outcomes))]
    assert [index for index, key in enumerate(keys) if key] == list(people)
    assert len({key for key in keys if key}) == len(people)


def test_ones_own_text_stands_behind_those_that_rules_ask_for() -> None:
    inside = Outcome(False, Demands(disclaimers=frozenset(["legal"])))
    decision = replace(decided(HELD, inside), texts=(Disclaimer("legal", "text"),))
    told = with_own_texts(decision, [(1, Disclaimer("", "link"))])
    assert told.disclaimers_of(1) == ("legal", "~1")
    assert told.disclaimers_of(0) == ()
    assert replace(told, left_out=(LeftOut(("legal",), "signed"),)).disclaimers_of(1) == ("~1",)
