"""Copies with protected files: which share one, and that no way leads from them to the mail as it came."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.decision import Decision
from gateway.policy.demands import Form
from gateway.policy.handling import Handling
from gateway.policy.protection import How, Way
from gateway.transform.render import (
    Original,
    OtherVariant,
    carrying,
    frame_of,
    prepare_views,
    render,
    sealed,
    to_entries,
)
from gateway.transform.view import Keyed, Variant, View, variant_of, view_of
from tests.transform.sample import decision, envelope, mail, original

TWO = envelope("ana@example.com", "ben@example.com")
RAW = mail("From: clerk@sports.example.jp", "To: ana@example.com, ben@example.com", body="the plain mail\r\n")
SEALED = mail(
    "From: clerk@sports.example.jp", "To: ana@example.com, ben@example.com", body="the sealed mail\r\n"
)
ZIPPED = Handling(("r",), ((1, How.ZIP_AES256),), needs_key=True, way=Way.SENDER)
LINKED = Handling(("r",), ((1, How.LINK),), way=Way.CODE_PAGE)

handlings = st.builds(
    Handling,
    st.just(("r",)),
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from(How)), max_size=2).map(tuple),
    st.sampled_from(["", "signed"]),
    st.booleans(),
    st.sampled_from([None, *Way]),
)


def handled(handling: Handling | None, form: Form = Form.ORIGINAL) -> Decision:
    decided = decision(form, count=2)
    return replace(decided, outcomes=(replace(decided.outcomes[0], handling=handling),))


def views(handling: Handling | None, *keys: Keyed, form: Form = Form.ORIGINAL) -> list[View]:
    decided = handled(handling, form)
    return [view_of(decided, n, TWO.recipients[n], key) for n, key in enumerate(keys or (Keyed(), Keyed()))]


def test_recipients_with_one_key_share_a_copy() -> None:
    same = Keyed("k", Way.SENDER)
    one, other = views(ZIPPED, same, same)
    assert one == other


@pytest.mark.parametrize(
    ("handling", "keys"),
    [
        (ZIPPED, (Keyed("k", Way.SENDER), Keyed("l", Way.SENDER))),  # a key of their own
        (ZIPPED, (Keyed("k", Way.SENDER), Keyed("k", Way.SMS))),  # the note says how it comes
        (LINKED, (Keyed(), Keyed())),  # a link of their own
    ],
)
def test_recipients_with_different_copies_do_not(handling: Handling, keys: tuple[Keyed, Keyed]) -> None:
    one, other = views(handling, *keys)
    assert one != other


@pytest.mark.parametrize(
    "other",
    [
        replace(ZIPPED, rules=("r", "s")),
        replace(ZIPPED, within=timedelta(days=9)),
        replace(ZIPPED, ways=(Way.SENDER, Way.SMS)),
        replace(ZIPPED, bits=90),
    ],
)
def test_what_does_not_change_a_copy_does_not_part_recipients(other: Handling) -> None:
    key = Keyed("k", Way.SENDER)
    assert variant_of(other, 0, key) == variant_of(ZIPPED, 1, key)


@given(handlings, st.sampled_from(["", "k"]), st.sampled_from([None, *Way]))
def test_a_variant_is_none_only_where_nothing_is_to_be_done(
    handling: Handling, key_id: str, way: Way | None
) -> None:
    variant = variant_of(handling, 0, Keyed(key_id, way))
    assert (variant is None) == (not handling.forms and not handling.obstacle)
    if variant is not None:
        assert variant.forms == handling.forms
        assert bool(variant.lacks) == (
            bool(handling.obstacle) or (handling.needs_key and (not key_id or way is None))
        )


WAYS_TO_A_COPY: list[Callable[[Original, View], object]] = [
    render,
    carrying,
    lambda mail_, view: prepare_views(mail_, [view]),
    lambda mail_, view: frame_of(mail_, replace(view, form=Form.BCC)),
    lambda mail_, view: to_entries(mail_, replace(view, form=Form.BCC)),
]


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("way", range(len(WAYS_TO_A_COPY)))
def test_no_way_leads_from_a_protected_copy_to_the_mail_as_it_came(way: int, form: Form) -> None:
    plain = original(RAW, TWO, handled(ZIPPED, form))
    view = views(ZIPPED, form=form)[0]
    with pytest.raises(OtherVariant):
        WAYS_TO_A_COPY[way](plain, view)


@given(handlings, handlings, st.sampled_from(Form))
def test_a_copy_comes_from_the_original_of_its_own_variant_only(
    mine: Handling, others: Handling, form: Form
) -> None:
    variant = variant_of(others, 0)
    plain = original(RAW, TWO, handled(mine, form))
    source = plain if variant is None else sealed(plain, SEALED, variant)
    view = views(mine, form=form)[0]
    if view.variant == variant:
        assert bytes(render(source, view).body) == (
            b"the plain mail\r\n" if variant is None else b"the sealed mail\r\n"
        )
    else:
        with pytest.raises(OtherVariant):
            render(source, view)


def test_nothing_that_was_computed_of_the_plain_mail_is_taken_for_a_variant() -> None:
    plain = original(RAW, TWO, handled(ZIPPED, Form.BCC))
    view = views(ZIPPED, form=Form.BCC)[0]
    bare = replace(view, variant=None)
    render(plain, bare)
    assert isinstance(view.variant, Variant)
    assert b"sealed" in bytes(render(sealed(plain, SEALED, view.variant), view).body)
    assert b"plain" in bytes(render(plain, bare).body)
