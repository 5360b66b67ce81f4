"""The roll of the workers: who says nothing for several looks is silent, who has not begun is not, and words are told."""

from __future__ import annotations

import os

import pytest

from gateway.service.muster import SLOT, Looks, Muster, shared_page


@pytest.fixture
def muster() -> Muster:
    return Muster(-1, 3)


def test_a_worker_whose_count_stands_still_is_silent_and_is_heard_again(muster: Muster) -> None:
    looks = Looks(muster, [1, 2], patience=3)
    for _ in range(5):
        muster.say(1)
        muster.say(2)
        looks.look()
    assert looks.silent == []
    for _ in range(3):
        muster.say(1)
        looks.look()
    assert looks.silent == [2]
    assert looks.complaints() == ["worker 2: does not answer"]
    muster.say(2)
    looks.look()
    assert looks.complaints() == []


def test_who_has_not_begun_is_not_silent(muster: Muster) -> None:
    looks = Looks(muster, [1], patience=2)
    for _ in range(9):
        looks.look()
    assert looks.silent == []


def test_what_ails_a_worker_is_told_until_it_says_otherwise(muster: Muster) -> None:
    looks = Looks(muster, [0, 1], patience=2)
    muster.say(1, "the database is damaged")
    looks.look()
    assert looks.complaints() == ["worker 1: the database is damaged"]
    muster.say(1)
    assert looks.complaints() == []


def test_words_are_cut_to_their_slot_and_touch_no_other(muster: Muster) -> None:
    muster.say(2, "z")
    muster.say(1, "あ" * SLOT)
    assert (muster.ails(0), muster.ails(2)) == ("", "z")
    assert set(muster.ails(1)) <= {"あ", "\N{REPLACEMENT CHARACTER}"}


def test_the_page_is_shared_by_all_who_have_its_descriptor() -> None:
    handle = shared_page(2)
    try:
        mine, theirs = Muster(handle, 2), Muster(handle, 2)
        mine.say(1, "hello")
        assert (theirs.count(1), theirs.ails(1)) == (1, "hello")
    finally:
        os.close(handle)
